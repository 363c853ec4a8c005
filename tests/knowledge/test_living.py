"""What changed at the sources becomes a revision: that alone is read, cut and encoded, and what ended is not found today."""

from __future__ import annotations

import datetime
import http.server
import multiprocessing
import os
import signal
import sqlite3
import threading
from pathlib import Path

import pytest

from septet.core import ConfigError, StoreError
from septet.core import recipe as recipes
from septet.core.runner import Runner
from septet.core.workspace import Workspace
from septet.kinds import KnowledgeBase
from septet.knowledge.living import Living
from septet.knowledge.revisions import ENTRY, folder_of, index_of, revision_of
from septet.knowledge.search import Searcher
from septet.knowledge.table import Table

RECIPE = """
name = "kb"
[docs]
step = "data.read"
paths = ["docs"]
licence = "CC0-1.0"
origin = "private"
access = "staff"
[unique]
step = "data.deduplicate"
corpus = "@docs"
[knowledge]
step = "data.knowledge"
corpus = "@unique"
encoder = "hashing"
"""
FEES = "# 收费办法\n\n## 补卡\n\n补办银行卡的费用为 15 元。\n\n## 转账\n\n跨行转账每笔手续费 2 元，大额转账另行约定。\n"
RULES = "# Account rules\n\n## Closing\n\nAn account is closed within three business days of a written request.\n"
TODAY = datetime.date.today()
YESTERDAY = (TODAY - datetime.timedelta(days=1)).isoformat()


class Place:
    """A folder of documents, a recipe over it, and a workspace in which it was run."""

    def __init__(self, folder: Path, recipe: str = RECIPE) -> None:
        self.folder = folder
        self.docs = folder / "docs"
        self.docs.mkdir(parents=True)
        self.write("fees.md", FEES)
        self.write("rules.md", RULES)
        (folder / "recipe.toml").write_text(recipe, "utf-8")
        self.recipe = recipes.load(folder / "recipe.toml")
        self.workspace = Workspace(folder / ".septet")
        Runner(self.workspace).run(self.recipe)
        self.living = Living(self.workspace, self.recipe)

    def write(self, name: str, text: str) -> None:
        (self.docs / name).parent.mkdir(parents=True, exist_ok=True)
        (self.docs / name).write_text(text, "utf-8")

    def search(self, query: str, **given: object) -> list[str]:
        folder = index_of(self.workspace, self.living.base, follow=True)
        knowledge = KnowledgeBase(self.workspace.store.folder(self.living.base))
        searcher = Searcher(knowledge, folder=folder)
        try:
            return [hit.chunk["text"] for hit in searcher.search(query, 5, **given)]  # type: ignore[arg-type]
        finally:
            searcher.close()

    def table(self) -> Table:
        return Table(folder_of(self.workspace, self.living.base.fingerprint))


@pytest.fixture
def place(tmp_path):
    made = Place(tmp_path)
    yield made
    made.workspace.close()


def test_nothing_changed_is_no_revision(place):
    assert place.living.update().is_nothing
    assert place.living.update().revision == 0
    assert place.workspace.ledger.entries(ENTRY) == []


def test_a_changed_clause_replaces_the_old_one_and_what_stayed_keeps_its_vector(place):
    place.write("fees.md", FEES.replace("15 元", "20 元"))
    done = place.living.update()
    assert (done.revision, done.added, done.ended, done.encoded) == (1, 2, 2, 1)
    assert [(one.source, one.how) for one in done.sources] == [("fees.md", "changed")]
    for mode in ("hybrid", "text", "vector"):
        found = place.search("补办银行卡的费用", mode=mode)
        assert any("20 元" in text for text in found), mode
        assert not any("15 元" in text for text in found), mode
    before = place.search("补办银行卡的费用", as_of=YESTERDAY)
    assert any("15 元" in text for text in before)
    assert not any("20 元" in text for text in before)
    # A clause that reads as before held yesterday too, and is there once.
    assert sum("跨行" in text for text in place.search("跨行转账", as_of=YESTERDAY)) == 1
    assert sum("跨行" in text for text in place.search("跨行转账")) == 1


def test_an_updated_index_answers_as_one_that_was_built_anew(place, tmp_path):
    place.write("fees.md", FEES.replace("15 元", "20 元"))
    place.write("more/new.md", "# 开户\n\n开立账户需要出示身份证原件。\n")
    (place.docs / "rules.md").unlink()
    place.living.update()
    again = Place(tmp_path / "again")
    for path in sorted(again.docs.rglob("*")):
        path.unlink()
    for path in sorted(place.docs.rglob("*.md")):
        again.write(path.relative_to(place.docs).as_posix(), path.read_text("utf-8"))
    Runner(again.workspace).run(again.recipe)
    again.living = Living(again.workspace, again.recipe)
    current = place.table().rows(
        "state = 'current'", ("id", "text", "start", "end", "source", "source_digest", "terms")
    )
    fresh = list(KnowledgeBase(again.workspace.store.folder(again.living.base)).chunks())
    assert sorted((row["id"], row["start"], row["end"], row["source_digest"]) for row in current) == sorted(
        (chunk["id"], chunk["start"], chunk["end"], chunk["source_digest"]) for chunk in fresh
    )
    for query in ("补卡费用", "转账手续费", "身份证", "close an account"):
        assert place.search(query) == again.search(query)
    again.workspace.close()


