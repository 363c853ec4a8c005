"""Retrieval quality on real texts and questions: full text, vectors, both fused, reranked; Chinese, English and crossed.

    python benchmarks/retrieval.py ../shared/corpora universal-sentence-encoder multilingual

Collections: articles of eight Chinese laws and of the GDPR asked by the questions of `retrieval_questions.jsonl` (written for
this, in customers' words, in two halves: the rules were chosen on `tune`, `test` was looked at last); paragraphs of US banking
rules asked by the official interpretations that explain them; CMRC 2018; the handbook's own questions. Full text is BM25 of
SQLite FTS5 over the product's terms; the rest is the product's code. Every row: R@1, R@5, MRR, nDCG@10 with 95 % intervals, and
CPU milliseconds a question.
"""

from __future__ import annotations

import argparse
import json
import re
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from septet import statistics
from septet.core import MissingExtra
from septet.detect.language import language
from septet.evaluate.ranking import MEASURES, measured
from septet.inference.embedding import encode_queries, load_encoder
from septet.inference.rerank import load_reranker
from septet.knowledge import bilingual, fusion
from septet.knowledge.chunk import chunks
from septet.knowledge.terms import terms

HERE = Path(__file__).parent
LAWS = (
    "商业银行法(2015",
    "反洗钱法(2024",
    "个人信息保护法(",
    "征信业管理条例(",
    "存款保险条例(",
    "消费者权益保护法(",
    "/保险法(",
    "非银行支付机构监督",
)
SIZE = 700
POOL = 20


class Passage(NamedTuple):
    """A chunk that is searched, and what it is part of."""

    title: str
    context: str
    text: str


class Collection(NamedTuple):
    """Passages, questions with the passages that answer them."""

    name: str
    passages: list[Passage]
    questions: list[str]
    answers: list[set[int]]


def number(words: str) -> int:
    """A Chinese number below a thousand."""
    digits = "零一二三四五六七八九"
    total, held = 0, 0
    for word in words:
        if word in digits:
            held = digits.index(word)
        else:
            total, held = total + (held or 1) * {"十": 10, "百": 100}[word], 0
    return total + held


def cut(text: str, title: str) -> Iterator[tuple[Passage, int, int]]:
    for chunk in chunks(text, title, SIZE):
        yield Passage(chunk.title, chunk.context, text[chunk.start : chunk.end]), chunk.start, chunk.end


def laws(shared: Path) -> tuple[list[Passage], dict[tuple[str, int], set[int]]]:
    passages: list[Passage] = []
    places: dict[tuple[str, int], set[int]] = {}
    for path in sorted((shared / "zh-laws").rglob("*.md")):
        if not any(name in f"/{path.name}" for name in LAWS):
            continue
        text, name = path.read_text("utf-8"), path.name.split("(")[0]
        marks = [
            (m.start(), number(m[1])) for m in re.finditer(r"^第([一二三四五六七八九十百零]+)条\s", text, re.MULTILINE)
        ]
        ends = [start for start, _ in marks[1:]] + [len(text)]
        for passage, start, end in cut(text, name):
            for (begin, article), stop in zip(marks, ends, strict=True):
                if start < stop and begin < end:
                    places.setdefault((name, article), set()).add(len(passages))
            passages.append(passage)
    return passages, places


def gdpr(shared: Path) -> tuple[list[Passage], dict[tuple[str, int], set[int]]]:
    lines: list[str] = []

    def walk(node: dict[str, Any]) -> None:
        kind, name = node.get("type"), node.get("number")
        if kind in ("chapter", "section", "article"):
            level = ("chapter", "section", "article").index(kind) + 1
            lines.append(f"{'#' * level} {kind.title()} {name} {node['title']}")
        elif node.get("text"):
            shape = f"({name}) " if name and not str(name).isdigit() else f"{name}. " if name else ""
            lines.append(shape + node["text"].strip())
        for inner in [*(node.get("contents") or []), *(node.get("subpoints") or [])]:
            walk(inner)

    for chapter in json.loads((shared / "eu-gdpr" / "gdpr.json").read_text("utf-8"))["chapters"]:
        walk(chapter)
    passages, places = [], {}
    for passage, _, _ in cut("\n\n".join(lines), "General Data Protection Regulation"):
        article = re.search(r"Article (\d+) ", passage.title)
        if article:
            places.setdefault(("GDPR", int(article[1])), set()).add(len(passages))
        passages.append(passage)
    return passages, places


