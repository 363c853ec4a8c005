"""Lines, sentences and paragraphs that stand elsewhere; edits composed; the overlap of data sets."""

from __future__ import annotations

import itertools
import random
from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from corpora import written
from hypothesis import given
from hypothesis import strategies as st

from septet.core import Run
from septet.data import passages
from septet.data.steps import DeduplicatePassages, Overlap, deduplicate_passages, overlap
from septet.detect import edits
from septet.kernels import segments as segment_kernels
from septet.kernels.arrow import texts_of
from septet.kernels.segments import segments

NOTICE = "本页面仅供参考，最终以柜台公布的利率为准，恕不另行通知。"
FOOTER = "Terms apply. Ask in any branch for the current table of fees and charges."


def pages() -> list[str]:
    return [
        f"{NOTICE}\n第{number}条 贷款利率由第{number}号文件规定，自{2000 + number}年起施行，适用于全部分支机构。\n"
        f"Clause {number} sets the rate that document {number} gives, from the year {2000 + number} on.\n{FOOTER}"
        for number in range(12)
    ]


@pytest.mark.parametrize("parts", [1, 3])
@pytest.mark.parametrize("unit", ["line", "sentence"])
def test_the_first_of_repeated_passages_stays(tmp_path, unit, parts):
    made = deduplicate_passages(
        DeduplicatePassages(unit=unit), written(tmp_path / "in", pages(), parts=parts), run=Run(tmp_path / "out")
    )
    texts = [row["text"] for row in made.rows()]
    assert len(texts) == 12
    assert sum(NOTICE in text for text in texts) == 1
    assert sum("current table of fees" in text for text in texts) == 1
    assert all(f"Clause {number}" in "".join(texts) for number in range(12))
    originals = {row["id"]: row["text"] for row in written(tmp_path / "again", pages()).rows()}
    for row in made.rows():
        steps = edits.decode(row["edits"])
        start = row["text"].index("Clause")
        was_start, was_end = edits.original(steps, start, start + 6)
        assert originals[row["id"]][was_start:was_end] == "Clause"


def test_none_stays_when_none_is_to_stay_and_what_is_left_empty_is_left_out(tmp_path):
    corpus = written(tmp_path / "in", [*pages(), f"{NOTICE}\n{FOOTER}"])
    run = Run(tmp_path / "out")
    made = deduplicate_passages(DeduplicatePassages(keep="none"), corpus, run=run)
    assert not any(NOTICE in row["text"] for row in made.rows())
    assert [(row["id"], row["rule"]) for row in made.dropped()] == [("d12", "repeated passages")]
    examples = (run.out / "passages.jsonl").read_text("utf-8")
    assert NOTICE in examples
    assert '"count": 13' in examples


def test_what_a_known_corpus_holds_goes(tmp_path):
    known = written(
        tmp_path / "known", [f"{NOTICE}\nOther text of the known corpus, long enough to count."], dataset="known"
    )
    corpus = written(tmp_path / "in", [f"{NOTICE}\nA sentence of this corpus alone, which nobody else has."])
    made = deduplicate_passages(DeduplicatePassages(), corpus, (known,), run=Run(tmp_path / "out"))
    assert [row["text"] for row in made.rows()] == ["A sentence of this corpus alone, which nobody else has."]


def test_only_runs_count_when_a_span_is_asked_for(tmp_path):
    one, two, three = (f"This is sentence number {word} of the shared passage." for word in ("one", "two", "three"))
    texts = [
        f"{one} {two} {three} Then something of its own comes here for the first time.",
        f"Before it stands another thing that is new. {one} {two} {three}",
        f"{one} But only this one sentence is shared with the others here.",
    ]
    config = DeduplicatePassages(unit="sentence", span=3)
    made = deduplicate_passages(config, written(tmp_path / "in", texts), run=Run(tmp_path / "out"))
    found = [row["text"] for row in made.rows()]
    assert found[0] == texts[0]
    assert found[1].strip() == "Before it stands another thing that is new."
    assert found[2] == texts[2]


@given(st.text(alphabet='ab。.!? \n一二」"', max_size=40))
def test_segments_cover_the_text_in_order(text):
    data = text.encode()
    for unit in ("line", "sentence", "paragraph"):
        found = segments(texts_of([text]), unit)
        at = 0
        for start, end in zip(found["start"], found["end"], strict=True):
            assert at <= start < end <= len(data)
            assert data[at:start].decode().strip() == ""
            at = end
        assert data[at:].decode().strip() == ""


