"""The index under faults: kills, a full disk, other writers and open readers. Rows in are rows out, whatever was done between."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import threading

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from septet.core import StoreError
from septet.knowledge import table as tables
from septet.knowledge.table import CURRENT, PAST, Table, text_schema

WIDTH = 8
SCHEMA = text_schema({"id": "string", "text": "string", "access": "string", "source": "string"}, WIDTH)
SPAWN = multiprocessing.get_context("spawn")
SHOWN = ("key", "text", "access", "state")


def row(key, text="", access="public", state=CURRENT):
    """A row of an index whose vector goes by its text."""
    vector = np.random.default_rng([*text.encode(), 1]).standard_normal(WIDTH)
    return {
        "key": key,
        "id": key,
        "text": text,
        "access": access,
        "source": f"{key}.md",
        "state": state,
        "revision": 0,
        "ended": 0,
        "terms": text,
        "vector": (vector / np.linalg.norm(vector)).astype(np.float16),
    }


def batch(rows):
    return pa.RecordBatch.from_pylist(rows, SCHEMA)


def arrow(rows):
    return pa.Table.from_pylist(rows, SCHEMA)


def made(folder, count=40, word="old"):
    return Table.create(folder, SCHEMA, [batch([row(f"k{n}", f"{word} w{n}") for n in range(count)])])


def texts(table):
    return {one["key"]: one["text"] for one in table.rows("true", ("key", "text"))}


def left(folder):
    """What lies beside an index and in it, but for the index itself."""
    inside = [one.name for one in folder.iterdir() if one.name.startswith("g")] if folder.exists() else []
    return [one.name for one in folder.parent.iterdir() if one != folder], inside


def killed(target, *given):
    child = SPAWN.Process(target=target, args=given)
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL


def die():
    os.kill(os.getpid(), signal.SIGKILL)


ROWS = st.dictionaries(
    st.sampled_from([f"k{n}" for n in range(8)]),
    st.tuples(
        st.sampled_from(["", "fee 15", "it's 100% “quoted”", "补办 办卡", "a\0b\n\\", "fee fee fee"]),
        st.sampled_from(["public", "staff", "o'brien"]),
        st.sampled_from([CURRENT, PAST]),
    ),
    min_size=1,
)
DONE = st.lists(
    st.one_of(
        st.tuples(st.just("commit"), ROWS), st.tuples(st.just("forget"), st.sampled_from([f"k{n}" for n in range(8)]))
    ),
    max_size=4,
)


@settings(max_examples=8, deadline=None)
@given(first=ROWS, done=DONE)
def test_rows_in_are_rows_out(tmp_path_factory, first, done):
    folder = tmp_path_factory.mktemp("model") / "index"
    model = dict(first)
    table = Table.create(folder, SCHEMA, [batch([row(key, *one) for key, one in first.items()])])
    for what, given_ in done:
        if what == "commit":
            table.commit(arrow([row(key, *one) for key, one in given_.items()]))
            model.update(given_)
        else:
            table.rewrite(lambda some, gone=given_: some.filter(pc.not_equal(some["key"], gone)))
            model.pop(given_, None)
    for opened in (table, Table(folder)):
        found = opened.rows("true", SHOWN)
        assert {one["key"]: (one["text"], one["access"], one["state"]) for one in found} == model
        assert len(found) == opened.count() == len(model)
        assert sum(len(some) for some in opened.batches(("key",))) == len(model)
        for word in ("fee", "补办"):
            with_word = {key for key, one in model.items() if word in one[0].split()}
            assert {one["key"] for one in opened.by_text([word], "", 50, ("key",))} == with_word
        readable = {key for key, one in model.items() if one[1] == "o'brien"}
        near = opened.by_vector(np.ones(WIDTH), f"access = {tables.quoted(chr(111) + chr(39) + 'brien')}", 50, ("key",))
        assert {one["key"] for one in near} == readable


def test_an_index_that_is_built_twice_finds_the_same(tmp_path):
    some = [row(f"k{n}", " ".join(f"w{n % m}" for m in range(2, 9))) for n in range(200)]
    one, other = (Table.create(tmp_path / name, SCHEMA, [batch(some[:120]), batch(some[120:])]) for name in "ab")
    for words in (["w1"], ["w0", "w3", "w5"], ["w7", "none"]):
        found = [
            sorted((hit["_score"], hit["key"]) for hit in table.by_text(words, "", 200, ("key",)))
            for table in (one, other)
        ]
        assert found[0] == found[1]
    for number in (0, 77):
        vector = some[number]["vector"].astype(np.float32)
        found = [
            [(hit["_distance"], hit["key"]) for hit in table.by_vector(vector, "", 5, ("key",))]
            for table in (one, other)
        ]
        assert found[0] == found[1]


def test_a_vector_comes_back_as_it_was_put_in(tmp_path):
    table = made(tmp_path / "index")
    [found] = table.rows("key = 'k3'")
    assert found["vector"].dtype == np.float16
    assert (found["vector"] == row("k3", "old w3")["vector"]).all()


def _create_and_die(folder, where):
    def batches():
        yield batch([row("half", "half")])
        if where == "rows":
            die()

    if where == "indexes":
        tables._fill = _dying_after(tables._fill)
    Table.create(folder, SCHEMA, batches())


def _dying_after(work):
    def dying(*given_):
        work(*given_)
        die()

    return dying


@pytest.mark.parametrize("where", ["rows", "indexes"])
def test_a_kill_while_an_index_is_made_leaves_none(tmp_path, where):
    folder = tmp_path / "index"
    killed(_create_and_die, folder, where)
    assert not Table.exists(folder)
    assert len(texts(made(folder))) == 40
    assert left(folder) == ([], ["g00001"])  # nor the half that was written


def _rewrite_and_die(folder, where):
    seen = []

    def transform(some):
        if where == "rows" and seen:
            die()
        seen.append(some)
        return pa.RecordBatch.from_pylist([row(key, "new") for key in some["key"].to_pylist()], SCHEMA)

    tables._BATCH = 10
    if where == "indexes":
        tables._fill = _dying_after(tables._fill)
    if where == "pointer":
        sweep, swept = Table._sweep, []

        def dying(table):
            if swept:
                die()
            swept.append(1)
            sweep(table)

        Table._sweep = dying
    Table(folder).rewrite(transform)


@pytest.mark.parametrize("where", ["rows", "indexes", "pointer"])
def test_a_kill_during_an_erasure_leaves_the_old_or_the_new(tmp_path, where):
    folder = tmp_path / "index"
    made(folder)
    killed(_rewrite_and_die, folder, where)
    found = texts(Table(folder))
    assert len(found) == 40
    assert (set(found.values()) == {"new"}) == (where == "pointer")
    # The next writer takes away what was left.
    Table(folder).commit(arrow([row("k40", "more")]))
    assert len(left(folder)[1]) == 1
    assert texts(Table(folder)) == found | {"k40": "more"}


def _commit_and_die(folder):
    tables._lance_errors = _Dying
    Table(folder).commit(arrow([row(f"k{n}", "new") for n in range(20)]))


class _Dying:
    """Stands in for the commit's error handling: the process is killed within it, at the latest as it ends."""

    def __init__(self, folder):
        threading.Timer(0.05, die).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        die()


