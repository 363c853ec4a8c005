"""Personal data by form: numbers with check digits, addresses of machines and mail, secrets; names and postal addresses
by their cues (`detect.identity`).

Runs on a view with capitals kept and every style of digit made plain, and returns offsets into the original. Boundaries are
ASCII only, because `\\b` does not fire between a digit and a Chinese character. A number of the right length whose check
digit is wrong is somebody's order number, not a finding.

Scores: 0.95 and above carry a check digit or an unmistakable form, 0.8 to 0.95 a form with few look-alikes or a cue,
0.5 to 0.7 a form alone; the policy's threshold decides from where on a finding counts.
"""

import fnmatch
import re
from collections.abc import Collection, Iterator

import ahocorasick_rs

from septet.detect import forms, identity, numbers, secrets
from septet.detect.normalise import Normalised, normalise, same_length
from septet.detect.span import Span, merge

# kind -> the tag that stands for it in Chinese and English text
KINDS = {
    "resident_id": ("身份证号", "RESIDENT_ID"),
    "mobile": ("手机号", "MOBILE"),
    "phone": ("电话号码", "PHONE"),
    "bank_card": ("银行卡号", "BANK_CARD"),
    "bank_account": ("银行账号", "BANK_ACCOUNT"),
    "uscc": ("统一社会信用代码", "COMPANY_CODE"),
    "passport": ("护照号", "PASSPORT"),
    "travel_permit": ("通行证号", "TRAVEL_PERMIT"),
    "plate": ("车牌号", "PLATE"),
    "email": ("邮箱", "EMAIL"),
    "ip": ("IP地址", "IP"),
    "mac": ("MAC地址", "MAC"),
    "iban": ("国际银行账号", "IBAN"),
    "swift": ("SWIFT代码", "SWIFT"),
    "ssn": ("美国社会保障号", "SSN"),
    "nino": ("英国国民保险号", "NINO"),
    "account": ("账号名", "ACCOUNT"),
    "secret": ("密钥", "SECRET"),
    "birth_date": ("出生日期", "BIRTH_DATE"),
    "person": ("姓名", "PERSON"),
    "address": ("地址", "ADDRESS"),
}
Found = Iterator[tuple[int, int, str, float, str]]
_CHINESE_DIGITS = str.maketrans("零〇○一二三四五六七八九幺壹贰叁肆伍陆柒捌玖两", "00012345678911234567892")
_CHINESE_DIGIT_RUN = re.compile(
    r"[零〇○一二三四五六七八九幺壹贰叁肆伍陆柒捌玖两](?:[ -]?[零〇○一二三四五六七八九幺壹贰叁肆伍陆柒捌玖两0-9]){6,}"
)


def detect(text: str, kinds: Collection[str] = (), threshold: float = 0.0, allow: Collection[str] = ()) -> list[Span]:
    """Disjoint spans of personal data in `text`; all kinds unless `kinds` names some.

    `allow` holds values that may be shown (a hotline, `*@example.org`), compared without case and separators.
    """
    view = normalise(text, fold_case=False)
    spans = []
    for start, end, kind, score, rule in _candidates(view):
        if score >= threshold and (not kinds or kind in kinds):
            spans.append(Span(*view.origin(start, end), kind, score, f"pii.{kind}.{rule}"))
    allowed = [_canonical(pattern) for pattern in allow]
    return [span for span in merge(spans) if not _is_allowed(normalise(span.of(text)).text, allowed)]


def _is_allowed(value: str, allowed: Collection[str]) -> bool:
    return any(fnmatch.fnmatchcase(_canonical(value), pattern) for pattern in allowed)


def _canonical(value: str) -> str:
    return re.sub(r"[ \-()]", "", value).lower()


def _candidates(view: Normalised) -> Found:
    text = view.text
    yield from identity.find(text)
    yield from secrets.find(text)
    if "@" in text or "[" in text or "(" in text or "{" in text:
        yield from forms.find(text, forms.MAIL)
    chinese = _CHINESE_DIGIT_RUN.search(text)
    if chinese:
        view = same_length(view, _CHINESE_DIGIT_RUN.sub(lambda m: m[0].translate(_CHINESE_DIGITS), text))
        text = view.text
    if _WORDS.find_matches_as_indexes(text.lower()):
        yield from forms.find(text, forms.WORDED)
    for start, end in _windows(text):
        yield from forms.find(text, forms.NUMERIC, start, end)
        yield from numbers.find(text, start, end)


_WORDS = ahocorasick_rs.AhoCorasick(["swift", "bic", "qq", "扣扣", "微信", "wechat", "weixin", "vx"])
# Cues stand at most this far before their number, and rules look at most this far behind it.
_BEFORE, _AFTER = 48, 40
_TRIGGER = re.compile(r"\d[^\n]{0,6}?\d|[0-9A-Fa-f]:[0-9A-Fa-f:]")


def _windows(text: str) -> Iterator[tuple[int, int]]:
    """The stretches of text round digits: nearly all rules need one, and most text has none."""
    start = end = 0
    for match in _TRIGGER.finditer(text):
        if match.start() - _BEFORE > end:
            if end:
                yield start, end
            start = match.start() - _BEFORE
        end = min(len(text), match.end() + _AFTER)
    if end:
        yield start, end
