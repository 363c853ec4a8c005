"""Recipes: graphs of inert nodes. TOML and Python build the same ones; nothing runs until a runner is asked.

In TOML each table is a node: `step` names what it does, its other keys are the step's fields or its input ports, and
`"@name"` ties a port to another table's artifact, or to an artifact that the workspace knows by that name. In Python a
node is `Node(Sort(key="date"), {"rows": other})`, so a sweep is a for loop.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from septet.core import plugins
from septet.core.config import Config, anchored, decode, has_scheme
from septet.core.errors import ConfigError, nearest
from septet.core.step import Port, Step, step_of


class Sealed(msgspec.Struct, frozen=True):
    """An artifact that is in the store already, under a name that the workspace knows."""

    name: str


class Node:
    """A step to be done: its config, and what its ports are tied to. Doing nothing, it can be made, copied and listed freely."""

    def __init__(
        self,
        config: Config,
        inputs: Mapping[str, Node | Sealed | Sequence[Node | Sealed]] | None = None,
        name: str = "",
    ) -> None:
        self.step: Step = step_of(config)
        self.config = config
        self.name = name or self.step.name
        self.inputs: dict[str, tuple[Node | Sealed, ...]] = {}
        for port, tied in (inputs or {}).items():
            declared = self.step.port(port)
            if declared is None:
                raise ConfigError(
                    f"{self.name}: {self.step.name} has no input '{port}'",
                    nearest(port, [p.name for p in self.step.ports]),
                )
            many = tuple(tied) if isinstance(tied, Sequence) else (tied,)
            for one in many:
                _check_kind(self.name, self.step, declared, one)
            self.inputs[port] = many
        _check_complete(self.name, self.step, self.inputs)

    def __repr__(self) -> str:
        return f"Node({self.name}: {self.step.name})"


class RunSettings(Config):
    """Where and how a recipe runs. Never part of identity."""

    engine: str = "inline"
    options: dict[str, Any] = msgspec.field(default_factory=dict)


class Recipe:
    """Nodes by name, in an order in which each comes after its inputs, and the settings of the run."""

    def __init__(self, nodes: Sequence[Node], name: str = "recipe", run: RunSettings | None = None) -> None:
        self.name = name
        self.run = run or RunSettings()
        self.nodes: dict[str, Node] = {}
        for node in _ordered(nodes):
            label = node.name
            if label in self.nodes:
                count = sum(1 for other in self.nodes if other.partition("#")[0] == label)
                label = f"{label}#{count + 1}"
            self.nodes[label] = node


def load(path: Path, changes: Sequence[str] = ()) -> Recipe:
    """Read a recipe file. `changes` are `table.key=value` as given on the command line; they win over the file.

    Raises ConfigError for broken TOML, unknown steps, keys and names (the nearest is offered), wrong kinds and rings.
    """
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        raise ConfigError(
            f"there is no recipe at {path}", "Check the path; recipes/quickstart.toml is one to start from"
        ) from None
    except IsADirectoryError:
        raise ConfigError(f"{path} is a folder", "Name the recipe file in it") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not UTF-8 text", "Save it as UTF-8") from None
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}", "Correct that line") from None
    return parse(tables, path.parent, path.stem, changes, str(path))


def parse(
    tables: dict[str, Any], folder: Path, name: str, changes: Sequence[str] = (), where: str = "recipe"
) -> Recipe:
    """Link decoded tables into a recipe. Outside paths are seen from `folder`, those in `changes` from where we stand."""
    name = str(tables.pop("name", name))
    for key, table in tables.items():
        if not isinstance(table, dict):
            raise ConfigError(f"{where}: '{key}' stands outside of a table", f"Put it under a table such as [{key}]")
    changed = _apply(tables, changes)
    run = decode(RunSettings, tables.pop("run", {}), f"{where} [run]")
    linker = _Linker(tables, folder, where, changed)
    return Recipe([linker.node(table) for table in tables], name, run)


class _Linker:
    """Makes nodes of tables, following the links from each to those it needs."""

    def __init__(self, tables: dict[str, Any], folder: Path, where: str, changed: set[tuple[str, str]]) -> None:
        self._tables = tables
        self._folder = folder
        self._where = where
        self._changed = changed
        self._made: dict[str, Node] = {}
        self._open: list[str] = []

    def node(self, table: str) -> Node:
        if table in self._made:
            return self._made[table]
        if table in self._open:
            ring = " -> ".join([*self._open[self._open.index(table) :], table])
            raise ConfigError(f"{self._where}: the tables form a ring: {ring}", "Cut one of the links")
        self._open.append(table)
        values = dict(self._tables[table])
        where = f"{self._where} [{table}]"
        if "step" not in values:
            raise ConfigError(f"{where}: the key 'step' is missing", 'Say which step makes it, as step = "data.read"')
        step = plugins.step_named(str(values.pop("step")), where)
        fields = {info.name for info in step.fields}
        ports = {port.name: port for port in step.ports}
        for key in values:
            if key not in fields and key not in ports:
                raise ConfigError(f"{where}: unknown key '{key}'", nearest(key, fields | set(ports)))
        inputs = {key: self._tied(where, key, values.pop(key)) for key in list(values) if key in ports}
        for info in step.fields:
            if info.external and (table, info.name) in self._changed:
                values[info.name] = _seen_from_here(values[info.name])
        node = Node(anchored(decode(step.config, values, where), self._folder), inputs, table)
        self._open.pop()
        self._made[table] = node
        return node

    def _tied(self, where: str, port: str, value: Any) -> tuple[Node | Sealed, ...]:
        links = value if isinstance(value, list) else [value]
        tied: list[Node | Sealed] = []
        for link in links:
            if not isinstance(link, str) or not link.startswith("@") or len(link) < 2:
                raise ConfigError(f"{where}: the input '{port}' is {link!r}", 'Tie it to a table, as "@name"')
            name = link[1:]
            if name in self._tables:
                tied.append(self.node(name))
            elif "/" in name:
                tied.append(Sealed(name))
            else:
                raise ConfigError(f"{where}: no table is called '{name}'", nearest(name, self._tables))
        return tuple(tied)


def _seen_from_here(value: Any) -> Any:
    """Paths in a recipe are seen from its folder; those given on the command line, from where the user stands."""
    if isinstance(value, list):
        return [_seen_from_here(one) for one in value]
    return value if not isinstance(value, str) or has_scheme(value) else str(Path.cwd() / Path(value).expanduser())


def _apply(tables: dict[str, Any], changes: Sequence[str]) -> set[tuple[str, str]]:
    """Write `table.key=value` into the tables. A value is TOML where it reads as TOML, and text where it does not."""
    changed = set()
    for change in changes:
        target, equals, text = change.partition("=")
        table, dot, key = target.strip().partition(".")
        if not equals or not dot or not key:
            raise ConfigError(
                f"--set {change}: not of the form table.key=value", "For example: --set docs.paths=/my/folder"
            )
        if table not in tables and table != "run":
            raise ConfigError(f"--set {change}: the recipe has no table '{table}'", nearest(table, tables))
        try:
            value = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            value = text
        tables.setdefault(table, {})[key] = value
        changed.add((table, key))
    return changed


def _check_kind(where: str, step: Step, port: Port, tied: Node | Sealed) -> None:
    if isinstance(tied, Node) and not issubclass(tied.step.makes, port.kind):
        raise ConfigError(
            f"{where}: the input '{port.name}' of {step.name} takes a {port.kind.kind()}, and '{tied.name}' makes a "
            f"{tied.step.makes.kind()}",
            "Tie it to a table that makes the right kind",
        )


def _check_complete(where: str, step: Step, inputs: Mapping[str, tuple[Node | Sealed, ...]]) -> None:
    for port in step.ports:
        tied = inputs.get(port.name, ())
        # An empty list that somebody wrote is an answer; a port that nobody mentioned is a gap.
        if not tied and not port.optional and not (port.many and port.name in inputs):
            raise ConfigError(
                f"{where}: the input '{port.name}' is missing", f"{step.name} needs a {port.kind.kind()} there"
            )
        if len(tied) > 1 and not port.many:
            raise ConfigError(
                f"{where}: the input '{port.name}' takes one {port.kind.kind()}, not {len(tied)}", "Leave one"
            )


def _ordered(nodes: Sequence[Node]) -> Iterator[Node]:
    """Each node once, after all that it needs. Among equals the order given is kept."""
    seen: set[int] = set()

    def visit(node: Node) -> Iterator[Node]:
        if id(node) in seen:
            return
        seen.add(id(node))
        for tied in node.inputs.values():
            for one in tied:
                if isinstance(one, Node):
                    yield from visit(one)
        yield node

    for node in nodes:
        yield from visit(node)
