"""`septet chat [RELEASE] [QUESTION]`: one question, or a conversation line by line."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from septet.cli.common import duration, open_workspace, terminal_language
from septet.core.errors import ConfigError
from septet.core.fingerprint import short
from septet.core.workspace import Workspace
from septet.detect.access import ALL, Reader

if TYPE_CHECKING:
    from septet.assistant import Answer, Assistant, Options

_WORDS = {
    "en": {
        "loading": "loading the model ...",
        "hello": "release '{0}' {1}. Ask a question; an empty line or Ctrl-D ends.",
        "ask": "you> ",
        "span": "characters {0} to {1}",
        "page": "page {0}",
        "unsupported": "not every sentence is borne out by the documents",
        "guard": "the guard acted on the {0}: {1}",
        "prompt": "question",
        "answer": "answer",
        "contexts": "passages",
        "foot": "answer {0}, release '{1}' {2}, {3}",
        "stopped": "(stopped; not kept)",
    },
    "zh": {
        "loading": "正在载入模型……",
        "hello": "发布“{0}” {1}。请提问；空行或 Ctrl-D 结束。",
        "ask": "您> ",
        "span": "第 {0} 至 {1} 个字符",
        "page": "第 {0} 页",
        "unsupported": "并非每句话都能在资料中找到依据",
        "guard": "护栏处理了{0}：{1}",
        "prompt": "问题",
        "answer": "回答",
        "contexts": "段落",
        "foot": "回答 {0}，发布“{1}” {2}，{3}",
        "stopped": "（已停止，不保存）",
    },
}


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "words",
        nargs="*",
        metavar="[RELEASE] QUESTION",
        help="a release's name or fingerprint (default: the newest), and a question (default: a conversation)",
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the sampling, where the temperature is above 0")
    parser.add_argument(
        "--temperature", type=float, default=0.0, help="0 (the default) always takes the likeliest word"
    )
    parser.add_argument("--as-of", default="", metavar="DAY", help="what held on a day, as 2024-11-24 (default: today)")
    parser.add_argument(
        "--clearance",
        default=ALL,
        metavar="CLASS",
        help="ask as a reader of an access class (default: one who sees all)",
    )
    parser.add_argument("--max-tokens", type=int, default=0, help="longest answer (default: as the release says)")


def run(given: argparse.Namespace) -> int:
    from septet.assistant import Assistant, Options
    from septet.knowledge.validity import day_of

    if not 0 <= given.temperature <= 2 or given.max_tokens < 0:
        raise ConfigError("--temperature goes from 0 to 2, and --max-tokens from 1", "Correct the option")
    options = Options(
        max_tokens=given.max_tokens,
        temperature=given.temperature,
        seed=given.seed,
        as_of=day_of(given.as_of) if given.as_of else "",
    )
    reader = Reader(clearance=given.clearance)
    with open_workspace(given) as workspace:
        release, question = _read(workspace, given.words)
        live = sys.stderr.isatty()
        if live:
            print(_WORDS[_language(question)]["loading"], end="\r", file=sys.stderr, flush=True)
        assistant = Assistant.open(workspace, release)
        try:
            if live:
                print("\x1b[2K", end="\r", file=sys.stderr, flush=True)
            if question:
                _print(assistant, question, options, reader)
            else:
                _converse(assistant, options, reader)
        finally:
            assistant.close()
    return 0


def _read(workspace: Workspace, words: list[str]) -> tuple[str, str]:
    """What was meant: the first word is a release where it names one, or where a second follows."""
    if len(words) > 2:
        raise ConfigError(f"{len(words)} words were given", "Put the question in quotation marks")
    if len(words) == 2:
        return words[0], words[1]
    if not words:
        return "", ""
    names = {entry.subject for entry in workspace.ledger.entries("release")}
    word = words[0]
    mark = word.partition(":")[2] if word.startswith(("sha256:", "sm3:")) else word
    is_print = len(mark) >= 12 and all(character in "0123456789abcdef" for character in mark)
    return (word, "") if word in names or is_print else ("", word)


def _converse(assistant: Assistant, options: Options, reader: Reader) -> None:
    language = _language("")
    print(_WORDS[language]["hello"].format(assistant.name, short(assistant.release.fingerprint)))
    for question in _questions(_WORDS[language]["ask"]):
        try:
            _print(assistant, question, options, reader)
        except KeyboardInterrupt:
            print(f"\n{_WORDS[_language(question)]['stopped']}")
        except ConfigError as wrong:
            print(f"septet: {wrong}", file=sys.stderr)


def _questions(prompt: str) -> Iterator[str]:
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401, it gives input() editing and history
    while True:
        try:
            question = input(prompt if sys.stdin.isatty() else "").strip()
        except (EOFError, KeyboardInterrupt):
            print()
            return
        if not question:
            return
        yield question


def _print(assistant: Assistant, question: str, options: Options, reader: Reader) -> None:
    """Print the answer as it comes, then what it stands on. Ctrl-C closes the stream, which stops the model."""
    from septet.assistant import Piece

    answer: Answer | None = None
    stream: Any = assistant.stream([{"role": "user", "content": question}], options, reader)
    with contextlib.closing(stream):
        for item in stream:
            if isinstance(item, Piece):
                print(item.text, end="", flush=True)
            else:
                answer = item
    assert answer is not None, "the last item of a stream is the answer"
    said = _WORDS["zh" if answer.language == "zh" else "en"]
    print()
    for one in answer.citations:
        page = f", {said['page'].format(one.page)}" if one.page else ""
        print(f"  [{one.number}] {one.source}{page}, {said['span'].format(one.start, one.end)}: {one.title}")
        if one.quote:
            print(f"      “{' '.join(one.quote.split())}”")
    if answer.finish != "content_filter" and not answer.abstained and not answer.supported:
        print(f"  ! {said['unsupported']}")
    for side, verdict in answer.guard.items():
        if verdict["action"] not in ("allow", "none"):
            print(f"  ! {said['guard'].format(said[side], ', '.join(verdict['reasons']))}")
    print(f"  {said['foot'].format(answer.id, assistant.name, short(answer.release), duration(answer.seconds))}")
    print(f"  septet trace {answer.id}", flush=True)


def _language(question: str) -> str:
    """The language of a question; without one, that of the terminal."""
    if question:
        from septet.detect.language import language

        return "zh" if language(question) in ("zh", "mixed") else "en"
    return terminal_language()
