"""The one door for parts: entry points. Septet's own steps, detectors, engines and suites come in by it too.

Groups: `septet.steps` (a module of @step functions), `septet.engines` and `septet.inference` (a factory),
`septet.detectors`, `septet.suites`, `septet.benchmarks`, `septet.verdicts` and `septet.rewards` (a function). A package that
fails to load is an error that names it, never a part that is quietly missing.
"""

from __future__ import annotations

import types
from functools import cache
from typing import TYPE_CHECKING, Any

from septet.core.errors import ConfigError, nearest
from septet.core.step import Step

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

STEPS = "septet.steps"


def names(group: str) -> dict[str, str]:
    """The parts of a group: name to the package that brings it."""
    return {point.name: point.dist.name if point.dist else "" for point in _points(group)}


def load(group: str, name: str) -> Any:
    """The object behind one entry point. Raises ConfigError when there is none, or when its package does not load."""
    points = [point for point in _points(group) if point.name == name]
    if not points:
        raise ConfigError(f"there is no '{name}' in {group}", nearest(name, names(group)))
    if len({point.value for point in points}) > 1:
        brings = ", ".join(sorted(point.dist.name for point in points if point.dist))
        raise ConfigError(f"'{name}' in {group} is brought by several packages: {brings}", "Uninstall all but one")
    try:
        return points[0].load()
    except (ImportError, AttributeError) as error:
        package = points[0].dist.name if points[0].dist else points[0].value
        raise ConfigError(f"the plugin '{name}' of {package} does not load: {error}", "Mend or uninstall it") from error


def _points(group: str) -> tuple[EntryPoint, ...]:
    from importlib.metadata import entry_points  # a tenth of what `septet --help` takes, which asks for no plugin

    return tuple(entry_points(group=group))


@cache
def steps() -> types.MappingProxyType[str, Step]:
    """Every step of every installed package, by name."""
    found: dict[str, Step] = {}
    for name in sorted(names(STEPS)):
        module = load(STEPS, name)
        for member in vars(module).values():
            declared = getattr(member, "__step__", None)
            if isinstance(declared, Step) and declared.function is member:
                other = found.get(declared.name)
                if other is not None and other.function is not declared.function:
                    raise ConfigError(f"the step '{declared.name}' is declared twice", f"See the plugin '{name}'")
                found[declared.name] = declared
    return types.MappingProxyType(dict(sorted(found.items())))


def step_named(name: str, where: str) -> Step:
    """A step by its name. Raises ConfigError that offers the nearest."""
    known = steps()
    if name not in known:
        raise ConfigError(f"{where}: there is no step '{name}'", nearest(name, known))
    return known[name]