def test_a_kill_during_a_commit_leaves_all_of_it_or_nothing(tmp_path):
    folder = tmp_path / "index"
    made(folder)
    for _ in range(2):
        killed(_commit_and_die, folder)
        found = texts(Table(folder))
        assert len(found) == 40
        assert sum(text == "new" for text in found.values()) in (0, 20)
    Table(folder).commit(arrow([row("k40", "more")]))
    assert texts(Table(folder))["k40"] == "more"


def _commit_without_room(folder, answer):
    """No file of this process may grow past some bytes: the system says of it what it says of a full disk."""
    table = Table(folder)
    big = arrow([row(f"n{n}", " ".join(f"x{n * 1000 + m}" for m in range(200))) for n in range(400)])
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
    try:
        table.commit(big)
        answer.put("committed")
    except StoreError as error:
        answer.put(f"{error.message} {error.remedy}")


def test_a_full_disk_is_named_and_leaves_the_last_revision(tmp_path):
    folder = tmp_path / "index"
    made(folder)
    before = texts(Table(folder))
    answer = SPAWN.Queue()
    child = SPAWN.Process(target=_commit_without_room, args=(folder, answer))
    child.start()
    said = answer.get(timeout=60)
    child.join()
    if said == "committed":
        pytest.skip("this system bounds no file of a process")
    assert "no space is left on the disk" in said
    assert str(folder) in said
    assert texts(Table(folder)) == before
    Table(folder).commit(arrow([row("k40", "more")]))
    assert texts(Table(folder)) == before | {"k40": "more"}


