"""Conversations and preferences from files, in the shapes that the field uses, as rows in the messages form.

Every record becomes a row or a line of `rejected.jsonl` with its place and reason. Personal data is treated as the policy says;
what was treated is counted.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from septet.core import ConfigError, Run
from septet.data.privacy import finder, replaced
from septet.detect import policy as policies
from septet.detect.language import language
from septet.files import write_json, write_lines
from septet.kinds import Conversations, Policy, Preferences

if TYPE_CHECKING:
    from septet.data.steps import turns as configs

Turn = dict[str, str]
_SUFFIXES = (".jsonl", ".json", ".csv", ".parquet")
_ROLES = {
    "system": "system",
    "user": "user",
    "human": "user",
    "prompter": "user",
    "用户": "user",
    "系统": "system",
    "assistant": "assistant",
    "gpt": "assistant",
    "bot": "assistant",
    "model": "assistant",
    "助手": "assistant",
}
_QUESTION = ("instruction", "question", "prompt", "query", "指令", "问题")
_MORE = ("input", "context", "输入")
_ANSWER = ("output", "answer", "response", "completion", "回答", "答案", "输出")
_BATCH = 4096


class _Refused(Exception):
    """Why a record is no row."""


def conversations(config: configs.Conversations, policy: Policy | None, run: Run) -> Conversations:
    """Raises ConfigError when no record of the files is a conversation."""

    def row(record: Mapping[str, Any]) -> dict[str, Any]:
        turns = _conversation(record)
        if config.system and turns[0]["role"] != "system":
            turns = [{"role": "system", "content": config.system}, *turns]
        return {"messages": turns}

    _write(config, policy, row, ("messages",), run)
    return Conversations(run.out)


def preferences(config: configs.Preferences, policy: Policy | None, run: Run) -> Preferences:
    """Raises ConfigError when no record of the files is a preference."""
    _write(config, policy, _preference, ("prompt", "chosen", "rejected"), run)
    return Preferences(run.out)


def _write(
    config: configs.Conversations | configs.Preferences,
    policy: Policy | None,
    row_of: Callable[[Mapping[str, Any]], dict[str, Any]],
    parts: Sequence[str],
    run: Run,
) -> None:
    rows: list[dict[str, Any]] = []
    rejected: list[dict[str, str]] = []
    for path, where, record in _records(config.paths):
        try:
            if not isinstance(record, Mapping):
                raise _Refused(record if isinstance(record, str) else "not an object")
            row = row_of(record)
        except _Refused as refused:
            rejected.append({"source": path.name, "where": where, "reason": str(refused)})
            continue
        about = {
            "id": f"{config.dataset or path.stem}/{where.rpartition(' ')[2]}",
            "dataset": config.dataset or path.stem,
            "source": path.name,
            "where": where,
            "licence": config.licence,
            "origin": config.origin,
            "access": config.access,
        }
        rows.append({**about, **row, "language": language(next(_texts(row, parts))["content"])})
    if not rows:
        first = f"the first, {rejected[0]['where']}: {rejected[0]['reason']}" if rejected else "they are empty"
        raise ConfigError(
            f"no record of {', '.join(map(str, config.paths))} can be used; {first}", "See the shapes that are read"
        )
    if policy is not None:
        _treat(rows, parts, policy, run)
    write_lines(run.out / "rows.jsonl", rows)
    if rejected:
        write_lines(run.out / "rejected.jsonl", rejected)
    for reason, count in Counter(one["reason"] for one in rejected).items():
        run.drop(reason, count, "rejected.jsonl")
    run.note(f"{len(rows)} rows, {len(rejected)} rejected")


def _treat(rows: Sequence[dict[str, Any]], parts: Sequence[str], policy: Policy, run: Run) -> None:
    rules = policies.load(policy.path)
    find = finder(rules)
    counts: Counter[str] = Counter()
    turns = [turn for row in rows for turn in _texts(row, parts)]
    for at in range(0, len(turns), _BATCH):
        some = turns[at : at + _BATCH]
        found = find(pa.chunked_array([pa.array([turn["content"] for turn in some], pa.string())]))
        for index, spans in found.items():
            some[index]["content"] = replaced(some[index]["content"], spans, rules, b"", {})[0]
            counts.update(span.kind for span in spans)
    write_json(run.out / "privacy.json", {"policy": rules.name, "version": rules.version, "replaced": dict(counts)})


def _texts(row: Mapping[str, Any], parts: Sequence[str]) -> Iterator[Turn]:
    for part in parts:
        yield from row.get(part, ())


def _conversation(record: Mapping[str, Any]) -> list[Turn]:
    for name in ("messages", "conversations"):
        if record.get(name) is not None:
            turns = _turns(record[name])
            break
    else:
        question, answer = _first(record, _QUESTION), _first(record, _ANSWER)
        if not question or not answer:
            raise _Refused("neither messages nor a question with its answer")
        more = _first(record, _MORE)
        turns = [
            {"role": "user", "content": f"{question}\n\n{more}" if more else question},
            {"role": "assistant", "content": answer},
        ]
    if not any(turn["role"] == "user" for turn in turns):
        raise _Refused("nobody asks")
    if turns[-1]["role"] != "assistant":
        raise _Refused("the last turn is no answer")
    return turns


def _preference(record: Mapping[str, Any]) -> dict[str, Any]:
    prompt = record.get("prompt", _first(record, _QUESTION) or None)
    if "chosen" in record or "rejected" in record:
        return _pair(prompt, record)
    answer = _first(record, ("completion", *_ANSWER))
    if prompt is None or not answer:
        raise _Refused("neither chosen and rejected nor a prompt with its completion")
    row = {"prompt": _turns(prompt)}
    if "reward" in record:
        return {**row, "chosen": _turns(answer, "assistant"), "reward": _number(record["reward"])}
    label = str(record.get("label", "")).strip().lower()
    if label not in ("true", "1", "false", "0"):
        raise _Refused("a completion without a label or a reward")
    return {**row, "chosen" if label in ("true", "1") else "rejected": _turns(answer, "assistant")}


def _pair(prompt: Any, record: Mapping[str, Any]) -> dict[str, Any]:
    sides = {
        name: _turns(record[name], "assistant") for name in ("chosen", "rejected") if record.get(name) not in (None, "")
    }
    if not sides:
        raise _Refused("both answers are empty")
    if prompt is None:  # two whole conversations that part at the answer
        if len(sides) < 2:
            raise _Refused("one conversation alone does not say where its answer begins")
        both = list(sides.values())
        same = next((at for at, (a, b) in enumerate(zip(*both, strict=False)) if a != b), min(map(len, both)))
        begun = both[0][:same]
        sides = {name: turns[same:] for name, turns in sides.items()}
    else:
        begun = _turns(prompt)
    if len(sides) == 2 and sides["chosen"] == sides["rejected"]:
        raise _Refused("chosen and rejected are the same")
    if not begun or any(not turns or turns[-1]["role"] != "assistant" for turns in sides.values()):
        raise _Refused("no answer follows the prompt")
    row: dict[str, Any] = {"prompt": begun, **sides}
    if record.get("reward") is not None:
        row["reward"] = _number(record["reward"])
    return row


def _turns(value: Any, role: str = "user") -> list[Turn]:
    """Messages, or one text as a single turn; a cell of a table may hold messages as JSON."""
    if isinstance(value, str):
        if not value.lstrip().startswith("[{"):
            if not value.strip():
                raise _Refused("an empty turn")
            return [{"role": role, "content": value}]
        try:
            value = json.loads(value)
        except ValueError:
            return [{"role": role, "content": value}]
    if not isinstance(value, Sequence) or not value:
        raise _Refused("no turns")
    made = []
    for turn in value:
        said = turn.get("content", turn.get("value")) if isinstance(turn, Mapping) else None
        if not isinstance(said, str) or not said.strip():
            raise _Refused("an empty turn")
        name = str(turn.get("role", turn.get("from", ""))).lower()
        if name not in _ROLES:
            raise _Refused(f"the role '{name}' is not known")
        made.append({"role": _ROLES[name], "content": said})
    return made


def _first(record: Mapping[str, Any], names: Sequence[str]) -> str:
    return next((str(record[name]) for name in names if str(record.get(name) or "").strip()), "")


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise _Refused("the reward is no number") from None


def _records(paths: Sequence[str | Path]) -> Iterator[tuple[Path, str, Any]]:
    """(file, place, record) of every record; a record that cannot be read is its reason, a string."""
    for given in paths:
        path = Path(given)
        files = sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]
        for file in files:
            if not file.is_file():
                raise ConfigError(f"{file} does not exist", "Name a file or folder that does")
            if file.suffix.lower() not in _SUFFIXES:
                yield file, "file", f"files of the type '{file.suffix}' are not read"
                continue
            yield from ((file, where, record) for where, record in _in_file(file))


def _in_file(file: Path) -> Iterator[tuple[str, Any]]:
    suffix = file.suffix.lower()
    if suffix == ".parquet":
        import pyarrow.parquet as pq

        rows: Any = pq.read_table(file).to_pylist()
        yield from ((f"row {number}", row) for number, row in enumerate(rows, 1))
        return
    try:
        text = file.read_text("utf-8-sig")
    except UnicodeDecodeError:
        yield "file", "not UTF-8"
        return
    if suffix == ".csv":
        yield from (
            (f"row {number}", row) for number, row in enumerate(csv.DictReader(text.splitlines(keepends=True)), 1)
        )
    elif suffix == ".jsonl":
        for number, line in enumerate(text.split("\n"), 1):
            if line.strip():
                yield f"line {number}", _decoded(line)
    else:
        whole = _decoded(text)
        rows = whole if isinstance(whole, list) else [whole]
        yield from ((f"row {number}", row) for number, row in enumerate(rows, 1))


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return "not valid JSON"
