"""`septet search QUERY`: what a knowledge base holds, as a reader of some classes may see it on some day."""

from __future__ import annotations

import argparse
import json

from septet.cli.common import clip, open_workspace
from septet.core.errors import ConfigError
from septet.core.store import Record
from septet.core.workspace import Workspace


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("query", help="words or a question, in Chinese or English")
    parser.add_argument("--knowledge", default="", help="a knowledge base by name or fingerprint (default: the newest)")
    parser.add_argument("--top", type=int, default=5, help="how many chunks (default: 5)")
    parser.add_argument("--mode", choices=("hybrid", "text", "vector"), default="hybrid", help="how to search")
    parser.add_argument("--as-of", default="", metavar="DAY", help="what held on a day, as 2024-11-24 (default: today)")
    parser.add_argument(
        "--access",
        action="append",
        metavar="CLASS",
        help="an access class that the reader may see; may be given again (default: all)",
    )
    parser.add_argument("--pinned", action="store_true", help="as it was sealed, without later updates")
    parser.add_argument("--json", action="store_true", help="print all as JSON")


def run(given: argparse.Namespace) -> int:
    from septet.kinds import KnowledgeBase
    from septet.knowledge.revisions import index_of
    from septet.knowledge.search import Searcher

    if not 1 <= given.top <= 100:
        raise ConfigError("--top goes from 1 to 100", "Correct the option")
    with open_workspace(given) as workspace:
        record = _record(workspace, given.knowledge)
        knowledge = KnowledgeBase(workspace.store.folder(record))
        searcher = Searcher(knowledge, folder=index_of(workspace, record, follow=not given.pinned))
        try:
            hits = searcher.search(given.query, given.top, given.mode, given.access, given.as_of)
        finally:
            searcher.close()
    if given.json:
        print(json.dumps([{**hit._asdict(), "chunk": hit.chunk} for hit in hits], ensure_ascii=False, indent=1))
        return 0
    if not hits:
        print("nothing was found")
    for number, hit in enumerate(hits, 1):
        chunk = hit.chunk
        page = f", page {chunk['page']}" if chunk["page"] else ""
        days = (
            f"  [{chunk['valid_from'] or '…'} to {chunk['valid_to'] or '…'}]"
            if chunk["valid_from"] or chunk["valid_to"]
            else ""
        )
        print(f"{number}. {hit.score:.2f}  {chunk['title']}{days}")
        print(
            f"   {chunk['source']}{page}, characters {chunk['start']} to {chunk['end']}, {chunk['access']}, {chunk['id']}"
        )
        print(f"   {clip(chunk['text'], 110)}")
    return 0


def _record(workspace: Workspace, name: str) -> Record:
    if name:
        record = workspace.resolve(name)
        if record.kind != "KnowledgeBase":
            raise ConfigError(f"'{name}' is a {record.kind}", "Name a KnowledgeBase; septet ls artifacts lists them")
        return record
    known = [record for record in workspace.store.records() if record.kind == "KnowledgeBase"]
    if not known:
        raise ConfigError("the workspace holds no knowledge base", "Make one: septet run recipes/quickstart.toml")
    return known[-1]
