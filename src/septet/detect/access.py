"""Access classes: an order from what all may see up. What is of a class that nobody ranked is for those alone who see all."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from septet.core.config import Config, field
from septet.core.errors import AccessDenied, ConfigError, nearest


class Access(Config):
    """The access classes of an organisation. A caller who brings no clearance gets the first."""

    classes: tuple[str, ...] = field(
        ("public", "internal", "confidential", "secret"), "Access classes, from what all may see up."
    )

    def check(self) -> None:
        """Raises ConfigError for an order that is none."""
        if not self.classes or len(set(self.classes)) != len(self.classes) or not all(self.classes):
            raise ConfigError("access.classes must name at least one class, and each once", "Correct the policy")


class Reader(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks: a name for the log, and the class up to which he may see: `ALL`, or "" for the lowest of the policy."""

    name: str = ""
    clearance: str = ""


ALL = "*"
KEEPER = Reader(clearance=ALL)
"""Whoever works on the machine itself, and can read its files."""


def readable(access: Access, clearance: str) -> frozenset[str] | None:
    """The classes that a clearance may see; None is all. Raises ConfigError for a clearance that the policy does not name."""
    if clearance == ALL:
        return None
    if not clearance:
        return frozenset(access.classes[:1])
    if clearance not in access.classes:
        raise ConfigError(f"the policy has no access class '{clearance}'", nearest(clearance, access.classes))
    return frozenset(access.classes[: access.classes.index(clearance) + 1])


def is_cleared(access: Access, clearance: str, classes: Iterable[str]) -> bool:
    """Whether a clearance covers all of some classes. One that the policy does not rank is covered by `ALL` alone."""
    seen = readable(access, clearance)
    return seen is None or set(classes) <= seen


def require(access: Access, clearance: str, classes: Iterable[str], what: str) -> None:
    """Raises AccessDenied where a clearance does not cover the classes. The message names neither them nor what is in them."""
    if not is_cleared(access, clearance, classes):
        raise AccessDenied(f"{what} is above your clearance", "Ask its owner for access")
