"""What may be done with a finding: mask, redact, tag, hash, pseudonymise, generalise.

`hash` and `pseudonymise` are keyed (HMAC-SHA256 of kind and value), so that equal values stay equal within one key and
nobody without the key can try values out. Surrogates keep the form and, where there is one, a right check digit, so that
joins and models still work; they are made, never drawn from a list of real people.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Mapping

from septet.core.errors import ConfigError
from septet.detect import checksums, national, quasi
from septet.detect.normalise import normalise
from septet.detect.pii import KINDS
from septet.detect.span import Span, merge

ACTIONS = ("keep", "mask", "redact", "tag", "hash", "pseudonymise", "generalise")
NEEDS_KEY = frozenset(("hash", "pseudonymise"))
# How many letters and digits stay readable at the start and the end of a masked value.
_ENDS = {
    "mobile": (3, 4),
    "phone": (0, 4),
    "resident_id": (3, 4),
    "bank_card": (4, 4),
    "bank_account": (0, 4),
    "iban": (4, 4),
    "plate": (2, 0),
    "uscc": (2, 4),
}
_HAN = re.compile(r"[\u4e00-\u9fff]")
_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
_GIVEN = (
    "安博辰川达恩帆光和嘉景凯乐明宁鹏清然松涛文希彦宇泽柏晨澄初楚丹德冬方飞枫冠国海涵航浩恒宏华怀欢辉慧建杰锦敬静君"
    "俊可兰蕾礼立良林霖玲龙璐洛茂梅萌敏铭牧楠培佩平齐琪启谦乔勤晴庆仁荣如瑞睿润若森珊善绍胜诗时书舒树思斯素天廷彤"
    "婉维伟炜雯武曦贤祥潇晓欣新星雄修旭轩学雅岩阳洋叶一怡艺逸毅音英颖永勇友雨语玉煜元远月悦云芸展哲真振正之知志中舟子紫"
)
_FIRST = (
    "Alex Blair Casey Dana Ellis Frankie Gale Harper Indra Jules Kit Lane Morgan Noor Parker "
    "Quinn Robin Sage Taylor Wren"
).split()
_LAST = (
    "Ashby Barlow Carden Dunmore Eastley Farrow Garland Hollis Ingram Jessop Kendal Lorne Marlow "
    "Norwood Oakes Pryor Rowan Selby Thorne Wexford"
).split()


def apply(
    text: str,
    spans: Iterable[Span],
    actions: Mapping[str, str],
    *,
    key: bytes = b"",
    default: str = "tag",
    language: str = "",
    generalise: Mapping[str, str] | None = None,
) -> str:
    """The text with each span treated as `actions` says for its kind, `default` for the kinds it does not name.

    `language` ("zh", "en") chooses the language of tags; empty: Chinese where the text holds Chinese characters.
    `generalise` says how coarse by kind (`DETAILS`).
    Raises ConfigError for an unknown action, and for a keyed action without a key.
    """
    chinese = language == "zh" if language else bool(_HAN.search(text))
    out: list[str] = []
    at = 0
    for span in merge(spans):
        action = actions.get(span.kind, default)
        detail = (generalise or {}).get(span.kind, "")
        out += (text[at : span.start], treat(span.of(text), span.kind, action, key, chinese, detail))
        at = span.end
    return "".join(out) + text[at:]


def tag_of(kind: str, chinese: bool) -> str:
    names = KINDS.get(kind) or quasi.KINDS.get(kind)
    return f"[{names[0] if chinese else names[1]}]" if names else f"[{kind.upper()}]"


def treat(
    value: str,
    kind: str,
    action: str,
    key: bytes,
    chinese: bool,
    detail: str = "",
    again: Mapping[str, int] | None = None,
) -> str:
    """What stands in place of one value. `again` says which draw is the surrogate of a value, by `digest_of`, where it is not the
    first. Raises ConfigError as `apply` does."""
    if action in NEEDS_KEY and not key:
        raise ConfigError(
            f"the action '{action}' for '{kind}' needs a key",
            "Give a secret key of at least 16 bytes, kept apart from the data",
        )
    match action:
        case "keep":
            return value
        case "mask":
            return _mask(value, kind)
        case "redact":
            return "***"
        case "tag":
            return tag_of(kind, chinese)
        case "hash":
            return f"[{kind}:{_digest(key, kind, value)[:8].hex()}]"
        case "pseudonymise":
            return surrogate(value, kind, key, again.get(digest_of(value, kind, key), 0) if again else 0)
        case "generalise":
            return _generalise(value, kind, chinese, detail)
    raise ConfigError(f"there is no action '{action}'", f"Known: {', '.join(ACTIONS)}")


def _mask(value: str, kind: str) -> str:
    if kind == "email" and "@" in value:
        name, _, domain = value.partition("@")
        return f"{name[:1] if len(name) > 2 else '*'}{'*' * max(2, len(name) - 1)}@{domain}"
    if kind == "person":
        return value[0] + re.sub(r"\w", "*", value[1:])
    if kind == "address":
        admin = re.match(r"[\u4e00-\u9fff]{2,8}?[省市](?:[\u4e00-\u9fff]{2,4}?市)?", value)
        return (admin[0] if admin else "") + "****"
    first, last = _ENDS.get(kind, (0, 0))
    places = [i for i, c in enumerate(value) if c.isalnum()]
    if 3 * (first + last) > 2 * len(places):
        first, last = 0, min(last, len(places) // 4)
    hidden = set(places[first : len(places) - last])
    return "".join("*" if i in hidden else c for i, c in enumerate(value))


def _digest(key: bytes, kind: str, value: str) -> bytes:
    return hmac.new(key, f"{kind}\0{_canonical(value)}".encode(), hashlib.sha256).digest()


class _Draw:
    """Numbers from a digest, the same for the same value and key."""

    def __init__(self, seed: bytes):
        self._seed = seed
        self._state = int.from_bytes(seed + hashlib.sha256(seed).digest(), "big")

    def below(self, limit: int) -> int:
        if self._state < limit << 64:  # used up: go on from what it was made of
            self._seed = hashlib.sha256(self._seed).digest()
            self._state = int.from_bytes(self._seed + hashlib.sha256(self._seed).digest(), "big")
        self._state, drawn = divmod(self._state, limit)
        return drawn

    def digits(self, count: int) -> str:
        return "".join(str(self.below(10)) for _ in range(count))


def surrogate(value: str, kind: str, key: bytes, attempt: int = 0) -> str:
    """A value of the same form and, where there is one, with a right check character, drawn by the key; never the value itself.

    `attempt` draws another one: a vault that meets two values with one surrogate takes the next.
    """
    canonical = _canonical(value)
    digest = _digest(key, kind, value)
    for turn in range(attempt, attempt + 64):
        made = _drawn(value, kind, _Draw(digest if not turn else hashlib.sha256(digest + bytes([turn % 256])).digest()))
        if _canonical(made) != canonical:
            return made
    return tag_of(kind, bool(_HAN.search(value)))


def digest_of(value: str, kind: str, key: bytes) -> str:
    """A keyed name of a value, that tells nothing of it without the key."""
    return _digest(key, f"vault\0{kind}", value).hex()[:24]


def _canonical(value: str) -> str:
    return "".join(c for c in normalise(value).text if c.isalnum() or c in "@.")


def _drawn(value: str, kind: str, draw: "_Draw") -> str:
    maker: Callable[[str, _Draw], str] | None = _MAKERS.get(kind)
    if maker is None:
        return _same_form(value, draw)
    bare = "".join(c for c in normalise(value, fold_case=False).text if c.isalnum())
    return maker(value, draw) if kind in _AS_WRITTEN else _with_form(value, maker(bare, draw))


def _checked(value: str, draw: "_Draw") -> str:
    """A number of the same office that holds: drawn until pattern and check fit, which takes some thousand draws for the rarest."""
    plain = normalise(value, fold_case=False).text
    form = national.form_of(plain)
    if form is None:
        return _same_form(plain, draw)
    for _ in range(400_000):
        made = _same_form(plain, draw)
        if made != plain and national.holds(form, made):
            return made
    return _same_form(plain, draw)


def _wallet(value: str, draw: "_Draw") -> str:
    return national.wallet_like(value, draw.digits(64))


def _same_form(value: str, draw: _Draw) -> str:
    out = []
    for char in value:
        if char.isdigit():
            out.append(str(draw.below(10)))
        elif char.isascii() and char.isalpha():
            letter = chr(97 + draw.below(26))
            out.append(letter.upper() if char.isupper() else letter)
        else:
            out.append(char)
    return "".join(out)


def _with_form(value: str, bare: str) -> str:
    """The new characters in the places of the old letters and digits, separators kept; more or fewer go as they are."""
    if len(bare) != sum(c.isalnum() for c in value):
        return bare
    fresh = iter(bare)
    return "".join(next(fresh) if c.isalnum() else c for c in value)


def _resident(bare: str, draw: _Draw) -> str:
    area = sorted(checksums.PROVINCES - {"81", "82", "83"})[draw.below(31)] + draw.digits(4)
    body = f"{area}{1950 + draw.below(55)}{1 + draw.below(12):02d}{1 + draw.below(28):02d}{draw.digits(3)}"
    return body + checksums.resident_digit(body) if len(bare) == 18 else body[:6] + body[8:17]


def _card(bare: str, draw: _Draw) -> str:
    prefix = bare[:2] if not bare.startswith("4") else "4"
    body = prefix + ("02" if prefix == "60" else "") + draw.digits(len(bare))
    body = bare[:6] + body[6 : len(bare) - 1]
    return body + checksums.luhn_digit(body)


def _mobile(bare: str, draw: _Draw) -> str:
    return bare[:-11] + ("139", "138", "159", "188", "177")[draw.below(5)] + draw.digits(8)


def _iban(bare: str, draw: _Draw) -> str:
    account = _same_form(bare[4:].upper(), draw)
    return bare[:2].upper() + checksums.iban_digits(bare[:2].upper(), account) + account


def _company(bare: str, draw: _Draw) -> str:
    body = bare[:4].upper() + draw.digits(12) + "ABCDEFGHJKLMNPQRTUWXY"[draw.below(21)]
    return body + checksums.uscc_character(body)


def _person(value: str, draw: _Draw) -> str:
    if _HAN.search(value):
        given = _GIVEN[draw.below(len(_GIVEN))] + _GIVEN[draw.below(len(_GIVEN))]
        return _SURNAMES[draw.below(len(_SURNAMES))] + given[: max(1, min(2, len(value) - 1))]
    first, last = _FIRST[draw.below(len(_FIRST))], _LAST[draw.below(len(_LAST))]
    return f"{first} {last}" if " " in value else last


_NINO = "AA AB AE AH BA BB CA CB EA GA HA JA KA LA MA NA PA RA SA TA WA YA ZA".split()


def _groups(value: str, digits: str) -> str:
    return _with_form(normalise(value, fold_case=False).text, digits)


def _birth_date(value: str, draw: _Draw) -> str:
    def part(match: re.Match[str]) -> str:
        if len(match[0]) == 8:
            return f"{1950 + draw.below(55)}{1 + draw.below(12):02d}{1 + draw.below(28):02d}"
        return str(1950 + draw.below(55)) if len(match[0]) == 4 else f"{1 + draw.below(12):0{len(match[0])}d}"

    return re.sub(r"\d+", part, value)


_AS_WRITTEN = frozenset(
    ("person", "email", "address", "secret", "ip", "birth_date", "national_id", "tax_id", "health_id", "wallet", "ssn", "nino",
     "organisation", "place")
)  # fmt: skip
_MAKERS: Mapping[str, Callable[[str, _Draw], str]] = {
    "resident_id": _resident,
    "bank_card": _card,
    "mobile": _mobile,
    "iban": _iban,
    "uscc": _company,
    "person": _person,
    "birth_date": _birth_date,
    "national_id": _checked,
    "tax_id": _checked,
    "health_id": _checked,
    "ssn": lambda value, draw: _groups(
        value, f"{1 + draw.below(665):03d}{1 + draw.below(99):02d}{1 + draw.below(9999):04d}"
    ),
    "nino": lambda value, draw: _with_form(
        value, f"{_NINO[draw.below(len(_NINO))]}{draw.digits(6)}{'ABCD'[draw.below(4)]}"
    ),
    "wallet": _wallet,
    "organisation": lambda value, draw: (
        f"某某{draw.digits(4)}公司" if _HAN.search(value) else f"Company {draw.digits(4)}"
    ),
    "place": lambda value, draw: f"某地{draw.digits(3)}" if _HAN.search(value) else f"Place {draw.digits(3)}",
    "plate": lambda bare, draw: bare[:1] + _same_form(bare[1:], draw).upper().replace("I", "J").replace("O", "P"),
    "email": lambda _, draw: f"user{draw.digits(8)}@example.com",
    "address": lambda value, draw: (
        f"某市某路{1 + draw.below(900)}号" if _HAN.search(value) else f"{1 + draw.below(900)} Any Street"
    ),
    "secret": lambda _, draw: f"secret{draw.digits(10)}",
    "ip": lambda value, draw: f"192.0.2.{draw.below(256)}" if "." in value else f"2001:db8::{draw.below(65536):x}",
}


DETAILS = {
    "birth_date": ("year", "decade", "month"),
    "address": ("city", "province"),
    "age": ("10", "5", "20"),
    "amount": ("10", "100"),
    "date": ("month", "quarter", "year", "decade"),
    "ip": ("24", "16"),
}
"""How coarse a kind may be generalised; the first is what is done where the policy says nothing."""


def _generalise(value: str, kind: str, chinese: bool, detail: str) -> str:
    plain = normalise(value, fold_case=False).text
    if kind in quasi.KINDS:
        return quasi.generalise(value, kind, detail)
    if kind == "birth_date" and re.search(r"(?:18|19|20)\d{2}", plain):
        made = quasi.generalise(value, "date", detail or "year")
        return made if not chinese or "年" in made or "-" in made else f"{made}年"
    if kind == "resident_id" and len(plain) == 18:
        return f"[身份证号，{plain[6:10]}年生]" if chinese else f"[RESIDENT_ID, born {plain[6:10]}]"
    if kind == "address":
        city = "" if detail == "province" else r"(?:[\u4e00-\u9fff]{2,6}?(?:市|州))?"
        admin = re.match(rf"(?:中国)?[\u4e00-\u9fff]{{2,3}}?(?:省|市|自治区){city}", plain)
        if admin:
            return admin[0]
    if kind == "email" and "@" in plain:
        return f"{tag_of(kind, chinese)}@{plain.rpartition('@')[2]}"
    if kind == "ip" and plain.count(".") == 3:
        parts = plain.split(".")
        return ".".join(parts[:2]) + ".0.0/16" if detail == "16" else ".".join(parts[:3]) + ".0/24"
    return tag_of(kind, chinese)
