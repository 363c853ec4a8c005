"""The same files from one process, worker processes, a Ray cluster of two, under another bound on memory, and after a kill."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from septet.core import Run, StepFailed
from septet.core.pool import Serial
from septet.data import stream
from septet.data.steps import Deduplicate, DeduplicatePassages, deduplicate, deduplicate_passages
from septet.engines.cluster import DaftPool
from septet.engines.pools import Processes
from septet.kinds import Corpus

NOTICE = "本公司提供的资料仅供参考，具体条款以合同为准。"


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Documents in both languages, in five parts, with copies, near copies and a shared line."""
    draw = random.Random(5)
    english = [f"word{number}" for number in range(500)]
    chinese = [chr(0x4E00 + number) for number in range(800)]
    texts: list[str] = []
    for number in range(400):
        if number % 5 == 4:
            text = texts[draw.randrange(len(texts))]
            text = text if draw.random() < 0.5 else text.replace("。", "；", 1) + " tail"
        elif number % 2:
            text = ". ".join(" ".join(draw.choice(english) for _ in range(12)) for _ in range(6)) + "."
        else:
            text = "".join("".join(draw.choice(chinese) for _ in range(20)) + "。" for _ in range(6))
        texts.append(text + (f"\n{NOTICE}\n" if number % 7 == 0 else ""))
    path = tmp_path_factory.mktemp("corpus") / "in"
    for part in range(5):
        rows = [
            {
                "id": f"d{number}",
                "text": texts[number],
                "source": f"{number}.txt",
                "source_digest": "",
                "start": 0,
                "end": len(texts[number]),
                "language": "zh",
                "licence": "x",
                "origin": "public",
                "access": "public",
                "transforms": [],
            }
            for number in range(part, 400, 5)
        ]
        Corpus.write(path / f"p{part}", rows)
        (path / f"p{part}" / "part-00000.parquet").rename(path / f"part-{part:05d}.parquet")
        (path / f"p{part}").rmdir()
    return Corpus(path)


def digests(path: Path) -> dict[str, str]:
    return {
        str(file.relative_to(path)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(path.rglob("*"))
        if file.is_file()
    }


def chain(corpus: Corpus, path: Path, pool) -> dict[str, str]:
    config = DeduplicatePassages(unit="sentence", least_left=10)
    lines = deduplicate_passages(config, corpus, run=Run(path / "lines", pool=pool))
    unique = deduplicate(Deduplicate(), lines, run=Run(path / "unique", pool=pool))
    assert {row["rule"] for row in unique.dropped()} <= {"exact duplicate", "near duplicate"}
    assert 0 < unique.count() < corpus.count()
    return digests(path)


def test_workers_and_memory_change_nothing(corpus, tmp_path):
    alone = chain(corpus, tmp_path / "alone", Serial())
    assert chain(corpus, tmp_path / "two", Processes(2)) == alone
    assert chain(corpus, tmp_path / "small", Serial(memory_mb=64)) == alone


def test_a_ray_cluster_of_two_makes_the_same_files(corpus, tmp_path):
    pytest.importorskip("daft", reason="the extra septet[ray] is not installed")
    pytest.importorskip("ray", reason="the extra septet[ray] is not installed")
    import ray

    try:
        assert chain(corpus, tmp_path / "ray", DaftPool("", 2, 0)) == chain(corpus, tmp_path / "alone", Serial())
    finally:
        ray.shutdown()


def dies_once(settings):
    """A work that fails in its third part unless a flag is there."""

    def work(table):
        if "d2" in table["id"].to_pylist() and not Path(settings["flag"]).exists():
            raise StepFailed("the power went out", "Start again")
        mask = pc.greater(pc.utf8_length(table["text"]), 130).to_numpy(zero_copy_only=False)
        gone = int((~mask).sum())
        return stream.Sorted(*stream.split(table, mask, ["short"] * gone, [0.0] * gone))

    return work


def test_what_is_done_before_a_failure_is_not_done_again(corpus, tmp_path):
    flag = tmp_path / "flag"
    run = Run(tmp_path / "out", tmp_path / "scratch")
    with pytest.raises(StepFailed, match="power"):
        stream.apply(corpus, run, dies_once, {"flag": str(flag)})
    done = {path: path.stat().st_mtime_ns for path in sorted(run.scratch.glob("*/done.json"))}
    assert len(done) == 2
    flag.touch()
    run = Run(tmp_path / "out", tmp_path / "scratch")
    passed = stream.apply(corpus, run, dies_once, {"flag": str(flag)})
    assert all(path.stat().st_mtime_ns == when for path, when in done.items())
    assert passed.rows == 400 == passed.kept + sum(passed.dropped.values())
    whole = Run(tmp_path / "whole")
    stream.apply(corpus, whole, dies_once, {"flag": str(flag)})
    assert digests(tmp_path / "whole") == digests(tmp_path / "out")


def loses_rows(_):
    return lambda table: stream.Sorted(table.slice(1))


def test_a_row_that_vanishes_is_an_error(corpus, tmp_path):
    with pytest.raises(StepFailed, match="a row may not vanish"):
        stream.apply(corpus, Run(tmp_path / "out"), loses_rows, {})


def test_row_groups_end_by_content_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(stream, "GROUP_ROWS", 7)
    monkeypatch.setattr(stream, "GROUP_BYTES", 100)
    draw = random.Random(2)
    texts = ["x" * draw.choice((1, 5, 30, 60, 150)) for _ in range(60)]
    schema = pa.schema([("text", pa.string())])
    groups = []
    for batch in (1, 2, 5, 13, 60):
        path = tmp_path / f"{batch}.parquet"
        with stream.Writer(path, schema) as writer:
            for start in range(0, 60, batch):
                writer.add(pa.table({"text": texts[start : start + batch]}, schema))
        file = pq.ParquetFile(path)
        groups.append([file.metadata.row_group(k).num_rows for k in range(file.metadata.num_row_groups)])
        assert file.read()["text"].to_pylist() == texts
    assert all(one == groups[0] for one in groups)
    at = 0
    for size in groups[0][:-1]:
        held = sum(map(len, texts[at : at + size]))
        assert size == 7 or held >= 100
        assert held - len(texts[at + size - 1]) < 100
        at += size


def test_a_transform_is_added_to_each_row():
    lists = pa.array([["a", "b"], [], ["c"]], pa.list_(pa.string()))
    table = pa.table({"transforms": pa.concat_arrays([lists, lists])}).slice(1, 4)
    assert stream.with_transform(table, "new")["transforms"].to_pylist() == [
        ["new"],
        ["c", "new"],
        ["a", "b", "new"],
        ["new"],
    ]
