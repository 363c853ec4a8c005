"""Keys, tokens and passwords: what opens a door must not stand in a corpus, a log or an answer.

Forms are those that the issuers publish for secret scanning; the rest is caught by its label (`password = ...`).
"""

import re

from septet.detect.form import Cue, Form, Found, rule_of
from septet.kernels import scan

_PEM = Form(
    "secret",
    "pem",
    0.99,
    re.compile(
        r"-----BEGIN (?:[A-Z]+ ){0,3}PRIVATE KEY-----(?:[^-]|-(?!----))*(?:-----END (?:[A-Z]+ ){0,3}PRIVATE KEY-----)?"
    ),
)
_JWT = Form(
    "secret", "jwt", 0.99, re.compile(r"(?<![\w-])eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*", re.A)
)
_KEY = Form(
    "secret",
    "key",
    0.98,
    re.compile(
        r"(?<![0-9A-Za-z_-])(?:(?:AKIA|ASIA)[0-9A-Z]{16}|LTAI[0-9A-Za-z]{12,30}|"
        r"AKID[0-9A-Za-z]{13,40}|gh[pousr]_[0-9A-Za-z]{36,}|"
        r"github_pat_\w{22,}|glpat-[\w-]{20,}|sk-(?:[a-z]+-)*[A-Za-z0-9_-]{20,}|"
        r"xox[abeprs]-[0-9A-Za-z-]{10,}|AIza[\w-]{35}|"
        r"hf_[A-Za-z0-9]{30,}|npm_[A-Za-z0-9]{36}|pypi-[\w-]{50,}|[sr]k_(?:live|test)"
        r"_[0-9A-Za-z]{16,}|SG\.[\w-]{16,}\.[\w-]{16,})"
        r"(?![0-9A-Za-z])",
        re.A,
    ),
)
_CODE = Form(
    "secret",
    "code",
    0.85,
    re.compile(
        r"(?:验证码|校验码|动态码|动态口令|(?i:otp|verification code|one-time code))"
        r"(?:是|为| is)?\s*[:：]?\s*(?P<value>\d{4,8})(?!\d)"
    ),
)
_URL = Form("secret", "url", 0.95, re.compile(r"://[^\s:/@]{1,64}:(?P<value>[^\s/@]{3,64})(?=@)"))
_LABEL = re.compile(
    r"(?:api[ _-]?key|access[ _-]?key(?:[ _-]?(?:id|secret))?|secret(?:[ _-]?key)?|"
    r"client[ _-]?secret|auth[ _-]?token|access[ _-]?token|"
    r"(?<![A-Za-z])token|bearer|passw(?:or)?d|passphrase|(?<![A-Za-z])pwd|密码|口令|密钥|秘钥|令牌|验证码)"
    r"[\"']?\s*(?:(?:是|为|is|was)\s*[:=]?|[:=]|=>|(?<=earer))\s*[\"'`]?(?P<value>[^\s\"'`,;，。；、<>(){}]{4,128})",
    re.I,
)


def _label(text: str, at: int, low: int, high: int) -> Found:  # noqa: ARG001
    match = _LABEL.match(text, at, high)
    if match and _looks_chosen(match["value"]):
        yield match.start("value"), match.end("value"), "secret", 0.85, "label"


_SPLIT = (" ", "_", "-", "")
CUES = (
    Cue("-----begin", (rule_of(_PEM),), follow=scan.ALWAYS, edges=0, reach=16_384),
    Cue("eyj", (rule_of(_JWT),), follow=scan.ALWAYS),
    Cue(
        "akia|asia|ltai|akid|aiza|ghp_|gho_|ghu_|ghs_|ghr_|github_pat_|glpat-|sk-|sk_live|sk_test|rk_live|rk_test|"
        "xoxa-|xoxb-|xoxe-|xoxp-|xoxr-|xoxs-|hf_|npm_|pypi-|sg.",
        (rule_of(_KEY),),
        follow=scan.ALWAYS,
    ),
    Cue("验证码|校验码|动态码|动态口令|otp|verification code|one-time code", (rule_of(_CODE),)),
    Cue("://", (rule_of(_URL),), follow=scan.CREDENTIAL, edges=0),
    Cue(
        "|".join(
            [f"{a}{gap}{b}" for gap in _SPLIT for a, b in (("api", "key"), ("access", "key"), ("client", "secret"))]
            + [f"{a}{gap}token" for gap in _SPLIT for a in ("auth", "access")]
            + [f"access{gap}key{other}{end}" for gap in _SPLIT for other in _SPLIT for end in ("id", "secret")]
            + [f"secret{gap}key" for gap in _SPLIT]
            + ["secret", "password", "passwd", "passphrase", "密码", "口令", "密钥", "秘钥", "令牌", "验证码"]
        ),
        (_label,),
        follow=scan.ASSIGNED,
        edges=0,
        reach=140,
    ),
    Cue("token|pwd", (_label,), follow=scan.ASSIGNED, reach=140),
    Cue("bearer ", (_label,), follow=scan.ALWAYS, reach=140),
)


def _looks_chosen(value: str) -> bool:
    """A password or token rather than a word of the sentence: prose after "token:" must stay readable."""
    value = value.rstrip(".,:!?")
    if not value.isascii() or "://" in value:
        return False
    digits = any(c.isdigit() for c in value)
    kinds = digits + any(c.isalpha() for c in value) + any(not c.isalnum() for c in value)
    return digits or (kinds >= 2 and len(value) >= 8)
