"""A knowledge base that goes on living: what changed at its sources is read again, and becomes a revision of its index.

The recipe says what the sources are and what is done with a document before it is cut. An update runs that same chain over
what changed alone, and commits the difference: chunks of a document that read otherwise now, or that is gone, end; new ones
begin; a chunk that stayed keeps its vector. A revision is one commit of the index and one entry of the ledger; after a kill
between the two the next update writes the entry. What cannot be read keeps its last state, and is named with its reason.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec

from septet.core import ConfigError, StepFailed
from septet.core.events import Sink
from septet.core.fingerprint import canonical, digest, identity_of
from septet.core.recipe import Node, Recipe
from septet.core.runner import Runner
from septet.core.store import Record
from septet.core.workspace import Workspace
from septet.files import read_json, write_json
from septet.inference.embedding import Encoder, load_encoder
from septet.kinds import Corpus, KnowledgeBase
from septet.knowledge import build, validity
from septet.knowledge.difference import Difference, difference
from septet.knowledge.revisions import ENTRY, folder_of, opened, revision_of
from septet.knowledge.table import CURRENT, Table, quoted
from septet.knowledge.terms import terms
from septet.knowledge.watched import QUERY, Listed, Seen, changes, documents_of, narrowed, read_state, readers, rejected

_STEP = "data.knowledge"
_SEEN = "seen.json"
_AT_ONCE = 500


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """One source of an update. `table` is the recipe's table that reads it.

    `how`: new, changed, gone, superseded (by a new version in another file), unreadable (its last state stays) or left out (by
    the recipe's steps).
    """

    table: str
    dataset: str
    source: str
    how: str
    reason: str = ""
    added: int = 0
    ended: int = 0


class Update(msgspec.Struct, frozen=True, kw_only=True):
    """What an update did: the number of the last revision, and how many chunks came, ended, and were given vectors."""

    revision: int
    sources: tuple[Changed, ...]
    added: int = 0
    ended: int = 0
    encoded: int = 0

    @property
    def is_nothing(self) -> bool:
        return not self.sources


class Living:
    """The living index of the knowledge base that a recipe made. Open it once to update often: the encoder stays loaded."""

    def __init__(self, workspace: Workspace, recipe: Recipe, table: str = "", sinks: Sequence[Sink] = ()) -> None:
        self._workspace = workspace
        self._recipe = recipe
        self._sinks = sinks
        self.name = _table_of(recipe, table)
        self._node = recipe.nodes[self.name]
        known = workspace.names().get(f"{recipe.name}/{self.name}")
        if known is None:
            raise ConfigError(f"'{recipe.name}/{self.name}' was never made", "Run the recipe first: septet run")
        base = workspace.store.find(_STEP, str(known["fingerprint"]))
        if base is None:
            raise ConfigError(f"'{recipe.name}/{self.name}' is gone from the store", "Run the recipe again")
        if base.config != identity_of(self._node.config, workspace.hasher):
            raise ConfigError(
                f"[{self.name}] of the recipe is not what '{recipe.name}/{self.name}' was made with",
                "Run the recipe again: chunks and vectors of two kinds cannot be mixed",
            )
        self.base = base
        self._readers = list({id(one): one for one in readers(self._node)}.values())
        if not self._readers:
            raise ConfigError(f"no data.read leads to [{self.name}]", "Only files, pages and queries can be watched")
        own = [one.name for one in self._readers if getattr(one.config, "source_column", "")]
        if own:
            raise ConfigError(
                f"[{own[0]}] names sources of its own in a column",
                "Update it by running the recipe: rows cannot be followed",
            )
        self._folder = folder_of(workspace, base.fingerprint)
        self._knowledge = KnowledgeBase(workspace.store.folder(base))
        self._encoder: Encoder | None = None

    def update(self) -> Update:
        """Bring the index up to date with its sources. Two at once wait for each other."""
        with self._workspace.lock(f"knowledge-{self.base.fingerprint}", lambda: None):
            table = Table(opened(self._workspace, self.base))
            last = self._recovered(table)
            seen = self._seen()
            listed = {one.name: changes(self._workspace, one, seen.get(one.name, {})) for one in self._readers}
            listed = {name: found for name, found in listed.items() if found.fresh or found.gone}
            if not listed:
                return Update(revision=last, sources=())
            return self._updated(table, last, seen, listed)

    def _seen(self) -> dict[str, dict[str, Seen]]:
        path = self._folder.parent / _SEEN
        if path.exists():
            return msgspec.convert(read_json(path), dict[str, dict[str, Seen]])
        found: dict[str, dict[str, Seen]] = {}
        for node in self._readers:
            record = self._workspace.resolve(f"{self._recipe.name}/{node.name}")
            found[node.name] = read_state(Corpus(self._folder_of(record)), node)
        return found

    def _updated(
        self, table: Table, last: int, seen: dict[str, dict[str, Seen]], listed: Mapping[str, Listed]
    ) -> Update:
        records, failure = self._run({name: sorted(found.fresh) for name, found in listed.items() if found.fresh})
        corpus = records.get(self._main().name)
        rows = list(Corpus(self._folder_of(corpus)).rows()) if corpus is not None else []
        again = {build.key_of(row) for row in rows}
        changed: list[Changed] = []
        for name, found in listed.items():
            read = Corpus(self._folder_of(records[name])) if name in records else None
            changed += _became(name, found, seen.setdefault(name, {}), read, failure, again)
        # What cannot be read stays as it was: nobody knows whether it changed.
        made = self._difference(table, again, rows, last + 1)
        if made.rows:
            table.commit(build.as_table(made.rows, table.schema))
            last += 1
        others = sorted((made.added.keys() | made.ended.keys()) - again)
        changed += [Changed(table="", dataset=one[0], source=one[1], how="superseded") for one in others]
        changed = [_counted(one, made) for one in changed]
        changed = [one for one in changed if one.added or one.ended or one.how not in ("new", "changed")]
        if changed:
            self._enter(last, changed, made.keys, corpus)
        write_json(self._folder.parent / _SEEN, msgspec.to_builtins(seen))
        return Update(
            revision=last,
            sources=tuple(changed),
            added=sum(made.added.values()),
            ended=sum(made.ended.values()),
            encoded=made.encoded,
        )

    def _run(self, wanted: Mapping[str, Sequence[str]]) -> tuple[dict[str, Record], str]:
        """The recipe's chain over the changed sources alone; and why it came to nothing, if it did."""
        made = narrowed(self._recipe.name, self._main(), wanted)
        if made is None:
            return {}, ""
        runner = Runner(self._workspace, sinks=self._sinks)
        recipe = Recipe([made], f"{self._recipe.name}.update", self._recipe.run)
        try:
            return runner.run(recipe), ""
        except StepFailed as failed:
            marks = runner.fingerprints(recipe)
            found = {
                name: self._workspace.store.find(node.step.name, marks[name]) for name, node in recipe.nodes.items()
            }
            return {name: record for name, record in found.items() if record is not None}, failed.message

    def _difference(
        self, table: Table, again: set[validity.Key], rows: list[dict[str, Any]], number: int
    ) -> Difference:
        documents = build.survey(rows)
        names = sorted({source for _, source in again})
        before = [
            row
            for some in build.batched(names, _AT_ONCE)
            for row in table.rows(_current("source", some))
            if build.key_of(row) in again
        ]
        families = sorted({one.family for one in documents.values() if one.family})
        others = [
            row
            for some in build.batched(families, _AT_ONCE)
            for row in table.rows(_current("family", some))
            if build.key_of(row) not in again
        ]
        superseded = validity.settle([*documents.values(), *_held(others)])
        fresh = build.cut(rows, self._node.config.size, documents, superseded)  # type: ignore[attr-defined]
        self._encoder = self._encoder or load_encoder(str(self._knowledge.meta["encoder"]))
        today = datetime.date.today().isoformat()
        return difference(before, list(fresh), superseded, others, self._encoder, number, today)

    def _enter(self, number: int, changed: Sequence[Changed], keys: Sequence[str], corpus: Record | None) -> None:
        """Write a revision into the ledger. Each digest covers the one before it and what came and ended since."""
        entry = self._workspace.ledger.latest(ENTRY, self.base.fingerprint)
        body = self._workspace.ledger.body(entry) if entry is not None else None
        before = str(body["digest"]) if body else self.base.digest
        said = {
            "name": f"{self._recipe.name}/{self.name}",
            "revision": number,
            "fingerprint": corpus.fingerprint if corpus is not None else "",
            "step": corpus.step if corpus is not None else "",
            "sources": [msgspec.to_builtins(one) for one in changed],
            "digest": digest(canonical([before, list(keys)]), self._workspace.settings.digest),
        }
        self._workspace.ledger.append(ENTRY, self.base.fingerprint, said)

    def _recovered(self, table: Table) -> int:
        """The number of the last revision. One that was committed and not entered, because of a kill between, is entered now."""
        last = revision_of(self._workspace, self.base.fingerprint)
        rows = table.rows(f"revision = {last + 1} or ended = {last + 1}", ("key", "dataset", "source", "ended"))
        if not rows:
            return last
        made = Difference(
            rows=rows,
            added=Counter(build.key_of(row) for row in rows if not row["ended"]),
            ended=Counter(build.key_of(row) for row in rows if row["ended"]),
            encoded=0,
        )
        keys = sorted(made.added.keys() | made.ended.keys())
        changed = [_counted(Changed(table="", dataset=one[0], source=one[1], how="changed"), made) for one in keys]
        self._enter(last + 1, changed, made.keys, None)
        return last + 1

    def _main(self) -> Node:
        tied = self._node.inputs["corpus"][0]
        assert isinstance(tied, Node)  # __init__ found a reader behind it
        return tied

    def _folder_of(self, record: Record) -> Path:
        return self._workspace.store.folder(record)


def _table_of(recipe: Recipe, table: str) -> str:
    found = [name for name, node in recipe.nodes.items() if node.step.name == _STEP]
    if table and table not in found:
        raise ConfigError(f"the recipe has no knowledge base '{table}'", f"It has: {', '.join(found) or 'none'}")
    if not table and len(found) != 1:
        raise ConfigError(f"the recipe makes {len(found)} knowledge bases", f"Name one: --table {' or '.join(found)}")
    return table or found[0]


def _became(
    name: str, found: Listed, before: dict[str, Seen], read: Corpus | None, failure: str, again: set[validity.Key]
) -> list[Changed]:
    """What became of each source of one reader. `before` is brought up to date, and `again` gets the documents that are to be
    compared with what the index holds of them."""
    changed = []
    unread = rejected(read) if read is not None else {}
    for source, now in found.fresh.items():
        if source == QUERY and read is not None:
            keys = sorted(set(documents_of(read)))
            again.update(keys)
            changed += [Changed(table=name, dataset=one[0], source=one[1], how="changed") for one in keys]
            continue
        known = before.get(source)
        how, reason = "new" if known is None or known.reason else "changed", ""
        if (now.dataset, source) not in again:
            how = "unreadable" if read is None or source in unread else "left out"
            reason = unread.get(source) or failure or "all of it was left out by a step of the recipe"
            if how == "left out":
                again.add((now.dataset, source))
        before[source] = msgspec.structs.replace(now, reason=reason)
        if not reason or known != before[source]:  # a page that is still not to be had is no news
            changed.append(Changed(table=name, dataset=now.dataset, source=source, how=how, reason=reason))
    for source in found.gone:
        dataset = before.pop(source).dataset
        again.add((dataset, source))
        changed.append(Changed(table=name, dataset=dataset, source=source, how="gone"))
    return changed


def _held(rows: Sequence[Mapping[str, Any]]) -> list[validity.Held]:
    """What the documents of some rows say of their versions."""
    found = []
    ordered = sorted(rows, key=lambda row: (build.key_of(row), row["page"], row["start"]))
    for key, group in groupby(ordered, key=build.key_of):
        held = list(group)
        text = "\n".join(row["text"] for row in held)
        title = str(held[0]["title"]).partition(" > ")[0]
        known = validity.held(key, title, text, "", terms(text[: build.COMPARED]))
        found.append(msgspec.structs.replace(known, valid_from=held[0]["valid_from"] or known.valid_from))
    return found


def _counted(one: Changed, made: Difference) -> Changed:
    key = (one.dataset, one.source)
    return msgspec.structs.replace(one, added=made.added.get(key, 0), ended=made.ended.get(key, 0))


def _current(column: str, values: Sequence[str]) -> str:
    return f"state = '{CURRENT}' and {column} in ({', '.join(quoted(one) for one in values)})"
