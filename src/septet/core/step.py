"""Steps: pure functions of a frozen config and typed input artifacts, known by name and version.

`@step` returns the function as it is, so a stage works alone: call it with a config, artifacts and a `Run`. Beside it
the declaration read from the signature is what recipes, plans and help are made of.
"""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import msgspec

from septet.core.artifact import Artifact
from septet.core.config import Config, FieldInfo, fields_of

P = ParamSpec("P")
R = TypeVar("R", bound=Artifact)


class Port(msgspec.Struct, frozen=True):
    """An input of a step: the kind it takes, whether it may be left out, and whether it takes several."""

    name: str
    kind: type[Artifact]
    optional: bool
    many: bool


class Cost(msgspec.Struct, frozen=True):
    """What a step is expected to take, before it was ever run."""

    seconds: float
    memory_mb: float


class Step(msgspec.Struct, frozen=True):
    """What a step declares. `version` is raised whenever the same config and inputs would give another result."""

    name: str
    version: int
    config: type[Config]
    ports: tuple[Port, ...]
    makes: type[Artifact]
    function: Callable[..., Artifact]
    doc: str
    cost: Callable[..., Cost] | None = None
    """Called as the step is, without `run`, when a plan is made and its inputs are there. It must be quick."""

    @property
    def fields(self) -> tuple[FieldInfo, ...]:
        return fields_of(self.config)

    def port(self, name: str) -> Port | None:
        return next((port for port in self.ports if port.name == name), None)


def step(
    name: str, version: int, cost: Callable[..., Cost] | None = None
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declare a function `(config, input artifacts..., run) -> artifact` as the step `name`; `cost` says what it will take."""

    def declare(function: Callable[P, R]) -> Callable[P, R]:
        function.__step__ = _declaration(name, version, function, cost)  # type: ignore[attr-defined]
        function.__step__.config.__step__ = function.__step__  # type: ignore[attr-defined]
        return function

    return declare


def step_of(thing: Any) -> Step:
    """The declaration of a step function, of its config class, or of a config."""
    found = getattr(thing, "__step__", None)
    if not isinstance(found, Step):
        raise TypeError(f"{thing!r} belongs to no step: is the @step function's module imported?")
    return found


def _declaration(name: str, version: int, function: Callable[..., Artifact], cost: Callable[..., Cost] | None) -> Step:
    hints = typing.get_type_hints(function)
    signature = inspect.signature(function)
    parameters = list(signature.parameters)
    where = f"step {name}"
    if len(parameters) < 2 or parameters[-1] != "run":
        raise TypeError(f"{where}: the signature must be (config, input artifacts..., run)")
    config = hints[parameters[0]]
    makes = hints.get("return")
    if not (isinstance(config, type) and issubclass(config, Config)):
        raise TypeError(f"{where}: the first parameter must be a Config")
    if not (isinstance(makes, type) and issubclass(makes, Artifact)):
        raise TypeError(f"{where}: it must return a kind of Artifact")
    ports = tuple(
        _port(where, name, hints[name], signature.parameters[name].default is not inspect.Parameter.empty)
        for name in parameters[1:-1]
    )
    clash = {port.name for port in ports} & {info.name for info in fields_of(config)}
    if clash:
        raise TypeError(f"{where}: {', '.join(sorted(clash))} is both a port and a field")
    doc = inspect.getdoc(function) or inspect.getdoc(config) or ""
    return Step(
        name=name, version=version, config=config, ports=ports, makes=makes, function=function, doc=doc, cost=cost
    )


def _port(where: str, name: str, hint: Any, optional: bool) -> Port:
    many = False
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        members = [member for member in typing.get_args(hint) if member is not type(None)]
        optional = optional or len(members) < len(typing.get_args(hint))
        hint = members[0] if len(members) == 1 else hint
    if typing.get_origin(hint) is tuple:
        many = True
        hint = typing.get_args(hint)[0]
    if not (isinstance(hint, type) and issubclass(hint, Artifact)):
        raise TypeError(f"{where}: the port '{name}' must be a kind of Artifact, X | None or tuple[X, ...]")
    return Port(name=name, kind=hint, optional=optional, many=many)
