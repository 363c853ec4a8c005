"""Programs are put together from outputs of every form, and pass only by their tests."""

from __future__ import annotations

import pytest

from septet.evaluate import form
from septet.evaluate.sandbox import Limits, Sandbox
from septet.evaluate.verdicts import code

TASK = form.Task(name="t", language="en", mode="generate", verdict="code")
PROMPT = '''import math


def twice(x):
    return 2 * x


def area(r: float) -> float:
    """The area of a circle, twice.
    >>> area(0)
    0.0
    """
'''
CHECK = "def check(candidate):\n    assert candidate(0) == 0\n    assert abs(candidate(1) - 6.2831853) < 1e-6\n"
COMPLETED = form.item("x", TASK, PROMPT, kind="code", meta={"prompt": PROMPT, "entry_point": "area", "test": CHECK})
ASKED = form.item(
    "y",
    TASK,
    "Write a function.",
    kind="code",
    meta={
        "prompt": "Write a function.",
        "entry_point": "",
        "test": "",
        "setup": "n = 2",
        "tests": ["assert add(n, 3) == 5", "assert set(pair(1)) == {1}"],
    },
)
BODY = "    return twice(math.pi * r**2)\n"
PAIR = "def add(a, b):\n    return a + b\n\ndef pair(a):\n    return [a, a]\n"


@pytest.fixture(scope="module")
def box():
    with Sandbox(Limits(cpu_s=2, wall_s=4.0)) as opened:
        yield opened


@pytest.mark.parametrize(
    "output",
    [
        BODY,
        BODY.strip(),
        f"\n{BODY}\n\ndef main():\n    print(area(int(inp",
        f"```python\n{PROMPT}{BODY}```",
        f"Here it is:\n\n```python\n{PROMPT}{BODY}```\n\nUse it:\n```python\nprint(area(2))\n```",
        f"```\n{BODY}```",
        f"Sure.\n\ndef area(r):\n{BODY}\nThis doubles it.",
        f"<think>def area(r): return 0</think>\n```py\ndef area(r):\n{BODY}```",
        f"1. So:\n    ```python\n    def area(r):\n    {BODY}    ```",
        f"```python\ndef area(r):\n{BODY}",
        f"当然可以：\n```python\ndef area(r):  # 面积\n{BODY}```\n这样就行。",
        "    s = math.pi * r**2\n    return twice(s)",
        "s = math.pi * r**2\n    return twice(s)",
    ],
)
def test_forms_of_a_right_answer(box, output):
    verdict = code.judge(COMPLETED, output, box)
    assert verdict.score == 1, verdict
    assert verdict.detail["isolation"]["level"] == box.isolation.level


@pytest.mark.parametrize(
    ("output", "result"),
    [
        ("    return 0.0", "failed"),
        ("    return twice(", "error"),
        ("    while True: pass", "timeout"),
        ("    import sys; sys.exit(0)", "error"),
        ("    return input()", "error"),
        ("```python\ndef area(r):\n    return 1\ndef check(candidate): pass\n```", "failed"),
    ],
)
def test_forms_of_a_wrong_answer(box, output, result):
    verdict = code.judge(COMPLETED, output, box)
    assert (verdict.outcome, verdict.score, verdict.detail["result"]) == ("answered", 0, result)


@pytest.mark.parametrize(
    "output",
    [PAIR, f"[BEGIN]\n{PAIR}[DONE]\nNext", f"```python\n{PAIR}```", PAIR.replace("\n", "\r\n"), f"Like this:\n{PAIR}"],
)
def test_a_function_that_words_ask_for(box, output):
    assert code.judge(ASKED, output, box).score == 1


def test_prose_is_no_code(box):
    assert code.judge(ASKED, "I would rather not write that function.", box).outcome == "unparsed"
    assert code.judge(ASKED, "", box).outcome == "empty"


def test_a_sandbox_of_its_own():
    assert code.judge(ASKED, PAIR).score == 1


def test_a_fence_that_only_closes_ends_the_function():
    prompt = 'def add(a, b):\n    """Add."""\n'
    made = code.program("    return a + b\n```\nThis works.", prompt, ["add"])
    assert made.rstrip().endswith("return a + b")
    fenced = code.program("Sure:\n```\n    return a + b\n```\nThis works.", prompt, ["add"])
    assert fenced.rstrip().endswith("return a + b")
