"""What comes out of each format: texts, places, titles, what is kept beside the text, and what is refused."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import zipfile

import pytest
import zstandard
from reader_files import EPUB, docx_bytes, pdf, pptx_bytes, tar_bytes, warc_record, written, xlsx_bytes, zip_bytes
from test_reader_records import items_of

from septet.data.readers import archive, file, html, office
from septet.data.readers import pdf as pdf_reader
from septet.data.readers.encoding import decode
from septet.data.readers.row import Reject, Row, Unreadable

CHINESE = "账本是只能追加的事实清单。每个条目都包含前一个条目的摘要，因此任何改动都会被发现。"
JAPANESE = "帳簿は追記だけができる記録であり、すべての項目は前の項目の要約を含む。"
FRENCH = "Le relevé précédent a été vérifié à l’agence; les frais s’élèvent à 3 €."


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("gb18030", CHINESE),
        ("big5", "帳本是只能追加的事實清單，因此任何改動都會被發現。"),
        ("cp932", JAPANESE),
        ("cp932", "名前,年齢,住所\n佐藤太郎,30,東京"),
        ("cp1252", FRENCH),
        ("cp1252", "Gebühren für Überweisungen müssen schriftlich bestätigt werden."),
        ("utf-16-le", "An account is closed on request."),
        ("utf-16-be", "An account is closed.\nA fee is due.\n" + CHINESE),
        ("utf-32", CHINESE),
        ("utf-8", CHINESE),
    ],
)
def test_encodings_are_told_apart(encoding, text):
    assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize(
    "data", [bytes(range(256)), b"\x00\x00\x01" * 50, bytes(range(128, 256)) * 3, b"\x7fELF" + bytes(99)]
)
def test_binary_named_as_text_is_refused(data):
    with pytest.raises(Unreadable):
        decode(data)


def only(name: str, data: bytes, **told) -> Row:
    (item,) = items_of(name, data, **told)
    assert isinstance(item, Row), item
    return item


@pytest.mark.parametrize("name", ["a.docx", "a.txt", "a", "a.pdf"])
def test_the_first_bytes_beat_a_wrong_suffix(name):
    assert "closed on request" in only(name, docx_bytes()).text
    assert only(name, pdf(["Fees are due."])).page == 1
    assert only(name, b"<!DOCTYPE html><title>Page</title><p>Words of a page.").title == "Page"
    assert only(name, gzip.compress(b"<html><p>Packed words.")).text == "Packed words.\n"


def test_a_document_of_word():
    row = only("a.docx", docx_bytes())
    assert row.title == "Rules"
    assert "# Rules\n\nAccounts are closed on request.\n\n- one\n- two\n\n" in row.text
    assert "| kind | fee |\n| --- | --- |\n| card | 3 |" in row.text


def with_macros(data: bytes, kind: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "[Content_Types].xml":
                plain = {
                    "docm": (
                        b"vnd.openxmlformats-officedocument.wordprocessingml.document.main",
                        b"vnd.ms-word.document.macroEnabled.main",
                    ),
                    "pptm": (
                        b"vnd.openxmlformats-officedocument.presentationml.presentation.main",
                        b"vnd.ms-powerpoint.presentation.macroEnabled.main",
                    ),
                    "xlsm": (
                        b"vnd.openxmlformats-officedocument.spreadsheetml.sheet.main",
                        b"vnd.ms-excel.sheet.macroEnabled.main",
                    ),
                }[kind]
                assert plain[0] in content
                content = content.replace(*plain)
            new.writestr(name, content)
        new.writestr({"docm": "word", "pptm": "ppt", "xlsm": "xl"}[kind] + "/vbaProject.bin", b"macro")
    return out.getvalue()


@pytest.mark.parametrize(("kind", "make"), [("docm", docx_bytes), ("pptm", pptx_bytes), ("xlsm", xlsx_bytes)])
def test_macros_are_named_and_not_run(kind, make):
    plain = [item.text for item in items_of(f"a.{kind[:3]}x", make()) if isinstance(item, Row)]
    rows = [item for item in items_of(f"a.{kind}", with_macros(make(), kind)) if isinstance(item, Row)]
    assert [row.text for row in rows] == plain
    assert all(json.loads(row.meta)["macros"] == "present, not run" for row in rows)


def test_slides_are_rows():
    first, second, third = items_of("a.pptx", pptx_bytes())
    assert (first.where, first.page, first.title) == ("slide 1", 1, "费用")
    assert first.text == "# 费用\n\nCard fees\nTransfer fees\n\nNotes: Say it slowly."
    assert "| card | 3 |" in second.text
    assert third == Reject("slide 3", "holds no text", "empty")


def test_rows_of_a_sheet_are_named_by_its_head():
    items = items_of("a.xlsx", xlsx_bytes())
    assert [(item.where, item.text) for item in items] == [
        ("sheet Rates, row 1", "Rates of 2026"),
        ("sheet Rates, row 4", "name: 一年期\nrate: 1.5"),
        ("sheet Rates, row 5", "name: two years\nrate: 2"),
        ("sheet Rates, row 6", "rate: 3"),
    ]
    assert json.loads(items[1].meta) == {"name": "一年期", "rate": "1.5"}


def test_heads_and_feet_of_pages_leave_the_text_and_are_kept():
    pages = [f"Handbook {n} of 9\nA sentence of page {n}\nthat goes on.\n- {n} -" for n in range(1, 6)]
    heads = pdf_reader.running(pages)
    assert pdf_reader.without(pages[2], heads) == ("A sentence of page 3\nthat goes on.", ["Handbook 3 of 9", "- 3 -"])
    assert pdf_reader.without(pages[0], pdf_reader.running(pages[:2])) == (pages[0], [])


def test_words_broken_at_a_line_end_are_joined():
    assert pdf_reader.tidy("an ac\ufffe\r\ncount  \r\n\r\n\r\n\r\nFees ........ 3") == "an account\n\nFees … 3"


MENU = "".join(f'<li><a href="/{n}">Section {n}</a></li>' for n in range(9))


def test_menus_go_and_tables_and_definitions_stay():
    page = html.draw(
        f"<body><div class=top><ul>{MENU}</ul></div><h1>Fees</h1><p>The <a href=/f>fee</a> is 3 yuan.</p>"
        "<table><tr><th>kind<th>fee</tr><tr><td><a href=/c>card</a><td><a href=/3>3</a></tr>"
        "<tr><td><a href=/w>wire</a><td><a href=/5>5</a></tr></table>"
        "<dl><dt><a href=/a>APR</a><dd>the annual percentage rate of a loan</dl>"
        "<a href=/1>one</a> | <a href=/2>two</a> | <a href=/3>three</a> | <a href=/4>four</a> | <a href=/5>five</a>"
        "<div style='display:none'>hidden words</div><script>evil()</script></body>"
    )
    assert page.text == (
        "# Fees\n\nThe fee is 3 yuan.\n\n| kind | fee |\n| --- | --- |\n| card | 3 |\n| wire | 5 |\n\n"
        "APR\n\nthe annual percentage rate of a loan\n"
    ), page.text


def test_cells_that_reach_down_and_items_that_hold_paragraphs():
    page = html.draw(
        "<table><tr><td rowspan=2><img src=x><th>Note</tr><tr><td>Read this first.</tr></table>"
        "<ul><li><p>one</p><p>more of it</p><li><p>two</ul>"
        "<table><tr><th>city<th>year<th>n</tr><tr><td rowspan=2>北京<td>2024<td>3</tr><tr><td>2025<td>4</tr></table>"
    )
    assert page.text == (
        "Note\nRead this first.\n\n- one\n\nmore of it\n\n- two\n\n"
        "| city | year | n |\n| --- | --- | --- |\n| 北京 | 2024 | 3 |\n|  | 2025 | 4 |\n"
    )


def test_a_page_of_links_alone_says_what_it_links():
    assert html.draw(f"<body><ul>{MENU}</ul></body>").text.startswith("- Section 0\n- Section 1\n")


def test_a_page_is_read_in_the_encoding_that_it_or_its_container_declares():
    body = f"<html><head><meta charset=gb2312></head><body><p>{CHINESE}</p></body></html>"
    assert html.draw(body.encode("gbk")).text == CHINESE + "\n"
    assert html.draw(body.replace("gb2312", "x").encode("big5hkscs", "ignore"), "big5").text.startswith("本是")
    assert html.draw(b"\xef\xbb\xbf" + body.encode()).text == CHINESE + "\n"


def test_entities_of_xml_reach_nothing():
    bomb = '<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;"><!ENTITY f SYSTEM "file:///etc/passwd">]>'
    text = only("a.xml", f"{bomb}<a><p>before &f; after</p><n>3</n></a>".encode()).text
    assert "root:" not in text
    assert "n: 3" in text


def test_a_crawl_keeps_address_and_date_and_counts_the_rest():
    request = b"WARC/1.0\r\nWARC-Type: request\r\nContent-Length: 2\r\n\r\nhi\r\n\r\n"
    moved = warc_record("gone").replace(b"200 OK", b"404 No")
    for pack in (bytes, gzip.compress):
        data = b"".join(map(pack, (request, warc_record("Words of a page."), request, moved)))
        row, status, requests = items_of("a.warc.gz", data)
        assert (row.text, row.where) == ("Words of a page.\n", "record 2")
        assert json.loads(row.meta) == {"url": "http://example.com/a", "date": "2026-01-05T09:00:00Z"}
        assert (status.rule, status.where) == ("HTTP status", "record 4")
        assert (requests.records, requests.rule) == (2, "request records")


def test_a_message_with_attachments():
    body, table, thing = items_of("a.eml", written()["eml"])
    assert (body.text, body.title) == ("Plain words.\n", "对账单")
    meta = json.loads(body.meta)
    assert meta["from"] == "三世 <a@example.com>"
    assert meta["date"] == "Mon, 5 Jan 2026 09:00:00 +0800"
    assert (table.where, table.text) == ("attachment a.csv > line 2", "attached words")
    assert thing.where == "attachment b.thing"
    assert "no reader" in thing.reason
    assert [item.where for item in items_of("a.txt", b"From x Mon Jan  5 09:00:00 2026\n" + written()["eml"])][:2] == [
        "message 1",
        "message 1 > attachment a.csv > line 2",
    ]


def test_chapters_of_a_book():
    one, two, gone = items_of("a.epub", zip_bytes(EPUB))
    assert (one.where, one.title, one.text) == ("chapter 1 (one.xhtml)", "账目之书: 第一章", "# 第一章\n\n开户须知。\n")
    assert two.text == "Closing an account.\n"
    assert "missing" in gone.reason
    assert json.loads(one.meta)["creator"] == "李四"


MEMBERS = {
    "a.txt": "a member",
    "b/c.jsonl": '{"text": "in a line"}\n{"text"',
    "../../d.txt": "no path",
    ".e.txt": "hidden",
}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.zip", zip_bytes(MEMBERS)),
        ("a.tar", tar_bytes(MEMBERS)),
        ("a.tar.gz", tar_bytes(MEMBERS, "w:gz")),
        ("a.tgz", tar_bytes(MEMBERS, "w:gz")),
        ("a.tar.bz2", bz2.compress(tar_bytes(MEMBERS))),
        ("a.tar.xz", lzma.compress(tar_bytes(MEMBERS))),
        ("a.tar.zst", zstandard.compress(tar_bytes(MEMBERS))),
        ("a.bin", tar_bytes(MEMBERS, "w:gz")),
    ],
)
def test_archives(name, data):
    found = {item.where: item for item in items_of(name, data)}
    assert found["member a.txt"].text == "a member"
    assert found["member b/c.jsonl > line 1"].text == "in a line"
    assert found["member b/c.jsonl > line 2"].rule == "broken record"
    assert found["member d.txt"].text == "no path"
    assert found["member .e.txt"].rule == "hidden"
    assert len(found) == 5


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, zstandard.compress])
def test_a_packed_file_reads_as_if_it_were_not(pack):
    suffix = {gzip.compress: "gz", bz2.compress: "bz2", lzma.compress: "xz"}.get(pack, "zst")
    one, two = items_of(f"a.jsonl.{suffix}", pack(b'{"text": "one"}\n{"text": "two"}\n'))
    assert (one.text, two.text, two.where, two.title) == ("one", "two", "line 2", "a")


def test_names_of_members_in_chinese_encodings():
    data = zip_bytes({"AAAA.txt": "text"}).replace(b"AAAA.txt", "账目".encode("gbk") + b".txt")
    assert items_of("a.zip", data)[0].where == "member 账目.txt"


def test_bombs_stop_at_the_bounds(monkeypatch):
    monkeypatch.setattr(archive, "RATIO_FROM", 1 << 20)
    flat = gzip.compress(b"0" * (8 << 20))
    assert items_of("a.txt.gz", flat)[-1].rule == "too large"
    monkeypatch.setattr(file, "MAX_MEMBERS", 3)
    many = items_of("a.zip", zip_bytes({f"{n}.txt": "x" for n in range(9)}))
    assert sum(item.records if isinstance(item, Reject) else 1 for item in many) == 9
    assert sum(isinstance(item, Row) for item in many) == 3
    monkeypatch.undo()
    deep = b"x"
    for n in range(9):
        deep = zip_bytes({f"{n}.zip" if n else "a.txt": deep})
    assert "deeper than the bound" in items_of("a.zip", deep)[0].reason
    monkeypatch.setattr(office, "MAX_UNPACKED", 1 << 10)
    assert items_of("a.docx", docx_bytes())[0].rule == "too large"


def test_passwords_are_named():
    data = bytearray(zip_bytes({"a.txt": "x"}))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + offset] |= 1
    assert items_of("a.zip", bytes(data))[0].rule == "encrypted"


@pytest.mark.parametrize(
    ("head", "word"),
    [
        (b"SQLite format 3\x00", "url_variable"),
        (b"Rar!\x1a\x07\x00", "RAR"),
        (b"7z\xbc\xaf\x27\x1c", "7z"),
        (b"{\\rtf1", "RTF"),
    ],
)
def test_what_is_known_and_not_read_says_what_to_do(head, word):
    (item,) = items_of("a.txt", head + bytes(99))
    assert (item.rule, word in item.reason) == ("no reader", True)


def test_columns_that_make_the_text():
    line = json.dumps({"id": 7, "标题": "开户", "正文": CHINESE, "url": "http://x", "tags": ["a", "b"], "none": None})
    row = only("a.jsonl", line.encode())
    assert (row.text, row.title) == (CHINESE, "开户")
    assert json.loads(row.meta) == {"id": 7, "url": "http://x", "tags": ["a", "b"], "none": None}
    row = only("a.jsonl", line.encode(), text_columns=("标题", "正文"), id_column="id")
    assert (row.text, row.where) == (f"开户\n\n{CHINESE}", "line 1 (id 7)")
    whole = only("a.jsonl", json.dumps({"q": "why", "n": 2.0, "deep": {"a": [1, 2], "b": {"c": "d"}}}).encode())
    assert whole.text == "q: why\nn: 2\ndeep:\n  a: 1, 2\n  b: c: d"
    assert items_of("a.jsonl", line.encode(), text_columns=("body",))[0].reason == "has no column 'body'"


def test_a_table_without_names_numbers_its_columns():
    assert only("a.csv", "1,张三,30\n".encode()).text == "column 1: 1\ncolumn 2: 张三\ncolumn 3: 30"
    assert only("a.csv", "地区,2024,2025\n北方,3,4\n".encode()).text == "地区: 北方\n2024: 3\n2025: 4"


def test_licences_and_sources_of_rows_are_their_own():
    lines = [{"text": "a", "licence": "MIT", "url": "http://a"}, {"text": "b", "licence": "", "url": "http://b"}]
    data = "\n".join(json.dumps(one) for one in [*lines, {"text": "c", "licence": "MIT"}]).encode()
    first, second, third = items_of("a.jsonl", data, licence_column="licence", source_column="url")
    assert (first.licence, first.source, first.meta) == ("MIT", "http://a", "")
    assert second.rule == "no licence"
    assert third.reason == "has no column 'url'"


def test_pictures_and_scans_need_ocr():
    assert items_of("a.png", b"\x89PNG\r\n\x1a\n" + bytes(50))[0].rule == "needs OCR"
    assert items_of("a.pdf", pdf([""]))[0].rule == "needs OCR"
