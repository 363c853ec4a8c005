"""The one error tree. A message says where and what; the remedy says what to do about it.

A user's mistake is a `SeptetError`: the command line prints its one line and exits with status 2. Anything else that
escapes is a bug and keeps its traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class SeptetError(Exception):
    """Something the user can put right."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}. {self.remedy}" if self.remedy else self.message

    def __reduce__(self) -> tuple[type[SeptetError], tuple[str, str]]:
        return type(self), (self.message, self.remedy)


class ConfigError(SeptetError):
    """A recipe, a setting or an input that cannot be used as it stands."""


class StoreError(SeptetError):
    """The store, the ledger or a disk does not hold what it should."""


class StepFailed(SeptetError):
    """A step could not finish on its inputs."""


class GateRefused(SeptetError):
    """A release did not pass its gates."""


class AccessDenied(SeptetError):
    """Whoever asks may not have this."""


class MissingExtra(SeptetError):
    """An optional package is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"the package '{package}' is not installed", f"Run: pip install 'septet[{extra}]'")
        self.package = package
        self.extra = extra

    def __reduce__(self) -> tuple[type[MissingExtra], tuple[str, str]]:
        return type(self), (self.package, self.extra)


def nearest(word: str, known: Iterable[str]) -> str:
    """A remedy that names the nearest known word, or all of them when none is near."""
    known = sorted(known)
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    if near:
        return f"Did you mean '{near[0]}'?"
    return f"Known: {', '.join(known)}" if known else "None are known"
