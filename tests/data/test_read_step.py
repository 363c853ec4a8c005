"""The step data.read: what is declared, how it goes on after a kill, and that workers and batches change nothing."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import sys
import types

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from septet.core import ConfigError, MissingExtra, Run, StepFailed
from septet.core.fingerprint import digest_tree, files_below
from septet.data import sources, stream
from septet.data.steps import Read, read
from septet.engines.pools import Processes

DECLARED = {"licence": "CC0-1.0", "origin": "public"}


def files(folder, count=12):
    folder.mkdir()
    for n in range(count):
        (folder / f"{n:02}.jsonl").write_text("".join(f'{{"text": "record {n} {m}"}}\n' for m in range(7)) + "broken\n")
    (folder / "z.txt").write_text("A text.")
    return folder


def content(path):
    return {name: hashlib.sha256(place.read_bytes()).hexdigest() for name, place in files_below(path)}


def test_groups_and_workers_change_nothing(tmp_path, monkeypatch):
    source = files(tmp_path / "in")
    monkeypatch.setattr(sources, "GROUP_FILES", 5)
    made = []
    for name, pool in (("one", None), ("two", Processes(2))):
        run = Run(tmp_path / name, pool=pool)
        corpus = read(Read(paths=(str(source),), **DECLARED), run)
        made.append(content(tmp_path / name))
        assert run.drops == [{"rule": "broken record", "count": 12, "where": "rejected.jsonl"}]
    assert made[0] == made[1]
    assert corpus.count() == 12 * 7 + 1
    assert len(corpus.parts) == 3
    rows = list(corpus.rows())
    assert len({row["id"] for row in rows}) == len(rows)
    assert rows[8]["where"] == "line 2"
    assert rows[8]["dataset"] == "in"
    assert digest_tree(made[0]) == digest_tree(made[1])


def test_what_was_done_before_a_kill_is_not_done_again(tmp_path, monkeypatch):
    source = files(tmp_path / "in")
    monkeypatch.setattr(sources, "GROUP_FILES", 5)
    whole = read(Read(paths=(str(source),), **DECLARED), Run(tmp_path / "whole"))
    done = []
    real = sources.registry.rows

    def rows(file):
        if len(done) == 7:
            raise KeyboardInterrupt
        done.append(file.name)
        return real(file)

    monkeypatch.setattr(sources.registry, "rows", rows)
    run = Run(tmp_path / "out", scratch=tmp_path / "scratch")
    with pytest.raises(KeyboardInterrupt):
        read(Read(paths=(str(source),), **DECLARED), run)
    done.clear()
    done.append("")
    monkeypatch.setattr(sources.registry, "rows", lambda file: (done.append(file.name), real(file))[1])
    for _, place in files_below(tmp_path / "out"):
        place.unlink()
    read(Read(paths=(str(source),), **DECLARED), Run(tmp_path / "out", scratch=tmp_path / "scratch"))
    assert "00.jsonl" not in done
    assert "06.jsonl" in done
    assert content(tmp_path / "out") == content(whole.path)


def test_a_large_file_is_read_in_pieces_and_loses_nothing(tmp_path, monkeypatch):
    lines = [json.dumps({"text": f"记录 {n}" + "x" * (n % 50)}, ensure_ascii=False) for n in range(500)]
    (tmp_path / "a.jsonl").write_text("\n".join(lines[:250]) + "\nbroken\n" + "\n".join(lines[250:]), "utf-8")
    plain = read(Read(paths=(str(tmp_path / "a.jsonl"),), **DECLARED), Run(tmp_path / "plain"))
    for piece in (997, 300, 20_000):
        monkeypatch.setattr(sources, "SPLIT_BYTES", 10)
        monkeypatch.setattr(sources, "GROUP_BYTES", piece)
        split = read(Read(paths=(str(tmp_path / "a.jsonl"),), **DECLARED), Run(tmp_path / str(piece)))
        rows = list(split.rows())
        assert [row["text"] for row in rows] == [row["text"] for row in plain.rows()]
        assert len({row["id"] for row in rows}) == 500
        data = (tmp_path / "a.jsonl").read_bytes()
        start, end = map(int, rows[260]["where"].removeprefix("bytes ").split("-"))
        assert json.loads(data[start:end])["text"] == rows[260]["text"]
        assert len(list(split.rejected())) == 1


def test_parts_end_by_their_rows(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "PART_ROWS", 3000)
    (tmp_path / "a.jsonl").write_text("".join(f'{{"text": "{n}"}}\n' for n in range(10_000)))
    corpus = read(Read(paths=(str(tmp_path / "a.jsonl"),), **DECLARED), Run(tmp_path / "out"))
    assert [pq.ParquetFile(part).metadata.num_rows for part in corpus.parts] == [4096, 4096, 1808]
    assert pq.read_schema(corpus.parts[0]).equals(stream.SCHEMA)


def test_the_same_name_in_two_folders_is_two_documents(tmp_path):
    for one in ("a", "b"):
        (tmp_path / one).mkdir()
        (tmp_path / one / "same.txt").write_text("The same words.")
    corpus = read(Read(paths=(str(tmp_path / "a"), str(tmp_path / "b")), **DECLARED), Run(tmp_path / "out"))
    rows = list(corpus.rows())
    assert len({row["id"] for row in rows}) == 2
    assert [row["dataset"] for row in rows] == ["a", "b"]


def test_what_is_no_file_is_named(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "全角　空格.txt").write_text("一个名字里有全角空格的文件。")
    (folder / "README").write_text("A file without a suffix. 没有后缀。")
    (folder / "gone.txt").symlink_to(tmp_path / "nowhere")
    os.mkfifo(folder / "pipe.txt")
    (folder / os.fsdecode(b"caf\xe9.txt")).write_text("text")
    (folder / "00001.7c53").write_text("From: a@example.com\nTo: b@example.com\nSubject: s\n\nA letter.\n")
    corpus = read(Read(paths=(str(folder),), **DECLARED), Run(tmp_path / "out"))
    assert {row["source"]: row["text"] for row in corpus.rows()} == {
        "README": "A file without a suffix. 没有后缀。",
        "00001.7c53": "A letter.\n",
        "全角　空格.txt": "一个名字里有全角空格的文件。",
    }
    assert {one["source"]: one["rule"] for one in corpus.rejected()} == dict.fromkeys(
        ("gone.txt", "pipe.txt", "caf\\udce9.txt"), "not a file"
    )


def test_what_is_declared_stands_in_every_row(tmp_path):
    (tmp_path / "a.csv").write_text("text,rights,url\none,MIT,http://a\ntwo,,http://b\n")
    said = {
        "owner": "records office",
        "consent": "contract",
        "trust": 0.5,
        "retrieved": "2026-11-24",
        "access": "staff",
    }
    config = Read(
        paths=(str(tmp_path / "a.csv"),),
        dataset="letters",
        licence_column="rights",
        source_column="url",
        **DECLARED,
        **said,
    )
    corpus = read(config, Run(tmp_path / "out"))
    (row,) = corpus.rows()
    assert {name: row[name] for name in said} == said
    assert (row["dataset"], row["licence"], row["source"], row["where"]) == (
        "letters",
        "MIT",
        "http://a",
        "a.csv, line 2",
    )
    assert [one["rule"] for one in corpus.rejected()] == ["no licence"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"licence": " "}, "'unknown' is an answer"),
        ({"retrieved": "24.11.2026"}, "2026-11-24"),
        ({"retrieved": "20261124"}, "2026-11-24"),
        ({"access": "two words"}, "one word"),
        ({"owner": "a\nb"}, "one line"),
        ({"trust": 1.5}, "<= 1"),
        ({"origin": "somewhere"}, "private"),
        ({"paths": ()}, "neither paths nor a query"),
        ({"query": "select 1"}, "belong together"),
        ({"query": "delete from a", "url_variable": "SOME_URL", "retrieved": "2026-11-24"}, "SELECT"),
        ({"query": "select 1", "url_variable": "postgresql://u:p@h/d"}, "name of an environment variable"),
        ({"query": "select 1", "url_variable": "SOME_URL"}, "a database changes"),
    ],
)
def test_declarations_are_checked(tmp_path, monkeypatch, wrong, message):
    monkeypatch.setenv("SOME_URL", "sqlite:///a.db")
    (tmp_path / "a.txt").write_text("text")
    with pytest.raises(ConfigError, match=message):
        read(Read(**{"paths": (str(tmp_path),), **DECLARED, **wrong}), Run(tmp_path / "out"))


def database(path):
    connection = sqlite3.connect(path)
    connection.execute("create table notes (id integer, body text)")
    connection.executemany("insert into notes values (?, ?)", [(n, f"note {n}") for n in range(5)])
    connection.execute("insert into notes values (9, cast(x'ff41' as text)), (10, null)")
    connection.commit()
    connection.close()


def test_rows_of_a_database(tmp_path, monkeypatch):
    database(tmp_path / "a.db")
    before = (tmp_path / "a.db").read_bytes()
    monkeypatch.setenv("NOTES_URL", f"sqlite:///{tmp_path}/a.db?user=secret")
    config = Read(
        query="select * from notes", url_variable="NOTES_URL", retrieved="2026-11-24", id_column="id", **DECLARED
    )
    corpus = read(config, Run(tmp_path / "out"))
    rows = list(corpus.rows())
    assert [row["text"] for row in rows] == [f"note {n}" for n in range(5)]
    assert (rows[0]["source"], rows[0]["where"]) == ("sqlite:a.db", "row 1 (id 0)")
    assert [one["where"] for one in corpus.rejected()] == ["row 6", "row 7 (id 10)"]
    assert not any(b"secret" in place.read_bytes() for _, place in files_below(tmp_path / "out"))
    for query in ("select * from missing", "with a as (select 1) delete from notes"):
        with pytest.raises(StepFailed, match=r"the query failed on sqlite:a\.db"):
            read(Read(query=query, url_variable="NOTES_URL", retrieved="2026-11-24", **DECLARED), Run(tmp_path / "no"))
    assert (tmp_path / "a.db").read_bytes() == before


def test_rows_of_postgresql(tmp_path, monkeypatch, postgresql_url):
    import psycopg

    with psycopg.connect(postgresql_url) as connection:
        connection.execute(
            "create table if not exists read_notes as select n as id, '正文 ' || n as body from generate_series(1, 3000) n"
        )
        connection.execute("update read_notes set body = '' where id = 7")
    monkeypatch.setenv("NOTES_URL", postgresql_url)
    said = {"url_variable": "NOTES_URL", "retrieved": "2026-11-24", **DECLARED}
    query = "select body, timestamptz '2026-01-05 09:00+08' as at from read_notes where body not like '%x' order by id"
    corpus = read(Read(query=query, **said), Run(tmp_path / "out"))
    rows = list(corpus.rows())
    assert (len(rows), rows[0]["text"], rows[0]["meta"]) == (2999, "正文 1", '{"at":"2026-01-05T01:00:00Z"}')
    assert [one["where"] for one in corpus.rejected()] == ["row 7"]
    for query in ("with a as (delete from read_notes returning *) select * from a", "select 1; drop table read_notes"):
        with pytest.raises(StepFailed, match="the query failed on postgresql:localhost/postgres"):
            read(Read(query=query, **said), Run(tmp_path / "no"))


def test_the_address_of_a_database_stays_out_of_messages(tmp_path, monkeypatch):
    pytest.importorskip("psycopg")
    monkeypatch.setenv("NOTES_URL", "postgresql://me:hidden@127.0.0.1:1/notes")
    with pytest.raises(StepFailed) as failed:
        read(
            Read(query="select 1", url_variable="NOTES_URL", retrieved="2026-11-24", **DECLARED), Run(tmp_path / "out")
        )
    assert "postgresql:127.0.0.1/notes" in str(failed.value)
    assert "hidden" not in str(failed.value)


def test_a_data_set_saved_on_disk(tmp_path):
    folder = tmp_path / "saved" / "train"
    folder.mkdir(parents=True)
    table = pa.table({"text": ["one", "two"], "label": [0, 1]})
    with (
        pa.OSFile(str(folder / "data-00000-of-00001.arrow"), "wb") as out,
        pa.ipc.new_stream(out, table.schema) as writer,
    ):
        writer.write_table(table)
    for name in ("dataset_info.json", "state.json"):
        (folder / name).write_text("{}")
    (tmp_path / "saved" / "dataset_dict.json").write_text('{"splits": ["train"]}')
    corpus = read(Read(paths=(str(tmp_path / "saved"),), **DECLARED), Run(tmp_path / "out"))
    assert [(row["text"], row["meta"]) for row in corpus.rows()] == [("one", '{"label":0}'), ("two", '{"label":1}')]
    assert {one["rule"] for one in corpus.rejected()} == {"no document"}
    assert len(list(corpus.rejected())) == 3


def test_a_data_set_of_the_hub(tmp_path, monkeypatch):
    config = Read(paths=("hub:org/name@abc",), **DECLARED)
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(MissingExtra, match=r"septet\[hub\]"):
        read(config, Run(tmp_path / "missing"))
    asked = []
    fake = types.ModuleType("datasets")

    def load_dataset(name, revision, streaming):
        asked.append((name, revision, streaming))
        return {"train": iter([{"text": "one"}, {"text": ""}])}

    fake.load_dataset = load_dataset
    monkeypatch.setitem(sys.modules, "datasets", fake)
    corpus = read(config, Run(tmp_path / "out"))
    assert asked == [("org/name", "abc", True)]
    assert [(row["source"], row["where"], row["dataset"]) for row in corpus.rows()] == [
        ("org/name@abc", "split train, row 1", "org/name")
    ]
    assert [one["where"] for one in corpus.rejected()] == ["split train, row 2"]


def test_ocr_reads_a_picture_and_says_so(tmp_path):
    pytest.importorskip("rapidocr")
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.new("RGB", (900, 200), "white")
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(48)
    draw.text((30, 30), "The fee is due", font=font, fill="black")
    draw.text((30, 110), "Account 20417", font=font, fill="black")
    picture.save(tmp_path / "a.png")
    corpus = read(Read(paths=(str(tmp_path / "a.png"),), ocr=True, **DECLARED), Run(tmp_path / "out"))
    (row,) = corpus.rows()
    assert row["text"] == "The fee is due\nAccount 20417\n"
    assert row["transforms"][1].startswith("ocr (rapidocr ")
    assert 0.8 < json.loads(row["meta"])["ocr_confidence"] <= 1
    with pytest.raises(StepFailed, match="OCR is not sure enough"):
        read(Read(paths=(str(tmp_path / "a.png"),), ocr=True, ocr_confidence=1.0, **DECLARED), Run(tmp_path / "no"))
