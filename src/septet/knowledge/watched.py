"""What a recipe's readers read, what changed there since, and the recipe's chain over that alone."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from septet.core.config import has_scheme
from septet.core.fingerprint import visible_files
from septet.core.recipe import Node, Sealed
from septet.core.workspace import Workspace
from septet.kinds import Corpus
from septet.knowledge import validity

READ = "data.read"
QUERY = "query"
"""How a reader's query is called among its sources."""


class Seen(msgspec.Struct, frozen=True):
    """What is known of one source: its data set, the digest of its content, and why it is not in the index, where it is not."""

    dataset: str
    digest: str
    reason: str = ""


class Listed(msgspec.Struct):
    """Of one reader: sources whose content was not seen before, and those that are there no more."""

    fresh: dict[str, Seen]
    gone: list[str]


def changes(workspace: Workspace, node: Node, seen: Mapping[str, Seen]) -> Listed:
    """What changed at the sources of a reader. Pages and queries say nothing of it: they are read, and compared as chunks."""
    config: Any = node.config
    found: dict[str, Seen] = {}
    for given in config.paths:
        if has_scheme(given):
            found[given] = Seen(config.dataset or urlsplit(given).netloc, "")
            continue
        place = Path(given)
        for name, path in visible_files(place):
            if path.is_file() and (not config.only or name in config.only):
                found[name] = Seen(config.dataset or place.name, workspace.hasher.file(path))
    if config.query:
        found[QUERY] = Seen(config.dataset, "")
    fresh = {n: one for n, one in found.items() if not one.digest or n not in seen or seen[n].digest != one.digest}
    return Listed(fresh, sorted(set(seen) - set(found)))


def narrowed(recipe: str, node: Node, wanted: Mapping[str, Sequence[str]]) -> Node | None:
    """The node as it is for the wanted sources of its readers alone; None where none of them leads to it.

    Documents come through a step's first corpus port. What else it takes (a policy, a classifier, a known corpus) is what the
    recipe made of the whole, and stays that.
    """
    if node.step.name == READ:
        if node.name not in wanted:
            return None
        return Node(_asked(node.config, wanted[node.name]), {}, node.name)
    main = _main_port(node)
    inputs: dict[str, list[Node | Sealed]] = {}
    for port, tied in node.inputs.items():
        if port == main:
            made = [narrowed(recipe, one, wanted) for one in tied if isinstance(one, Node)]
            inputs[port] = [one for one in made if one is not None]
        else:
            inputs[port] = [Sealed(f"{recipe}/{one.name}") if isinstance(one, Node) else one for one in tied]
    return Node(node.config, inputs, node.name) if main and inputs[main] else None


def _asked(config: Any, wanted: Sequence[str]) -> Any:
    """A reader's config for some of its sources. Pages and queries are had anew: now is another day than the last."""
    files = tuple(name for name in wanted if name != QUERY and not has_scheme(name))
    pages = tuple(name for name in wanted if has_scheme(name))
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="microseconds")
    local = tuple(path for path in config.paths if not has_scheme(path)) if files else ()
    return msgspec.structs.replace(
        config,
        paths=(*local, *pages),
        only=files,
        query=config.query if QUERY in wanted else "",
        url_variable=config.url_variable if QUERY in wanted else "",
        retrieved=now if pages or QUERY in wanted else config.retrieved,
    )


def _main_port(node: Node) -> str:
    return next((port.name for port in node.step.ports if port.kind is Corpus and node.inputs.get(port.name)), "")


def readers(node: Node) -> Iterator[Node]:
    """The readers from which documents come to a node."""
    if node.step.name == READ:
        yield node
        return
    for one in node.inputs.get(_main_port(node), ()):
        if isinstance(one, Node):
            yield from readers(one)


def read_state(corpus: Corpus, node: Node) -> dict[str, Seen]:
    """The sources of a corpus as they were read."""
    import pyarrow.parquet as pq

    config: Any = node.config
    found: dict[str, Seen] = {}
    if config.query:
        found[QUERY] = Seen(config.dataset, "")
    for part in corpus.parts:
        for batch in pq.ParquetFile(part).iter_batches(columns=["dataset", "source", "source_digest"]):
            for row in batch.to_pylist():
                source, elsewhere = row["source"], has_scheme(row["source"])
                if not elsewhere or source in config.paths:  # what a query gave goes by the query
                    found.setdefault(source, Seen(row["dataset"], "" if elsewhere else row["source_digest"]))
    return found


def documents_of(corpus: Corpus) -> Iterator[validity.Key]:
    import pyarrow.parquet as pq

    for part in corpus.parts:
        for batch in pq.ParquetFile(part).iter_batches(columns=["dataset", "source"]):
            yield from zip(batch["dataset"].to_pylist(), batch["source"].to_pylist(), strict=True)


def rejected(corpus: Corpus) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in corpus.rejected():
        found.setdefault(one["source"], f"{one['where']}: {one['reason']}".removeprefix(": "))
    return found
