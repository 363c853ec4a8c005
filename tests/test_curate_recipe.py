"""The recipe of stage 1 at full length, on the handbook and on a folder of dirty files: nothing is lost, nothing runs twice."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from septet.core.recipe import load
from septet.core.runner import Runner
from septet.core.workspace import Workspace
from septet.kinds import Corpus, Report, Tokens

CHAIN = ("docs", "cleaned", "good", "current", "passages", "unique", "exam", "decent", "private")
CHINESE = "客户申请贷款时应当提交身份证明和收入证明，银行在十五个工作日内作出是否同意的答复，并说明理由。"
LOAN = CHINESE + (
    "贷款批准以后，双方签订书面合同，载明金额、期限、利率和还款的办法。客户可以提前归还全部或者一部分本金，但应当在三十天前通知银行。"
    "逾期不还的，自逾期之日起加收罚息；连续三期不还的，银行有权宣布全部本金提前到期，并依法处分抵押物。对答复有异议的，可以向分行投诉。"
)
ENGLISH = (
    "A customer who applies for a loan hands in proof of identity and income, and the bank answers within fifteen working days. "
    "The contract says how much is lent, for how long and at which rate. Whoever wants to pay back early tells the branch a month "
    "before. After three missed payments the whole sum is due at once, and the bank may sell what secures it. "
)


@pytest.fixture(scope="module")
def made(tmp_path_factory, repository):
    """The recipe's records on the handbook and on broken, doubled and private files beside it."""
    folder = tmp_path_factory.mktemp("curate")
    dirty = folder / "dirty"
    dirty.mkdir()
    (dirty / "loan.txt").write_text(LOAN, "utf-8")
    (dirty / "again.txt").write_text(LOAN.replace("，", "， "), "utf-8")
    (dirty / "old.txt").write_bytes((ENGLISH + "联系人：王小明，手机13912345678。").encode("gb18030"))
    (dirty / "noise.txt").write_text("click here | login | cookie | " * 40, "utf-8")
    (dirty / "rows.jsonl").write_text(
        json.dumps(
            {"text": CHINESE + "本行说明与上文不同的内容，请客户务必留意，以免延误办理时间。" * 3}, ensure_ascii=False
        )
        + "\n{broken\n",
        "utf-8",
    )
    (dirty / "scan.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 64)
    paths = [str(repository / "docs" / "handbook"), str(dirty)]
    recipe = load(repository / "recipes" / "curate.toml", [f"docs.paths={json.dumps(paths)}"])
    with Workspace(folder / ".septet") as workspace:
        runner = Runner(workspace)
        records = runner.run(recipe)
        assert all(planned.hit for planned in runner.plan(recipe)), "a second run would do something"
        yield workspace, records


def corpus(made, name) -> Corpus:
    workspace, records = made
    return Corpus(workspace.store.folder(records[name]))


def test_every_row_is_kept_or_left_out_with_its_rule(made):
    for before, after in pairwise(CHAIN):
        rows = {row["id"] for row in corpus(made, before).rows()}
        kept = {row["id"] for row in corpus(made, after).rows()}
        dropped = list(corpus(made, after).dropped())
        assert kept | {row["id"] for row in dropped} == rows, after
        assert all(row["rule"] for row in dropped), after


def test_dirt_is_left_out_and_named(made):
    rejected = {line["source"]: line["reason"] for line in corpus(made, "docs").rejected()}
    assert "OCR" in rejected["scan.png"]
    assert "JSON" in rejected["rows.jsonl"]
    assert {row["source"] for row in corpus(made, "good").dropped()} >= {"noise.txt"}
    (copy,) = corpus(made, "unique").dropped()
    assert (copy["source"], copy["rule"]) in (("loan.txt", "exact duplicate"), ("again.txt", "exact duplicate"))
    private = {row["source"]: row["text"] for row in corpus(made, "private").rows()}
    assert "13912345678" not in private["old.txt"]
    assert "王小明" not in private["old.txt"]
    assert len([name for name in private if name.endswith(".md")]) > 40, "pages of the handbook went with the dirt"


def test_the_tokens_hold_every_document_of_the_mixture(made):
    workspace, records = made
    tokens = Tokens(workspace.store.folder(records["tokens"]))
    assert tokens.meta["documents"] == corpus(made, "mixture").count() == corpus(made, "private").count()


def test_what_stands_beside_the_chain_runs_too(tmp_path, repository):
    recipe = load(repository / "recipes" / "shape.toml")
    with Workspace(tmp_path / ".septet") as workspace:
        records = Runner(workspace).run(recipe)
        further = Corpus(workspace.store.folder(records["further"]))
        parents = {row["id"] for row in Corpus(workspace.store.folder(records["covering"])).rows()}
        made = [row for row in further.rows() if row["parent"]]
        assert made
        assert {row["parent"] for row in made} <= parents
        shares = Report(workspace.store.folder(records["fertility"])).summary()
        assert any(name.startswith("extended") for name in shares)
