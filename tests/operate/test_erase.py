"""Erasure: what was asked to be gone is in no file of the workspace, no search finds it, and the certificate says what was done."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import wave
from multiprocessing import get_context

import pyarrow.parquet as pq
import pytest

from septet.cli.main import main
from septet.core import ConfigError, lineage
from septet.core import recipe as recipes
from septet.core.runner import Runner
from septet.core.store import Store
from septet.core.workspace import Workspace
from septet.kinds import Conversations, Corpus, KnowledgeBase, Recordings, Tokens
from septet.knowledge.living import Living
from septet.knowledge.revisions import index_of
from septet.knowledge.search import Searcher
from septet.operate.erase import ENTRY, erase
from septet.operate.impact import impact
from septet.operate.subject import find

NAME, PHONE = "秦月朗", "13958214477"
RULES = (
    "# 营业规定\n\n## 时间\n\n营业厅每个工作日上午九点开门，下午五点关门，客户可以在任何时候拨打服务热线办理银行卡挂失业务。\n\n"
    "## 费用\n\n补办银行卡的费用为 15 元，跨行转账每笔手续费 2 元，大额转账由客户与支行另行约定。\n"
)
LETTER = (
    f"# 客户来信\n\n## 请求\n\n客户{NAME}来信说五月三日的信件没有收到，请支行再寄一份，联系电话 {PHONE}，"
    "请在十个工作日之内答复。\n\n"
    f"## 处理\n\n支行已经把信件的副本寄给{NAME}，并且在客户档案里保存了答复的副本和快递单据。\n"
)
RECIPE = """
name = "r"
[docs]
step = "data.read"
paths = ["docs"]
licence = "own"
origin = "private"
[unique]
step = "data.deduplicate"
corpus = "@docs"
[vectors]
step = "data.features"
method = "gaussian"
corpus = "@unique"
encoder = "hashing"
[knowledge]
step = "data.knowledge"
corpus = "@unique"
encoder = "hashing"
[questions]
step = "data.questions"
knowledge = "@knowledge"
[tokenizer]
step = "data.tokenizer"
corpus = "@unique"
vocabulary = 300
[tokens]
step = "data.pack"
corpus = "@unique"
tokenizer = "@tokenizer"
sequence = 64
"""


@pytest.fixture
def place(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "rules.md").write_text(RULES, "utf-8")
    (tmp_path / "docs" / "letter.md").write_text(LETTER, "utf-8")
    (tmp_path / "r.toml").write_text(RECIPE, "utf-8")
    return tmp_path


@pytest.fixture
def made(workspace, place):
    return Runner(workspace).run(recipes.load(place / "r.toml"))


def search(workspace, record, query, follow=True, **given):
    knowledge = KnowledgeBase(workspace.store.folder(record))
    searcher = Searcher(knowledge, folder=index_of(workspace, record, follow))
    try:
        return [hit.chunk["text"] for hit in searcher.search(query, 10, **given)]
    finally:
        searcher.close()


def found_in(root, text):
    """Files below a folder in which a text stands, compressed or not."""
    hits = []
    for path in sorted(root.rglob("*")):
        if not path.is_file():
            continue
        data = path.read_bytes()
        if path.suffix == ".parquet":
            data = str(pq.read_table(path).to_pylist()).encode()
        if text.encode() in data or json.dumps(text)[1:-1].encode() in data:
            hits.append(path.relative_to(root).as_posix())
        if path.name.endswith(".sqlite"):
            with sqlite3.connect(path) as opened:
                hits += [path.name for (body,) in opened.execute("select body from bodies") if text in body]
    return hits


def answered(workspace, record, text):
    chunks = [chunk["id"] for chunk in KnowledgeBase(workspace.store.folder(record)).chunks() if text in chunk["text"]]
    workspace.ledger.append("answer", "ans-1", {"question": "谁来信了", "text": f"客户{NAME}来信", "contexts": chunks})
    workspace.ledger.append("answer", "ans-2", {"question": "几点开门", "text": "上午九点", "contexts": ["x"]})


def test_a_value_is_covered_everywhere_and_the_rest_stays(workspace, place, made):
    answered(workspace, made["knowledge"], NAME)
    assert any(NAME in text for text in search(workspace, made["knowledge"], NAME))
    assert found_in(workspace.root, NAME)
    before = {row["id"]: len(row["text"]) for row in Corpus(workspace.store.folder(made["unique"])).rows()}
    done = erase(workspace, find(workspace, NAME), "asked by the person")
    assert found_in(workspace.root, NAME) == []
    assert found_in(workspace.root / "index", NAME) == []
    assert {one.kind for one in done.artifacts} >= {"Corpus", "KnowledgeBase", "Tokens"}
    assert done.answers == ["ans-1"]
    assert NAME not in json.dumps([entry.subject for entry in workspace.ledger.entries()], ensure_ascii=False)
    after = {row["id"]: len(row["text"]) for row in Corpus(workspace.store.folder(made["unique"])).rows()}
    assert after == before
    for mode in ("hybrid", "text", "vector"):
        found = search(workspace, made["knowledge"], f"{NAME}来信", mode=mode)
        assert not any(NAME in text for text in found)
    assert any("信件" in text for text in search(workspace, made["knowledge"], "信件的副本"))
    assert not lineage.verify(workspace)
    assert impact(workspace, find(workspace, NAME, "value")).hits == [] or done.kept
    assert workspace.ledger.body(workspace.ledger.latest("answer", "ans-1")) is None
    assert workspace.ledger.body(workspace.ledger.latest("answer", "ans-2")) is not None


def test_a_source_goes_with_its_rows_chunks_and_tokens(workspace, place, made):
    answered(workspace, made["knowledge"], NAME)
    living = Living(workspace, recipes.load(place / "r.toml"))
    (place / "docs" / "letter.md").write_text(LETTER.replace("十个", "八个"), "utf-8")
    living.update()
    assert any("八个" in text for text in search(workspace, made["knowledge"], "答复"))
    done = erase(workspace, find(workspace, "letter.md", "source"))
    for word in (NAME, PHONE, "五月三日"):
        assert found_in(workspace.root, word) == []
    for follow in (True, False):
        for as_of in ("", "2020-01-01", "2999-01-01"):
            for mode in ("hybrid", "text", "vector"):
                found = search(workspace, made["knowledge"], "客户来信 信件 副本", follow, mode=mode, as_of=as_of)
                assert not any("信件" in text for text in found)
    assert [row["source"] for row in Corpus(workspace.store.folder(made["unique"])).rows()] == ["rules.md"]
    assert any("补办" in text for text in search(workspace, made["knowledge"], "补办银行卡"))
    tokens = Tokens(workspace.store.folder(made["tokens"]))
    tokens.check()
    assert "erased" in pq.read_table(tokens.path / "documents.parquet")["document"].to_pylist()
    assert done.models
    assert {one.kind for one in done.models} == {"Tokenizer"}
    assert [path.rpartition("/")[2] for path in done.sources] == ["letter.md"]
    assert not lineage.verify(workspace)
    # The certificate stands in the ledger, with the digest of each artifact before and after.
    body = workspace.ledger.body(workspace.ledger.latest(ENTRY, done.label))
    assert {one["fingerprint"] for one in body["artifacts"]} == {one.fingerprint for one in done.artifacts}
    for one in done.artifacts:
        record = workspace.store.get(one.fingerprint)
        assert record.digest == one.now
        assert lineage.is_as_tested(workspace, record, record.digest, one.was)
        assert not lineage.is_as_tested(workspace, record, "sha256:else", one.was)
    # Nothing is left to erase, and what is there is not made again.
    assert impact(workspace, find(workspace, "letter.md", "source")).hits == []
    again = Runner(workspace).run(recipes.load(place / "r.toml", [f"docs.paths={place / 'docs'}"]))
    assert again


def test_a_document_is_followed_to_its_chunks_in_a_living_index(workspace, place, made):
    row = next(one for one in Corpus(workspace.store.folder(made["docs"])).rows() if one["source"] == "letter.md")
    done = erase(workspace, find(workspace, row["id"]))
    assert done.sort == "document"
    assert not any("信件" in text for text in search(workspace, made["knowledge"], "信件"))
    assert found_in(workspace.root / "store", NAME) == []


def test_models_are_taken_out_on_request_and_made_anew(workspace, place, made):
    done = erase(workspace, find(workspace, "letter.md", "source"), retrain=True)
    assert made["tokenizer"].fingerprint in done.removed
    assert made["tokens"].fingerprint in done.removed
    assert all(one.removed for one in done.models)
    assert not lineage.verify(workspace)


def _erase_and_die(root, at):
    workspace = Workspace(root)
    replace = Store.replace
    seen = []

    def dying(store, record, *given):
        seen.append(record)
        if len(seen) > at:
            os.kill(os.getpid(), signal.SIGKILL)
        return replace(store, record, *given)

    Store.replace = dying
    erase(workspace, find(workspace, "letter.md", "source"))


@pytest.mark.parametrize("at", [0, 2, 4])
def test_after_a_kill_it_goes_on(workspace, place, made, at):
    answered(workspace, made["knowledge"], NAME)
    child = get_context("spawn").Process(target=_erase_and_die, args=(workspace.root, at))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    erase(workspace, find(workspace, "letter.md", "source"))
    assert found_in(workspace.root, NAME) == []
    assert not lineage.verify(workspace)


def test_the_command_asks_first_and_never_says_the_value(workspace, place, made, capsys, monkeypatch):
    monkeypatch.setenv("SEPTET_WORKSPACE", str(workspace.root))
    assert main(["erase", PHONE]) == 1
    assert "Nothing was erased" in capsys.readouterr().out
    assert found_in(workspace.root, PHONE)
    assert main(["erase", PHONE, "--reason", f"{PHONE} asked"]) == 2
    capsys.readouterr()
    assert main(["erase", PHONE, "--yes", "--reason", "asked"]) == 0
    said = capsys.readouterr().out
    assert "certificate" in said
    assert PHONE not in said
    assert found_in(workspace.root, PHONE) == []


def test_an_artifact_is_no_subject(workspace, made, monkeypatch, capsys):
    monkeypatch.setenv("SEPTET_WORKSPACE", str(workspace.root))
    assert main(["erase", "r/docs"]) == 2
    with pytest.raises(ConfigError):
        find(workspace, "")


def test_a_value_in_a_file_name_and_in_events_is_covered(workspace, place):
    (place / "docs" / f"{NAME}.md").write_text(
        "# 档案\n\n客户的档案放在支行的柜子里，只有主管能够查看其中的内容。\n", "utf-8"
    )
    Runner(workspace).run(recipes.load(place / "r.toml"))
    (place / "docs" / f"{NAME}.md").write_text(
        "# 档案\n\n客户的档案放在支行的柜子里，只有行长能够查看其中的内容。\n", "utf-8"
    )
    Living(workspace, recipes.load(place / "r.toml")).update()
    erase(workspace, find(workspace, NAME, "value"))
    left = [path for path in found_in(workspace.root, NAME) if not path.startswith(("cache/", "ledger."))]
    assert left == []


def test_blots_keep_every_other_character_in_place():
    from septet.operate.subject import Subject, blot

    subject = Subject(sort="value", label="", value="Li Wei")
    assert blot("a Li Wei,Li  Wei,li wei. Liwei Li Weis", subject) == "a ██████,███████,██████. Liwei Li Weis"


MEDIA_RECIPE = """
name = "m"
[voices]
step = "data.speech"
folder = "voices"
licence = "own"
origin = "private"
[said]
step = "data.conversations"
paths = ["said.jsonl"]
licence = "own"
origin = "private"
dataset = "desk"
"""


@pytest.mark.parametrize("what", ["value", "source", "dataset"])
def test_a_voice_and_a_training_row_go_whole(workspace, tmp_path, what):
    """A sound says what its text says: the row is not blotted, it goes with its sound."""
    voices = tmp_path / "voices"
    voices.mkdir()
    for number in range(3):
        with wave.open(str(voices / f"{number}.wav"), "wb") as file:
            file.setparams((1, 2, 16000, 0, "NONE", ""))
            file.writeframes(bytes(range(256)) * (20 + number))
    table = "file,lang,text\n" + "".join(
        f"{number}.wav,zh,{f'我是{NAME}' if number == 1 else '几点开门'}\n" for number in range(3)
    )
    (voices / "transcripts.csv").write_text(table, "utf-8")
    said = [{"question": "几点开门？", "answer": "上午九点。"}, {"question": f"{NAME}来信了吗？", "answer": "来了。"}]
    (tmp_path / "said.jsonl").write_text("\n".join(json.dumps(row) for row in said), "utf-8")
    (tmp_path / "m.toml").write_text(MEDIA_RECIPE, "utf-8")
    records = Runner(workspace).run(recipes.load(tmp_path / "m.toml"))
    asked = {"value": (NAME, "value"), "source": ("1.wav", "source"), "dataset": ("desk", "dataset")}[what]
    erase(workspace, find(workspace, *asked))
    folders = {name: workspace.store.folder(record) for name, record in records.items()}
    rows, lines = list(Recordings(folders["voices"]).rows()), list(Conversations(folders["said"]).rows())
    assert [row["source"] for row in rows] == (["0.wav", "1.wav", "2.wav"] if what == "dataset" else ["0.wav", "2.wav"])
    assert {f"sounds/{file.name}" for file in (folders["voices"] / "sounds").iterdir()} == {
        row["sound"] for row in rows
    }
    if what == "value":
        assert not found_in(workspace.root, NAME)
    if what == "dataset":
        assert not lines
