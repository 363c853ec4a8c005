"""Configs: small frozen records whose fields carry their own help.

A field's doc line is the single source of the command line's help, the reference page and the console's form. Unknown
keys fail and name the nearest. Values are literals: what they say is what the fingerprint holds.
"""

from __future__ import annotations

import operator
import os
import types
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NewType, TypeVar, dataclass_transform

import msgspec

from septet.core.errors import ConfigError, nearest

External = NewType("External", str)
"""A file or folder outside the store. It enters the fingerprint by the hash of its content, never by its path.

A value with a scheme (`package:name`, `hub:org/name`) names something by revision or hash instead, and is a literal.
"""
Externals = tuple[External, ...]

_TYPE_NAMES: dict[Any, str] = {str: "text", int: "integer", float: "number", bool: "true or false"}


class Doc(msgspec.Struct, frozen=True):
    """The line that explains a field, and the range of its values."""

    text: str
    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None
    choices: tuple[str, ...] = ()


class _Field:
    """What `field()` returns until `ConfigMeta` folds it into the annotation."""

    def __init__(self, default: Any, doc: Doc) -> None:
        self.default = default
        self.doc = doc


def field(
    default: Any = msgspec.NODEFAULT,
    doc: str = "",
    *,
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    lt: float | None = None,
    choices: Sequence[str] = (),
) -> Any:
    """A config field: its default (none: the field is required), its one-line doc, and the range it must keep."""
    return _Field(default, Doc(doc, ge=ge, gt=gt, le=le, lt=lt, choices=tuple(choices)))


@dataclass_transform(field_specifiers=(field,), kw_only_default=True, frozen_default=True)
class _Meta(msgspec.StructMeta):
    """Turns `field()` defaults into annotations that msgspec checks, before the struct is made."""

    def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **settings: Any) -> Any:
        docs: dict[str, Doc] = {}
        for base in bases:
            docs.update(getattr(base, "__docs__", {}))
        for key, value in list(namespace.items()):
            if isinstance(value, _Field):
                docs[key] = value.doc
                if value.default is msgspec.NODEFAULT:
                    del namespace[key]
                else:
                    namespace[key] = value.default
        made: Any = super().__new__(cls, name, bases, namespace, **{"frozen": True, "kw_only": True, **settings})
        made.__docs__ = docs
        return made


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, metaclass=_Meta):
    """The literals that a step is a function of."""

    def counts(self, name: str) -> bool:  # noqa: ARG002, a config that narrows it looks at the name
        """Whether a file of this name below an outside folder is part of what the config says. All are, unless a config narrows
        it: what is not read is not part of identity either."""
        return True

    def __post_init__(self) -> None:
        for name, doc in type(self).__docs__.items():  # type: ignore[attr-defined]
            value = getattr(self, name)
            if value is None:
                continue
            where = f"{type(self).__name__}.{name}"
            for limit, holds, sign in (
                (doc.ge, operator.ge, ">="),
                (doc.gt, operator.gt, ">"),
                (doc.le, operator.le, "<="),
                (doc.lt, operator.lt, "<"),
            ):
                if limit is not None and not holds(value, limit):
                    raise ConfigError(f"{where} is {value!r}", f"It must be {sign} {limit:g}")
            if doc.choices and value not in doc.choices:
                raise ConfigError(f"{where} is {value!r}", nearest(str(value), doc.choices))


C = TypeVar("C", bound=Config)


class FieldInfo(msgspec.Struct, frozen=True):
    """One field as help, reference pages and forms show it."""

    name: str
    type: Any
    default: Any
    required: bool
    doc: Doc

    @property
    def external(self) -> bool:
        return _is_external(self.type)

    @property
    def type_name(self) -> str:
        return _type_name(self.type)


def fields_of(config: type[Config]) -> tuple[FieldInfo, ...]:
    """The fields of a config class, in the order they were written."""
    hints = typing.get_type_hints(config, include_extras=True)
    docs = config.__docs__  # type: ignore[attr-defined]
    found = []
    for info in msgspec.structs.fields(config):
        default = info.default
        if default is msgspec.NODEFAULT and info.default_factory is not msgspec.NODEFAULT:
            default = info.default_factory()
        required = default is msgspec.NODEFAULT
        found.append(
            FieldInfo(
                name=info.name,
                type=hints[info.name],
                default=None if required else default,
                required=required,
                doc=docs.get(info.name, Doc("")),
            )
        )
    return tuple(found)