def test_a_file_that_is_gone_is_cited_no_more(place):
    (place.docs / "rules.md").unlink()
    done = place.living.update()
    assert [(one.source, one.how, one.ended) for one in done.sources] == [("rules.md", "gone", 1)]
    assert not any("business days" in text for text in place.search("closed within business days"))
    assert any("business days" in text for text in place.search("closed within business days", as_of=YESTERDAY))


def test_a_file_that_cannot_be_read_keeps_its_last_state_and_its_reason_is_kept(place):
    (place.docs / "broken.docx").write_bytes(b"PK\x03\x04 this is no archive")
    (place.docs / "rules.md").write_bytes(b"")
    place.write("fees.md", FEES.replace("15 元", "20 元"))
    done = place.living.update()
    told = {one.source: one for one in done.sources}
    assert told["broken.docx"].how == told["rules.md"].how == "unreadable"
    assert "DOCX" in told["broken.docx"].reason
    assert told["rules.md"].reason
    assert any("business days" in text for text in place.search("closed within business days"))
    assert any("20 元" in text for text in place.search("补卡费用"))
    assert place.living.update().is_nothing  # it is not tried again until it changes
    (entry,) = place.workspace.ledger.entries(ENTRY)
    kept = place.workspace.ledger.body(entry)["sources"]
    assert {one["source"]: one["reason"] for one in kept}["broken.docx"] == told["broken.docx"].reason


def test_only_broken_files_change_nothing(place):
    (place.docs / "broken.docx").write_bytes(b"PK\x03\x04 this is no archive")
    done = place.living.update()
    assert [(one.source, one.how) for one in done.sources] == [("broken.docx", "unreadable")]
    assert done.revision == 0
    assert place.living.update().is_nothing


def test_a_new_version_ends_the_old_one_on_its_first_day(place):
    law = (
        "# 存款管理办法（{0}年修订）\n\n第一条 本办法自{0}年1月1日起施行。\n\n"
        "第二条 存款利率不低于百分之{1}，由存款人与银行约定。\n"
    )
    year = TODAY.year
    place.write(f"存款管理办法{year - 1}.md", law.format(year - 1, "二"))
    place.living.update()
    place.write(f"存款管理办法{year + 1}.md", law.format(year + 1, "三"))
    done = place.living.update()
    assert {one.how for one in done.sources} == {"new", "superseded"}
    query = "存款利率不低于百分之几"
    assert "百分之二" in place.search(query)[0]
    assert not any("百分之三" in text for text in place.search(query))
    later = place.search(query, as_of=f"{year + 1}-01-01")
    assert "百分之三" in later[0]
    assert not any("百分之二" in text for text in later)
    assert not any("百分之" in text for text in place.search(query, as_of=f"{year - 2}-06-01"))


def test_revisions_stand_in_the_ledger_and_lead_to_what_was_read(place):
    place.write("fees.md", FEES.replace("15 元", "20 元"))
    place.living.update()
    place.write("fees.md", FEES.replace("15 元", "25 元"))
    place.living.update()
    bodies = [place.workspace.ledger.body(entry) for entry in place.workspace.ledger.entries(ENTRY)]
    assert [body["revision"] for body in bodies] == [1, 2]
    assert bodies[0]["digest"] != bodies[1]["digest"]
    assert revision_of(place.workspace, place.living.base.fingerprint) == 2
    for body in bodies:
        assert place.workspace.store.get(body["fingerprint"]).kind == "Corpus"


def _update_and_die(folder, where):
    place = Place.__new__(Place)
    place.workspace = Workspace(folder / ".septet")
    living = Living(place.workspace, recipes.load(folder / "recipe.toml"))
    commit = Table.commit

    def dying(table, rows):
        if where == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        commit(table, rows)
        os.kill(os.getpid(), signal.SIGKILL)

    Table.commit = dying
    living.update()


@pytest.mark.parametrize("where", ["before", "after"])
def test_a_kill_leaves_the_old_or_the_new_index(place, where):
    place.living.update()
    place.write("fees.md", FEES.replace("15 元", "20 元"))
    child = multiprocessing.get_context("spawn").Process(target=_update_and_die, args=(place.folder, where))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    found = place.search("补办银行卡的费用")
    assert sum("补办银行卡" in text for text in found) == 1
    assert any(("15 元" if where == "before" else "20 元") in text for text in found)
    place.living.update()
    assert any("20 元" in text for text in place.search("补办银行卡的费用"))
    assert revision_of(place.workspace, place.living.base.fingerprint) == 1
    assert len(place.workspace.ledger.entries(ENTRY)) == 1


