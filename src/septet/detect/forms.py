"""The written forms of personal data that one pattern can describe, with the check that tells each from its look-alikes.

Each form stands under the anchor from which it is tried: a shape that the scanner saw (`kernels.shapes`) or a cue word. A
pattern is matched at that place only, and may look back over what stands before it.

Sources: RFC 5322 (mail), GB 32100-2015 (company code), ISO 13616 (IBAN), ISO 9362 (SWIFT), GA 36 (plates), IEEE 802 (MAC),
the published number plans of China, North America and the ITU (E.164), and the issuing rules of US SSN and UK NINO. Numbers
of other countries' offices stand in `detect.national`.
"""

import ipaddress
import re
from collections.abc import Mapping
from functools import lru_cache

from septet.detect import checksums, national
from septet.detect.form import Cue, Form, Rule, also_behind, rule_of
from septet.kernels import scan, shapes

_CODE_CUE = re.compile(r"(?:信用代码|社会信用|税号|纳税人|uscc|credit code|tax)\D{0,10}$", re.I)
_VERSION_CUE = re.compile(r"(?:\bv|ver|version|版本|release|[Vv]er\.?)\s*[:=]?\s*$", re.I)


def _is_ip4(match: re.Match[str]) -> bool:
    """Not a loopback, multicast, broadcast or unspecified address, not the version of a program nor the number of a section."""
    parts = [int(part) for part in match[0].split(".")]
    if parts[0] in (0, 127, 255) or 224 <= parts[0] <= 239:
        return False
    if max(parts) <= 40:
        line = match.string[match.string.rfind("\n", 0, match.start()) + 1 : match.start()]
        if not line.strip(" \t#*|-\xa0"):
            return False
    return not _VERSION_CUE.search(match.string, max(0, match.start() - 12), match.start())


def _is_ip6(match: re.Match[str]) -> bool:
    try:
        address = ipaddress.IPv6Address(match[0])
    except ValueError:
        return False
    return (
        not (address.is_loopback or address.is_unspecified or address.is_multicast)
        and (match[0].count(":") >= 4 or "::" in match[0])
        and len(match[0]) > 6
    )


def _is_ssn(match: re.Match[str]) -> bool:
    area, group, serial = match[1], match[2], match[3]
    return area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"


def _is_uscc(match: re.Match[str]) -> bool:
    code = match[0].upper()
    cued = _CODE_CUE.search(match.string, max(0, match.start() - 20), match.start())
    return checksums.uscc(code) and (not code.isdigit() or (bool(cued) and not checksums.resident_id(code)))


_NO_SEPARATORS = str.maketrans("", "", " -")
_A, _Z = r"(?<![0-9A-Za-z])", r"(?![0-9A-Za-z])"
_NUMBER = r"\s*(?:号码|号|no\.?|number|num)?\s*(?:为|是|is)?\s*[:#]?\s*"
_MAIL = Form(
    "email",
    "rfc5322",
    0.98,
    re.compile(
        r"[._%+-]*(?P<value>[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,24})(?![A-Za-z0-9-])"
    ),
)
_MAIL_SPELLED = Form(
    "email",
    "spelled",
    0.85,
    re.compile(
        r"[._%+-]*(?P<value>[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}\s?[\[({]\s?(?:at|@|艾特)\s?[\])}]\s?"
        r"(?:[A-Za-z0-9-]+\s?(?:\.|[\[({]\s?(?:dot|点)\s?[\])}])\s?)+[A-Za-z]{2,24})(?![A-Za-z0-9-])",
        re.I,
    ),
)
_USCC = Form(
    "uscc",
    "gb32100",
    0.97,
    re.compile(rf"{_A}[0-9A-HJ-NP-RTUWXYa-hj-np-rtuwxy]{{2}}\d{{6}}[0-9A-HJ-NP-RTUWXYa-hj-np-rtuwxy]{{10}}{_Z}"),
    _is_uscc,
)


@lru_cache(maxsize=1024)  # two characters of any text may ask
def _iban_pattern(country: str) -> re.Pattern[str] | None:
    length = checksums.IBAN_LENGTHS.get(country)
    return re.compile(rf"{_A}{country}\d\d(?:[ -]?[0-9A-Z]){{{length - 4}}}{_Z}", re.I) if length else None


