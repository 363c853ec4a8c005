"""Corpora for the tests of shape: written sentences, filled in at random, with labels."""

from __future__ import annotations

import random

EN = {
    "card": (
        "my {a} card has not arrived at the {b} branch yet",
        "where is the {a} card that i ordered from the {b} office",
        "the courier never brought my new {a} card to {b} street",
        "please tell me when the {a} card ships to the {b} counter",
    ),
    "rate": (
        "what interest does the {a} deposit pay at the {b} branch",
        "is the {a} exchange rate at the {b} desk still the same today",
        "the {a} loan rate looks higher than the {b} quote i was given",
        "how is interest on a {a} account worked out for {b} customers",
    ),
}
ZH = {
    "卡": ("我的{a}卡还没有寄到{b}支行", "请问在{b}网点申请的{a}卡什么时候能到", "快递一直没有把{a}卡送到{b}路的地址"),
    "利率": ("{b}支行的{a}存款利率现在是多少", "今天{b}柜台的{a}汇率和昨天一样吗", "{a}贷款的利息比{b}报价高了不少"),
}
A = "silver golden travel student family premium basic corporate junior senior green metal virtual".split()
B = "north south harbour station central market river garden airport college castle mill abbey".split()
A_ZH = "白金 学生 旅行 家庭 商务 普通 联名 绿色 虚拟 金属 青年 定期".split()
B_ZH = "城北 城南 海港 车站 中心 花园 机场 大学 古城 滨江 开发区 老街".split()
TAIL = "thanks|as soon as you can|before the weekend|i called twice|it is urgent|no hurry|my wife asked|since monday".split(
    "|"
)
TAIL_ZH = "谢谢|请尽快答复|周末之前需要|我打过两次电话|不着急|家里人也在问|从周一等到现在|麻烦了".split("|")


def sentences(language: str, count: int, seed: int) -> list[tuple[str, str]]:
    """Sentences with their labels."""
    draw = random.Random(seed)
    patterns, a, b, tail = (EN, A, B, TAIL) if language == "en" else (ZH, A_ZH, B_ZH, TAIL_ZH)
    joint = ", " if language == "en" else "，"
    found = []
    for _ in range(count):
        label = draw.choice(sorted(patterns))
        text = draw.choice(patterns[label]).format(a=draw.choice(a), b=draw.choice(b))
        found.append((text + joint + draw.choice(tail), label))
    return found
