"""The readers on real data: every file is accounted for, in Chinese and English, clean and dirty."""

from __future__ import annotations

import difflib
import json
from pathlib import Path

import pytest

from septet.core import Run
from septet.core.fingerprint import files_below
from septet.data.readers import registry
from septet.data.readers.file import File
from septet.data.readers.row import Row, Told, cleaned
from septet.data.steps import Read, read

SOURCES = (
    "web-dirty",
    "documents",
    "debian-docs-en-zh",
    "fin-eva-zh",
    "zh-laws",
    "us-bank-regulations",
    "eu-gdpr",
)


@pytest.mark.parametrize("name", SOURCES)
def test_each_file_is_accounted_for(shared, tmp_path, name):
    folder = shared / "corpora" / name
    if not folder.is_dir():
        pytest.skip(f"the real test data holds no {name}")
    corpus = read(Read(paths=(str(folder),), licence="test", origin="public"), Run(tmp_path / "out"))
    rows, rejected = list(corpus.rows()), list(corpus.rejected())
    files = {file for file, _ in files_below(folder)}
    assert {row["source"] for row in rows} | {one["source"] for one in rejected} == files
    assert len({row["id"] for row in rows}) == len(rows)
    assert all(row["text"].strip() for row in rows)
    assert all(one["reason"] and one["rule"] for one in rejected)
    # What no one can read is a small part of any of these.
    lost = [
        one for one in rejected if one["rule"] in ("unreadable", "encoding", "binary", "broken record", "not a file")
    ]
    assert len(lost) <= 0.02 * len(rows) + 2, lost


def rows_of(path: Path, **told) -> list[Row]:
    if not path.exists():
        pytest.skip(f"the real test data holds no {path.name}")
    return [item for item in registry.rows(File(path.name, Told(**told), path=path)) if isinstance(item, Row)]


def test_records_are_as_many_as_they_are(shared):
    corpora = shared / "corpora"
    found = [*corpora.glob("us-bank-regulations/*.jsonl"), *corpora.glob("web-dirty/commoncrawl/*.jsonl")]
    for path in found:
        lines = [json.loads(line) for line in path.read_bytes().split(b"\n") if line.strip()]
        texts = [row.text for row in rows_of(path)]
        assert texts == [cleaned(line.get("text") or line["raw_content"]) for line in lines]


def test_a_japanese_table_and_a_mail_of_outlook(shared):
    folder = shared / "corpora" / "documents" / "markitdown"
    assert len(rows_of(folder / "test_mskanji.csv")) == 3
    (message,) = rows_of(folder / "test_outlook_msg.msg")
    assert json.loads(message.meta)["date"].startswith("Sun, 22 Dec 2024")


def test_tables_of_a_filing_stay_tables(shared):
    (row,) = rows_of(shared / "corpora" / "documents" / "sec" / "apple-10-Q-2025-08-01.html")
    assert row.text.startswith("UNITED STATES")
    assert row.text.count("\n| --- |") > 20


@pytest.mark.slow
@pytest.mark.parametrize("page", ["scan-page46.zh-cn", "scan-page61.zh-cn"])
def test_scans_in_chinese_are_read_by_ocr(shared, page):
    pytest.importorskip("rapidocr")
    folder = shared / "corpora" / "debian-docs-en-zh" / "pdf"
    (row,) = rows_of(folder / f"{page}.png", ocr=True)
    said = "".join((folder / f"{page}.txt").read_text("utf-8").split())
    assert json.loads(row.meta)["ocr_confidence"] > 0.9
    assert difflib.SequenceMatcher(None, said, "".join(row.text.split()), autojunk=False).ratio() > 0.75
