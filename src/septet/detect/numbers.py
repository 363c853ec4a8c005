"""Identity, card and mobile numbers of digits alone: how sure a number is that holds together, by what stands before it.

The scanner has checked their digits and grouping already (`kernels.shapes`); what is left to say is whether a cue makes a
card of a number that no scheme issues, or an order number of one that looks like a card.
"""

import re

from septet.detect import checksums
from septet.detect.form import is_ordered
from septet.kernels import shapes

_CARD_CUE = re.compile(
    (
        r"(?:卡号|银行卡|信用卡|借记卡|储蓄卡|账号|账户|card|visa|mastercard|unionpay|amex|debit|"
        r"credit|pan)\W{0,3}(?:no\.?|number|号|号码)?\W{0,4}(?:为|是|is)?\W{0,3}$"
    ),
    re.I,
)
_ID_CUE = re.compile(r"(?:身份证|证件|公民身份|identity|id card|id no)\D{0,8}$", re.I)
KINDS = (shapes.RESIDENT, shapes.RESIDENT_15, shapes.MOBILE, shapes.CARD, shapes.CARD_CUED)


def judge(shape: int, text: str, start: int, end: int, low: int) -> tuple[str, float, str] | None:
    """(kind, score, rule) of a number that the scanner found at a place of a view; None where it does not count."""
    if shape == shapes.RESIDENT:
        return "resident_id", 0.98, "gb11643"
    if shape == shapes.MOBILE:
        return "mobile", 0.4 if is_ordered(text, start) else 0.9, "cn"
    before = text[max(low, start - 24) : start]
    if shape == shapes.RESIDENT_15:
        return "resident_id", 0.9 if _ID_CUE.search(before) else 0.5, "old15"
    digits = "".join(filter(str.isdigit, text[start:end]))
    issuer, cued = _issuer(digits), _CARD_CUE.search(before)
    if not (issuer or cued):
        return None
    # Eighteen digits with a province and a date of birth are an identity number that was mistyped rather than a card.
    ordered = not cued and (is_ordered(text, start) or checksums.like_resident_id(digits))
    return "bank_card", 0.4 if ordered else 0.99 if issuer and cued else 0.95, issuer or "cue"


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
