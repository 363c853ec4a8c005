"""The invariant of reading: of n records, some of them broken, n come out as rows or rejects, and the good ones whole."""

from __future__ import annotations

import csv
import io
import json
import warnings
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reader_files import pdf, warc_record, written

from septet.data.readers import registry
from septet.data.readers.file import File
from septet.data.readers.row import Reject, Row, Told

quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
# A text as a record holds it: it begins and ends with a letter, and has everything in between that formats stumble over.
inner = st.text(alphabet="ab 中文字é,;|\"'\n{}<>&\\", max_size=20)
texts = inner.map(lambda middle: f"好{middle}x")
plain = st.text(alphabet="ab 中文字é,;", max_size=20).map(lambda middle: f"好{middle}x")


def items_of(name: str, data: bytes, **told) -> list[Row | Reject]:
    outer = File(name, Told(**told), stream=io.BytesIO(data), size=len(data))
    return list(registry.rows(outer))


def check(items, good: list[str], total: int) -> None:
    """All records are there, and the good ones in their order with their texts."""
    assert sum(1 if isinstance(item, Row) else item.records for item in items) == total
    assert [item.text.strip() for item in items if isinstance(item, Row)] == good
    assert all(item.reason for item in items if isinstance(item, Reject))
    places = [item.where for item in items]
    assert len(set(places)) == len(places), "each place is named once"


def mixed(good, bad):
    """Records in any order: (True, text) or (False, bytes of a broken one)."""
    return st.lists(
        st.one_of(good.map(lambda one: (True, one)), st.sampled_from(bad).map(lambda one: (False, one))), max_size=12
    )


BROKEN_LINES = [
    b'{"text": "open',
    b"[1, 2]",
    b"nul",
    b'{"text": ""}',
    b'{"text": "\xff\xfe"}',
    b'{"other"',
    b"\x00\x01\x02",
    b"7",
]


@quick
@given(mixed(texts, BROKEN_LINES), st.sampled_from(["\n", "\r\n", "\n\n"]))
def test_json_lines(records, end):
    lines = [json.dumps({"text": one, "n": 1}, ensure_ascii=False).encode() if ok else one for ok, one in records]
    items = items_of("a.jsonl", b"".join(line + end.encode() for line in lines))
    if not records:
        assert items == [Reject("", "holds no text", "empty")]
        return
    check(items, [one for ok, one in records if ok], len(records))


@quick
@given(st.lists(st.one_of(texts, st.none(), st.just(3), st.just(["x"]), st.just("")), min_size=1, max_size=12))
def test_json_arrays(records):
    data = json.dumps([{"text": one} if isinstance(one, str) else one for one in records]).encode()
    check(items_of("a.json", data), [one for one in records if isinstance(one, str) and one], len(records))


BROKEN_ROWS = [b"a,b,c,d,e", b'"open,1', b'a,"b"c', b"\xff\xfe\xfd,1", b"alone", b",7"]


@quick
@given(mixed(texts, BROKEN_ROWS), st.booleans())
def test_csv(records, quoted):
    out = io.BytesIO(b"text,n\n")
    out.seek(0, 2)
    for ok, one in records:
        if ok:
            buffer = io.StringIO(newline="")
            csv.writer(buffer, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL).writerow([one, "1"])
            out.write(buffer.getvalue().encode())
        else:
            out.write(one + b"\n")
    items = items_of("a.csv", out.getvalue(), text_columns=("text",))
    if not records:
        assert len(items) == 1
        return
    check(items, [one for ok, one in records if ok], len(records))


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_the_dialect_of_a_table_is_told_from_it(delimiter, encoding):
    rows = [["name", "正文", "n"], ["甲", "一行里有,;|和\t所有的符号", "1"], ["乙", '引号"和\n换行都在字段里', "2"]] * 5
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter).writerows(rows[:3] * 1 + rows[1:3] * 4)
    items = items_of("a.csv", out.getvalue().encode(encoding))
    assert [item.text for item in items] == [rows[1][1], rows[2][1]] * 5
    assert json.loads(items[1].meta) == {"name": "乙", "n": "2"}
    assert [items[0].where, items[1].where, items[2].where] == ["line 2", "line 3", "line 5"]


