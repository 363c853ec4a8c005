"""`septet impact WHAT`: everything that holds a source, a document, a data set or a person's value, or was made of it."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

import msgspec

from septet.cli.common import clip, open_workspace, table
from septet.core.fingerprint import short

if TYPE_CHECKING:
    from septet.operate.impact import Hit, Impact

_SORTS = ("source", "document", "dataset", "artifact", "value")
_WORDS = {
    "en": {
        "source": "source",
        "document": "document",
        "dataset": "data set",
        "artifact": "artifact",
        "value": "value",
        "nothing": "{0} {1}: nothing here holds it",
        "head": "{0} {1}: {2} artifacts",
        "columns": ("artifact", "kind", "how", "rows", "left out", "since"),
        "holds": "holds it",
        "rows": "rows made of it",
        "descends": "descends from it",
        "files": "  in {0}: {1} lines",
        "answers": "answers that stand on it or hold it: {0}",
        "indexes": "rows of indexes of knowledge bases: {0}",
        "logs": "ledger and logs: {0}, since {1}",
        "vaults": "vaults that were not looked into, being encrypted: {0}",
        "not_here": "sealed, but not in the local store, and not looked into: {0}",
        "untold": "an input is gone from the store, so nothing can be said of: {0}",
    },
    "zh": {
        "source": "来源",
        "document": "文档",
        "dataset": "数据集",
        "artifact": "制品",
        "value": "内容",
        "nothing": "{0}（{1}）：此处没有任何内容含有它",
        "head": "{0}（{1}）：共 {2} 个制品",
        "columns": ("制品", "类型", "关系", "行数", "已剔除", "始于"),
        "holds": "含有",
        "rows": "有行由其得来",
        "descends": "由其衍生",
        "files": "  {0} 中 {1} 行",
        "answers": "以其为依据或含有它的回答：{0}",
        "indexes": "知识库索引中的行数：{0}",
        "logs": "账本与日志：{0}，始于 {1}",
        "vaults": "因加密而未查看的保险库：{0}",
        "not_here": "已封存但不在本地存储中、未查看：{0}",
        "untold": "有输入已不在存储中，无法判断：{0}",
    },
}


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "what",
        help="a file or source, a document's id, a data set, an artifact, or a value such as a name, a number or an address; "
        "- reads it from standard input, so that no list of processes and no history holds it",
    )
    parser.add_argument(
        "--as", dest="sort", default="", choices=_SORTS, help="what it is (default: told by what is known)"
    )
    parser.add_argument("--json", action="store_true", help="print all as JSON; a value itself is never printed")


def run(given: argparse.Namespace) -> int:
    from septet.operate.impact import impact
    from septet.operate.subject import find

    what = sys.stdin.readline() if given.what == "-" else given.what
    with open_workspace(given) as workspace:
        found = impact(workspace, find(workspace, what, given.sort))
    if given.json:
        print(json.dumps(msgspec.to_builtins(found), ensure_ascii=False, indent=1))
        return 0
    _print(found, _language(what))
    return 0


def _language(text: str) -> str:
    from septet.detect.language import language

    return "zh" if language(text) in ("zh", "mixed") else "en"


def _print(found: Impact, language: str) -> None:
    words = _WORDS[language]

    def say(key: str, *values: object) -> str:
        return str(words[key]).format(*values)

    sort = say(found.sort)
    if not found.hits and not found.logs:
        print(say("nothing", sort, found.label))
    else:
        print(say("head", sort, found.label, len(found.hits)))
    if found.hits:
        print()
        print(table([_row(hit, say(hit.how)) for hit in found.hits], words["columns"]))
    for hit in found.hits:
        for file, lines in hit.files.items():
            print(clip(f"{_name(hit)}{say('files', file, lines)}", 118))
    if found.indexes:
        print(say("indexes", ", ".join(f"{count:,} ({short(mark)})" for mark, count in found.indexes.items())))
    if found.answers:
        print(clip(say("answers", ", ".join(found.answers)), 118))
    if found.logs:
        print(say("logs", ", ".join(f"{count} {kind}" for kind, count in found.logs.items()), found.logs_since or "-"))
    for key, names in (("vaults", found.vaults), ("not_here", found.not_here), ("untold", found.untold)):
        if names:
            print(clip(say(key, ", ".join(short(one) if ":" in one else one for one in names)), 118))


def _row(hit: Hit, how: str) -> tuple[str, ...]:
    return (
        clip(_name(hit), 44),
        hit.kind,
        how,
        f"{hit.rows:,}" if hit.rows else "-",
        f"{hit.left_out:,}" if hit.left_out else "-",
        hit.since[:16].replace("T", " "),
    )


def _name(hit: Hit) -> str:
    return short(hit.fingerprint) if hit.name == hit.fingerprint else hit.name
