"""Identity, card and mobile numbers of digits alone, in one piece or in groups as people write them.

A run of digit groups is tried group by group, so that a number is found beside another one; how a number may be grouped is
part of its form, since any Luhn check passes one random number in ten.
"""

import re
from collections.abc import Iterator

from septet.detect import checksums

Found = Iterator[tuple[int, int, str, float, str]]
_RUN = re.compile(r"(?<![0-9A-Za-z])\d+(?:[ \t.·_\-]{1,2}\d+)*[Xx]?(?![0-9A-Za-z])")
_GROUP = re.compile(r"\d+[Xx]?")
_ORDER_CUE = re.compile(
    (
        r"(?:订单|流水|运单|快递|物流|单据|凭证|批次|序列|工单|合同|编|发票|order|invoice|tracking|"
        r"batch|serial|ticket|ref(?:erence)?)\s*(?:号|码|号码|单号|编号|no\.?|number|id|#)?\s*(?:为|"
        r"是|is)?\s*[:#]?\s*$"
    ),
    re.I,
)
_CARD_CUE = re.compile(
    (
        r"(?:卡号|银行卡|信用卡|借记卡|储蓄卡|账号|账户|card|visa|mastercard|unionpay|amex|debit|"
        r"credit|pan)\W{0,3}(?:no\.?|number|号|号码)?\W{0,4}(?:为|是|is)?\W{0,3}$"
    ),
    re.I,
)
_ID_CUE = re.compile(r"(?:身份证|证件|公民身份|identity|id card|id no)\D{0,8}$", re.I)


def find(text: str, start: int, end: int) -> Found:
    """(start, end, kind, score, rule) of each number between two places of a view."""
    for run in _RUN.finditer(text, start, end):
        groups = [(m.start(), m.end()) for m in _GROUP.finditer(text, run.start(), run.end())]
        first = 0
        while first < len(groups):
            digits = ""
            lengths: list[int] = []
            found = None
            for last in range(first, min(first + 20, len(groups))):
                piece = text[groups[last][0] : groups[last][1]]
                digits += piece
                lengths.append(len(piece))
                if len(digits) > 20:
                    break
                span = groups[first][0], groups[last][1]
                found = next(iter(_number(text, span, digits, tuple(lengths))), None) or found
            if found is None:
                first += 1
                continue
            yield found
            while first < len(groups) and groups[first][0] < found[1]:
                first += 1


def _number(text: str, span: tuple[int, int], digits: str, lengths: tuple[int, ...]) -> Found:
    start, end = span
    before = text[max(0, start - 24) : start]
    spaced = all(n == 1 for n in lengths)
    if len(digits) == 18 and checksums.resident_id(digits):
        yield start, end, "resident_id", 0.98, "gb11643"
    elif not digits.isdigit():
        return
    elif 12 <= len(digits) <= 19 and (spaced or _is_card_grouping(lengths)) and _is_card(digits, before):
        issuer, cued = _issuer(digits), _CARD_CUE.search(before)
        ordered = not cued and _ORDER_CUE.search(before)
        yield start, end, "bank_card", 0.4 if ordered else 0.99 if issuer and cued else 0.95, issuer or "cue"
    elif len(digits) == 15 and len(lengths) == 1 and checksums.resident_id_15(digits):
        yield start, end, "resident_id", 0.9 if _ID_CUE.search(before) else 0.5, "old15"
    elif text[max(0, start - 2) : start].endswith(".") and text[start - 2].isdigit():
        return  # decimals of a number
    elif len(digits) in (11, 13, 15) and _MOBILE.fullmatch(digits):
        shape = lengths if len(digits) == 11 or lengths[0] > 4 else lengths[1:]
        international = start > 0 and text[start - 1] == "+"
        if shape in _MOBILE_GROUPS or spaced or sum(shape) != 11:
            yield start - international, end, "mobile", 0.4 if _ORDER_CUE.search(before) else 0.9, "cn"


def _is_card(digits: str, before: str) -> bool:
    return checksums.luhn(digits) and (_issuer(digits) is not None or _CARD_CUE.search(before) is not None)


_MOBILE = re.compile(r"(0086|86)?(1(?:3\d|4[014-9]|5[0-35-9]|6[25-7]|7[0-8]|8\d|9[0-35-9])\d{8})")
_MOBILE_GROUPS = {(11,), (3, 4, 4), (3, 8), (3, 3, 5), (7, 4), (4, 3, 4), (3, 5, 3), (5, 6), (4, 4, 3), (3, 2, 2, 2, 2)}


def _is_card_grouping(lengths: tuple[int, ...]) -> bool:
    if len(lengths) == 1:
        return True
    return lengths in ((4, 6, 5), (4, 6, 4), (6, 13), (6, 10), (5, 5, 5), (8, 8)) or (
        all(n == 4 for n in lengths[:-1]) and 1 <= lengths[-1] <= 4
    )


def _issuer(digits: str) -> str | None:
    """The card scheme by issuer prefix and length (ISO/IEC 7812); None for what no scheme issues."""
    size = len(digits)
    two, four = int(digits[:2]), int(digits[:4])
    if (
        (two == 62 and 16 <= size <= 19)
        or (four in (9558, 9559, 6858, 6859) and 16 <= size <= 19)
        or (four == 6013 and size >= 16)
    ):
        return "unionpay"
    if digits[0] == "4" and size in (13, 16):
        return "visa"
    if size == 16 and (51 <= two <= 55 or 2221 <= four <= 2720):
        return "mastercard"
    if size == 15 and two in (34, 37):
        return "amex"
    if size == 16 and (four == 6011 or two == 65 or 644 <= int(digits[:3]) <= 649):
        return "discover"
    if (size == 16 and two == 35) or (size == 15 and four in (2131, 1800)):
        return "jcb"
    if size == 14 and (two in (36, 38, 39) or 300 <= int(digits[:3]) <= 305):
        return "diners"
    if size == 16 and (two in (50, 56, 57, 58, 67) or four in (6304, 6759, 6761, 6763)):
        return "maestro"
    return None
