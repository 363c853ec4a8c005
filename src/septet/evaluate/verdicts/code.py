"""Code that a model wrote, run against the item's tests in the sandbox (HumanEval, Chen et al., 2021; MBPP, Austin et al., 2021).

The output may be the rest of a function that the prompt began, the whole function, or a chat with fenced blocks. The program is put
together from it; what the prompt held before the function (imports, helpers) stays before it.
"""

from __future__ import annotations

import ast
import re
import textwrap
import warnings
from typing import Any

import msgspec

from septet.evaluate.sandbox import Limits, Result, Sandbox
from septet.evaluate.verdicts.verdict import Verdict, nothing, said

_FENCE = re.compile(
    r"^[ \t]*(?:```|~~~)[ \t]*([\w+#.-]*)[^\n]*\n(.*?)(?:^[ \t]*(?:```|~~~)[ \t]*$|\Z)", re.DOTALL | re.MULTILINE
)
_CLOSING = re.compile(r"^[ \t]*(?:```|~~~)[ \t]*$", re.MULTILINE)
_PYTHON = ("", "python", "python3", "py", "py3")
_TOP = re.compile(r"(?:def|class|import|from|async|@)\b|@|[A-Za-z_]\w*\s*=[^=]")
_LONGEST = 200_000


def judge(item: dict[str, Any], output: str, sandbox: Sandbox | None = None) -> Verdict:
    """1 where the program passes all tests of the item. Many outputs share one `sandbox`; without one, walls are built for it.

    `detail.result` says how it ended (`sandbox.Outcome`), `detail.isolation` behind which walls. Raises StepFailed where the walls
    themselves fail.
    """
    silent = nothing(output)
    if silent is not None:
        return silent
    meta = item["meta"]
    tests, called = tests_of(meta)
    written = program(output, str(meta.get("prompt") or ""), called)
    if not written:
        return Verdict("unparsed", "", 0.0, {"reason": "no Python code is found"})
    if not tests:
        return Verdict("answered", written, None, {"reason": "the item has no tests"})
    if sandbox is not None:
        ran = sandbox.run(written, tests, called)
    else:
        with Sandbox(Limits()) as own:
            ran = own.run(written, tests, called)
    return Verdict("answered", written, float(ran.outcome == "passed"), _told(ran))


def _told(ran: Result) -> dict[str, Any]:
    walls = {"level": ran.isolation.level, **msgspec.to_builtins(ran.isolation)}
    return {"result": ran.outcome, "message": ran.detail, "output": ran.output, "isolation": walls}


def tests_of(meta: dict[str, Any]) -> tuple[str, list[str]]:
    """The tests of an item as one program, and the names of the functions under test."""
    entry = str(meta.get("entry_point") or "")
    lines = [str(meta.get("setup") or ""), str(meta.get("test") or ""), *(str(one) for one in meta.get("tests") or ())]
    if meta.get("test") and entry:
        lines.append(f"check({entry})")
    tests = "\n".join(line for line in lines if line.strip()).replace("\r\n", "\n")
    called = [entry] if entry else _called(tests)
    return tests, called


