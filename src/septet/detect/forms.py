"""The written forms of personal data that one pattern can describe, with the check that tells each from its look-alikes.

Sources: RFC 5322 (mail), GB 32100-2015 (company code), ISO 13616 (IBAN), ISO 9362 (SWIFT), GA 36 (plates), IEEE 802 (MAC),
the published number plans of China, North America and the ITU (E.164), and the issuing rules of US SSN and UK NINO.
"""

import ipaddress
import re
from collections.abc import Callable, Iterator

import msgspec

from septet.detect import checksums

Found = Iterator[tuple[int, int, str, float, str]]
_CODE_CUE = re.compile(r"(?:信用代码|社会信用|税号|纳税人|uscc|credit code|tax)\D{0,10}$", re.I)
_VERSION_CUE = re.compile(r"(?:\bv|ver|version|版本|release|[Vv]er\.?)\s*[:=]?\s*$", re.I)


class Form(msgspec.Struct, frozen=True):
    kind: str
    rule: str
    score: float
    pattern: re.Pattern[str]
    check: Callable[[re.Match[str]], bool] = lambda _: True
    needs: str = ""  # a character without which the pattern cannot match


def find(text: str, forms: tuple[Form, ...], start: int = 0, end: int | None = None) -> Found:
    """(start, end, kind, score, rule) of each form between two places of a view with capitals kept."""
    end = len(text) if end is None else end
    for form in forms:
        if form.needs and text.find(form.needs, start, end) < 0:
            continue
        for match in form.pattern.finditer(text, start, end):
            if form.check(match):
                group = "value" if "value" in form.pattern.groupindex else 0
                yield match.start(group), match.end(group), form.kind, form.score, form.rule


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
FORMS = (
    Form(
        "email",
        "rfc5322",
        0.98,
        re.compile(
            r"(?<![A-Za-z0-9._%+-])"
            r"[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,24}(?![A-Za-z0-9-])"
        ),
        needs="@",
    ),
    Form(
        "email",
        "spelled",
        0.85,
        re.compile(
            (
                r"(?<![A-Za-z0-9._%+-])"
                r"[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}\s?[\[({]\s?(?:at|@|艾特)\s?[\])}]\s?(?:[A-Za-z0-9-]+\s?(?:\.|"
                r"[\[({]\s?(?:dot|点)\s?[\])}])\s?)+[A-Za-z]{2,24}(?![A-Za-z0-9-])"
            ),
            re.I,
        ),
    ),
    Form(
        "uscc",
        "gb32100",
        0.97,
        re.compile(rf"{_A}[0-9A-HJ-NP-RTUWXYa-hj-np-rtuwxy]{{2}}\d{{6}}[0-9A-HJ-NP-RTUWXYa-hj-np-rtuwxy]{{10}}{_Z}"),
        _is_uscc,
    ),
    Form("iban", "iso13616", 0.98, re.compile(rf"{_A}(?:{_iban_pattern()}){_Z}", re.I), _is_iban),
    Form(
        "ip",
        "ipv4",
        0.85,
        re.compile(
            (
                r"(?<![\w.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![0-9A-Za-z]|"
                r"\.\d)"
            ),
            re.A,
        ),
        _is_ip4,
        ".",
    ),
    Form(
        "ip",
        "ipv6",
        0.9,
        re.compile(r"(?<![0-9A-Za-z:.])(?:[0-9A-Fa-f]{0,4}:){2,7}(?:[0-9A-Fa-f]{1,4}|:)?(?![0-9A-Za-z:])"),
        _is_ip6,
        ":",
    ),
    Form(
        "mac",
        "ieee802",
        0.95,
        re.compile(
            r"(?<![0-9A-Za-z:.-])(?:[0-9A-Fa-f]{2}([:-])(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}|"
            r"(?:[0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4})(?![0-9A-Za-z:-])"
        ),
    ),
    Form("ssn", "form", 0.85, re.compile(r"(?<![0-9A-Za-z-])(\d{3})[- ](\d{2})[- ](\d{4})(?![0-9A-Za-z-])"), _is_ssn),
    Form(
        "ssn",
        "cue",
        0.9,
        re.compile(
            rf"(?<![A-Za-z])(?:ssn|social security){_NUMBER}(?P<value>\d{{3}}[- ]?\d{{2}}[- ]?\d{{4}}){_Z}", re.I
        ),
    ),
    Form(
        "nino",
        "form",
        0.9,
        re.compile(
            rf"{_A}(?!BG|GB|NK|KN|TN|NT|ZZ)"
            rf"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{{2}} ?\d{{2}} ?\d{{2}} ?[A-D]{_Z}"
        ),
    ),
    Form(
        "plate",
        "ga36",
        0.9,
        re.compile(
            r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-Za-hj-z][ ·.-]?(?=[A-Za-z]{0,3}\d)"
            r"(?:[0-9A-HJ-NP-Za-hj-np-z]{5,6}|[0-9A-HJ-NP-Za-hj-np-z]{4}[警学挂港澳领])(?![0-9A-Za-z])"
        ),
    ),
    Form(
        "passport",
        "cue",
        0.9,
        re.compile(
            rf"(?:护照|passport)\D{{0,10}}?(?P<value>(?<![0-9A-Za-z])[A-Za-z]{{0,2}}\d{{6,9}}[A-Za-z]?){_Z}", re.I
        ),
    ),
    Form(
        "travel_permit",
        "cue",
        0.9,
        re.compile(
            (
                rf"(?:通行证|回乡证|台胞证|permit)\D{{0,10}}?(?P<value>(?<![0-9A-Za-z])"
                rf"[A-Za-z]{{0,2}}\d{{8,10}}){_Z}"
            ),
            re.I,
        ),
    ),
    Form(
        "swift",
        "cue",
        0.9,
        re.compile(
            (
                rf"(?<![A-Za-z])(?:swift|bic)(?:/(?:bic|swift))?\W{{0,3}}(?:code|代码|号|"
                rf"address)?{_NUMBER}(?P<value>(?-i:[A-Z]{{6}}[0-9A-Z]{{2}}(?:[0-9A-Z]{{3}})?)){_Z}"
            ),
            re.I,
        ),
    ),
    Form(
        "account",
        "cue",
        0.85,
        re.compile(
            (
                r"(?:(?:qq|扣扣)(?:号码|号)?|微信号?|微信(?:号|账号)|vx|wechat(?: ?id)?|weixin)\s*(?:是|为|"
                r"is)?\s*[::]\s*(?P<value>[A-Za-z0-9][A-Za-z0-9_-]{4,19})(?![0-9A-Za-z])"
            ),
            re.I,
        ),
    ),
    Form(
        "account",
        "cue",
        0.85,
        re.compile(r"(?:qq|扣扣)(?:号码|号)?\s*(?:是|为|is)?\s*(?P<value>[1-9]\d{4,10})(?![0-9A-Za-z])", re.I),
    ),
    Form(
        "bank_account",
        "cue",
        0.85,
        re.compile(
            (
                r"(?:账号|账户|银行账号|卡号|(?:bank )?account|acct)(?:号码|"
                rf"号)?{_NUMBER}(?P<value>\d(?:[ -]?\d){{7,27}}){_Z}"
            ),
            re.I,
        ),
    ),
    Form(
        "birth_date",
        "cue",
        0.9,
        re.compile(
            (
                r"(?:出生日期|出生年月日?|出生于|生日|生于|出生|date of birth|birth ?date|birthday|"
                r"d\.?o\.?b\.?|born(?: on)?)\s*(?:为|是|is|in|on)?\s*[::]?\s*(?P<value>(?:18|19|20)"
                r"\d{2}\s?[-/.年]\s?\d{1,2}\s?[-/.月]\s?\d{1,2}\s?日?|(?:19|20)\d{6}(?!\d)|"
                r"\d{1,2}[-/.]\d{1,2}[-/.](?:19|20)?\d{2}(?!\d)|(?:\d{1,2}(?:st|nd|rd|th)? )?(?:jan|feb|mar|"
                r"apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.? (?:\d{1,2}(?:st|nd|rd|th)?,? )?(?:19|20)"
                r"\d{2}(?!\d))"
            ),
            re.I,
        ),
    ),
    Form(
        "birth_date",
        "cue",
        0.9,
        re.compile(
            r"(?P<value>(?:18|19|20)\d{2}\s?年\s?\d{1,2}\s?月(?:\s?\d{1,2}\s?日)?)(?:出生|生(?![产成效日])"
            r")"
        ),
    ),
    Form(
        "phone",
        "landline",
        0.85,
        re.compile(
            r"(?<![0-9A-Za-z-])(?:(?:\+|00)86[ -]?)?(?:\((?:0(?:10|2\d|[3-9]\d{2}))\)[ -]?|0(?:10|2\d|"
            r"[3-9]\d{2})[ -])[2-8]\d{2,3}[ -]?\d{4}(?:\s?(?:-|转|分机|ext\.?|x)"
            r"\s?\d{1,5})?(?![0-9A-Za-z]|-\d)"
        ),
    ),
    Form(
        "phone",
        "e164",
        0.85,
        re.compile(
            r"(?<![0-9A-Za-z+])\+(?!0)\d{1,3}(?:[ .()-]{0,2}\d{1,5}){2,6}(?:\s?(?:x|ext\.?)\s?\d{1,5})?(?![0-9A-Za-z])"
        ),
        lambda m: 8 <= sum(c.isdigit() for c in re.split("x|ext", m[0])[0]) <= 15,
        "+",
    ),
    Form(
        "phone",
        "nanp",
        0.8,
        re.compile(
            r"(?<![0-9A-Za-z(.-])(?:1[ .-])?(?!\(?(?:400|800|888|877|866|855)\b)(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[-. ])"
            r"[2-9]\d{2}[-. ]\d{4}(?:\s?(?:x|ext\.?)\s?\d{1,5})?(?![0-9A-Za-z-])"
        ),
    ),
    Form(
        "phone",
        "cue",
        0.85,
        re.compile(
            (
                r"(?:电话|座机|固话|传真|联系方式|(?<![a-z])(?:tel|phone|telephone|fax|mobile|cell|call (?:me|us)"
                r" (?:at|on)|ring me (?:at|on)))(?:号码|号|机)?\s?(?:no\.?|number|numbers)?\s*(?:为|是|"
                r"is)?[::.]?\s*(?P<value>\+?\(?\d(?:[ ()./-]{0,2}\d){6,14}(?:\s?(?:x|ext\.?|转)\s?\d{1,5})?)"
                r"(?![0-9A-Za-z])"
            ),
            re.I,
        ),
    ),
)
MAIL = tuple(form for form in FORMS if form.kind == "email")
WORDED = tuple(form for form in FORMS if form.kind in ("swift", "account"))
NUMERIC = tuple(form for form in FORMS if form.kind not in ("email", "swift", "account"))