def written(shared: Path) -> Iterator[Collection]:
    """The questions in customers' words, by half."""
    rows = [json.loads(line) for line in (HERE / "retrieval_questions.jsonl").read_text("utf-8").splitlines()]
    chinese, english = laws(shared), gdpr(shared)
    for half in ("tune", "test"):
        for kind, (passages, places) in (("law", chinese), ("law_en", chinese), ("gdpr_zh", english)):
            asked = [row for row in rows if row["set"] == kind and row["half"] == half]
            answers = [places[row["document"], row["article"]] for row in asked]
            yield Collection(f"{kind} {half}", passages, [row["question"] for row in asked], answers)


def regulations(shared: Path, part: str) -> Iterator[Collection]:
    """Interpretation to explained paragraph; `first` has one interpretation a paragraph. Paragraphs stand alone, as in the
    source."""
    path = shared / "us-bank-regulations" / "paragraphs.jsonl"
    rows = [row for row in map(json.loads, path.read_text("utf-8").splitlines()) if row["part"] == part]
    places = {row["id"]: at for at, row in enumerate(row for row in rows if row["kind"] == "paragraph")}
    passages = [Passage(row["section"], "", row["text"]) for row in rows if row["kind"] == "paragraph"]
    asked = [
        row
        for row in rows
        if row.get("explains") in places and re.search(r"-Interp-\d+$", row["id"]) and len(row["text"]) >= 80
    ]
    first = list({row["explains"]: row for row in reversed(asked)}.values())[::-1]
    held, spans = as_document([row for row in rows if not row["kind"].startswith("interp")])
    pieces = list(cut(held, rows[0]["regulation"]))
    inside = {
        name: {at for at, (_, a, b) in enumerate(pieces) if a < end and start < b}
        for name, (start, end) in spans.items()
    }
    for name, some in (("first", first), ("all", asked)):
        questions = [row["text"] for row in some]
        yield Collection(f"{part} {name}", passages, questions, [{places[row["explains"]]} for row in some])
        chunked = [piece for piece, _, _ in pieces]
        yield Collection(f"{part} cut {name}", chunked, questions, [inside[row["explains"]] for row in some])


def as_document(rows: list[dict[str, Any]]) -> tuple[str, dict[str, tuple[int, int]]]:
    """A regulation as one text, sections as headings, with the span of each paragraph: for the product's own cutting."""
    text, spans = "", {}
    for row in rows:
        line = f"## {row['text']}" if row["kind"] == "section" else row["text"]
        spans[row["id"]] = (len(text), len(text) + len(line))
        text += line + "\n\n"
    return text, spans


def cmrc(shared: Path) -> Collection:
    passages, questions, answers = [], [], []
    for entry in json.loads((shared / "cmrc2018-zh" / "cmrc2018_dev_part.json").read_text("utf-8"))["data"]:
        for paragraph in entry["paragraphs"]:
            for asked in paragraph["qas"]:
                questions.append(asked["question"])
                answers.append({len(passages)})
            passages.append(Passage("", "", paragraph["context"]))
    return Collection("cmrc", passages, questions[::4], answers[::4])


