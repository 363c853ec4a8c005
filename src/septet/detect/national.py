"""Numbers that offices of other countries give to people: identity, tax and health numbers, each with its check.

Only what carries a check character or an unmistakable grouping is found by itself; the rest needs its cue word. Sources:
the issuing offices' published rules (IRS; NHS data dictionary; BZSt; INSEE; Agencia Tributaria; Decreto 12/3/1974 of Italy;
Receita Federal; UIDAI; ICA Singapore; MOI Taiwan; HKSAR Immigration; MOIS Korea; Japan's My Number Act; PESEL Act;
Skatteverket), collected in python-stdnum's descriptions. Wallet addresses: Base58Check and BIP 173.
"""

import datetime
import hashlib
import re
from collections.abc import Callable

from septet.detect.form import Form, is_ordered

_A, _Z = r"(?<![0-9A-Za-z])", r"(?![0-9A-Za-z])"
_MONTH = r"(?:0[1-9]|1[0-2])"


def _bare(value: str) -> str:
    return re.sub(r"[ .\-/()]", "", value).upper()


def _weighted(digits: str, weights: tuple[int, ...]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))


def nhs(code: str) -> bool:
    """UK: modulus 11 over ten digits."""
    rest = 11 - _weighted(code, (10, 9, 8, 7, 6, 5, 4, 3, 2)) % 11
    return len(code) == 10 and len(set(code)) > 1 and rest != 10 and rest % 11 == int(code[9])


def steuer_id(code: str) -> bool:
    """Germany: ISO 7064 mod 11,10; one digit of the first ten stands twice or thrice."""
    counts = sorted((code[:10].count(d) for d in set(code[:10])), reverse=True)
    if len(code) != 11 or code[0] == "0" or counts[0] not in (2, 3) or (len(counts) > 1 and counts[1] > 1):
        return False
    product = 10
    for digit in code[:10]:
        total = (int(digit) + product) % 10 or 10
        product = total * 2 % 11
    return (11 - product) % 10 == int(code[10])


def nir(code: str) -> bool:
    """France: 13 characters and a key modulo 97."""
    body = code[:13].replace("2A", "19").replace("2B", "18")
    return len(code) == 15 and body.isdigit() and code[13:].isdigit() and 97 - int(body) % 97 == int(code[13:])


def dni(code: str) -> bool:
    """Spain, DNI and NIE: a letter modulo 23."""
    number = code[:8].translate(str.maketrans("XYZ", "012"))
    return len(code) == 9 and number.isdigit() and "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23] == code[8]


_ODD_VALUES = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)


def codice_fiscale(code: str) -> bool:
    """Italy: sixteen characters, the last from the values of the odd and even places."""
    if len(code) != 16:
        return False
    places = [int(c) if c.isdigit() else ord(c) - 65 for c in code[:15]]
    total = sum(_ODD_VALUES[value] if place % 2 == 0 else value for place, value in enumerate(places))
    return chr(65 + total % 26) == code[15]


def cpf(code: str) -> bool:
    """Brazil: two check digits modulo 11."""
    if len(code) != 11 or len(set(code)) == 1:
        return False
    for size in (9, 10):
        total = _weighted(code, tuple(range(size + 1, 1, -1)))
        if (total * 10 % 11) % 10 != int(code[size]):
            return False
    return True


_DIHEDRAL = [[(i + j) % 5 if i < 5 and j < 5 else 0 for j in range(10)] for i in range(10)]
for _i in range(10):
    for _j in range(10):
        if _i < 5:
            _DIHEDRAL[_i][_j] = (_i + _j) % 5 if _j < 5 else 5 + (_i + _j) % 5
        else:
            _DIHEDRAL[_i][_j] = 5 + (_i - _j) % 5 if _j < 5 else (_i - _j) % 5
_PERMUTED = [list(range(10)), [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]]
for _ in range(6):
    _PERMUTED.append([_PERMUTED[-1][_PERMUTED[1][k]] for k in range(10)])