@quick
@given(
    st.lists(st.one_of(texts, st.none(), st.just(" ")), min_size=1, max_size=30), st.sampled_from(["parquet", "arrow"])
)
def test_columnar_tables(values, form):
    table = pa.table({"content": pa.array(values, pa.string()), "n": pa.array(range(len(values)))})
    out = io.BytesIO()
    if form == "parquet":
        pq.write_table(table, out, row_group_size=4)
    else:
        with pa.ipc.new_stream(out, table.schema) as writer:
            writer.write_table(table, max_chunksize=4)
    items = items_of(f"a.{form}", out.getvalue())
    check(items, [one for one in values if one and one.strip()], len(values))


MESSAGE = (
    "From {n} Mon Jan  5 09:00:00 2026\nFrom: a@example.com\nDate: x\nSubject: s{n}\n"
    "Content-Type: text/plain; charset=utf-8\n\n{text}\n\n"
)


@quick
@given(mixed(plain, [b"", b"\xff\xfe\xfa\xf0", b"   "]).filter(bool))
def test_mailboxes(records):
    data = b"".join(
        MESSAGE.format(n=number, text="@@").encode().replace(b"@@", one.encode() if ok else one)
        for number, (ok, one) in enumerate(records)
    )
    check(items_of("a.mbox", data), [one for ok, one in records if ok], len(records))


@quick
@given(st.lists(st.one_of(plain, st.just("")), min_size=1, max_size=8), st.data())
def test_crawls(pages, data):
    packed = [warc_record(one) for one in pages]
    broken = data.draw(st.sets(st.integers(1, len(pages) - 1), max_size=2)) if len(pages) > 1 else set()
    for place in broken:
        packed[place] = packed[place].replace(b"WARC/1.0", b"WORC/x.0", 1)
    items = items_of("a.warc", b"".join(packed))
    good = [" ".join(one.split()) for place, one in enumerate(pages) if one and place not in broken]
    # Broken records that follow each other are one stretch that nobody can count.
    stretches = sum(1 for place in broken if place - 1 not in broken)
    check(items, good, len(pages) - len(broken) + stretches)


@quick
@given(st.lists(st.sampled_from(["Fees are due.", "An account is closed on request.", ""]), min_size=1, max_size=6))
def test_pages(pages):
    items = items_of("a.pdf", pdf(pages))
    check(items, [one for one in pages if one], len(pages))
    assert [item.page for item in items if isinstance(item, Row)] == [n for n, one in enumerate(pages, 1) if one]


@quick
@given(
    st.lists(
        st.tuples(st.sampled_from(["a.txt", "b.jsonl", "a.txt", "c/d.csv", "../../e.txt"]), st.booleans()),
        min_size=1,
        max_size=6,
    )
)
def test_members(members):
    out = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w") as archive:
        warnings.simplefilter("ignore")  # a name may come twice
        for name, ok in members:
            record = {"txt": "好 text", "jsonl": '{"text": "好 text"}', "csv": "text,n\n好 text,1"}
            archive.writestr(name, record[name.rpartition(".")[2]] if ok else "")
    check(items_of("a.zip", out.getvalue()), ["好 text"] * sum(ok for _, ok in members), len(members))


@quick
@given(st.binary(max_size=400), st.sampled_from([*registry.SUFFIXES, "", ".xyz", ".gz"]))
def test_any_bytes_under_any_name_come_out_as_something(data, suffix):
    items = items_of(f"a{suffix}", data)
    assert items
    assert all(isinstance(item, Row) or item.reason for item in items)
    for item in items:
        if isinstance(item, Row):
            item.text.encode()


@pytest.mark.parametrize("form", ["docx", "pptx", "xlsx", "epub", "pdf", "zip", "tar", "parquet", "msg", "warc", "eml"])
def test_a_file_cut_or_overwritten_anywhere_is_rejected_or_read(form):
    data = written()[form]
    for cut in range(0, len(data), max(1, len(data) // 23)):
        for broken in (data[:cut], data[:cut] + b"\xff\x00<" * 9 + data[cut + 27 :]):
            assert items_of(f"a.{form}", broken)
