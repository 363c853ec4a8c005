"""Reading files: every format, every encoding, and everything that is broken named with its reason."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from septet.core import ConfigError, Run, StepFailed
from septet.core.fingerprint import digest
from septet.data.readers import office
from septet.data.readers.encoding import decode
from septet.data.readers.row import Unreadable
from septet.data.steps import Read, read
from septet.kinds import Corpus

CHINESE = "账本是只能追加的事实清单。每个条目都包含前一个条目的摘要，因此任何改动都会被发现。"
TRADITIONAL = "帳本是只能追加的事實清單。每個條目都包含前一個條目的摘要，因此任何改動都會被發現。"


def corpus_of(folder: Path, tmp_path: Path) -> Corpus:
    return read(Read(paths=(str(folder),), licence="CC0-1.0", origin="public"), Run(tmp_path / "out"))


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "in"
    place.mkdir()
    return place


def test_every_format_is_read_with_source_span_and_title(folder, tmp_path):
    import docx

    (folder / "a.md").write_text(f"# 账本\n\n{CHINESE}\n", "utf-8")
    (folder / "sub").mkdir()
    (folder / "sub" / "b.txt").write_bytes("A plain text.\r\nSecond line.\r\n".encode("utf-16"))
    (folder / "c.html").write_text(
        "<html><head><title>Page</title><script>evil()</script></head><body><nav>menu</nav>"
        "<h2>Fees</h2><p>The fee is <b>3</b> yuan.</p><table><tr><th>k</th><td>v</td></tr></table>"
        "<ul><li>one</li><li>two</li></ul><pre>x = 1\ny = 2</pre></body></html>",
        "utf-8",
    )
    document = docx.Document()
    document.add_heading("Rules", 1)
    document.add_paragraph("Accounts are closed on request.")
    table = document.add_table(2, 2)
    for cell, text in zip((c for row in table.rows for c in row.cells), ("kind", "fee", "card", "3"), strict=True):
        cell.text = text
    document.save(folder / "d.docx")
    rows = {row["source"]: row for row in corpus_of(folder, tmp_path).rows()}
    assert set(rows) == {"a.md", "sub/b.txt", "c.html", "d.docx"}
    assert rows["a.md"]["title"] == "账本"
    assert rows["a.md"]["language"] == "zh"
    assert rows["sub/b.txt"]["text"] == "A plain text.\nSecond line.\n"
    page = rows["c.html"]["text"]
    assert "## Fees" in page
    assert "The fee is 3 yuan." in page
    assert "| k | v |" in page
    assert "- one\n" in page
    assert "x = 1\ny = 2" in page
    assert "evil" not in page
    assert "menu" not in page
    assert "# Rules" in rows["d.docx"]["text"]
    assert "| card | 3 |" in rows["d.docx"]["text"]
    for row in rows.values():
        assert row["source_digest"] == digest((folder / row["source"]).read_bytes())
        assert (row["start"], row["end"]) == (0, len(row["text"]))
        assert row["licence"] == "CC0-1.0"
        assert row["access"] == "internal"


@pytest.mark.parametrize(
    ("encoding", "text"), [("gb18030", CHINESE), ("big5", TRADITIONAL), ("utf-8-sig", CHINESE), ("utf-16", CHINESE)]
)
def test_chinese_encodings_are_told_apart(encoding, text):
    assert decode((text * 3).encode(encoding)) == text * 3


def test_what_is_no_text_is_no_document():
    for data in (bytes(range(256)) * 20, b"\xff\xfe\x00", b"\x81\x20\x81\x20" * 50):
        with pytest.raises(Unreadable):
            decode(data)


def test_broken_files_are_rejected_by_name_and_do_not_stop_the_rest(folder, tmp_path):
    (folder / "good.txt").write_text("Good text stays.", "utf-8")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4 and then nothing that a reader could use")
    (folder / "broken.docx").write_bytes(b"PK\x03\x04 no archive")
    (folder / "empty.txt").write_text("  \n", "utf-8")
    (folder / "table.xlsx").write_bytes(b"PK")
    (folder / "binary.txt").write_bytes(bytes(range(256)))
    (folder / ".hidden.txt").write_text("not part of a source")
    corpus = corpus_of(folder, tmp_path)
    assert [row["source"] for row in corpus.rows()] == ["good.txt"]
    reasons = {one["source"]: one["reason"] for one in corpus.rejected()}
    assert set(reasons) == {"broken.pdf", "broken.docx", "empty.txt", "table.xlsx", "binary.txt"}
    assert "not a readable PDF" in reasons["broken.pdf"]
    assert "not a readable DOCX" in reasons["broken.docx"]
    assert "is not a readable XLSX file" in reasons["table.xlsx"]
    assert reasons["empty.txt"] == "holds no text"


def test_an_archive_bomb_is_not_unpacked(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(office, "MAX_UNPACKED", 1 << 20)
    with zipfile.ZipFile(folder / "bomb.docx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b"0" * (2 << 20))
    (folder / "good.txt").write_text("Good text stays.")
    assert "more than the bound" in next(corpus_of(folder, tmp_path).rejected())["reason"]


def test_pages_of_a_pdf_keep_their_numbers_and_a_scan_is_named(shared, tmp_path):
    found = [path for path in sorted((shared / "corpora").rglob("*.pdf")) if path.stat().st_size < 3_000_000][:4]
    if not found:
        pytest.skip("the real test data holds no PDF")
    for number, path in enumerate(found):
        out = tmp_path / str(number)
        corpus = read(Read(paths=(str(path),), licence="test", origin="public"), Run(out))
        rows = list(corpus.rows())
        assert [row["page"] for row in rows] == sorted({row["page"] for row in rows})
        assert all(row["end"] - row["start"] == len(row["text"]) for row in rows)
        named = {one["where"] for one in corpus.rejected()}
        assert not named & {f"page {row['page']}" for row in rows}


@pytest.mark.parametrize(
    ("name", "reason"), [("password-protected.pdf", "not a readable PDF"), ("ocr_test.pdf", "which needs OCR")]
)
def test_locked_and_scanned_pdfs_say_so(shared, tmp_path, name, reason):
    path = shared / "corpora" / "documents" / "docling" / name
    if not path.exists():
        pytest.skip(f"the real test data holds no {name}")
    with pytest.raises(StepFailed, match=reason):
        read(Read(paths=(str(path),), licence="test", origin="public"), Run(tmp_path / "out"))


@pytest.mark.parametrize(
    ("files", "message"),
    [({}, "there are no files"), ({"a.xyz": b"x"}, "no reader"), ({"a.txt": b""}, "holds no text")],
)
def test_an_empty_corpus_says_what_was_there(folder, tmp_path, files, message):
    for name, data in files.items():
        (folder / name).write_bytes(data)
    with pytest.raises(StepFailed, match=message):
        corpus_of(folder, tmp_path)


def test_a_source_without_licence_is_refused(folder, tmp_path):
    with pytest.raises(ConfigError, match="'unknown' is an answer"):
        read(Read(paths=(str(folder),), licence=" ", origin="public"), Run(tmp_path / "out"))
