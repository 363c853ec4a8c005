"""Personal data by form: numbers with check digits, addresses of machines and mail, secrets; names and postal addresses
by their cues (`detect.identity`).

Runs on a view with capitals kept and every style of digit made plain, and returns offsets into the original. Boundaries are
ASCII only, because `\\b` does not fire between a digit and a Chinese character. A number of the right length whose check
digit is wrong is somebody's order number, not a finding.

Scores: 0.95 and above carry a check digit or an unmistakable form, 0.8 to 0.95 a form with few look-alikes or a cue,
0.5 to 0.7 a form alone; the policy's threshold decides from where on a finding counts.
"""

import fnmatch
import ipaddress
import re
from collections.abc import Callable, Collection, Iterator

import ahocorasick_rs
import msgspec

from septet.detect import checksums, identity, secrets
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
_RUN = re.compile(r"(?<![0-9A-Za-z])\d+(?:[ \t.·_\-]{1,2}\d+)*[Xx]?(?![0-9A-Za-z])")
_GROUP = re.compile(r"\d+[Xx]?")
_ORDER_CUE = re.compile(
    r"(?:订单|流水|运单|快递|物流|单据|凭证|批次|序列|工单|合同|编|发票|order|invoice|tracking|batch|serial|ticket|ref(?:erence)?)\s*(?:号|码|号码|单号|编号|no\.?|number|id|#)?\s*(?:为|是|is)?\s*[:#]?\s*$",
    re.I,
)
_CARD_CUE = re.compile(
    r"(?:卡号|银行卡|信用卡|借记卡|储蓄卡|账号|账户|card|visa|mastercard|unionpay|amex|debit|credit|pan)\W{0,3}(?:no\.?|number|号|号码)?\W{0,4}(?:为|是|is)?\W{0,3}$",
    re.I,
)
_ID_CUE = re.compile(r"(?:身份证|证件|公民身份|identity|id card|id no)\D{0,8}$", re.I)
_CODE_CUE = re.compile(r"(?:信用代码|社会信用|税号|纳税人|uscc|credit code|tax)\D{0,10}$", re.I)
_VERSION_CUE = re.compile(r"(?:\bv|ver|version|版本|release|[Vv]er\.?)\s*[:=]?\s*$", re.I)


class _Rule(msgspec.Struct, frozen=True):
    kind: str
    rule: str
    score: float
    pattern: re.Pattern[str]
    check: Callable[[re.Match[str]], bool] = lambda match: True
    needs: str = ""  # a character without which the pattern cannot match


def _is_ip4(match: re.Match[str]) -> bool:
    address = ipaddress.IPv4Address(".".join(str(int(part)) for part in match[0].split(".")))
    unremarkable = (
        address.is_loopback or address.is_unspecified or address.is_multicast or int(address) >> 24 in (0, 255)
    )
    return not unremarkable and not _VERSION_CUE.search(match.string, max(0, match.start() - 12), match.start())


def _is_ip6(match: re.Match[str]) -> bool:
    try:
        address = ipaddress.IPv6Address(match[0])
    except ValueError:
        return False
    return (
        not (address.is_loopback or address.is_unspecified)
        and (match[0].count(":") >= 4 or "::" in match[0])
        and len(match[0]) > 6
    )


def _is_iban(match: re.Match[str]) -> bool:
    return checksums.iban(re.sub(r"[ -]", "", match[0]).upper())


def _is_ssn(match: re.Match[str]) -> bool:
    area, group, serial = match[1], match[2], match[3]
    return area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"


def _is_uscc(match: re.Match[str]) -> bool:
    code = match[0].upper()
    cued = _CODE_CUE.search(match.string, max(0, match.start() - 20), match.start())
    return checksums.uscc(code) and (not code.isdigit() or (bool(cued) and not checksums.resident_id(code)))


def _iban_pattern() -> str:
    return "|".join(
        f"{country}\\d\\d(?:[ -]?[0-9A-Z]){{{length - 4}}}" for country, length in checksums.IBAN_LENGTHS.items()
    )


