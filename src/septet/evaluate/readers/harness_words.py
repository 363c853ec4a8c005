"""What lm-evaluation-harness (0.4.13) makes of a row: the text that a model reads, the choices behind it, the right one.

Templates are jinja2, written by strangers: they run in a sandbox that changes nothing. Which examples stand before an item is
drawn as the harness draws it, with its seed, item after item in the order of the split.
"""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from septet.core import ConfigError, MissingExtra

SEED = 1234
"""What the harness draws examples with unless it is told otherwise (`--seed`)."""

Row = dict[str, Any]


class Unfit(ValueError):
    """A row that the task's templates make nothing of; the message is the reason."""


class Asked(NamedTuple):
    """A row as the harness asks it. `choices` are without delimiter; `target` is what `doc_to_target` gives, as text."""

    text: str
    choices: list[str] | None
    right: list[int]
    references: list[str]
    target: str


class Words:
    """A task's templates. Raises ConfigError for a template that cannot be read, and for what is not supported."""

    def __init__(self, config: Mapping[str, Any], columns: Sequence[str]) -> None:
        self.config = config
        self.name = str(config.get("task"))
        self.kind = str(config.get("output_type") or "generate_until")
        self.columns = columns
        self.delimiter = str(config.get("target_delimiter", " "))
        self.between = str(config.get("fewshot_delimiter", "\n\n"))
        self.few: dict[str, Any] = dict(config.get("fewshot_config") or {})
        self._compiled = cache(_templates(self.name))

    def description(self, row: Row) -> str:
        return str(self._field(self.config.get("description"), row) or "")

    def asked(self, row: Row) -> Asked:
        """The item. Raises Unfit."""
        text = self._text(self.config.get("doc_to_text"), row)
        choices = self._choices(self.config.get("doc_to_choice"), row)
        target = self._target(self.config.get("doc_to_target"), row)
        prefix = self._prefix(row, self.config.get("gen_prefix"))
        text += (self.delimiter if _apart(text, prefix) and prefix else "") + prefix
        told = str(target)
        if self.kind == "generate_until":
            if choices is not None and isinstance(target, int):
                target = _at(choices, target)
            references = [str(one) for one in target] if isinstance(target, list) else [str(target)]
            return Asked(text, None, [], references, told)
        if self.kind == "loglikelihood":
            return Asked(text, [told], [], [told], told)
        if not choices:
            raise Unfit("it has no choices")
        places = _places(target, choices)
        return Asked(text, choices, places, [choices[place] for place in places], told)

    def example(self, row: Row) -> str:
        """The row as an example before an item, with its answer and what ends it. Raises Unfit."""
        few = self.few
        text = self._text(few.get("doc_to_text", self.config.get("doc_to_text")), row)
        choices = self._choices(few.get("doc_to_choice", self.config.get("doc_to_choice")), row)
        target = self._target(few.get("doc_to_target", self.config.get("doc_to_target")), row)
        prefix = self._prefix(row, few.get("gen_prefix", self.config.get("gen_prefix")))
        if target is None or target == "":
            return text + prefix
        if choices and isinstance(target, int):
            answer: Any = _at(choices, target)
        else:
            answer = target[0] if isinstance(target, list) and target else target
        if not isinstance(answer, str):
            raise Unfit(f"the answer of an example is no text: {answer!r}")
        delimiter = str(few.get("target_delimiter", self.delimiter))
        if prefix:
            delimiter = delimiter if _apart(text, prefix) else ""
            answer = prefix + (" " if _apart(prefix, answer) and answer else "") + answer
        return f"{text}{delimiter}{answer}{few.get('fewshot_delimiter', self.between)}"

    def answer(self, row: Row) -> tuple[str, str, list[str] | None]:
        """The parts of an example: its text, its answer and its choices, for those that are items of their own."""
        text = self._text(self.few.get("doc_to_text", self.config.get("doc_to_text")), row)
        choices = self._choices(self.few.get("doc_to_choice", self.config.get("doc_to_choice")), row)
        target = self._target(self.few.get("doc_to_target", self.config.get("doc_to_target")), row)
        if choices and isinstance(target, int):
            return text, _at(choices, target), choices
        first = target[0] if isinstance(target, list) and target else target
        return text, str(first), choices

    def _text(self, template: Any, row: Row) -> str:
        made = self._made(template, row)
        if isinstance(made, int) or (isinstance(made, str) and made.isdigit() and self.config.get("doc_to_choice")):
            raise ConfigError(
                f"the task '{self.name}' puts its choices into the text (doc_to_text is a place among them)",
                "Write the choices as continuations: doc_to_choice, with what they share in doc_to_text",
            )
        if not isinstance(made, str):
            raise Unfit(f"its text is none: {made!r}")
        return made

    def _choices(self, template: Any, row: Row) -> list[str] | None:
        if template is None:
            return None
        if isinstance(template, Mapping):
            made: Any = list(template.values())
        elif isinstance(template, list):
            made = template
        elif template in self.columns:
            made = row[template]
        else:
            made = _literal(self._rendered(str(template), row))
        if not isinstance(made, list) or not all(isinstance(one, str) for one in made):
            odd = "YAML reads yes, no and bare numbers as other things: quote them" if template is made else ""
            raise Unfit(f"its choices are no list of texts: {made!r} {odd}".rstrip())
        return made

    def _target(self, template: Any, row: Row) -> Any:
        if isinstance(template, list) or (isinstance(template, int) and not isinstance(template, bool)):
            return template
        made = self._made(template, row)
        if isinstance(made, float) and made.is_integer() and self.config.get("doc_to_choice") is not None:
            return int(made)
        if not isinstance(made, str) or template in self.columns:
            return made
        if made.isdigit() and self.config.get("doc_to_choice") is not None:
            return int(made)
        if len(made) >= 2 and made[0] == "[" and made[-1] == "]":
            try:
                return ast.literal_eval(made)
            except (SyntaxError, ValueError):
                return made
        return made

    def _made(self, template: Any, row: Row) -> Any:
        if isinstance(template, int):
            return template
        if not isinstance(template, str):
            raise ConfigError(
                f"the task '{self.name}' lacks doc_to_text or doc_to_target", "Write a template or a column"
            )
        return row[template] if template in self.columns else self._rendered(template, row)

    def _prefix(self, row: Row, template: Any) -> str:
        if template is None:
            return ""
        return str(row[template] if template in self.columns else self._rendered(str(template), row))

    def _field(self, template: Any, row: Row) -> Any:
        if not template:
            return ""
        return row[template] if template in row else self._rendered(str(template), row)

    def _rendered(self, template: str, row: Row) -> str:
        render = self._compiled(template)
        try:
            return render(row)
        except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
            raise Unfit(f"the template fails: {error}") from None