def verhoeff(code: str) -> bool:
    """Verhoeff (1969), over the dihedral group of order ten."""
    state = 0
    for place, digit in enumerate(reversed(code)):
        state = _DIHEDRAL[state][_PERMUTED[place % 8][int(digit)]]
    return state == 0


def aadhaar(code: str) -> bool:
    """India: twelve digits, the first 2 to 9, Verhoeff."""
    return len(code) == 12 and code[0] > "1" and code != code[::-1] and verhoeff(code)


def nric(code: str) -> bool:
    """Singapore: weights 2 7 6 5 4 3 2 and a letter by series."""
    offset = {"S": 0, "F": 0, "T": 4, "G": 4, "M": 3}[code[0]]
    rest = (_weighted(code[1:8], (2, 7, 6, 5, 4, 3, 2)) + offset) % 11
    letters = {"S": "JZIHGFEDCBA", "T": "JZIHGFEDCBA", "F": "XWUTRQPNMLK", "G": "XWUTRQPNMLK", "M": "XWUTRQPNJLK"}
    place = 10 - rest if code[0] == "M" else rest
    return letters[code[0]][place] == code[8]


def taiwan(code: str) -> bool:
    """Taiwan: the letter stands for two digits."""
    first = "ABCDEFGHJKLMNPQRSTUVXYWZIO".index(code[0]) + 10
    total = first // 10 + first % 10 * 9 + _weighted(code[1:9], (8, 7, 6, 5, 4, 3, 2, 1)) + int(code[9])
    return total % 10 == 0


def hong_kong(code: str) -> bool:
    """Hong Kong: one or two letters, six digits and a check character modulo 11."""
    padded = code if len(code) == 9 else f" {code}"
    total = (36 if padded[0] == " " else ord(padded[0]) - 55) * 9 + (ord(padded[1]) - 55) * 8
    total += _weighted(padded[2:8], (7, 6, 5, 4, 3, 2)) + (10 if padded[8] == "A" else int(padded[8]))
    return total % 11 == 0


def resident_kr(code: str) -> bool:
    """Korea: modulus 11 over twelve digits (numbers given since October 2020 have no check digit)."""
    total = _weighted(code[:12], (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5))
    return (11 - total % 11) % 10 == int(code[12])