def decode(config: type[C], values: Mapping[str, Any], where: str) -> C:
    """Make a config from plain values, as they stand in a recipe.

    A single value is taken for a list of one, since `paths = "a"` and `paths = ["a"]` say the same.
    Raises ConfigError that names `where`, the field, and what it takes.
    """
    fields = {info.name: info for info in fields_of(config)}
    values = dict(values)
    for key in values:
        if key not in fields:
            raise ConfigError(f"{where}: unknown key '{key}'", nearest(key, fields))
    for key, info in fields.items():
        if key in values and isinstance(values[key], str | int | float) and _is_many(info.type):
            values[key] = [values[key]]
    for key, info in fields.items():
        if info.required and key not in values:
            raise ConfigError(f"{where}: the key '{key}' is missing", info.doc.text)
    try:
        return msgspec.convert(values, config, strict=True)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error.message}", error.remedy) from None
    except msgspec.ValidationError as error:
        raise ConfigError(f"{where}: {error}", "Correct the value") from None


def externals(config: Config) -> dict[str, tuple[str, ...]]:
    """The values of a config that name files outside the store: field name to paths. Values with a scheme are literals."""
    found: dict[str, tuple[str, ...]] = {}
    for info in fields_of(type(config)):
        value = getattr(config, info.name)
        if not info.external or value is None or value == "":
            continue
        values = (value,) if isinstance(value, str) else tuple(value)
        paths = tuple(one for one in values if not has_scheme(one))
        if paths:
            found[info.name] = paths
    return found


def anchored(config: C, folder: Path) -> C:
    """The same config with every outside path made absolute, seen from `folder`.

    Raises ConfigError where a path does not exist.
    """
    changes: dict[str, Any] = {}
    for name in externals(config):
        value = getattr(config, name)
        many = not isinstance(value, str)
        moved = []
        where = f"{type(config).__name__}.{name}"
        for one in value if many else (value,):
            moved.append(one if has_scheme(one) else str(_existing(folder / Path(one).expanduser(), where)))
        changes[name] = tuple(moved) if many else moved[0]
    return msgspec.structs.replace(config, **changes) if changes else config


def has_scheme(value: str) -> bool:
    """Whether a value reads `scheme:rest`, and so names something that is not a local path."""
    scheme, colon, rest = value.partition(":")
    return bool(colon) and bool(rest) and len(scheme) > 1 and scheme.isalnum()


def _existing(path: Path, where: str) -> Path:
    path = Path(os.path.normpath(path.absolute()))
    if not path.exists():
        raise ConfigError(
            f"{where}: there is no file or folder at {path}", "Check the path; it is seen from the recipe's folder"
        )
    return path


def _members(kind: Any) -> tuple[Any, ...]:
    origin = typing.get_origin(kind)
    if origin is Annotated:
        return _members(typing.get_args(kind)[0])
    if origin in (typing.Union, types.UnionType):
        return tuple(member for arg in typing.get_args(kind) for member in _members(arg))
    return (kind,)


def _is_many(kind: Any) -> bool:
    members = [member for member in _members(kind) if member is not type(None)]
    return bool(members) and all(typing.get_origin(member) in (tuple, list) for member in members)


def _is_external(kind: Any) -> bool:
    for member in _members(kind):
        if member is External:
            return True
        if typing.get_origin(member) in (tuple, list) and External in typing.get_args(member):
            return True
    return False


def _type_name(kind: Any) -> str:
    names = []
    for member in _members(kind):
        origin = typing.get_origin(member)
        if member is type(None):
            names.append("none")
        elif member is External:
            names.append("path")
        elif origin in (tuple, list):
            names.append(f"list of {_type_name(typing.get_args(member)[0])}")
        elif origin is dict:
            names.append("table")
        elif origin is typing.Literal:
            names.append("text")
        else:
            names.append(_TYPE_NAMES.get(member, str(getattr(member, "__name__", member))))
    return " or ".join(names)
