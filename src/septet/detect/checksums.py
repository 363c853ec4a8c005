"""Check digits: what tells a real number from a number of the same length.

Each function takes the bare characters without separators and says whether they hold together; the makers give the
missing check character, for surrogates and for test data.
"""

import datetime
from operator import mul

_RESIDENT_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_VALUES = {char: value for value, char in enumerate(_USCC_ALPHABET)}
_USCC_WEIGHTS = tuple(pow(3, i, 31) for i in range(17))
PROVINCES = frozenset(
    "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 83".split()
)
# First two characters of a USCC: the registering authority and the kind of organisation (GB 32100-2015, appendix A).
_USCC_KINDS = frozenset(
    "11 12 13 19 21 29 31 32 33 34 35 39 41 49 51 52 53 54 55 59 61 62 69 71 72 79 81 89 91 92 93 A1 A9 N1 N2 N3 N9 Y1".split()
)
IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29, "BY": 28, "CH": 21,
    "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FO": 18, "FR": 27,
    "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26,
    "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "MC": 27, "MD": 24,
    "ME": 22, "MK": 19, "MR": 27, "MT": 31, "MU": 30, "NL": 18, "NO": 15, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29,
    "RO": 24, "RS": 22, "SA": 24, "SC": 31, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "TN": 24, "TR": 26, "UA": 29, "VA": 22,
    "VG": 24, "XK": 20,
}  # fmt: skip


_BASE_36 = {place: str(int(chr(place), 36)) for place in b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


def luhn(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B."""
    total = 0
    for place, char in enumerate(reversed(digits)):
        value = ord(char) - 48
        if place & 1:
            value = value * 2 - 9 * (value > 4)
        total += value
    return total % 10 == 0


def luhn_digit(digits: str) -> str:
    return next(d for d in "0123456789" if luhn(digits + d))


def resident_digit(body: str) -> str:
    """The check character of the first 17 digits of a resident ID (GB 11643-1999, ISO 7064 mod 11-2)."""
    return "10X98765432"[sum(int(digit) * weight for digit, weight in zip(body, _RESIDENT_WEIGHTS, strict=True)) % 11]


def resident_id(code: str) -> bool:
    """18 characters: province, an existing date of birth, check character."""
    return (
        len(code) == 18
        and code[:17].isdigit()
        and code[:2] in PROVINCES
        and _date(code[6:14])
        and resident_digit(code[:17]) == code[17].upper()
    )


def like_resident_id(code: str) -> bool:
    """18 digits with a province and an existing date of birth, whatever the check character."""
    return len(code) == 18 and code.isdigit() and code[:2] in PROVINCES and _date(code[6:14])


def resident_id_15(code: str) -> bool:
    """The form before 1999: no check character, so only province and date can be tested."""
    return len(code) == 15 and code.isdigit() and code[:2] in PROVINCES and _date("19" + code[6:12])


def uscc_character(body: str) -> str:
    """The check character of the first 17 of a unified social credit code (GB 32100-2015)."""
    total = sum(map(mul, map(_USCC_VALUES.__getitem__, body), _USCC_WEIGHTS))
    return _USCC_ALPHABET[-total % 31]


def uscc(code: str) -> bool:
    return (
        len(code) == 18
        and _USCC_VALUES.keys() >= set(code)
        and code[:2] in _USCC_KINDS
        and (code[2:4] in PROVINCES or code[2:4] == "10")
        and uscc_character(code[:17]) == code[17]
    )


def iban(code: str) -> bool:
    """ISO 13616: length by country and ISO 7064 mod 97-10."""
    return len(code) == IBAN_LENGTHS.get(code[:2], 0) and int((code[4:] + code[:4]).translate(_BASE_36)) % 97 == 1


def iban_digits(country: str, account: str) -> str:
    """The two check digits of an IBAN."""
    return f"{98 - int(''.join(str(int(c, 36)) for c in account + country + '00')) % 97:02d}"


def _date(digits: str) -> bool:
    try:
        return 1880 <= datetime.date(int(digits[:4]), int(digits[4:6]), int(digits[6:])).year <= 2100
    except ValueError:
        return False