def handbook() -> Collection:
    folder = HERE.parent / "docs" / "handbook"
    passages, places = [], {}
    for path in sorted(folder.rglob("*.md")):
        for passage, _, _ in cut(path.read_text("utf-8"), ""):
            places.setdefault(f"{path.parent.name}/{path.name}", []).append(len(passages))
            passages.append(passage)
    questions, answers = [], []
    for line in (HERE.parent / "recipes" / "handbook" / "questions.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        evidence = row.get("evidence")
        if evidence:
            source = f"{row['language']}/{Path(evidence['source']).name}"
            right = {at for at in places.get(source, ()) if evidence["quote"] in passages[at].text}
            if right:
                questions.append(row["question"])
                answers.append(right)
    return Collection("handbook", passages, questions, answers)


class Text:
    """BM25 over terms; headings count twice, as in the product."""

    def __init__(self, passages: list[Passage]) -> None:
        self.held = [[*terms(p.title) * 2, *terms(p.context), *terms(p.text)] for p in passages]
        self._index = sqlite3.connect(":memory:")
        self._index.execute(
            "create virtual table t using fts5(body, content='', tokenize='unicode61 remove_diacritics 0')"
        )
        rows = ((at, " ".join(words)) for at, words in enumerate(self.held))
        self._index.executemany("insert into t(rowid, body) values (?, ?)", rows)

    def scores(self, words: list[str]) -> Any:
        found = np.zeros(len(self.held))
        if words:
            match = " OR ".join(f'"{word}"' for word in dict.fromkeys(words))
            for at, score in self._index.execute("select rowid, -bm25(t) from t where t match ?", (match,)):
                found[at] = max(score, 1e-9)
        return found


_VECTORS: dict[tuple[str, int], Any] = {}
"""Vectors of passages by encoder and list of passages: several collections ask the same ones."""


def vectors_of(name: str, encoder: Any, passages: list[Passage], read: list[str]) -> Any:
    key = name, id(passages)
    if key not in _VECTORS:
        began = time.process_time()
        _VECTORS[key] = encoder.encode(read)
        print(f"{name}: {len(read) / (time.process_time() - began):.0f} passages a CPU second", file=sys.stderr)
    return _VECTORS[key]


def searches(
    collection: Collection, encoders: list[str], rerankers: list[str]
) -> Iterator[tuple[str, Callable[[str], Any]]]:
    """Ways to score all passages for a question, by name."""
    passages = collection.passages
    index = Text(passages)
    read = ["\n".join(filter(None, passage)) for passage in passages]
    side = np.array([language(passage.text) in ("zh", "mixed") for passage in passages])
    yield "text", lambda asked: index.scores(terms(asked))
    for name in encoders:
        try:
            encoder = load_encoder(name)
        except MissingExtra as missing:
            print(f"left out: {name}: {missing}", file=sys.stderr)
            continue
        vectors = vectors_of(name, encoder, passages, read)

        def near(asked: str, encoder: Any = encoder, vectors: Any = vectors) -> Any:
            return vectors @ encode_queries(encoder, [asked])[0]

        def fused(asked: str, crossed: bool, near: Callable[[str], Any] = near) -> Any:
            words = terms(asked)
            found = index.scores(words)
            best = int(found.argmax()) if found.any() else -1
            covered = fusion.coverage(words, set(index.held[best])) if best >= 0 else 0.0
            same = side == (language(asked) in ("zh", "mixed"))
            shares = None
            if crossed and not same.all():
                phrases = bilingual.translations(asked)
                shares = [0.0 if one else bilingual.share(phrases, index.held[at]) for at, one in enumerate(same)]
            return fusion.fuse(found, near(asked), covered, same, shares)

        yield name, near
        yield f"fused {name}", lambda asked, fused=fused: fused(asked, False)
        crossed = any(one != (language(collection.questions[0]) in ("zh", "mixed")) for one in side)
        if crossed and bilingual.installed():
            bilingual.dictionary()
            yield f"fused {name} + dictionary", lambda asked, fused=fused: fused(asked, True)
        for judge in rerankers:
            try:
                reranker = load_reranker(judge)
            except MissingExtra as missing:
                print(f"left out: {judge}: {missing}", file=sys.stderr)
                continue
            if reranker.languages and language(collection.questions[0]) not in reranker.languages:
                continue

            judgements: dict[str, Any] = {}

            def reranked(
                asked: str, weight: float, fused: Any = fused, reranker: Any = reranker, judgements: Any = judgements
            ) -> Any:
                plain = fused(asked, False)
                pool = np.argsort(-plain, kind="stable")[:POOL]
                # Weights are compared on the same judgements; the first of them pays for these.
                if asked not in judgements:
                    judgements[asked] = reranker.score(asked, [read[at] for at in pool])
                scores = plain - plain.max() - 1e6
                scores[pool] = fusion.reordered(plain[pool], judgements[asked], weight)
                return scores

            for weight in (0.3, 0.5, 0.7):
                yield f"fused {name}, {judge} {weight}", lambda asked, r=reranked, w=weight: r(asked, w)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shared", type=Path)
    parser.add_argument("encoders", nargs="+")
    parser.add_argument("--rerank", nargs="*", default=[])
    parser.add_argument("--only", default="", help="collections whose name matches this pattern")
    parser.add_argument("--parts", nargs="*", default=["1005"])
    options = parser.parse_args()
    found = [*written(options.shared), handbook(), cmrc(options.shared)]
    found += [one for part in options.parts for one in regulations(options.shared, part)]
    for collection in found:
        if not re.search(options.only, collection.name):
            continue
        asked = len(collection.questions)
        print(f"\n{collection.name}: {asked} questions, {len(collection.passages)} passages\n", flush=True)
        print(f"| search | {' | '.join(MEASURES)} | CPU ms a question |\n|---|{'---|' * (len(MEASURES) + 1)}")
        for name, search in searches(collection, options.encoders, options.rerank):
            began = time.process_time()
            ranks = []
            for question, right in zip(collection.questions, collection.answers, strict=True):
                scores = search(question)
                order = np.argsort(-scores, kind="stable")
                ranks.append([at for at, one in enumerate(order.tolist(), 1) if one in right and scores[one] != 0])
            spent = 1000 * (time.process_time() - began) / asked
            values = [measured(places, len(right)) for places, right in zip(ranks, collection.answers, strict=True)]
            cells = [statistics.mean([one[measure] for one in values]) for measure in MEASURES]
            shown = " | ".join(f"{cell.value:.3f} ({cell.low:.2f} to {cell.high:.2f})" for cell in cells)
            print(f"| {name} | {shown} | {spent:.1f} |", flush=True)


if __name__ == "__main__":
    main()