def _update(folder):
    with Workspace(folder / ".septet") as workspace:
        Living(workspace, recipes.load(folder / "recipe.toml")).update()


def test_two_writers_wait_for_each_other(place):
    place.living.update()
    place.write("fees.md", FEES.replace("15 元", "20 元"))
    place.write("new.md", "# 开户\n\n开立账户需要出示身份证原件。\n")
    context = multiprocessing.get_context("spawn")
    children = [context.Process(target=_update, args=(place.folder,)) for _ in range(2)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [0, 0]
    assert sum("20 元" in text for text in place.search("补办银行卡的费用")) == 1
    assert revision_of(place.workspace, place.living.base.fingerprint) == 1


def test_a_reader_that_is_open_sees_the_next_revision(place):
    place.living.update()
    knowledge = KnowledgeBase(place.workspace.store.folder(place.living.base))
    searcher = Searcher(knowledge, folder=index_of(place.workspace, place.living.base, follow=True))
    place.write("fees.md", FEES.replace("15 元", "20 元"))
    place.living.update()
    assert "20 元" in searcher.search("补办银行卡的费用", 1)[0].chunk["text"]
    searcher.close()


def test_a_full_disk_leaves_the_last_revision(place, monkeypatch):
    place.living.update()
    place.write("fees.md", FEES.replace("15 元", "20 元"))

    def full(table, rows):
        raise StoreError("no space is left on the disk", "Free some, then run again")

    with monkeypatch.context() as changed:
        changed.setattr(Table, "commit", full)
        with pytest.raises(StoreError, match="no space"):
            place.living.update()
    assert any("15 元" in text for text in place.search("补办银行卡的费用"))
    place.living.update()
    assert any("20 元" in text for text in place.search("补办银行卡的费用"))


def test_rows_of_a_table_are_followed(tmp_path, monkeypatch):
    database = tmp_path / "rules.sqlite"
    with sqlite3.connect(database) as opened:
        opened.execute("create table rules (id integer primary key, title text, content text)")
        opened.executemany(
            "insert into rules values (?, ?, ?)",
            [(1, "挂失", "银行卡挂失后补卡费用为 15 元。"), (2, "转账", "跨行转账每笔手续费 2 元。")],
        )
    monkeypatch.setenv("RULES_DB", f"sqlite:///{database}")
    made = Place(
        tmp_path / "place",
        RECIPE.replace(
            'paths = ["docs"]',
            'query = "select id, title, content from rules order by id"\nurl_variable = "RULES_DB"\nretrieved = "2026-11-24"',
        ),
    )
    assert made.living.update().is_nothing
    with sqlite3.connect(database) as opened:
        opened.execute("update rules set content = '银行卡挂失后补卡费用为 20 元。' where id = 1")
    done = made.living.update()
    assert (done.added, done.ended, done.encoded) == (1, 1, 1)
    found = made.search("补卡费用")
    assert any("20 元" in text for text in found)
    assert not any("15 元" in text for text in found)
    made.workspace.close()


def test_pages_are_followed(tmp_path):
    pages = {"/rules.html": "<html><title>Rules</title><body><p>The fee for a lost card is 15 yuan.</p></body></html>"}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            text = pages.get(self.path)
            self.send_response(200 if text else 404)
            self.send_header("content-type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write((text or "").encode())

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    recipe = RECIPE.replace(
        'paths = ["docs"]', f'paths = ["{address}/rules.html", "{address}/none.html"]\nretrieved = "2026-11-24"'
    )
    made = Place(tmp_path, recipe)
    try:
        made.living.update()
        pages["/rules.html"] = pages["/rules.html"].replace("15 yuan", "20 yuan")
        done = made.living.update()
        assert (done.added, done.ended) == (1, 1)
        assert any("20 yuan" in text for text in made.search("fee for a lost card"))
        del pages["/rules.html"]
        assert {one.how for one in made.living.update().sources} == {"unreadable"}
        assert any("20 yuan" in text for text in made.search("fee for a lost card"))
        assert made.living.update().is_nothing  # that it is still not to be had is no news
    finally:
        server.shutdown()
        server.server_close()
        made.workspace.close()


def test_what_cannot_be_followed_says_so(place, tmp_path):
    with pytest.raises(ConfigError, match="no knowledge base 'x'"):
        Living(place.workspace, place.recipe, "x")
    with pytest.raises(ConfigError, match="never made"):
        Living(place.workspace, _named(place))
    changed = recipes.load(place.folder / "recipe.toml", ["knowledge.size=300"])
    with pytest.raises(ConfigError, match="is not what"):
        Living(place.workspace, changed)


def _named(place):
    path = place.folder / "other.toml"
    path.write_text(RECIPE.replace('"kb"', '"other"'), "utf-8")
    return recipes.load(path)
