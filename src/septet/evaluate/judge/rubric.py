"""What a judge is told to look at, and the verdicts it may give: a scale, a comparison with a reference, or one of two answers.

A rubric is a TOML file:

    name = "service"
    language = "en"
    kind = "scale"
    words = "Grade how far the answer helps a customer of the bank."
    [scale]
    1 = "wrong, or no help"
    2 = "..."

`kind` is `scale` (the verdicts are whole numbers), `reference` (`CORRECT`, `INCORRECT`, `NOT_ATTEMPTED`, the three grades of
SimpleQA, Wei et al., 2024, arXiv 2411.04368, and Chinese SimpleQA, He et al., 2024, arXiv 2411.07140) or `pair` (`A`, `B`,
`TIE`). The words of the rubrics here are our own.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from septet.core import ConfigError
from septet.core.errors import nearest

Kind = Literal["scale", "reference", "pair"]

GRADES = ("CORRECT", "INCORRECT", "NOT_ATTEMPTED")
SIDES = ("A", "B", "TIE")
_MOST_LEVELS = 101


class Rubric(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a judge is told. `scale` has a description for each verdict that it may give."""

    name: str
    language: Literal["zh", "en"]
    kind: Kind
    words: str
    """What to judge, and how."""
    scale: Mapping[str, str]
    """By verdict, from the worst to the best for a scale: in words, what it stands for."""

    @property
    def verdicts(self) -> tuple[str, ...]:
        """What may be given, in the order in which it is offered."""
        return tuple(sorted(self.scale, key=int)) if self.kind == "scale" else tuple(self.scale)

    def score(self, verdict: str) -> float:
        """A verdict as a score from 0 to 1. Of a pair it is that of A. Raises ConfigError for what is no verdict of the
        rubric."""
        if verdict not in self.scale:
            raise ConfigError(
                f"'{verdict}' is no verdict of the rubric '{self.name}'", nearest(verdict, list(self.verdicts))
            )
        if self.kind == "pair":
            return {"A": 1.0, "B": 0.0, "TIE": 0.5}[verdict]
        if self.kind == "reference":
            return float(verdict == "CORRECT")
        lowest, *_, highest = (int(one) for one in self.verdicts)
        return (int(verdict) - lowest) / (highest - lowest)

    def told(self, label: object) -> str:
        """The verdict that a person's label names: as written, a number, or a score from 0 to 1 where it is true or false.

        Raises ConfigError for a label that the rubric does not know.
        """
        if isinstance(label, bool):
            if self.kind == "reference":
                return "CORRECT" if label else "INCORRECT"
            raise ConfigError(
                f"a label of the rubric '{self.name}' is not true or false", f"Write one of {', '.join(self.verdicts)}"
            )
        if isinstance(label, float) and label.is_integer():
            label = int(label)
        text = str(label).strip().upper().replace(" ", "_").replace("-", "_")
        if text not in self.scale:
            raise ConfigError(
                f"'{label}' is no verdict of the rubric '{self.name}'", f"Write one of {', '.join(self.verdicts)}"
            )
        return text


def checked(rubric: Rubric) -> Rubric:
    """The rubric, where it is one that can be asked. Raises ConfigError that says what it lacks."""
    where = f"the rubric '{rubric.name}'"
    if not rubric.words.strip():
        raise ConfigError(f"{where} does not say what to judge", "Write `words`")
    if any(not words.strip() for words in rubric.scale.values()):
        raise ConfigError(f"{where} has a verdict without words", "Say of each verdict what it stands for")
    if rubric.kind == "scale":
        strange = [one for one in rubric.scale if not one.isascii() or not one.isdigit() or str(int(one)) != one]
        if strange or not 2 <= len(rubric.scale) <= _MOST_LEVELS:
            raise ConfigError(
                f"{where} needs a scale of two or more whole numbers" + (f", not '{strange[0]}'" if strange else ""),
                'Write it as [scale] with lines such as 1 = "..."',
            )
    else:
        wanted = GRADES if rubric.kind == "reference" else SIDES
        if set(rubric.scale) != set(wanted):
            raise ConfigError(f"{where} needs words for {', '.join(wanted)}", "Write them under [scale]")
    return rubric


def read(path: Path) -> Rubric:
    """A rubric from a TOML file. Raises ConfigError where it is missing or is none."""
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"the rubric {path} cannot be read: {error.strerror}", "Name a TOML file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"the rubric {path} is not TOML: {error}", "Correct it") from None
    try:
        return checked(msgspec.convert(content, Rubric))
    except msgspec.ValidationError as error:
        raise ConfigError(f"the rubric {path}: {error}", "It needs name, language, kind, words and [scale]") from None


def own(kind: Kind, language: str) -> Rubric:
    """The rubric that is here for a kind, in Chinese or English."""
    return OWN[kind, "zh" if language == "zh" else "en"]


OWN: dict[tuple[str, str], Rubric] = {
    (one.kind, one.language): one
    for one in (
        Rubric(
            "helpful",
            "en",
            "scale",
            "Grade how well the answer serves the person who asked. What counts: it is true, it answers what was asked, it"
            " leaves out nothing that is needed, and it is easy to follow. Length by itself is no merit.",
            {
                "1": "wrong, harmful or beside the question",
                "2": "mostly wrong, or of little use",
                "3": "partly right, with a clear mistake or gap",
                "4": "right and useful, with a small flaw",
                "5": "right, complete and clear",
            },
        ),
        Rubric(
            "helpful",
            "zh",
            "scale",
            "请评定回答对提问者有多大帮助。看四点：内容属实；答的是所问；必要的内容没有遗漏；容易看懂。篇幅长短本身不加分。",
            {
                "1": "错误、有害或答非所问",
                "2": "大部分错误，或用处很小",
                "3": "部分正确，但有明显错误或缺漏",
                "4": "正确有用，仅有小瑕疵",
                "5": "正确、完整、清楚",
            },
        ),
        Rubric(
            "facts",
            "en",
            "reference",
            "Compare the answer with the reference. Only what the answer says in the end counts. Other wording, another order,"
            " a translation or added true details do not make it wrong. A number must agree to the precision of the reference.",
            {
                "CORRECT": "it says all that the reference says, and nothing against it",
                "INCORRECT": "it says something against the reference, even with reservations",
                "NOT_ATTEMPTED": "it does not say what was asked, and says nothing against the reference",
            },
        ),
        Rubric(
            "facts",
            "zh",
            "reference",
            "请把回答与标准答案对照，只看回答最后主张的内容。换一种说法、次序不同、译名不同或另加属实的细节，都不算错。"
            "数字须与标准答案的精度一致。",
            {
                "CORRECT": "包含标准答案的全部内容，且没有与之矛盾之处",
                "INCORRECT": "有与标准答案矛盾的内容，语气保留也算",
                "NOT_ATTEMPTED": "没有说出所问的内容，但也没有与标准答案矛盾之处",
            },
        ),
        Rubric(
            "better",
            "en",
            "pair",
            "Say which of two answers serves the person who asked better. What counts: it is true, it answers what was asked,"
            " nothing needed is missing, it is easy to follow. Neither the order of the answers nor their length counts.",
            {"A": "answer A is better", "B": "answer B is better", "TIE": "neither is better"},
        ),
        Rubric(
            "better",
            "zh",
            "pair",
            "请判断两个回答中哪一个对提问者更有帮助。看四点：内容属实；答的是所问；必要的内容没有遗漏；容易看懂。"
            "回答的先后次序和篇幅长短都不作依据。",
            {"A": "回答 A 更好", "B": "回答 B 更好", "TIE": "不分高下"},
        ),
    )
}
