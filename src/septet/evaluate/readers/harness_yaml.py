"""Which tasks the YAML files of lm-evaluation-harness (0.4) name: includes, groups, tags and what a group changes in its tasks.

YAML is read as data. `!function` names code of whoever wrote the file: it is never run, and what needs it is refused by name.
Known traps: YAML 1.1 reads `1e-4` as text, `no` and `yes` as truth values and `12:30` as a number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from septet.core import ConfigError, MissingExtra
from septet.core.errors import nearest

_GROUP_KEYS = ("group", "group_alias", "task", "aggregate_metric_list", "metadata")
_HARMLESS = ("doc_to_decontamination_query", "metadata", "group", "tag", "aggregate_metric_list")
"""Keys that do not decide what is asked or what an answer is worth."""


class Named(NamedTuple):
    """A task with its settings. `folder` is where its file stands, `group` the innermost group that holds it, or its first tag."""

    name: str
    config: dict[str, Any]
    folder: Path
    group: str


class Code(str):
    """What stood behind `!function`."""

    __slots__ = ()


class _Index(NamedTuple):
    tasks: dict[str, Named]
    groups: dict[str, tuple[dict[str, Any], Path]]
    tags: dict[str, list[str]]


def named(path: Path) -> list[Named]:
    """The tasks of a file, or of all files of a folder and below, each once, in the order of their names.

    A group's file may name tasks of the files beside it. Raises ConfigError for YAML that cannot be read, a name that nothing
    bears, and settings that need code.
    """
    if not path.exists():
        raise ConfigError(f"{path} does not exist", "Name a task's YAML file, or a folder of them")
    files = sorted(path.rglob("*.yaml")) + sorted(path.rglob("*.yml")) if path.is_dir() else [path]
    index = _index(files)
    if path.is_file() and index.groups:
        beside = [one for one in sorted(path.parent.rglob("*.yaml")) if one != path]
        index = _Index({**_index(beside).tasks, **index.tasks}, {**_index(beside).groups, **index.groups}, {})
        for name, one in index.tasks.items():
            _tag(index, name, one.config)
        found = [task for name in _index([path]).groups for task in _of_group(name, index, {}, ())]
    else:
        inside = [task for name in index.groups for task in _of_group(name, index, {}, ())]
        grouped = {task.name for task in inside}
        found = [*inside, *(task for name, task in index.tasks.items() if name not in grouped)]
    distinct: dict[str, Named] = {}
    for task in found:
        distinct.setdefault(task.name, task)
    for task in distinct.values():
        _refuse_code(task)
    if not distinct:
        raise ConfigError(f"{path} names no task", "A task's file has the keys `task` and `dataset_path`")
    return [distinct[name] for name in sorted(distinct)]


def load(path: Path, seen: tuple[Path, ...] = ()) -> dict[str, Any]:
    """The settings of a file with those of the files that it includes; its own win. Raises ConfigError."""
    try:
        import yaml
    except ModuleNotFoundError as error:
        raise MissingExtra("yaml", "models") from error

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        """Knows one tag more; a class of its own, since a tag is told to a class."""

    Loader.add_constructor("!function", lambda loader, node: Code(loader.construct_scalar(node)))
    try:
        # A subclass of SafeLoader: plain values only.
        value = yaml.load(path.read_text("utf-8"), Loader=Loader)  # noqa: S506
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path} cannot be read: {error}", "Correct the file") from None
    if not isinstance(value, dict):
        raise ConfigError(f"{path} holds no settings by name", "Write `task: NAME` and what belongs to it")
    includes = value.pop("include", None) or []
    merged: dict[str, Any] = {}
    for name in [includes] if isinstance(includes, str) else includes:
        other = (path.parent / str(name)).resolve()
        if other in (*seen, path.resolve()):
            raise ConfigError(f"{path} includes itself by way of {other.name}", "Break the circle")
        merged |= {key: one for key, one in load(other, (*seen, path.resolve())).items() if key != "task_list"}
    return merged | value


def _index(files: Sequence[Path]) -> _Index:
    index = _Index({}, {}, {})
    for path in files:
        config = load(path)
        if "class" in config:
            raise ConfigError(f"{path} is a task in Python ({config['class']})", "Septet reads tasks of YAML alone")
        if isinstance(config.get("task"), list) or "group" in config:
            name = config.get("group")
            if not isinstance(name, str):
                raise ConfigError(f"{path}: a list of tasks wants a name", "Write `group: NAME`")
            if isinstance(config.get("task"), str) and "dataset_path" in config:
                # The old way: a task that says of which group it is.
                config = {**{key: one for key, one in config.items() if key != "group"}, "tag": name}
            else:
                index.groups.setdefault(name, (config, path.parent))
                continue
        if isinstance(config.get("task"), str):
            one = Named(config["task"], config, path.parent, _first(config.get("tag")))
            if one.name not in index.tasks:
                index.tasks[one.name] = one
                _tag(index, one.name, config)
    return index


def _tag(index: _Index, name: str, config: Mapping[str, Any]) -> None:
    tags = config.get("tag") or []
    for tag in [tags] if isinstance(tags, str) else tags:
        held = index.tags.setdefault(str(tag), [])
        if name not in held:
            held.append(name)


def _of_group(name: str, index: _Index, changes: Mapping[str, Any], above: tuple[str, ...]) -> Iterator[Named]:
    if name in above:
        raise ConfigError(f"the group '{name}' holds itself", "Break the circle")
    config, folder = index.groups[name]
    yield from _members(name, config, folder, index, changes, (*above, name))


def _members(
    group: str,
    config: Mapping[str, Any],
    folder: Path,
    index: _Index,
    changes: Mapping[str, Any],
    above: tuple[str, ...],
) -> Iterator[Named]:
    """The tasks of a group. What the group says for all gives way to what was said above it, and a member's own wins."""
    common = {**{key: one for key, one in config.items() if key not in _GROUP_KEYS}, **changes}
    members = config.get("task") or []
    for member in [members] if isinstance(members, str) else members:
        own = {} if isinstance(member, str) else dict(member)
        name = member if isinstance(member, str) else str(own.get("group") or own.get("task"))
        if "group" in own and name not in index.groups:
            yield from _members(f"{group}::{name}", own, folder, index, common, above)
            continue
        told = {**common, **{key: one for key, one in own.items() if key not in ("group", "task")}}
        if name in index.groups:
            yield from _of_group(name, index, told, above)
        elif name in index.tasks:
            yield _changed(index.tasks[name], told, group)
        elif name in index.tags:
            yield from (_changed(index.tasks[one], told, group) for one in sorted(index.tags[name]))
        elif "dataset_path" in told:
            yield Named(f"{group}::{name}", {**told, "task": f"{group}::{name}"}, folder, group)
        else:
            raise ConfigError(
                f"the group '{group}' names '{name}', which no file here is", nearest(name, [*index.tasks])
            )


def _changed(task: Named, changes: Mapping[str, Any], group: str) -> Named:
    return task._replace(config={**task.config, **changes}, group=group)


def _first(tag: Any) -> str:
    return str((tag if isinstance(tag, str) else (tag or [""])[0]) or "")


def _refuse_code(task: Named) -> None:
    for key, value in task.config.items():
        found = None if key in _HARMLESS else next(_code(value), None)
        if found is not None:
            raise ConfigError(
                f"the task '{task.name}' wants the function {found} for '{key}', which is code of its author and is not run",
                "Prepare the rows beforehand, and write the key as a template or a column's name",
            )


def _code(value: Any) -> Iterator[str]:
    if isinstance(value, Code):
        yield str(value)
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _code(one)
    elif isinstance(value, list):
        for one in value:
            yield from _code(one)