@given(st.lists(st.text(alphabet="ab 一é😀", max_size=12), max_size=6), st.integers(0, 10_000))
def test_cut_texts_and_spans_in_characters(texts, seed):
    draw = random.Random(seed)
    number, start, end, wanted, spans = [], [], [], [], []
    for row, text in enumerate(texts):
        bounds = sorted(draw.sample(range(len(text) + 1), k=min(len(text) + 1, 2 * draw.randint(0, 2)) // 2 * 2))
        spans_here = list(zip(bounds[::2], bounds[1::2], strict=True))
        spans += spans_here
        number += [row] * len(spans_here)
        start += [len(text[:first].encode()) for first, _ in spans_here]
        end += [len(text[:last].encode()) for _, last in spans_here]
        wanted.append("".join(c for at, c in enumerate(text) if not any(a <= at < b for a, b in spans_here)))
    columns = (np.array(column, np.int64) for column in (number, start, end))
    shorter, first, last = segment_kernels.cut(texts_of(texts), *columns)
    assert list(zip(first.tolist(), last.tolist(), strict=True)) == spans
    ends = shorter.offsets.tolist()
    assert [shorter.data[a:b].tobytes().decode() for a, b in itertools.pairwise(ends)] == wanted
    assert segment_kernels.characters(shorter) == sum(map(len, wanted))


@pytest.mark.parametrize("memory_mb", [0, 1])
def test_what_stands_often_is_counted_alike_in_any_memory(tmp_path, memory_mb):
    """A megabyte forces ranges of hashes and few counters."""
    draw = random.Random(3)
    lines = [f"line {number} of the pool, long enough to be counted" for number in range(9000)]
    texts = ["\n".join(draw.choice(lines) for _ in range(10)) for _ in range(1500)]
    parts = []
    for number in range(3):
        pq.write_table(pa.table({"text": texts[number * 500 : number * 500 + 500]}), tmp_path / f"{number}.parquet")
        piece = {
            "part": str(tmp_path / f"{number}.parquet"),
            "out": str(tmp_path / f"p{number}"),
            "unit": "line",
            "span": 1,
        }
        passages.hash_part(piece)
        parts.append(tmp_path / f"p{number}")
    found = passages.grouped(parts, {"least_bytes": 24, "least_count": 2}, memory_mb << 20)
    counts = Counter(line for text in texts for line in text.split("\n"))
    assert sorted(found.count.tolist()) == sorted(count for count in counts.values() if count > 1)
    assert (np.diff(found.first.astype(object)) > 0).all()
    firsts = {line: next(n for n, text in enumerate(texts) if line in text.split("\n")) for line in counts}
    wanted = sorted((row // 500 << 32) + row % 500 for line, row in firsts.items() if counts[line] > 1)
    assert sorted(found.place.tolist()) == wanted


def test_sentences_end_where_a_reader_ends_them():
    text = '利率为3.5。他说：“好。”然后走了！Version 1.2 is out. "Fine." End'
    found = segments(texts_of([text]), "sentence")
    data = text.encode()
    cut = [data[start:end].decode().strip() for start, end in zip(found["start"], found["end"], strict=True)]
    assert cut == ["利率为3.5。", "他说：“好。”", "然后走了！", "Version 1.2 is out.", '"Fine."', "End"]


@given(st.integers(0, 10_000))
def test_composed_edits_lead_to_the_same_text(seed):
    draw = random.Random(seed)

    def change(text: str, letter: str) -> tuple[str, list[edits.Edit]]:
        out, made, at = [], [], 0
        while at < len(text):
            if draw.random() < 0.2:
                size, length = draw.randint(0, min(3, len(text) - at)), draw.randint(0, 3)
                if size or length:
                    out.append(letter * length)
                    made.append((at, at + size, length))
                at += size
                if at < len(text):
                    out.append(text[at])
                    at += 1
            else:
                out.append(text[at])
                at += 1
        return "".join(out), made

    original = "".join(draw.choice("abcdef") for _ in range(30))
    middle, first = change(original, "X")
    final, second = change(middle, "Y")
    both = edits.compose(first, second)
    out, at, place = [], 0, 0
    for start, end, length in both:
        assert at <= start <= end
        out.append(original[at:start])
        place += start - at
        out.append(final[place : place + length])
        place += length
        at = end
    assert "".join(out) + original[at:] == final


def test_edits_of_many_texts_are_written_as_those_of_one():
    starts, ends, bounds = [0, 7, 12, 3], [5, 9, 2_000_000, 4], [0, 3, 3, 4]
    alone = [
        edits.encode([(start, end, 0) for start, end in zip(starts[a:b], ends[a:b], strict=True)])
        for a, b in itertools.pairwise(bounds)
    ]
    assert edits.encode_cuts(starts, ends, bounds) == alone


def test_how_much_of_one_data_set_another_holds(tmp_path):
    draw = random.Random(1)
    words = [f"w{number}" for number in range(400)]
    texts = [" ".join(draw.choice(words) for _ in range(60)) for _ in range(20)]
    one = written(tmp_path / "one", texts[:10], dataset="one")
    two = written(tmp_path / "two", texts[5:20], dataset="two")
    report = overlap(Overlap(), (one, two), run=Run(tmp_path / "out"))
    shares = {name: (measure.value, measure.n) for name, measure in report.summary().items()}
    assert shares == {"one in two": (0.5, 10), "two in one": (pytest.approx(5 / 15), 15)}