def _commit(folder, name):
    for number in range(3):
        Table(folder).commit(arrow([row(f"{name}{number}", f"{name} {number}"), row("k0", name)]))


def test_two_that_commit_at_once_wait_for_each_other(tmp_path):
    folder = tmp_path / "index"
    made(folder)
    children = [SPAWN.Process(target=_commit, args=(folder, name)) for name in ("a", "b")]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [0, 0]
    found = texts(Table(folder))
    assert len(found) == 46
    assert found["k0"] in ("a", "b")
    assert {one["key"] for one in Table(folder).by_text(["a"], "", 50, ("key",))} >= {"a0", "a1", "a2"}


def test_a_reader_stays_open_while_an_index_is_written(tmp_path):
    folder = tmp_path / "index"
    made(folder)
    reader, writer = Table(folder), Table(folder)
    stop, wrong, asked = threading.Event(), [], []

    def read():
        while not stop.is_set():
            found = reader.by_text(["old", "new"], "", 100, ("key", "text"))
            asked.append(1)
            if len(found) != 40 or len({one["text"].split()[0] for one in found}) != 1:
                wrong.append(found)

    thread = threading.Thread(target=read)
    thread.start()
    try:
        for word in ("new", "old", "new"):
            writer.rewrite(
                lambda some, word=word: batch([row(key, f"{word} {key}") for key in some["key"].to_pylist()])
            )
            other = "old" if word == "new" else "new"
            writer.commit(arrow([row(f"k{n}", f"{other} again") for n in range(40)]))
    finally:
        stop.set()
        thread.join()
    assert asked
    assert wrong == []
    assert set(texts(reader).values()) == {"old again"}


def test_many_small_commits_are_gathered_and_found_all_along(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "_PIECES", 4)
    table = made(tmp_path / "index")
    for number in range(12):
        table.commit(arrow([row(f"n{number}", f"later x{number}"), row("k0", f"changed x{number}")]))
        assert {one["key"] for one in table.by_text([f"x{number}"], "", 9, ("key",))} == {f"n{number}", "k0"}
        assert len(table.by_text(["later"], "", 99, ("key",))) == number + 1
        assert table.count() == 41 + number
    pieces = table._refresh().stats()["fragment_stats"]["num_fragments"]
    assert pieces <= 6  # not one for each of the thirteen


def test_vectors_are_indexed_once_an_index_has_grown_large(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "EXACT", 500)
    monkeypatch.setattr(tables, "_PIECES", 3)
    grown = made(tmp_path / "t", 300)
    indexed = lambda: any("vector" in one.columns for one in grown._refresh().list_indices())  # noqa: E731
    for start in range(300, 900, 100):
        assert not indexed() or start > 500
        grown.commit(arrow([row(f"k{n}", f"new w{n}") for n in range(start, start + 100)]))
    assert indexed()
    for number in (5, 640, 899):
        word = "old" if number < 300 else "new"
        (first, *_) = grown.by_vector(np.array(row("", f"{word} w{number}")["vector"]), "", 3, ["key"])
        assert first["key"] == f"k{number}"


def test_what_an_erasure_took_out_is_in_no_file(tmp_path):
    folder = tmp_path / "index"
    table = made(folder)
    table.commit(arrow([row("secret", "zyxwvutsrq-unlike-anything")]))
    assert any(b"zyxwvutsrq" in path.read_bytes() for path in folder.rglob("*") if path.is_file())
    table.rewrite(lambda some: some.filter(pc.not_equal(some["key"], "secret")))
    assert not any(b"zyxwvutsrq" in path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_a_copy_goes_its_own_way(tmp_path):
    one = made(tmp_path / "one")
    one.copy(tmp_path / "other")
    other = Table(tmp_path / "other")
    other.commit(arrow([row("k0", "changed")]))
    other.rewrite(lambda some: some.filter(pc.equal(some["key"], "k0")))
    assert len(texts(one)) == 40
    assert texts(one)["k0"] == "old w0"
    assert texts(other) == {"k0": "changed"}


def test_an_index_that_is_gone_says_so(tmp_path):
    with pytest.raises(StoreError, match="no index"):
        Table(tmp_path / "none")
