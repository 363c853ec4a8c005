"""A small corpus in two languages and data sets, for the tests of tokenisers."""

from __future__ import annotations

from corpora import written

TEXTS = [
    "The ledger holds each entry. 账本保存每个条目。",
    "def f(x):\n    return x + 1234567890\n",
    "混合 mixed 文本 text 🙂 é",
    "He wrote <|end|> and <|pad|> into the text, and <|begin|> as well.",
    "",
]


def corpus_of(path, texts, parts=1, languages=("en",)):
    """Texts of two data sets, in turn; languages in turn too."""
    count = range(len(texts))
    turns = [languages[number % len(languages)] for number in count]
    datasets = ["notes" if number % 2 else "rules" for number in count]
    return written(path, texts, parts=parts, language=turns, dataset=datasets)
