"""Tasks of lm-evaluation-harness (Gao et al., 2021; version 0.4.13) from their YAML files, over files that lie here.

`read` takes a task's file, a group's, or a folder of them. Read are `multiple_choice`, `loglikelihood` and `generate_until`, with
examples, descriptions, delimiters and filters. The text that a model reads is the harness's, character for character: each item is
compared as it is read. Examples that all items share are items of the split `shots`; those that the harness draws for each item
by itself (its usual sampler), or that our layout cannot put so, stand in the item's `meta.before`. The order of the items is that
of the split, so that `TASK/3` is the harness's `doc_id` 3.

Not read: code (`!function`), data sets of the hub (bring the files), pictures, tasks whose choices stand inside the text.
What a task measures beyond accuracy and exact match is named in `about.not_measured`. Of `loglikelihood`, the log-probability is
kept, and no item is right or wrong.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from septet.core import ConfigError
from septet.detect.language import language_all
from septet.evaluate import prompts
from septet.evaluate.form import LETTERS, Benchmark, Layout, Mode, Task, item
from septet.evaluate.readers.finish import mark_passages, settled
from septet.evaluate.readers.harness_tables import Rows, splits
from septet.evaluate.readers.harness_words import Asked, Examples, Unfit, Words
from septet.evaluate.readers.harness_yaml import Named, named
from septet.evaluate.verdicts.harness import pipelines

_MEASURED = {
    "multiple_choice": ("acc", "acc_norm", "acc_bytes"),
    "loglikelihood": ("perplexity",),
    "generate_until": ("exact_match",),
}
_USUAL = {
    "multiple_choice": ("acc", "acc_norm"),
    "loglikelihood": ("perplexity", "acc"),
    "generate_until": ("exact_match",),
}
_MOST_SHOTS = 64


def read(path: Path) -> Benchmark:
    """Read the tasks. Raises ConfigError for files that are missing or name code, and for what is not supported."""
    tasks, items, rejected, configs, unmeasured = [], [], [], {}, []
    for one in named(path):
        task, own, out = _task(one)
        tasks.append(task)
        items += own
        rejected += out
        configs[task.name] = _plain(one.config)
        metrics = _metrics(one.config)
        unmeasured += [f"{task.name}: {name}" for name in metrics if name not in _MEASURED[_kind(one.config)]]
    mark_passages(items)
    about = {
        "name": path.stem if path.is_file() else path.resolve().name,
        "version": ", ".join(sorted({_version(config) for config in configs.values()})),
        "licence": "as the files say",
        "origin": "tasks of lm-evaluation-harness",
        "lm_eval": json.dumps(configs, ensure_ascii=False),
    }
    if unmeasured:
        about["not_measured"] = "; ".join(unmeasured)
    return Benchmark(about, settled(tasks, items, []), items, rejected)


def _task(one: Named) -> tuple[Task, list[dict[str, Any]], list[dict[str, str]]]:
    config = {**one.config, "task": one.name}
    kind = _kind(config)
    for key in ("doc_to_image", "doc_to_audio", "use_prompt"):
        if config.get(key):
            raise ConfigError(f"the task '{one.name}' wants {key}, which is not read", "Leave the task out")
    if not set(_metrics(config)) & set(_MEASURED[kind]):
        raise ConfigError(
            f"the task '{one.name}' measures {', '.join(_metrics(config))}; known: {', '.join(_MEASURED[kind])}",
            "Leave the task out, or measure one of these",
        )
    test, rows, pool, among_items = _rows(config, one.folder)
    if not rows:
        raise ConfigError(f"the task '{one.name}' has no row in the split '{test}'", "Look at its file")
    words = Words(config, list(rows[0]))
    examples = Examples(words, pool, _whole(config.get("num_fewshot") or 0, "num_fewshot"), among_items)
    asked, rejected = _asked(words, one.name, test, rows)
    letters = kind == "multiple_choice" and all(
        each.choices == list(LETTERS[: len(each.choices or ())]) for each in asked.values()
    )
    mode: Mode = "generate" if kind == "generate_until" else "letter" if letters else "text"
    task = Task(
        one.name,
        _language([each.text for each in asked.values()]),
        mode,
        "harness" if mode == "generate" else "option",
        group=one.group,
        layout=_layout(words, rows[0], kind),
        shots=examples.count if examples.fixed else 0,
        **_writing(config, words),
    )
    shots = _shots(task, words, examples.pool) if examples.fixed and examples.count else []
    if len(shots) < examples.count:
        task, shots = msgspec.structs.replace(task, shots=0), []
    filters = pipelines(config) if mode == "generate" else []
    items, before = [], []
    for place, row in enumerate(rows):
        # Drawn for each row in turn, also for those that are rejected: the draws go on.
        chosen = examples.of(row)
        if place in asked:
            items.append(_item(task, place, asked[place], row, filters))
            before.append(words.description(row) + "".join(words.example(shot) for shot in chosen))
    texts = [each.text for each in asked.values()]
    if any(_built(task, made, shots).text != b + t for made, b, t in zip(items, before, texts, strict=True)):
        shots = []
        task = msgspec.structs.replace(task, shots=0, layout=msgspec.structs.replace(task.layout, header=""))
        for made, text in zip(items, before, strict=True):
            made["meta"]["before"] = text
    for made, text, each in zip(items, before, asked.values(), strict=True):
        question = _built(task, made, shots)
        glue = words.delimiter if kind == "multiple_choice" else ""
        if question.text != text + each.text or question.ends != tuple(glue + one for one in each.choices or ()):
            raise ConfigError(f"the task '{one.name}' cannot be asked as the harness asks it", "Leave it out")
    return task, [*shots, *items], rejected


def _built(task: Task, made: Mapping[str, Any], shots: Sequence[Mapping[str, Any]]) -> prompts.Question:
    return prompts.build(task, made, shots[: task.shots], task.mode)


def _rows(config: Mapping[str, Any], folder: Path) -> tuple[str, Rows, Rows, bool]:
    """The split that is asked with its rows, the rows that examples are taken from, and whether these are the same split."""
    few = dict(config.get("fewshot_config") or {})
    test, validation = config.get("test_split"), config.get("validation_split")
    split = test if test is not None else validation
    if split is None:
        raise ConfigError(f"the task '{config['task']}' names no test_split or validation_split", "Write one of them")
    told = few.get("split", config.get("fewshot_split"))
    samples = few.get("samples")
    wants = bool(config.get("num_fewshot"))
    usual = next((one for one in (config.get("training_split"), validation, test) if one is not None), None)
    source = told if told is not None else None if samples is not None else usual
    found = splits(
        config, folder, list(dict.fromkeys([str(split), *([str(source)] if wants and source is not None else [])]))
    )
    pool = [dict(one) for one in samples or ()] if source is None else found.get(str(source), [])
    return str(split), found[str(split)], pool if wants else [], told == test


def _asked(words: Words, name: str, split: str, rows: Rows) -> tuple[dict[int, Asked], list[dict[str, str]]]:
    found, rejected = {}, []
    for place, row in enumerate(rows):
        try:
            found[place] = words.asked(row)
        except Unfit as error:
            rejected.append({"source": f"{name}, split {split}", "where": f"row {place + 1}", "reason": str(error)})
    if not found:
        raise ConfigError(
            f"the task '{name}' makes nothing of any row: {rejected[0]['reason']}", "Correct its templates or its file"
        )
    return found, rejected


def _layout(words: Words, row: dict[str, Any], kind: str) -> Layout:
    return Layout(
        header=words.description(row).removesuffix(words.between),
        item="{question}",
        cloze="{question}",
        answer=("" if kind == "loglikelihood" else words.delimiter) + "{answer}",
        between=words.between,
    )


def _writing(config: Mapping[str, Any], words: Words) -> dict[str, Any]:
    """How much is written, and where it ends."""
    if words.kind != "generate_until":
        return {"max_tokens": 8, "stop": ("\n",)}
    told = dict(config.get("generation_kwargs") or {})
    until = told.get("until", [words.between])
    stop = tuple(str(one) for one in ([until] if isinstance(until, str) else until or ()))
    longest = next((told[key] for key in ("max_gen_toks", "max_new_tokens", "max_tokens") if key in told), 256)
    return {"max_tokens": _whole(longest, "max_gen_toks"), "stop": stop}


def _shots(task: Task, words: Words, pool: Rows) -> list[dict[str, Any]]:
    """The examples as items. None where one is not of the form that a layout puts."""
    found = []
    for place, row in enumerate(pool[:_MOST_SHOTS]):
        try:
            text, answer, choices = words.answer(row)
        except Unfit as error:
            raise ConfigError(f"the task '{task.name}': example {place + 1}: {error}", "Correct the row") from None
        letters = task.mode == "letter" and choices == list(LETTERS[: len(choices or ())]) and answer in (choices or ())
        if task.mode == "letter" and not letters:
            return []
        more: dict[str, Any] = (
            {"options": choices, "label": choices.index(answer)} if letters and choices else {"answers": [answer]}
        )
        if task.mode == "text":
            more |= (
                {"options": choices, "label": choices.index(answer)}
                if choices and answer in choices
                else {"kind": "choice"}
            )
        found.append(item(f"{task.name}/shots/{place}", task, text, split="shots", meta={"solution": answer}, **more))
    return found


def _item(task: Task, place: int, each: Asked, row: dict[str, Any], filters: Sequence[Any]) -> dict[str, Any]:
    # As text: the order of its keys is part of the digest that the harness writes.
    doc = json.dumps(row, ensure_ascii=False, default=str)
    digest = hashlib.sha256(json.dumps(row, indent=2, ensure_ascii=False, default=str).encode("utf-8", "surrogatepass"))
    meta: dict[str, Any] = {"doc": doc, "doc_hash": digest.hexdigest(), "target": each.target}
    if filters:
        meta["filters"] = [msgspec.to_builtins(one) for one in filters]
    return item(
        f"{task.name}/{place}",
        task,
        each.text,
        options=each.choices,
        labels=each.right,
        answers=each.references,
        meta=meta,
    )


def _language(texts: Sequence[str]) -> str:
    told = language_all(list(texts[:50]))
    return "zh" if 2 * sum(one in ("zh", "mixed") for one in told) > len(told) else "en"


def _kind(config: Mapping[str, Any]) -> str:
    kind = str(config.get("output_type") or "generate_until")
    if kind not in _MEASURED:
        raise ConfigError(
            f"the task '{config.get('task')}' is of the kind '{kind}'", f"Read are {', '.join(_MEASURED)}"
        )
    return kind


def _metrics(config: Mapping[str, Any]) -> list[str]:
    told = config.get("metric_list")
    return [str(one["metric"]) for one in told] if told else list(_USUAL[_kind(config)])


def _version(config: Mapping[str, Any]) -> str:
    metadata = config.get("metadata")
    return str(metadata["version"]) if isinstance(metadata, dict) and "version" in metadata else "Yaml"


def _whole(value: Any, key: str) -> int:
    """A whole number; YAML reads `1e3` as text."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = -1.0
    if number < 0 or number != int(number):
        raise ConfigError(f"{key} is {value!r}, not a whole number", "Correct the task's file")
    return int(number)


def _plain(config: Mapping[str, Any]) -> dict[str, Any]:
    """The settings as JSON can hold them."""
    plain: dict[str, Any] = json.loads(json.dumps(config, default=str))
    return plain