class Examples:
    """Which rows stand before each item: the first ones, or ones drawn for each item from the pool.

    `among_items`: the split of the examples is named and is that of the items. Only then does the harness leave out the item
    itself; where no split is named and it falls back on that of the items, an item may be drawn as its own example.
    """

    def __init__(self, words: Words, pool: Sequence[Row], count: int, among_items: bool) -> None:
        self.sampler = str(words.few.get("sampler") or "default")
        if self.sampler not in ("default", "first_n"):
            raise ConfigError(f"the task '{words.name}': the sampler '{self.sampler}' is not known", "Write first_n")
        if count and len(pool) < count + (among_items and self.sampler == "default"):
            raise ConfigError(f"the task '{words.name}' wants {count} examples of {len(pool)}", "Lower num_fewshot")
        self.pool, self.count, self.among_items = list(pool), count, among_items
        self._draw = random.Random(SEED)  # noqa: S311 - as the harness draws

    @property
    def fixed(self) -> bool:
        """Whether all items have the same."""
        return not self.count or (self.sampler == "first_n" and not self.among_items)

    def of(self, row: Row) -> list[Row]:
        """The examples of the next item, which is not among them."""
        if not self.count:
            return []
        if self.sampler == "first_n":
            return [one for one in self.pool if not (self.among_items and one == row)][: self.count]
        if not self.among_items:
            return self._draw.sample(self.pool, self.count)
        drawn = [one for one in self._draw.sample(self.pool, self.count + 1) if one != row][: self.count]
        if len(drawn) < self.count:
            drawn = self._draw.sample([one for one in self.pool if one != row], self.count)
        return drawn


def _templates(task: str) -> Callable[[str], Callable[[Row], str]]:
    try:
        from jinja2 import StrictUndefined, TemplateError, UndefinedError
        from jinja2.exceptions import SecurityError
        from jinja2.sandbox import ImmutableSandboxedEnvironment
    except ModuleNotFoundError as error:
        raise MissingExtra("jinja2", "models") from error
    jinja = ImmutableSandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True)
    jinja.filters["regex_replace"] = _replaced

    def compiled(template: str) -> Callable[[Row], str]:
        try:
            made = jinja.from_string(template)
        except TemplateError as error:
            raise ConfigError(f"the task '{task}': {template[:60]!r} is no template: {error}", "Correct it") from None

        def render(row: Row) -> str:
            try:
                return str(made.render(row))
            except SecurityError as error:
                raise ConfigError(
                    f"the task '{task}': a template reaches too far: {error}", "Write it otherwise"
                ) from None
            except UndefinedError as error:
                raise Unfit(f"the template fails: {error}") from None

        return render

    return compiled


def _replaced(text: str, pattern: str, by: str, count: int = 0) -> str:
    return re.sub(pattern, by, text, count=count)


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError) as error:
        raise Unfit(f"its choices are no list: {text[:80]!r} ({error})") from None


def _at(choices: Sequence[str], place: int) -> str:
    if not -len(choices) <= place < len(choices):
        raise Unfit(f"the right one is the {place + 1}th of {len(choices)} choices")
    return choices[place]


def _places(target: Any, choices: Sequence[str]) -> list[int]:
    """The places of the right choices."""
    return sorted(set(_each_place(target, choices)))


def _each_place(target: Any, choices: Sequence[str]) -> Iterator[int]:
    for one in target if isinstance(target, list) else [target]:
        place = choices.index(one) if isinstance(one, str) and one in choices else one
        if isinstance(place, bool) or not isinstance(place, int) or not 0 <= place < len(choices):
            raise Unfit(f"the right one, {one!r}, is none of {len(choices)} choices")
        yield place


def _apart(before: str, behind: str) -> bool:
    """Whether two texts would stand together without a blank between them."""
    return bool(before and behind) and not (before[-1].isspace() or behind[0].isspace())
