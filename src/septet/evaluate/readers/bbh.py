"""BIG-Bench Hard (Suzgun et al., 2022, arXiv 2210.09261): tasks asked with three worked examples, or with their answers alone.

Reads `bbh/<task>.json` (a canary line and examples of input and target) and `cot-prompts/<task>.txt` (a canary line, a rule, the
prompt). Each file makes two tasks of the same items: `bbh/<task>`, whose preamble is the published prompt, and `bbh-direct/<task>`,
whose preamble is that prompt with each worked example cut down to its question and answer. The canary stands in `about`, never in a
prompt: it is there to be searched for.
"""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from septet.evaluate.form import Benchmark, Layout, Task, item
from septet.evaluate.readers.reading import Reading
from septet.evaluate.readers.values import text_of

ABOUT = {
    "name": "bbh",
    "version": "2022",
    "licence": "MIT",
    "origin": "github.com/suzgunmirac/BIG-Bench-Hard",
}
_THINK = "Let's think step by step."
_STEPWISE = Layout(item="Q: {question}\nA: " + _THINK, cloze="Q: {question}\nA: " + _THINK)
_DIRECT = Layout(item="Q: {question}\nA:", cloze="Q: {question}\nA:")
_WORDS = ({"yes", "no"}, {"true", "false"}, {"valid", "invalid"})
_ANSWER = re.compile(r"\bthe answer is:?\s*(.+?)\.?\s*$", re.IGNORECASE | re.DOTALL)


def read(folder: Path) -> Benchmark:
    """Read BIG-Bench Hard. Raises ConfigError where the folder holds none of its files."""
    reading = Reading(folder)
    about = dict(ABOUT)
    prompts: dict[str, tuple[str, str]] = {}
    for path in reading.files("*cot-prompts/*.txt", "*cot_prompts/*.txt"):
        canary, body = prompt_of(reading.text(path))
        about |= {"canary": canary} if canary else {}
        prompts[path.stem] = (body, direct(body))
    without = [] if prompts else ["all"]
    # Outputs of models lie in folders beside the tasks, with other keys.
    for path in reading.files("*.json", without=("*outputs*", "*results*", "*package*.json")):
        value = reading.value(path)
        if value is None:
            continue
        canary = value.get("canary", "") if isinstance(value, dict) else ""
        about |= {"canary": str(canary)} if canary else {}
        stepwise, short = prompts.get(path.stem, ("", ""))
        if prompts and not stepwise:
            without.append(path.stem)
        for family, preamble, layout, tokens in (
            ("bbh", stepwise, _STEPWISE, 1024),
            ("bbh-direct", short, _DIRECT, 64),
        ):
            task = Task(
                f"{family}/{path.stem}",
                "en",
                "generate",
                "bbh",
                subject=path.stem.replace("_", " "),
                layout=layout,
                preamble=preamble,
                max_tokens=tokens,
                stop=("\nQ:",) if family == "bbh" else ("\nQ:", "\n\n"),
            )
            _add(reading, task, path)
    if without:
        about["without_prompt"] = ", ".join(without)
    return reading.benchmark(about)


def _add(reading: Reading, task: Task, path: Path) -> None:
    items = []
    for row in reading.rows(path):
        with reading.kept(row) as values:
            target = text_of(values["target"], "target")
            items.append(
                item(f"{task.name}/test/{row.number:04d}", task, text_of(values["input"], "input"), answers=[target])
            )
    if items:
        words = {one["answers"][0].lower() for one in items}
        closed = 1 / 2 if any(words <= pair for pair in _WORDS) else 0.0
        chances = [1 / count if (count := _options(one["question"])) else closed for one in items]
        reading.task(msgspec.structs.replace(task, chance=round(sum(chances) / len(chances), 6)))
        reading.items += items


def _options(question: str) -> int:
    """How many options the question lists below its line `Options:`, lettered or with hyphens."""
    _, found, listed = question.rpartition("Options:")
    return len(re.findall(r"^\s*(?:\([A-Z]\)|-)\s", listed, re.MULTILINE)) if found else 0


def prompt_of(text: str) -> tuple[str, str]:
    """The canary and the prompt of a published prompt file. The canary is what stands above the rule of hyphens."""
    parts = re.split(r"^-{3,}[ \t]*\r?$", text, maxsplit=1, flags=re.MULTILINE)
    head, body = parts if len(parts) == 2 else ("", text)
    lines = [line for line in body.replace("\r\n", "\n").split("\n") if "canary GUID" not in line]
    kept = "\n".join(lines).strip()
    canary = next((line.strip() for line in (head + "\n" + body).split("\n") if "canary GUID" in line), "")
    return canary, kept


def direct(prompt: str) -> str:
    """The prompt with each worked example cut down to question and answer; an example without a stated answer is left out."""
    head, *examples = re.split(r"(?:^|\n+)(?=Q: )", prompt)
    short = []
    for example in examples:
        question, found, worked = example.partition("\nA:")
        answer = _stated(worked)
        if found and answer:
            short.append(f"{question.rstrip()}\nA: {answer}")
    return "\n\n".join([head.strip(), *short]).strip()


def _stated(worked: str) -> str:
    """What the last `the answer is` of a worked example states, without the stop."""
    last = re.split(r"(?=\bthe answer is\b)", worked.strip(), flags=re.IGNORECASE)[-1]
    match = _ANSWER.match(last)
    return match[1].strip() if match else ""