def _iban(text: str, at: int, low: int, high: int) -> list[tuple[int, int, str, float, str]]:  # noqa: ARG001
    """ISO 13616, by the pattern of its country alone: the one pattern of all countries took three times as long."""
    pattern = _iban_pattern(text[at : at + 2].upper())
    match = pattern.match(text, at, high) if pattern else None
    if match and checksums.iban(match[0].translate(_NO_SEPARATORS).upper()):
        return [(match.start(), match.end(), "iban", 0.98, "iso13616")]
    return []


_IP4 = Form(
    "ip",
    "ipv4",
    0.85,
    re.compile(
        r"(?<![\w.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![0-9A-Za-z]|\.\d)", re.A
    ),
    _is_ip4,
)
_IP6 = Form(
    "ip",
    "ipv6",
    0.9,
    re.compile(
        r"(?<![0-9A-Za-z.])(?<![0-9A-Fa-f]:)(?<!::)(?:[0-9A-Fa-f]{0,4}:){2,7}(?:[0-9A-Fa-f]{1,4}|:)?(?![0-9A-Za-z:])"
    ),
    _is_ip6,
)
_MAC = Form(
    "mac",
    "ieee802",
    0.95,
    re.compile(
        r"(?<![0-9A-Za-z.-])(?<![0-9A-Fa-f]:)(?<!::)(?:[0-9A-Fa-f]{2}([:-])(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}|"
        r"(?:[0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4})(?![0-9A-Za-z:-])"
    ),
)
_SSN = Form("ssn", "form", 0.85, re.compile(r"(?<![0-9A-Za-z-])(\d{3})[- ](\d{2})[- ](\d{4})(?![0-9A-Za-z-])"), _is_ssn)
_NINO = Form(
    "nino",
    "form",
    0.9,
    re.compile(
        rf"{_A}(?!BG|GB|NK|KN|TN|NT|ZZ)"
        rf"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{{2}} ?\d{{2}} ?\d{{2}} ?[A-D]{_Z}"
    ),
)
_PLATE = Form(
    "plate",
    "ga36",
    0.9,
    re.compile(
        r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-Za-hj-z][ ·.-]?(?=[A-Za-z]{0,3}\d)"
        r"(?:[0-9A-HJ-NP-Za-hj-np-z]{5,6}|[0-9A-HJ-NP-Za-hj-np-z]{4}[警学挂港澳领])(?![0-9A-Za-z])"
    ),
)
_LANDLINE = Form(
    "phone",
    "landline",
    0.85,
    re.compile(
        r"(?<![0-9A-Za-z-])(?:(?:\+|00)86[ -]?)?(?:\((?:0(?:10|2\d|[3-9]\d{2}))\)[ -]?|0(?:10|2\d|[3-9]\d{2})[ -])"
        r"[2-8]\d{2,3}[ -]?\d{4}(?:\s?(?:-|转|分机|ext\.?|x)\s?\d{1,5})?(?![0-9A-Za-z]|-\d)"
    ),
)
_E164 = Form(
    "phone",
    "e164",
    0.85,
    re.compile(
        r"(?<![0-9A-Za-z+])\+(?!0)\d{1,3}(?:[ .()-]{0,2}\d{1,5}){2,6}(?:\s?(?:x|ext\.?)\s?\d{1,5})?(?![0-9A-Za-z])"
    ),
    lambda m: 8 <= sum(c.isdigit() for c in re.split("x|ext", m[0])[0]) <= 15,
)
_NANP = Form(
    "phone",
    "nanp",
    0.8,
    re.compile(
        r"(?<![0-9A-Za-z.-])(?:1[ .-])?(?!\(?(?:400|800|888|877|866|855)\b)(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[-. ])"
        r"[2-9]\d{2}[-. ]\d{4}(?:\s?(?:x|ext\.?)\s?\d{1,5})?(?![0-9A-Za-z-])"
    ),
)
SHAPES: Mapping[int, Rule] = {
    scan.AT: rule_of(_MAIL, _MAIL_SPELLED),
    scan.IP6: also_behind(":", rule_of(_IP6, _MAC)),
    scan.PLATE: rule_of(_PLATE),
    shapes.USCC: rule_of(_USCC),
    shapes.IBAN: _iban,
    shapes.IP4: rule_of(_IP4),
    shapes.SSN: rule_of(_SSN, *national.SSN_SHAPED),
    shapes.NINO: rule_of(_NINO),
    shapes.E164: also_behind("(", rule_of(_E164, _LANDLINE)),
    shapes.LANDLINE: also_behind("(", rule_of(_LANDLINE)),
    shapes.NANP: also_behind("(", rule_of(_NANP)),
    shapes.DASHED_MAC: rule_of(_MAC),
    shapes.FOUR_FOUR_FOUR: rule_of(*national.IN_FOURS),
    shapes.THREE_THREE_FOUR: rule_of(*national.THREE_THREE_FOUR),
    shapes.LETTERED: rule_of(*national.LETTERED),
    shapes.GROUPED: rule_of(*national.GROUPED),
    shapes.WALLET: rule_of(*national.WALLETS),
}
"""By shape, what is tried there. UK postcodes are addresses: `detect.identity`."""