def my_number(code: str) -> bool:
    """Japan: modulus 11 over eleven digits."""
    rest = _weighted(code[:11], (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    return len(code) == 12 and len(set(code)) > 1 and (0 if rest <= 1 else 11 - rest) == int(code[11])


def pesel(code: str) -> bool:
    """Poland: weights 1 3 7 9."""
    return len(code) == 11 and (10 - _weighted(code[:10], (1, 3, 7, 9) * 3) % 10) % 10 == int(code[10])


def personnummer(code: str) -> bool:
    """Sweden: Luhn over ten digits, the first six a date."""
    return len(code) == 10 and _is_date(code[:6]) and _luhn(code)


def sin(code: str) -> bool:
    """Canada: Luhn over nine digits."""
    return len(code) == 9 and code[0] not in "08" and _luhn(code)


def tfn(code: str) -> bool:
    """Australia: weights modulo 11."""
    return len(code) == 9 and _weighted(code, (1, 4, 3, 7, 5, 8, 6, 9, 10)) % 11 == 0


def bsn(code: str) -> bool:
    """The Netherlands: the eleven test."""
    return len(code) == 9 and (_weighted(code[:8], (9, 8, 7, 6, 5, 4, 3, 2)) - int(code[8])) % 11 == 0


def nif(code: str) -> bool:
    """Portugal: modulus 11."""
    rest = 11 - _weighted(code[:8], (9, 8, 7, 6, 5, 4, 3, 2)) % 11
    return len(code) == 9 and (0 if rest >= 10 else rest) == int(code[8])


def _luhn(code: str) -> bool:
    doubled = (int(c) * (1 + place % 2) for place, c in enumerate(reversed(code)))
    return sum(value - 9 * (value > 9) for value in doubled) % 10 == 0


def _is_date(six: str) -> bool:
    day = int(six[4:]) - 60 * (int(six[4:]) > 60)
    try:
        datetime.date(2000, int(six[2:4]), day)
    except ValueError:
        return False
    return True


_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def base58check(code: str) -> bool:
    """Bitcoin, Litecoin, Tron: 25 bytes, the last four the double SHA-256 of the rest."""
    number = 0
    for char in code:
        number = number * 58 + _BASE58.index(char)
    if number.bit_length() > 200:
        return False
    raw = number.to_bytes(25, "big")
    return hashlib.sha256(hashlib.sha256(raw[:21]).digest()).digest()[:4] == raw[21:]


def bech32(code: str) -> bool:
    """BIP 173 and BIP 350."""
    code = code.lower()
    values = ["qpzry9x8gf2tvdw0s3jn54khce6mua7l".find(c) for c in code[3:]]
    if min(values) < 0:
        return False
    return _polymod(values) in (1, 0x2BC830A3)


def _polymod(values: list[int]) -> int:
    state = 1
    for value in [3, 3, 0, 2, 3, *values]:
        top, state = state >> 25, (state & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            state ^= generator if top >> bit & 1 else 0
    return state


def _form(
    kind: str, rule: str, score: float, pattern: str, check: Callable[[str], bool] | None = None, flags: int = 0
) -> Form:
    def holds(match: re.Match[str]) -> bool:
        if "value" in match.re.groupindex:
            return check is None or check(_bare(match["value"]))
        return (check is None or check(_bare(match[0]))) and not is_ordered(match.string, match.start())

    return Form(kind, rule, score, re.compile(pattern, flags), holds)


def _raw(kind: str, rule: str, score: float, pattern: str, check: Callable[[str], bool]) -> Form:
    return Form(kind, rule, score, re.compile(pattern), lambda match: check(match[0]))


SSN_SHAPED = (
    _form("tax_id", "us_itin", 0.85, rf"{_A}9\d{{2}}-(?:5\d|6[0-5]|7\d|8[0-8]|9[0-24-9])-\d{{4}}(?![0-9A-Za-z-])"),
)
IN_FOURS = (
    _form("national_id", "in_aadhaar", 0.9, rf"{_A}[2-9]\d{{3}}([ -])\d{{4}}\1\d{{4}}(?![0-9A-Za-z]|[ -]\d)", aadhaar),
    _form("national_id", "jp_my_number", 0.75, rf"{_A}\d{{4}}([ -])\d{{4}}\1\d{{4}}(?![0-9A-Za-z]|[ -]\d)", my_number),
)
THREE_THREE_FOUR = (_form("health_id", "uk_nhs", 0.85, rf"{_A}\d{{3}} \d{{3}} \d{{4}}(?![0-9A-Za-z]|[ -]\d)", nhs),)
LETTERED = (
    _form("national_id", "sg_nric", 0.97, rf"{_A}[STFGM]\d{{7}}[A-Z]{_Z}", nric),
    _form("national_id", "tw_id", 0.97, rf"{_A}[A-Z][1289]\d{{8}}{_Z}", taiwan),
    _form("national_id", "hk_id", 0.97, rf"{_A}[A-Z]{{1,2}}\d{{6}}\([0-9A]\)", hong_kong),
    _form("national_id", "es_dni", 0.85, rf"{_A}(?:\d{{8}}|[XYZ]\d{{7}})-?[A-HJ-NP-TV-Z]{_Z}", dni),
    _form(
        "tax_id", "it_codice_fiscale", 0.97,
        rf"{_A}[A-Z]{{6}}[0-9L-NP-V]{{2}}[A-EHLMPR-T][0-9L-NP-V]{{2}}[A-Z][0-9L-NP-V]{{3}}[A-Z]{_Z}", codice_fiscale,
    ),
    _form("tax_id", "in_pan", 0.7, rf"{_A}[A-Z]{{3}}[ABCFGHLJPT][A-Z]\d{{4}}[A-Z]{_Z}"),
    _form("national_id", "fr_nir", 0.95, rf"{_A}[12]\d{{2}}{_MONTH}(?:\d{{2}}|2[AB])\d{{6}}\d{{2}}{_Z}", nir),
)  # fmt: skip
GROUPED = (
    _form(
        "national_id", "fr_nir", 0.95, rf"{_A}[12] ?\d{{2}} ?{_MONTH} ?(?:\d{{2}}|2[AB]) ?\d{{3}} ?\d{{3}} ?\d{{2}}{_Z}", nir
    ),
    _form("national_id", "br_cpf", 0.97, rf"{_A}\d{{3}}\.\d{{3}}\.\d{{3}}-\d{{2}}{_Z}", cpf),
    _form("national_id", "kr_rrn", 0.95, rf"{_A}\d{{6}}-[1-8]\d{{6}}(?![0-9A-Za-z-])",
          lambda code: _is_date(code[:6]) and resident_kr(code)),
    _form("national_id", "es_dni", 0.85, rf"{_A}\d{{8}}[- ][A-HJ-NP-TV-Z]{_Z}", dni),
    _form("national_id", "cl_rut", 0.9, rf"{_A}\d{{1,2}}\.\d{{3}}\.\d{{3}}-[0-9Kk]{_Z}", lambda code: _rut(code)),
)  # fmt: skip


def _rut(code: str) -> bool:
    """Chile: modulus 11, K for ten."""
    total = sum(int(digit) * (2 + place % 6) for place, digit in enumerate(reversed(code[:-1])))
    return "0123456789K0"[11 - total % 11] == code[-1]


WALLETS = (
    _raw("wallet", "base58", 0.98, rf"{_A}[13LMT][1-9A-HJ-NP-Za-km-z]{{25,34}}{_Z}", base58check),
    _raw("wallet", "bech32", 0.98, rf"{_A}(?:bc1[02-9ac-hj-np-z]{{25,59}}|BC1[02-9AC-HJ-NP-Z]{{25,59}}){_Z}", bech32),
    _raw("wallet", "ethereum", 0.85, rf"{_A}0x[0-9a-fA-F]{{40}}{_Z}", lambda code: len(set(code[2:])) > 4),
)
_CUED_NUMBER = r"\W{0,3}(?:number|no\.?|nr\.?|nummer|n°|番号|号码|号)?\W{0,3}(?:is|is:|为|是|:)?\W{0,3}"


def _cued(
    kind: str, rule: str, words: str, pattern: str, check: Callable[[str], bool] | None = None
) -> tuple[str, tuple[Form, ...]]:
    joined = "|".join(re.escape(word) for word in sorted(words.split("|"), key=len, reverse=True))
    return words, (
        _form(kind, rule, 0.92, rf"(?:{joined}){_CUED_NUMBER}(?P<value>{pattern})(?![0-9A-Za-z]|-\d)", check, re.I),
    )


CUED = (
    _cued("tax_id", "us_ein", "ein|employer identification|federal tax id", r"\d{2}-?\d{7}"),
    _cued("tax_id", "us_itin", "itin|individual taxpayer", r"9\d{2}-?\d{2}-?\d{4}"),
    _cued("health_id", "uk_nhs", "nhs", r"\d{3}[ -]?\d{3}[ -]?\d{4}", nhs),
    _cued(
        "tax_id", "de_idnr", "steuer-id|steueridentifikationsnummer|steuer-identifikationsnummer|steuerid|idnr|tax id|tin",
        r"\d{2} ?\d{3} ?\d{3} ?\d{3}", steuer_id,
    ),
    _cued("tax_id", "nl_bsn", "bsn|burgerservicenummer", r"\d{3}[. ]?\d{3}[. ]?\d{3}", bsn),
    _cued("tax_id", "pt_nif", "nif|contribuinte", r"\d{3} ?\d{3} ?\d{3}", nif),
    _cued("national_id", "br_cpf", "cpf", r"\d{3}\.?\d{3}\.?\d{3}-?\d{2}", cpf),
    _cued("national_id", "pl_pesel", "pesel", r"\d{11}", pesel),
    _cued("national_id", "se_personnummer", "personnummer|personal identity number", r"(?:19|20)?\d{6}[-+]?\d{4}",
          lambda code: personnummer(code.replace("+", "")[-10:])),
    _cued("national_id", "in_aadhaar", "aadhaar|aadhar|uidai", r"[2-9]\d{3}[ -]?\d{4}[ -]?\d{4}", aadhaar),
    _cued("tax_id", "in_pan", "pan|permanent account", r"[A-Z]{5}\d{4}[A-Z]"),
    _cued("national_id", "jp_my_number", "マイナンバー|個人番号|个人番号|my number", r"\d{4}[ -]?\d{4}[ -]?\d{4}", my_number),
    _cued("national_id", "kr_rrn", "주민등록번호|주민번호|rrn|resident registration", r"\d{6}-?[1-8]\d{6}",
          lambda code: _is_date(code[:6])),
    _cued("national_id", "hk_id", "hkid|香港身份证|hong kong id", r"[A-Z]{1,2}\d{6}\(?[0-9A]\)?", hong_kong),
    _cued("tax_id", "ca_sin", "sin|social insurance", r"\d{3}[ -]?\d{3}[ -]?\d{3}", sin),
    _cued("tax_id", "au_tfn", "tfn|tax file", r"\d{3}[ -]?\d{3}[ -]?\d{3}", tfn),
)  # fmt: skip


def form_of(value: str) -> Form | None:
    """The form that a value has as a whole; those that need a cue are tried last."""
    own = (*SSN_SHAPED, *IN_FOURS, *THREE_THREE_FOUR, *LETTERED, *GROUPED)
    return next((form for form in (*own, *(one for _, forms in CUED for one in forms)) if holds(form, value)), None)


def holds(form: Form, value: str) -> bool:
    """Whether a value is of this form, with the cue that the form may need taken as given."""
    cued = "value" in form.pattern.groupindex
    text = f"{_CUE_OF[form.rule]} {value}" if cued else value
    match = form.pattern.match(text)
    return match is not None and match.end() == len(text) and (form.check is None or form.check(match))


_CUE_OF = {forms[0].rule: words.partition("|")[0] for words, forms in CUED}


def wallet_like(value: str, digits: str) -> str:
    """Another address of the same network, with its checksum; `digits` (64) decide which."""
    seed = hashlib.sha256(digits.encode()).digest()
    if value[:2] == "0x":
        return "0x" + seed.hex()[:40]
    if value[:3].lower() == "bc1":
        letters = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
        body = value[3:4].lower() + "".join(letters[byte & 31] for byte in (seed + seed)[: len(value) - 10])
        constant = 1 if body[0] == "q" else 0x2BC830A3
        state = _polymod([letters.index(c) for c in body] + [0] * 6) ^ constant
        return "bc1" + body + "".join(letters[state >> 5 * (5 - k) & 31] for k in range(6))
    number = 0
    for char in value:
        number = number * 58 + _BASE58.index(char)
    raw = number.to_bytes(25, "big")[:1] + seed[:20]
    raw += hashlib.sha256(hashlib.sha256(raw).digest()).digest()[:4]
    number, made = int.from_bytes(raw, "big"), ""
    while number:
        number, rest = divmod(number, 58)
        made = _BASE58[rest] + made
    return "1" * (len(raw) - len(raw.lstrip(b"\0"))) + made
