"""From a question and what was retrieved for it to the text that a model reads, and from its text back to an answer.

One place for training rows, evaluation, the red team and the server: a prompt that differs by a blank between training
and serving costs accuracy that nobody sees. Nothing here is heavy: jinja2 at most, no model and no tokenizer.

Every token of a prompt costs 1 to 3 ms on two cores (Gemma 3 270M, 2026-11), so the fixed words are few.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from septet.core import ConfigError

if TYPE_CHECKING:
    from jinja2 import Template

Message = Mapping[str, str]
"""A message in the OpenAI form: `role` (system, user or assistant) and `content`."""

ABSTAIN = {"zh": "资料中没有答案。", "en": "The documents do not say."}
"""What a model writes when the contexts do not hold the answer."""

INSTRUCTION = {
    "zh": f"只根据资料简短作答；资料里没有答案就说：{ABSTAIN['zh']}",
    "en": f"Answer briefly and only from the documents. If they do not hold the answer, say: {ABSTAIN['en']}",
}
QUESTION = {"zh": "问题：{}\n答案：", "en": "Question: {}\nAnswer:"}

PLAIN = (
    "{{ bos_token }}"
    "{% for message in messages %}"
    "{% if message.role == 'assistant' %}"
    "{% if not loop.first and messages[loop.index0 - 1].content[-1:] == ':' %}{{ ' ' }}{% endif %}"
    "{{ message.content }}{{ eos_token }}{{ '\\n' }}"
    "{% else %}"
    "{{ message.content }}"
    "{% if message.role != 'user' or message.content[-1:] not in [':', '：'] %}{{ '\\n' }}{% endif %}"
    "{% endif %}"
    "{% endfor %}"
)
"""The chat template of a base model that came without one: a text to complete. The cue to answer is the last line of the
question (`答案：`, `Answer:`), because words that a base model met in training work better than markers it never saw."""

ANSWER_ENDS = ("\n",)
"""Texts that end a grounded answer, which is one line: a model that was not taught to stop need not write to its limit."""

MAX_CONTEXT_TOKENS = 360
"""The usual budget of all contexts of one prompt, in tokens as `estimate_tokens` counts them."""
_LEAST_TOKENS = 24
_SENTENCE_END = re.compile(r"[。！？；!?;]|[.](?=\s|$)|\n")


@dataclass(frozen=True)
class Grounded:
    """The messages of a grounded question, and what did not fit: counted, so that a caller can report it."""

    messages: tuple[Message, ...]
    num_contexts: int
    num_truncated: int
    num_dropped: int


def grounded_messages(
    question: str,
    contexts: Sequence[Mapping[str, Any]],
    language: str,
    *,
    max_tokens: int = MAX_CONTEXT_TOKENS,
    count: Callable[[str], int] | None = None,
    history: Sequence[Message] = (),
) -> Grounded:
    """The chat messages that ask `question` of numbered contexts.

    A context is a mapping with `title` and `text`, and `context` for a lead-in that the text leaves out. They are taken in
    their order, the best first, until `max_tokens` is spent: one that does not fit is cut at the end of a sentence, and those
    after it are dropped. `count` counts the tokens of a text (default: `estimate_tokens`). `language` is the language of the
    instruction; other than zh is en.
    """
    count = count or estimate_tokens
    language = "zh" if language == "zh" else "en"
    lines: list[str] = []
    truncated = 0
    left = max_tokens
    for context in contexts:
        head = f"[{len(lines) + 1}] {one_line(context.get('title', ''))}".rstrip()
        body = squeeze("\n".join(filter(None, (context.get("context"), context["text"]))))
        room = left - count(head)
        if room < _LEAST_TOKENS:
            break
        if count(body) > room:
            body = _cut(body, room, count)
            truncated += 1
        lines.append(f"{head}\n{body}")
        left = room - count(body)
    system = {"role": "system", "content": INSTRUCTION[language]}
    user = {"role": "user", "content": "\n".join([*lines, QUESTION[language].format(one_line(question))])}
    return Grounded((system, *history, user), len(lines), truncated, len(contexts) - len(lines))


def asking(passage: str) -> tuple[Message, ...]:
    """The chat messages that want a question which `passage` answers: what a reranker is taught with, and judges by."""
    return ({"role": "user", "content": f"{passage}\n\nAsk a question that this passage answers."},)


def render(
    messages: Sequence[Message], template: str, *, bos_token: str = "", eos_token: str = "", generate: bool = True
) -> str:
    """The text that a model reads. `generate` ends it where an answer begins.

    Raises ConfigError when the template fails, or refuses these messages.
    """
    import jinja2

    try:
        return _compiled(template).render(
            messages=[dict(message) for message in messages],
            bos_token=bos_token,
            eos_token=eos_token,
            add_generation_prompt=generate,
            tools=None,
        )
    except jinja2.TemplateError as error:
        raise ConfigError(
            f"the chat template cannot be applied: {error}", "Correct chat_template.jinja of the model"
        ) from error


def answer_of(text: str) -> str:
    """The answer in what a model wrote: its first line that is not empty."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def abstains(answer: str) -> bool:
    """Whether an answer is the abstention sentence of either language, give or take its punctuation and case."""
    bare = _bare(answer)
    return any(bare.startswith(_bare(sentence)) for sentence in ABSTAIN.values())


def estimate_tokens(text: str) -> int:
    """About how many tokens a bilingual vocabulary spends: 0.7 for a Chinese character, 0.25 for another one."""
    wide = sum(1 for character in text if "\u2e80" <= character <= "\uffef")
    return int(wide * 0.7 + (len(text) - wide) * 0.25) + 1


def one_line(text: str) -> str:
    """A text without line breaks: a question or a title must not forge the lines of a prompt."""
    return " ".join(text.split())


def squeeze(text: str) -> str:
    """A text without empty lines and blanks at the ends of lines, which cost tokens and say nothing."""
    return "\n".join(line for line in (" ".join(line.split()) for line in text.splitlines()) if line)


def _cut(text: str, room: int, count: Callable[[str], int]) -> str:
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if count(text[:middle]) <= room else (low, middle - 1)
    ends = [match.end() for match in _SENTENCE_END.finditer(text, 0, low)]
    return text[: ends[-1] if ends and ends[-1] > low // 2 else low].rstrip()


def _bare(text: str) -> str:
    return re.sub(r"[\s。.!！,，]", "", text).casefold()


@cache
def _compiled(template: str) -> Template:
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def raise_exception(message: str) -> None:
        raise ConfigError(f"the chat template refuses these messages: {message}", "Change their roles or order")

    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
    environment.globals["raise_exception"] = raise_exception
    return environment.from_string(template)