def _called(tests: str) -> list[str]:
    """Names that the tests call and do not define."""
    tree = _parsed(tests)
    if tree is None:
        return []
    calls = [node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    made = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    ready = {
        "set",
        "list",
        "tuple",
        "dict",
        "sorted",
        "len",
        "abs",
        "round",
        "str",
        "int",
        "float",
        "isinstance",
        "all",
        "any",
    }
    return [name for name in dict.fromkeys(calls) if name not in made | ready] or list(dict.fromkeys(calls))


def program(output: str, prompt: str, called: list[str]) -> str:
    """The program that an output makes with its prompt; "" where there is none. `called` names the functions under test."""
    text = said(output).replace("\r\n", "\n").replace("\r", "\n")[:_LONGEST]
    text = text.partition("[DONE]")[0].rpartition("[BEGIN]")[2]
    code_prompt = prompt.replace("\r\n", "\n") if _defines(prompt, called) else ""
    blocks = [match[2] for match in _FENCE.finditer(text) if match[1].lower() in _PYTHON]
    whole = next((block for block in reversed(blocks) if _defines(block, called)), "")
    if whole:
        # Helpers may stand in blocks of their own before it.
        return _before(code_prompt, called) + _sound(textwrap.dedent(whole))
    if not blocks and _defines(text, called):
        return _before(code_prompt, called) + _sound(_from_code(text))
    # A fence that only closes: the prompt's function goes on, and then words follow.
    rest = _CLOSING.split(text, maxsplit=1)[0]
    if code_prompt and rest != text and rest.lstrip("\n")[:1].isspace() and rest.strip():
        joined = _continued(code_prompt, rest)
        if _parsed(joined) is not None:
            return joined
    body = blocks[-1] if blocks else text
    if code_prompt:
        return _continued(code_prompt, body)
    body = textwrap.dedent(body.strip("\n"))
    return (body if blocks and _parsed(body) is not None else "") or _code_alone(body)


def _defines(text: str, names: list[str]) -> bool:
    return any(
        re.search(rf"^[ \t]*(?:async[ \t]+)?(?:def|class)[ \t]+{re.escape(name)}\b", text, re.MULTILINE)
        for name in names
    )


def _before(prompt: str, names: list[str]) -> str:
    """What the prompt holds before the function under test: imports and helpers."""
    for name in names:
        found = re.search(rf"^(?:async[ \t]+)?def[ \t]+{re.escape(name)}\b", prompt, re.MULTILINE)
        if found:
            kept = prompt[: found.start()]
            return kept + "\n" if _parsed(kept) is not None else ""
    return ""


def _from_code(text: str) -> str:
    """The text from its first line that begins code, where prose stands before it."""
    if _parsed(textwrap.dedent(text)) is not None:
        return textwrap.dedent(text)
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if _TOP.match(line.lstrip()) and (
            line.lstrip().startswith(("def ", "class ", "async ", "@")) or _parsed(line) is not None
        ):
            return textwrap.dedent("\n".join(lines[number:]))
    return text


def _continued(prompt: str, body: str) -> str:
    """The prompt's function with the rest of it. A body that was written without indent gets one."""
    head = prompt if prompt.endswith("\n") or not body.strip() else f"{prompt}\n"
    first = next((line for line in body.split("\n") if line.strip()), "")
    if not first:
        return ""
    if prompt.endswith("\n") or first[:1].isspace():
        joined = head + body.lstrip("\n")
        if first[:1].isspace() and _parsed(joined) is not None:
            return joined
    direct = prompt + body
    for candidate in (direct, head + body):
        if _parsed(candidate) is not None and first[:1].isspace():
            return candidate
    indented = head + textwrap.indent(textwrap.dedent(body), "    ")
    if not first[:1].isspace():
        # A first line without its indent, the others with theirs, is how a stripped completion looks.
        stripped = head + "    " + body.lstrip()
        for candidate in (stripped, indented, direct):
            if _parsed(candidate) is not None:
                return candidate
        return _prefix(stripped, len(head.split("\n"))) or _prefix(indented, len(head.split("\n"))) or stripped
    return _prefix(head + body, len(head.split("\n"))) or head + body


def _sound(text: str) -> str:
    """The text itself where it is Python, else as many of its first lines as are; else as it is, to fail with its own error."""
    return text if _parsed(text) is not None else _prefix(text, 1) or text


def _prefix(text: str, least: int) -> str:
    """The most first lines that are Python, looking only at places where the next line begins at the margin."""
    lines = text.split("\n")
    for count in range(len(lines) - 1, least - 1, -1):
        if lines[count].strip() and not lines[count][0].isspace():
            kept = "\n".join(lines[:count])
            if _parsed(kept) is not None:
                return kept
    return ""


def _code_alone(text: str) -> str:
    """A text without fences and without the function: itself where it is code, "" where it is prose."""
    tree = _parsed(text)
    if tree is None:
        return ""
    working = (ast.FunctionDef, ast.ClassDef, ast.Assign, ast.Import, ast.ImportFrom)
    return text if any(isinstance(node, working) for node in tree.body) else ""


def _parsed(text: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            # An escape that Python only warns of (`"\\d"`) is no error of the code, whatever the caller makes of warnings.
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
