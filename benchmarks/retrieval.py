"""Retrieval quality on real texts and questions: full text, vectors, both fused, reranked; Chinese, English and crossed.

    python benchmarks/retrieval.py ../shared/corpora universal-sentence-encoder multilingual

Collections: articles of eight Chinese laws and of the GDPR asked by the questions of `retrieval_questions.jsonl` (written for
this, in two halves: the rules were chosen on `tune`, `test` was looked at last). Those of `law_plain`, `law_plain_en` and
`gdpr_plain_zh` are asked as a bank's customer would, over six laws and the GDPR; the others share few words with the articles on
purpose. Paragraphs of US banking rules asked by the official interpretations that explain them; CMRC 2018; the handbook's own
questions; pages of Debian's handbook asked by the titles of the same pages in the other language. All through the product's
`Searcher`. Every row: R@1, R@5, MRR, nDCG@10 with 95 % intervals, and CPU milliseconds a question.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from septet import statistics
from septet.core import MissingExtra
from septet.data.readers.html import draw
from septet.detect.language import language
from septet.evaluate.ranking import MEASURES, measured
from septet.inference.embedding import Encoder, encode_queries, load_encoder
from septet.inference.rerank import load_reranker
from septet.kinds import KnowledgeBase
from septet.knowledge import bilingual
from septet.knowledge.build import COLUMNS, Ways, write
from septet.knowledge.chunk import chunks
from septet.knowledge.search import Mode, Searcher

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
DEPTH = 50
"""Hits that are looked at: a right one beyond them counts as not found."""


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


def cut(text: str, title: str, size: int = SIZE) -> Iterator[tuple[Passage, int, int]]:
    for chunk in chunks(text, title, size):
        yield Passage(chunk.title, chunk.context, text[chunk.start : chunk.end]), chunk.start, chunk.end


def laws(shared: Path, names: Sequence[str], size: int = SIZE) -> tuple[list[Passage], dict[tuple[str, int], set[int]]]:
    passages: list[Passage] = []
    places: dict[tuple[str, int], set[int]] = {}
    for path in sorted((shared / "zh-laws").rglob("*.md")):
        if not any(name in f"/{path.name}" for name in names):
            continue
        text, name = path.read_text("utf-8"), path.name.split("(")[0]
        marks = [
            (m.start(), number(m[1])) for m in re.finditer(r"^第([一二三四五六七八九十百零]+)条\s", text, re.MULTILINE)
        ]
        ends = [start for start, _ in marks[1:]] + [len(text)]
        for passage, start, end in cut(text, name, size):
            for (begin, article), stop in zip(marks, ends, strict=True):
                if start < stop and begin < end:
                    places.setdefault((name, article), set()).add(len(passages))
            passages.append(passage)
    return passages, places


def gdpr(shared: Path, size: int = SIZE) -> tuple[list[Passage], dict[tuple[str, int], set[int]]]:
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
    for passage, _, _ in cut("\n\n".join(lines), "General Data Protection Regulation", size):
        article = re.search(r"Article (\d+) ", passage.title)
        if article:
            places.setdefault(("GDPR", int(article[1])), set()).add(len(passages))
        passages.append(passage)
    return passages, places


def written(shared: Path) -> Iterator[Collection]:
    """The questions in customers' words, by half."""
    rows = [json.loads(line) for line in (HERE / "retrieval_questions.jsonl").read_text("utf-8").splitlines()]
    six, eight, english = laws(shared, LAWS[:6]), laws(shared, LAWS), gdpr(shared)
    places_of = {
        "law_plain": six,
        "law_plain_en": six,
        "gdpr_plain_zh": english,
        "law": eight,
        "law_en": eight,
        "gdpr_zh": english,
    }
    for half in ("tune", "test"):
        for kind, (passages, places) in places_of.items():
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


def pages(shared: Path) -> Iterator[Collection]:
    """Pages of Debian's handbook in one language, asked by the titles of the same pages in the other."""
    folder = shared / "debian-docs-en-zh" / "handbook"
    read = {
        side: {path.name: draw(path.read_bytes()) for path in sorted((folder / side).glob("*.html"))}
        for side in ("zh-CN", "en-US")
    }
    both = sorted(read["zh-CN"].keys() & read["en-US"].keys())
    for asking, asked in (("zh-CN", "en-US"), ("en-US", "zh-CN")):
        passages, places = [], {}
        for name, page in read[asked].items():
            for passage, _, _ in cut(page.text, page.title):
                places.setdefault(name, set()).add(len(passages))
                passages.append(passage)
        # A title begins with a number, which would give the page away.
        titles = [
            re.sub(r"^(第 ?|Chapter |Appendix |附录 ?)?[0-9A-Z][\d.]* ?章?[.。]?\s+", "", read[asking][name].title)
            for name in both
        ]
        yield Collection(f"debian {asking} to {asked}", passages, titles, [places[name] for name in both])


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


