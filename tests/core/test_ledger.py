"""The ledger holds its chain against change, loss, reordering, several writers, and both databases."""

from __future__ import annotations

import hashlib
import sqlite3
import subprocess
import sys
import textwrap
import time
from contextlib import closing

import pytest

from septet.core import ConfigError, StoreError
from septet.core.ledger import Ledger


@pytest.fixture
def ledger(place, tmp_path):
    opened = Ledger(place, tmp_path / "head")
    yield opened
    opened.close()


def tamper(place: str, statement: str) -> None:
    """Change the database as somebody would who wants to hide it: guards off, then the statement."""
    if place.startswith("postgresql"):
        import psycopg

        with psycopg.connect(place, autocommit=True) as connection:
            connection.execute("alter table entries disable trigger all")
            connection.execute(statement)
        return
    with sqlite3.connect(place) as connection:
        connection.execute("drop trigger if exists entries_keep")
        connection.execute("drop trigger if exists entries_stay")
        connection.execute(statement)
    connection.close()


def test_entries_come_back_in_order(ledger):
    ledger.append("sealed", "a", {"n": 1, "文": "字"})
    ledger.append_all([("name", "x", {"n": 2}), ("sealed", "b", {"n": 3})])
    assert [(e.seq, e.kind, e.subject) for e in ledger.entries()] == [
        (1, "sealed", "a"),
        (2, "name", "x"),
        (3, "sealed", "b"),
    ]
    assert ledger.body(ledger.entries("sealed")[0]) == {"n": 1, "文": "字"}
    assert ledger.latest("sealed", "b").seq == 3
    assert ledger.latest("sealed", "nothing") is None
    assert [e.seq for e in ledger.entries(after=2)] == [3]
    assert ledger.verify() == []


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("update entries set subject = 'z' where seq = 2", "entry 2"),
        ("delete from entries where seq = 2", "entry 2 is missing"),
        ("delete from entries where seq = 4", "was cut off"),
        ("delete from entries where seq > 1", "was cut off"),
        ("update bodies set body = '{}' where digest = (select body from entries where seq = 3)", "body was changed"),
        ("delete from bodies where digest = (select body from entries where seq = 1)", "body is gone"),
        ("update entries set seq = 100 - seq where seq in (2, 3)", "missing or was moved"),
    ],
)
def test_every_tampering_is_found(ledger, place, statement, named):
    for number in range(4):
        ledger.append("sealed", str(number), {"n": number})
    tamper(place, statement)
    problems = ledger.verify()
    assert problems
    assert any(named in f"{problem.where} {problem.what}" for problem in problems)


def test_the_database_itself_refuses_changes(ledger, place):
    ledger.append("sealed", "a", {})
    with pytest.raises(Exception, match="append-only"):
        ledger._database.read("update entries set subject = 'b' returning seq", ())
    with pytest.raises(Exception, match="append-only"):
        ledger._database.read("delete from entries returning seq", ())
    assert ledger.verify() == []


def test_an_erased_body_is_no_break_in_the_chain(ledger, place):
    entry = ledger.append("answer", "ans-1", {"text": "personal"})
    ledger.append("erased", entry.body, {"why": "right to erasure"})
    tamper(place, f"delete from bodies where digest = '{entry.body}'")
    assert ledger.body(entry) is None
    assert ledger.verify() == []


def test_concurrent_writers_make_one_chain(ledger, place, tmp_path):
    code = textwrap.dedent("""
        import sys
        from pathlib import Path
        from septet.core.ledger import Ledger
        ledger = Ledger(sys.argv[1], Path(sys.argv[2]))
        for n in range(25):
            ledger.append("sealed", f"{sys.argv[3]}-{n}", {"n": n})
    """)
    command = [sys.executable, "-c", code, place, str(tmp_path / "head")]
    writers = [subprocess.Popen([*command, str(number)]) for number in range(3)]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    assert len(ledger.entries()) == 75
    assert ledger.verify() == []


def test_many_processes_may_be_the_first_to_open_a_ledger(tmp_path):
    code = textwrap.dedent("""
        import sys, time
        from pathlib import Path
        from septet.core.ledger import Ledger
        for number in range(40):
            at = float(sys.argv[2]) + 0.05 * number
            while time.time() < at:  # all at the same moment
                pass
            Ledger(f"{sys.argv[1]}/{number}/ledger.sqlite", Path(sys.argv[1]) / str(number) / "head").close()
    """)
    command = [sys.executable, "-c", code, str(tmp_path), str(time.time() + 1.5)]
    openers = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    said = [opener.communicate()[1] for opener in openers]
    assert [opener.returncode for opener in openers] == [0] * 4, said


def test_sm3_and_sha256_stand_side_by_side(place, tmp_path):
    if "sm3" not in hashlib.algorithms_available:
        pytest.skip("this Python's OpenSSL has no SM3")
    with closing(Ledger(place, tmp_path / "head")) as first:
        first.append("sealed", "a", {"n": 1})
    with closing(Ledger(place, tmp_path / "head", "sm3")) as second:
        second.append("sealed", "b", {"n": 2})
        assert [entry.digest.partition(":")[0] for entry in second.entries()] == ["sha256", "sm3"]
        assert second.verify() == []


def test_a_wrong_url_says_what_to_do(tmp_path):
    with pytest.raises(ConfigError, match="postgresql://host/database"):
        Ledger("mysql://x")
    (tmp_path / "no").write_text("this is no database, and long enough to be looked at as one" * 20)
    with pytest.raises(StoreError, match="cannot be opened"):
        Ledger(tmp_path / "no")


def test_an_absent_postgresql_says_so():
    pytest.importorskip("psycopg")
    with pytest.raises(StoreError, match=r"does not answer.*Check the URL"):
        Ledger("postgresql://nobody@127.0.0.1:9/none?connect_timeout=2")
