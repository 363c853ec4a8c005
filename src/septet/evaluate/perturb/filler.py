"""A harmless sentence before the question: it says nothing of it, and asks nothing."""

from __future__ import annotations

from random import Random

_SENTENCES = {
    "en": (
        "Here is the next question on the sheet.",
        "This one was put together by a colleague.",
        "There is no hurry, so take all the time that is needed.",
        "Thank you for looking at this.",
        "The following was asked on an ordinary working day.",
        "Somebody wanted to know this.",
    ),
    "zh": (
        "下面是这张卷子上的下一道题。",
        "这道题是一位同事整理的。",
        "不着急，请慢慢看。",
        "谢谢你抽空看一看。",
        "下面的问题是在一个平常的工作日提出来的。",
        "有人想了解这个问题。",
    ),
}


def filler(text: str, language: str, draw: Random) -> str:
    """The text behind one of our sentences; an empty text stays empty."""
    if not text.strip():
        return text
    chosen = draw.choice(_SENTENCES["zh" if language == "zh" else "en"])
    return f"{chosen}{text}" if language == "zh" else f"{chosen} {text}"
