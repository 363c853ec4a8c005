"""Keys, tokens and passwords: what opens a door must not stand in a corpus, a log or an answer.

Forms are those that the issuers publish for secret scanning; the rest is caught by its label (`password = ...`).
"""

import re
from collections.abc import Iterator

import ahocorasick_rs

_FORMS = (
    (
        "pem",
        0.99,
        re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----.*?(?:-----END (?:[A-Z]+ )*PRIVATE KEY-----|\Z)", re.S),
    ),
    ("jwt", 0.99, re.compile(r"(?<![\w-])eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*")),
    (
        "key",
        0.98,
        re.compile(
            r"(?<![0-9A-Za-z_-])(?:(?:AKIA|ASIA)[0-9A-Z]{16}|LTAI[0-9A-Za-z]{12,30}|"
            r"AKID[0-9A-Za-z]{13,40}|gh[pousr]_[0-9A-Za-z]{36,}|"
            r"github_pat_\w{22,}|glpat-[\w-]{20,}|sk-(?:[a-z]+-)*[A-Za-z0-9_-]{20,}|"
            r"xox[abeprs]-[0-9A-Za-z-]{10,}|AIza[\w-]{35}|"
            r"hf_[A-Za-z0-9]{30,}|npm_[A-Za-z0-9]{36}|pypi-[\w-]{50,}|[sr]k_(?:live|test)"
            r"_[0-9A-Za-z]{16,}|SG\.[\w-]{16,}\.[\w-]{16,})"
            r"(?![0-9A-Za-z])"
        ),
    ),
    (
        "code",
        0.85,
        re.compile(
            r"(?:验证码|校验码|动态码|动态口令|(?<![A-Za-z])(?i:otp|verification code|one-time code))"
            r"(?:是|为| is)?\s*[:：]?\s*(?P<value>\d{4,8})(?!\d)"
        ),
    ),
    ("url", 0.95, re.compile(r"(?<=://)[^\s:/@]{1,64}:(?P<value>[^\s/@]{3,64})(?=@)")),
)
_LABEL = re.compile(
    r"(?:api[ _-]?key|access[ _-]?key(?:[ _-]?(?:id|secret))?|secret(?:[ _-]?key)?|"
    r"client[ _-]?secret|auth[ _-]?token|access[ _-]?token|"
    r"(?<![A-Za-z])token|bearer|passw(?:or)?d|passphrase|(?<![A-Za-z])pwd|密码|口令|密钥|秘钥|令牌|验证码)"
    r"[\"']?\s*(?:(?:是|为|is|was)\s*[:=]?|[:=]|=>|(?<=earer))\s*[\"'`]?(?P<value>[^\s\"'`,;，。；、<>(){}]{4,128})",
    re.I,
)
_HINTS = ahocorasick_rs.AhoCorasick(
    (
        "-----begin|eyj|://|akia|asia|ltai|akid|aiza|gh|glpat|sk-|sk_|rk_|xox|hf_|npm_|pypi-|sg.|key|"
        "secret|token|bearer|pass|pwd|密|口令|秘钥|令牌|验证码|校验码|动态码|otp|code"
    ).split("|")
)


def find(text: str) -> Iterator[tuple[int, int, str, float, str]]:
    """(start, end, kind, score, rule) of each secret in a view with capitals kept."""
    if not _HINTS.find_matches_as_indexes(text.lower()):
        return
    for rule, score, pattern in _FORMS:
        for match in pattern.finditer(text):
            group = "value" if "value" in pattern.groupindex else 0
            yield match.start(group), match.end(group), "secret", score, rule
    for match in _LABEL.finditer(text):
        if _looks_chosen(match["value"]):
            yield match.start("value"), match.end("value"), "secret", 0.85, "label"


def _looks_chosen(value: str) -> bool:
    """A password or token rather than a word of the sentence: prose after "token:" must stay readable."""
    if not value.isascii() or "://" in value:
        return False
    digits = any(c.isdigit() for c in value)
    kinds = digits + any(c.isalpha() for c in value) + any(not c.isalnum() for c in value)
    return digits or (kinds >= 2 and len(value) >= 8)