_A, _Z = r"(?<![0-9A-Za-z])", r"(?![0-9A-Za-z])"
_NUMBER = r"\s*(?:号码|号|no\.?|number|num)?\s*(?:为|是|is)?\s*[:#]?\s*"
_RULES = (
    _Rule("email", "rfc5322", 0.98, re.compile(r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,24}(?![A-Za-z0-9-])"), needs="@"),
    _Rule("email", "spelled", 0.85, re.compile(r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}\s?[\[({]\s?(?:at|@|艾特)\s?[\])}]\s?(?:[A-Za-z0-9-]+\s?(?:\.|[\[({]\s?(?:dot|点)\s?[\])}])\s?)+[A-Za-z]{2,24}(?![A-Za-z0-9-])", re.I)),
    _Rule("uscc", "gb32100", 0.97, re.compile(rf"{_A}[0-9A-HJ-NP-RTUWXYa-hj-np-rtuwxy]{{2}}\d{{6}}[0-9A-HJ-NP-RTUWXYa-hj-np-rtuwxy]{{10}}{_Z}"), _is_uscc),
    _Rule("iban", "iso13616", 0.98, re.compile(rf"{_A}(?:{_iban_pattern()}){_Z}", re.I), _is_iban),
    _Rule("ip", "ipv4", 0.85, re.compile(r"(?<![\w.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![0-9A-Za-z]|\.\d)", re.A), _is_ip4, "."),
    _Rule("ip", "ipv6", 0.9, re.compile(r"(?<![0-9A-Za-z:.])(?:[0-9A-Fa-f]{0,4}:){2,7}(?:[0-9A-Fa-f]{1,4}|:)?(?![0-9A-Za-z:])"), _is_ip6, ":"),
    _Rule("mac", "ieee802", 0.95, re.compile(r"(?<![0-9A-Za-z:.-])(?:[0-9A-Fa-f]{2}([:-])(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}|(?:[0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4})(?![0-9A-Za-z:-])")),
    _Rule("ssn", "form", 0.85, re.compile(r"(?<![0-9A-Za-z-])(\d{3})[- ](\d{2})[- ](\d{4})(?![0-9A-Za-z-])"), _is_ssn),
    _Rule("ssn", "cue", 0.9, re.compile(rf"(?<![A-Za-z])(?:ssn|social security){_NUMBER}(?P<value>\d{{3}}[- ]?\d{{2}}[- ]?\d{{4}}){_Z}", re.I)),
    _Rule("nino", "form", 0.9, re.compile(rf"{_A}(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{{2}} ?\d{{2}} ?\d{{2}} ?[A-D]{_Z}")),
    _Rule("plate", "ga36", 0.9, re.compile(r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-Za-hj-z][ ·.-]?(?=[A-Za-z]{0,3}\d)(?:[0-9A-HJ-NP-Za-hj-np-z]{5,6}|[0-9A-HJ-NP-Za-hj-np-z]{4}[警学挂港澳领])(?![0-9A-Za-z])")),
    _Rule("passport", "cue", 0.9, re.compile(rf"(?:护照|passport)\D{{0,10}}?(?P<value>(?<![0-9A-Za-z])[A-Za-z]{{0,2}}\d{{6,9}}[A-Za-z]?){_Z}", re.I)),
    _Rule("travel_permit", "cue", 0.9, re.compile(rf"(?:通行证|回乡证|台胞证|permit)\D{{0,10}}?(?P<value>(?<![0-9A-Za-z])[A-Za-z]{{0,2}}\d{{8,10}}){_Z}", re.I)),
    _Rule("swift", "cue", 0.9, re.compile(rf"(?<![A-Za-z])(?:swift|bic)(?:/(?:bic|swift))?\W{{0,3}}(?:code|代码|号|address)?{_NUMBER}(?P<value>(?-i:[A-Z]{{6}}[0-9A-Z]{{2}}(?:[0-9A-Z]{{3}})?)){_Z}", re.I)),
    _Rule("account", "cue", 0.85, re.compile(r"(?:(?:qq|扣扣)(?:号码|号)?|微信号?|微信(?:号|账号)|vx|wechat(?: ?id)?|weixin)\s*(?:是|为|is)?\s*[::]\s*(?P<value>[A-Za-z0-9][A-Za-z0-9_-]{4,19})(?![0-9A-Za-z])", re.I)),
    _Rule("account", "cue", 0.85, re.compile(r"(?:qq|扣扣)(?:号码|号)?\s*(?:是|为|is)?\s*(?P<value>[1-9]\d{4,10})(?![0-9A-Za-z])", re.I)),
    _Rule("bank_account", "cue", 0.85, re.compile(rf"(?:账号|账户|银行账号|卡号|(?:bank )?account|acct)(?:号码|号)?{_NUMBER}(?P<value>\d(?:[ -]?\d){{7,27}}){_Z}", re.I)),
    _Rule("birth_date", "cue", 0.9, re.compile(r"(?:出生日期|出生年月日?|出生于|生日|生于|出生|date of birth|birth ?date|birthday|d\.?o\.?b\.?|born(?: on)?)\s*(?:为|是|is|in|on)?\s*[::]?\s*(?P<value>(?:18|19|20)\d{2}\s?[-/.年]\s?\d{1,2}\s?[-/.月]\s?\d{1,2}\s?日?|(?:19|20)\d{6}(?!\d)|\d{1,2}[-/.]\d{1,2}[-/.](?:19|20)?\d{2}(?!\d)|(?:\d{1,2}(?:st|nd|rd|th)? )?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.? (?:\d{1,2}(?:st|nd|rd|th)?,? )?(?:19|20)\d{2}(?!\d))", re.I)),
    _Rule("birth_date", "cue", 0.9, re.compile(r"(?P<value>(?:18|19|20)\d{2}\s?年\s?\d{1,2}\s?月(?:\s?\d{1,2}\s?日)?)(?:出生|生(?![产成效日]))")),
    _Rule("phone", "landline", 0.85, re.compile(r"(?<![0-9A-Za-z-])(?:(?:\+|00)86[ -]?)?(?:\((?:0(?:10|2\d|[3-9]\d{2}))\)[ -]?|0(?:10|2\d|[3-9]\d{2})[ -])[2-8]\d{2,3}[ -]?\d{4}(?:\s?(?:-|转|分机|ext\.?|x)\s?\d{1,5})?(?![0-9A-Za-z]|-\d)")),
    _Rule("phone", "e164", 0.85, re.compile(r"(?<![0-9A-Za-z+])\+(?!0)\d{1,3}(?:[ .()-]{0,2}\d{1,5}){2,6}(?![0-9A-Za-z])"), lambda m: 8 <= sum(c.isdigit() for c in m[0]) <= 15, "+"),
    _Rule("phone", "nanp", 0.8, re.compile(r"(?<![0-9A-Za-z(.-])(?:1[ .-])?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[-. ])[2-9]\d{2}[-. ]\d{4}(?:\s?(?:x|ext\.?)\s?\d{1,5})?(?![0-9A-Za-z-])")),
    _Rule("phone", "cue", 0.85, re.compile(r"(?:电话|座机|传真|联系方式|(?<![a-z])(?:tel|phone|telephone|fax|mobile|cell|call (?:me|us) (?:at|on)|ring me (?:at|on)))(?:号码|号|机)?\s?(?:no\.?|number|numbers)?\s*(?:为|是|is)?[::.]?\s*(?P<value>\+?\(?\d(?:[ ()./-]{0,2}\d){6,14}(?:\s?(?:x|ext\.?|转)\s?\d{1,5})?)(?![0-9A-Za-z])", re.I)),
)  # fmt: skip


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
        yield from _by_rules(text, _MAIL)
    chinese = _CHINESE_DIGIT_RUN.search(text)
    if chinese:
        view = same_length(view, _CHINESE_DIGIT_RUN.sub(lambda m: m[0].translate(_CHINESE_DIGITS), text))
        text = view.text
    if _WORDS.find_matches_as_indexes(text.lower()):
        yield from _by_rules(text, _WORDED)
    for start, end in _windows(text):
        yield from _by_rules(text, _NUMERIC, start, end)
        yield from _numbers(text, start, end)


_MAIL = tuple(rule for rule in _RULES if rule.kind == "email")
_WORDED = tuple(rule for rule in _RULES if rule.kind in ("swift", "account"))
_NUMERIC = tuple(rule for rule in _RULES if rule.kind not in ("email", "swift", "account"))
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


def _by_rules(text: str, rules: tuple[_Rule, ...], start: int = 0, end: int | None = None) -> Found:
    end = len(text) if end is None else end
    for rule in rules:
        if rule.needs and text.find(rule.needs, start, end) < 0:
            continue
        for match in rule.pattern.finditer(text, start, end):
            if rule.check(match):
                group = "value" if "value" in rule.pattern.groupindex else 0
                yield match.start(group), match.end(group), rule.kind, rule.score, rule.rule


def _numbers(text: str, start: int, end: int) -> Found:
    """Identity, card and mobile numbers, written in one piece or in groups."""
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
    elif len(digits) in (11, 13, 15) and (mobile := _MOBILE.fullmatch(digits)):
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
        two == 62
        and 16 <= size <= 19
        or four in (9558, 9559, 6858, 6859)
        and 16 <= size <= 19
        or four == 6013
        and size >= 16
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
    if size == 16 and two == 35 or size == 15 and four in (2131, 1800):
        return "jcb"
    if size == 14 and (two in (36, 38, 39) or 300 <= int(digits[:3]) <= 305):
        return "diners"
    if size == 16 and (two in (50, 56, 57, 58, 67) or four in (6304, 6759, 6761, 6763)):
        return "maestro"
    return None