CUES = (
    Cue(
        "ssn|social security",
        (
            rule_of(
                Form(
                    "ssn",
                    "cue",
                    0.9,
                    re.compile(
                        rf"(?:ssn|social security){_NUMBER}(?P<value>\d{{3}}[- ]?\d{{2}}[- ]?\d{{4}}){_Z}", re.I
                    ),
                )
            ),
        ),
    ),
    Cue(
        "护照|passport",
        (
            rule_of(
                Form(
                    "passport",
                    "cue",
                    0.9,
                    re.compile(
                        r"(?:护照|passport)\D{0,12}?(?P<value>(?<![0-9A-Za-z])(?:[A-Za-z]{0,2}\d{6,9}[A-Za-z]?|"
                        rf"[A-Z]\d{{2}}[A-Z]{{2}}\d{{4}}|[CFGHJKLMNPRTVWXYZ0-9]{{9}}(?<=\d))){_Z}",
                        re.I,
                    ),
                )
            ),
        ),
    ),
    Cue(
        "通行证|回乡证|台胞证|还乡证|permit",
        (
            rule_of(
                Form(
                    "travel_permit",
                    "cue",
                    0.9,
                    re.compile(
                        r"(?:通行证|回乡证|台胞证|还乡证|permit)\D{0,12}?"
                        rf"(?P<value>(?<![0-9A-Za-z])[A-Za-z]{{0,2}}\d{{7,10}}(?:\([0-9A-Z]\))?){_Z}",
                        re.I,
                    ),
                )
            ),
        ),
    ),
    Cue(
        "swift|bic",
        (
            rule_of(
                Form(
                    "swift",
                    "cue",
                    0.9,
                    re.compile(
                        r"(?:swift|bic)(?:/(?:bic|swift))?\W{0,3}(?:code|代码|号|address)?"
                        rf"{_NUMBER}(?P<value>(?-i:[A-Z]{{6}}[0-9A-Z]{{2}}(?:[0-9A-Z]{{3}})?)){_Z}",
                        re.I,
                    ),
                )
            ),
        ),
        follow=scan.ALWAYS,
        edges=3,
    ),
    Cue(
        "qq|扣扣|微信|vx|wechat|weixin",
        (
            rule_of(
                Form(
                    "account",
                    "cue",
                    0.85,
                    re.compile(
                        r"(?:(?:qq|扣扣)(?:号码|号)?|微信(?:号|账号)?|vx|wechat(?: ?id)?|weixin)(?:也|同)?\s*(?:是|为|is)?"
                        r"\s*[::]\s*(?P<value>[A-Za-z0-9][A-Za-z0-9_-]{4,19})(?![0-9A-Za-z])",
                        re.I,
                    ),
                ),
                Form(
                    "account",
                    "cue",
                    0.85,
                    re.compile(
                        r"(?:qq|扣扣)(?:号码|号)?\s*(?:是|为|is)?\s*(?P<value>[1-9]\d{4,10})(?![0-9A-Za-z])", re.I
                    ),
                ),
                Form(
                    "account",
                    "cue",
                    0.8,
                    re.compile(
                        r"(?:微信|vx|wechat|weixin)(?:号|账号| id)?\s?(?:是|为|is)?\s?"
                        r"(?P<value>(?=[A-Za-z_-]{1,19}\d)[A-Za-z][A-Za-z0-9_-]{5,19})(?![0-9A-Za-z])",
                        re.I,
                    ),
                ),
            ),
        ),
        follow=scan.ALWAYS,
    ),
    Cue(
        "账号|账户|卡号|account|acct",
        (
            rule_of(
                Form(
                    "bank_account",
                    "cue",
                    0.85,
                    re.compile(
                        rf"(?:账号|账户|卡号|account|acct)(?:号码|号)?{_NUMBER}(?P<value>\d(?:[ -]?\d){{7,27}}){_Z}",
                        re.I,
                    ),
                )
            ),
        ),
    ),
    Cue(
        "出生|生日|生于|date of birth|birth date|birthdate|birthday|dob|d.o.b|born",
        (
            rule_of(
                Form(
                    "birth_date",
                    "cue",
                    0.9,
                    re.compile(
                        r"(?:出生日期|出生年月日?|出生于|生日|生于|出生|date of birth|birth ?date|birthday|"
                        r"d\.?o\.?b\.?|born(?: on)?)\s*(?:为|是|is|in|on)?\s*[::]?\s*(?P<value>(?:18|19|20)"
                        r"\d{2}\s?[-/.年]\s?\d{1,2}\s?[-/.月]\s?\d{1,2}\s?日?|(?:19|20)\d{6}(?!\d)|"
                        r"\d{1,2}[-/.]\d{1,2}[-/.](?:19|20)?\d{2}(?!\d)|(?:\d{1,2}(?:st|nd|rd|th)? )?(?:jan|feb|mar|"
                        r"apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.? (?:\d{1,2}(?:st|nd|rd|th)?,? )?(?:19|20)"
                        r"\d{2}(?!\d))",
                        re.I,
                    ),
                )
            ),
        ),
    ),
    Cue(
        "日出生|日生|月出生|月生",
        (
            rule_of(
                Form(
                    "birth_date",
                    "cue",
                    0.9,
                    re.compile(
                        r"(?P<value>(?:18|19|20)\d{2}\s?年\s?\d{1,2}\s?月(?:\s?\d{1,2}\s?日)?)(?:出生|生(?![产成效日]))"
                    ),
                    back=16,
                )
            ),
        ),
        follow=scan.ALWAYS,
        reach=4,
    ),
    Cue(
        "电话|座机|固话|传真|联系方式|手机|tel|phone|telephone|fax|mobile|cell|call me at|call us at|call me on|call us on|"
        "ring me at|ring me on",
        (
            rule_of(
                Form(
                    "phone",
                    "cue",
                    0.85,
                    re.compile(
                        r"(?:电话|座机|固话|传真|联系方式|手机|tel|phone|telephone|fax|mobile|cell|call (?:me|us) (?:at|on)|"
                        r"ring me (?:at|on))(?:号码|号|机)?\s?(?:no\.?|number|numbers)?\s*(?:为|是|is)?[::.]?\s*"
                        r"(?P<value>\+?\(?\d(?:[ ()./-]{0,2}\d){6,14}(?:\s?(?:x|ext\.?|转)\s?\d{1,5})?)(?![0-9A-Za-z])",
                        re.I,
                    ),
                )
            ),
        ),
    ),
    Cue(
        "[at]|(at)|{at}|[ at ]|( at )|{ at }|[@]|(@)|{@}|[ @ ]|( @ )|[艾特]|(艾特)|{艾特}",
        (rule_of(_MAIL_SPELLED),),
        follow=scan.LOCAL_PART,
        edges=0,
    ),
    *(Cue(words, (rule_of(*found),), follow=scan.NUMBER) for words, found in national.CUED),
)
