"""Lines that a page carries beside its text: consent banners, logins, rights, sharing links, and C4's rules for lines.

A rule names a phrase and how much of a line may stand around it, so that a sentence of a manual or a statute that happens to
speak of cookies, logins or copyright stays. C4: Raffel et al. 2020, section 2.2.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from septet.kernels.phrases import Phrases, automaton


class _Phrase(NamedTuple):
    rule: str
    pattern: str
    around: int  # characters that may stand around the phrase
    sentence: bool  # whether a line that is a sentence may go, too


_PHRASES = (
    _Phrase(
        "cookies",
        r"(accept|reject|allow|manage) (all |our |the )?cookies?|cookie (settings|preferences|policy|notice|consent)",
        60,
        False,
    ),
    _Phrase(
        "cookies",
        r"(this|our) (web ?)?site uses cookies|we (and our partners )?use cookies|by continuing to (use|browse)",
        140,
        True,
    ),
    _Phrase("cookies", r"本(网)?站(点)?(会)?使用\s*cookies?|接受(所有|全部)\s*cookies?", 60, True),
    _Phrase(
        "scripts",
        r"(please )?enable javascript|javascript (is|seems to be) (disabled|required|not enabled)|requires javascript",
        100,
        True,
    ),
    _Phrase("scripts", r"(请|需要)?(启用|开启|打开)\s*javascript|不支持\s*javascript", 40, True),
    _Phrase("rights", r"all rights reserved|copyright\s*(©|\(c\)|\d{4})|(©|\(c\)) ?\d{4}|^©", 90, True),
    _Phrase(
        "rights",
        r"版权所有|保留(所有|一切)权利|未经(授权|许可|书面授权).{0,12}(不得|禁止|严禁)转载|转载请(注明|联系)|版权归.{0,12}所有",
        36,
        False,
    ),
    _Phrase(
        "rights",
        r"[京沪粤津渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵川青藏琼宁]ICP[备证]\s*\d+|公网安备\s*\d+",
        80,
        True,
    ),
    _Phrase(
        "login",
        r"^(log|sign) ?(in|out|up)\b|^(login|register|create an account|forgot (your )?password)"
        r"|(log|sign) in to (continue|comment|view|reply)",
        40,
        False,
    ),
    _Phrase(
        "login",
        r"(请|您)?(先)?登[录陆](后|以后|才能|即可)(.{0,6}(查看|可见|评论|发表|阅读|下载|浏览))?|请先登[录陆]|^(登[录陆]|注册|忘记密码)([|｜/·\s]|$)",
        14,
        False,
    ),
    _Phrase(
        "navigation",
        r"^(skip to (main )?content|back to top|(previous|next) (page|post|article)|read more|learn more|click here"
        r"|view all|load more|table of contents|main menu|breadcrumbs?)\W*$",
        20,
        False,
    ),
    _Phrase(
        "navigation",
        r"^(上|下)一[篇页条章]([:：].*)?$|^(返回|回到)(顶部|首页|上页|列表|目录)|^(首页|末页|尾页|更多|展开|收起|查看(更多|全文|详情))\W*$|^(当前|您的?|你的?)(所在)?位置[:：]",
        40,
        False,
    ),
    _Phrase("navigation", r"点击(这里|此处|查看|下载|进入)", 10, False),
    _Phrase(
        "sharing",
        r"^(share|tweet|pin it|email this|print)\b.{0,20}$|share (this|on) (post|page|article|facebook|twitter|linkedin)"
        r"|follow us on|subscribe to our|sign up for our",
        40,
        False,
    ),
    _Phrase(
        "sharing",
        r"^(分享(到|至)|扫一扫|扫码(关注|下载)|长按(识别|二维码))|关注.{0,10}(公众号|微信号|官方微博)|(微信|微博|朋友圈)分享",
        24,
        False,
    ),
    _Phrase(
        "credits",
        r"^(责任编辑|编辑|责编|来源|稿源|作者|记者|阅读次数|浏览次数|点击数|发布(时间|日期)|字体)[:：]?\s*[^。]{0,20}$",
        4,
        False,
    ),
    _Phrase(
        "advertisement", r"^(advertisement|sponsored( content)?|promoted)\W*$|^(广告|推广|赞助商?链接)\W*$", 4, False
    ),
)
# What a line of each rule must hold: a compiled pass lists the lines that hold one, and only those are held to the rules.
_TRIGGERS = (
    "cookie|by continuing to|javascript|rights reserved|copyright|©|(c)|版权|保留所有|保留一切|转载|icp备|icp证|公网安备|log in|"
    "login|sign in|signin|log out|logout|sign out|signout|sign up|signup|log up|register|create an account|forgot|登录|登陆|"
    "注册|忘记密码|skip to|back to top|previous |next |read more|learn more|click here|view all|load more|table of contents|"
    "main menu|breadcrumb|上一|下一|返回|回到|首页|末页|尾页|更多|展开|收起|查看|位置|点击|share|tweet|pin it|email this|print|"
    "follow us|subscribe|分享|扫一扫|扫码|长按|关注|编辑|责编|来源|稿源|作者|记者|阅读次数|浏览次数|点击数|发布|字体|advertisement|"
    "sponsored|promoted|广告|推广|赞助"
).split("|")
_EACH = tuple((one, re.compile(one.pattern, re.I)) for one in _PHRASES)
_SENTENCE = re.compile(r"[.!?。！？；;][\"'”’）)]?$")
_C4_END = (".", "?", "!", '"', "'", "。", "？", "！", "”", "’", "」", "；")
_C4_POLICY = (
    "terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies",
)  # fmt: skip
_C4_WORD = re.compile(r"[\u3400-\u9fff\u3041-\u30ff\uac00-\ud7a3]|[^\s\u3400-\u9fff\u3041-\u30ff\uac00-\ud7a3]+")


@cache
def triggers(extra: tuple[str, ...] = ()) -> Phrases:
    """The phrases of which a line must hold one to be boilerplate."""
    return automaton({1: [*_TRIGGERS, *extra]})


def rule_of(line: str, extra: Sequence[str] = ()) -> str:
    """The rule by which a line is boilerplate, as `boilerplate.login`; "" for a line of text. `extra`: further phrases; a line
    that holds one goes."""
    line = line.strip()
    for phrase in extra:
        if phrase in line:
            return "boilerplate.own"
    for phrase, pattern in _EACH:
        found = pattern.search(line)
        if found is None or len(line) - (found.end() - found.start()) > phrase.around:
            continue
        if phrase.sentence or not _SENTENCE.search(line) or found.end() - found.start() >= 0.8 * len(line):
            return f"boilerplate.{phrase.rule}"
    return ""


def c4_rule_of(line: str) -> str:
    """The rule by which C4 leaves a line out, as `c4.terminal`; "" for a line that it keeps. A Chinese character is a word."""
    line = line.strip()
    small = line.lower()
    if not line.endswith(_C4_END) or line.endswith(("...", "…")):
        return "c4.terminal"
    if len(_C4_WORD.findall(line)) < 3:
        return "c4.words"
    if any(len(word) > 1000 for word in _C4_WORD.findall(line)):
        return "c4.long_word"
    if "javascript" in small:
        return "c4.javascript"
    return "c4.policy" if any(phrase in small for phrase in _C4_POLICY) else ""
