"""Vectors less what every text of their language and role shares, so that a question meets a passage of another language.

A multilingual encoder gives all Chinese texts one direction in common and all English ones another, and questions a third; beside
it the share of the meaning is small, so that cosines crowd together. Taking the mean of each language away is the known cure
(Mu and Viswanath, ICLR 2018; Libovický, Rosa and Fraser, Findings of EMNLP 2020). The means here are those of a few neutral
sentences and questions on mixed subjects, not of the documents at hand: so a vector depends on its text alone, and documents that
are added later change no other vector.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from septet.detect.language import language
from septet.inference.embedding import Encoder, encode_queries

_PASSAGES = {
    "zh": [
        "公司每年公布一次财务报告。",
        "图书馆周一到周五开放。",
        "申请人应当提交书面材料。",
        "这座城市有三百万居民。",
        "产品自购买之日起保修一年。",
        "系统会自动保存所有设置。",
        "医生建议他多喝水。",
        "会议将在下周三举行。",
        "学生可以在网上选课。",
        "火车晚点了二十分钟。",
        "合同由双方签字后生效。",
        "天气预报说明天有雨。",
        "请输入用户名和密码。",
        "这本书讲的是一个老人的故事。",
        "价格包括税费和运费。",
        "经理负责审批所有费用。",
    ],
    "en": [
        "The company publishes its accounts once a year.",
        "The library is open from Monday to Friday.",
        "The applicant must submit written documents.",
        "Three million people live in this city.",
        "The product carries a warranty of one year.",
        "The system saves all settings automatically.",
        "The doctor told him to drink more water.",
        "The meeting takes place next Wednesday.",
        "Students may choose their courses online.",
        "The train was twenty minutes late.",
        "The contract takes effect when both parties have signed it.",
        "The forecast says it will rain tomorrow.",
        "Please enter your name and password.",
        "This book tells the story of an old man.",
        "The price includes taxes and shipping.",
        "The manager approves all expenses.",
    ],
}
_QUESTIONS = {
    "zh": [
        "这是什么？",
        "怎么办理？",
        "需要什么条件？",
        "多少钱？",
        "可以吗？",
        "为什么？",
        "什么时候？",
        "由谁负责？",
        "有什么规定？",
        "多长时间？",
        "违反了会怎样？",
        "在哪里可以找到？",
    ],
    "en": [
        "What is this?",
        "How is it done?",
        "What are the conditions?",
        "How much is it?",
        "Is it allowed?",
        "Why is that?",
        "When does it happen?",
        "Who is responsible?",
        "What are the rules?",
        "How long does it take?",
        "What happens otherwise?",
        "Where can it be found?",
    ],
}


class Centred:
    """An encoder less the means of its language. Mixed text counts as Chinese; any other language as English, whose script it
    mostly shares."""

    def __init__(self, encoder: Encoder, name: str) -> None:
        self._encoder = encoder
        self.name = name
        self.width = encoder.width

    def encode(self, texts: Sequence[str]) -> Any:
        return self._less(self._encoder.encode(texts), texts, self._passages)

    def encode_queries(self, texts: Sequence[str]) -> Any:
        return self._less(encode_queries(self._encoder, texts), texts, self._questions)

    @cached_property
    def _passages(self) -> dict[str, Any]:
        return {side: self._encoder.encode(some).mean(0) for side, some in _PASSAGES.items()}

    @cached_property
    def _questions(self) -> dict[str, Any]:
        return {side: encode_queries(self._encoder, some).mean(0) for side, some in _QUESTIONS.items()}

    def _less(self, vectors: Any, texts: Sequence[str], means: dict[str, Any]) -> Any:
        import numpy as np

        for row, text in zip(vectors, texts, strict=True):
            row -= means["zh" if language(text) in ("zh", "mixed") else "en"]
            length = float(np.linalg.norm(row))
            if length:
                row /= length
        return vectors