_VECTORS: dict[tuple[str, str], Any] = {}
"""Vectors of passages by encoder and text: several collections ask the same ones."""


class Remembered:
    """An encoder that reads a passage once."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.name = encoder.name
        self.width = encoder.width

    def encode(self, texts: Sequence[str]) -> Any:
        new = [text for text in dict.fromkeys(texts) if (self.name, text) not in _VECTORS]
        if new:
            began = time.process_time()
            _VECTORS.update(zip(((self.name, text) for text in new), self._encoder.encode(new), strict=True))
            spent = 1000 * (time.process_time() - began) / len(new)
            print(f"{self.name}: {spent:.0f} CPU ms a passage", file=sys.stderr)
        return np.stack([_VECTORS[self.name, text] for text in texts])

    def encode_queries(self, texts: Sequence[str]) -> Any:
        return encode_queries(self._encoder, texts)


def knowledge_base(passages: list[Passage], encoder: Encoder, place: Path) -> KnowledgeBase:
    """An artifact of these passages; the id of each is its place in the list."""
    place.mkdir(parents=True)
    empty = dict.fromkeys((name for name, kind in COLUMNS.items() if kind == "string"), "")
    numbers = dict.fromkeys((name for name, kind in COLUMNS.items() if kind != "string"), 0)
    rows = (
        {**empty, **numbers, **passage._asdict(), "id": str(at), "language": language(passage.text)}
        for at, passage in enumerate(passages)
    )
    return write(place, rows, encoder, Ways(dictionary=bilingual.installed()), lambda _: None)


def searchers(
    collection: Collection, encoders: list[str], rerankers: list[str], place: Path
) -> Iterator[tuple[str, Mode, Searcher]]:
    """Ways to search, by name."""
    asked = language(collection.questions[0])
    for at, name in enumerate(encoders):
        try:
            encoder = Remembered(load_encoder(name))
        except MissingExtra as missing:
            print(f"left out: {name}: {missing}", file=sys.stderr)
            continue
        knowledge = knowledge_base(collection.passages, encoder, place / str(at) / "artifact")
        searcher = Searcher(knowledge, encoder, place / str(at) / "index")
        if at == 0:
            yield "text", "text", searcher
        yield name, "vector", searcher
        yield f"fused {name}", "hybrid", searcher
        searcher.close()
        for judge in rerankers:
            try:
                reranker = load_reranker(judge)
            except MissingExtra as missing:
                print(f"left out: {judge}: {missing}", file=sys.stderr)
                continue
            if reranker.languages and asked not in reranker.languages:
                continue
            searcher = Searcher(knowledge, encoder, place / str(at) / "index", reranker)
            yield f"fused {name}, {judge.partition(':')[0]}", "hybrid", searcher
            searcher.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shared", type=Path)
    parser.add_argument("encoders", nargs="+")
    parser.add_argument("--rerank", nargs="*", default=[])
    parser.add_argument("--only", default="", help="collections whose name matches this pattern")
    parser.add_argument("--parts", nargs="*", default=["1005"])
    options = parser.parse_args()
    found = [*written(options.shared), handbook(), *pages(options.shared), cmrc(options.shared)]
    found += [one for part in options.parts for one in regulations(options.shared, part)]
    for collection in found:
        if not re.search(options.only, collection.name):
            continue
        asked = len(collection.questions)
        print(f"\n{collection.name}: {asked} questions, {len(collection.passages)} passages\n", flush=True)
        print(f"| search | {' | '.join(MEASURES)} | CPU ms a question |\n|---|{'---|' * (len(MEASURES) + 1)}")
        with tempfile.TemporaryDirectory(prefix="septet-retrieval-") as place:
            for name, mode, searcher in searchers(collection, options.encoders, options.rerank, Path(place)):
                # What is read once a process is no cost of a question.
                searcher.search(collection.questions[0], DEPTH, mode)
                began = time.process_time()
                values = []
                for question, right in zip(collection.questions, collection.answers, strict=True):
                    hits = searcher.search(question, DEPTH, mode)
                    ranks = [rank for rank, hit in enumerate(hits, 1) if int(hit.chunk["id"]) in right]
                    values.append(measured(ranks, len(right)))
                spent = 1000 * (time.process_time() - began) / asked
                cells = [statistics.mean([one[measure] for one in values]) for measure in MEASURES]
                shown = " | ".join(f"{cell.value:.3f} ({cell.low:.2f} to {cell.high:.2f})" for cell in cells)
                print(f"| {name} | {shown} | {spent:.1f} |", flush=True)


if __name__ == "__main__":
    main()
