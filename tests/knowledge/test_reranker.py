"""A reranker of one's own: rows that teach a model to ask, a knowledge base that carries it, and what becomes of it there."""

from __future__ import annotations

import json

import pytest
import tiny_models

from septet.core import ConfigError, Run, StepFailed
from septet.core import recipe as recipes
from septet.core.runner import Runner
from septet.data.questions import completed
from septet.data.steps import Ask, Knowledge, Questions, Read, ask, knowledge, questions, read
from septet.kinds import Corpus, KnowledgeBase, Model, Suite
from septet.knowledge.build import searched_text
from septet.knowledge.search import Searcher
from septet.model.template import asking
from septet.operate.classes import learned_classes
from septet.operate.erase import erase
from septet.operate.subject import find

PERSON = "秦月朗"
RULES = (
    f"# 账户规则\n\n## 挂失\n\n银行卡遗失后，请立即拨打客服热线办理挂失，补卡费用为 15 元，经办人{PERSON}。\n\n"
    "## 开户\n\n开立账户需要出示居民身份证原件，并填写开户申请表。\n\n"
    "## Interest\n\nSavings accounts pay interest every quarter, at the rate of the day.\n"
)
ASKED = {
    "卡丢了怎么办？": "银行卡遗失后，请立即拨打客服热线办理挂失",
    "When is interest paid?": "Savings accounts pay interest every quarter",
}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    place = tmp_path_factory.mktemp("reranker")
    (place / "docs").mkdir()
    (place / "docs" / "rules.md").write_text(RULES, "utf-8")
    rows = [{"question": asked, "evidence": {"source": "rules.md", "quote": quote}} for asked, quote in ASKED.items()]
    (place / "asked.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    config = Read(paths=(str(place / "docs"),), licence="CC0-1.0", origin="public", access="staff")
    corpus = read(config, Run(place / "corpus"))
    base = knowledge(Knowledge(encoder="hashing", size=120), corpus, run=Run(place / "plain"))
    asked = Questions(
        paths=(str(place / "asked.jsonl"),), derived=0, least=0, choices=0, test_share=0.0, licence="CC0-1.0"
    )
    questions(asked, base, Run(place / "suite"))
    tiny_models.llama(place / "model")
    return place


def base_of(place, out):
    return knowledge(
        Knowledge(encoder="hashing", size=120), Corpus(place / "corpus"), Model(place / "model"), run=Run(out)
    )


def test_rows_ask_of_the_passage_what_people_asked(place, tmp_path):
    base = KnowledgeBase(place / "plain")
    made = list(ask(Ask(), Suite(place / "suite"), base, Run(tmp_path / "rows")).rows())
    held = {chunk["id"]: chunk for chunk in base.chunks()}
    assert {row["messages"][-1]["content"] for row in made} == set(ASKED)
    for row in made:
        chunk = held[row["evidence"][0]]
        assert ASKED[row["messages"][-1]["content"]] in chunk["text"]
        assert row["messages"][:-1] == list(asking(searched_text(chunk)))
        assert row["access"] == ["staff"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"answers": ["x"]}, "line 1 asks nothing"),
        ({"question": "x?", "evidence": {"source": "a.md"}}, "names no passage"),
        ({"question": "x?", "answers": "x"}, "no list of texts"),
    ],
)
def test_a_line_that_is_no_question_is_named(place, tmp_path, line, said):
    (tmp_path / "asked.jsonl").write_text(json.dumps(line) + "\n", "utf-8")
    with pytest.raises(ConfigError, match=said):
        questions(
            Questions(paths=(str(tmp_path / "asked.jsonl"),)), KnowledgeBase(place / "plain"), Run(tmp_path / "out")
        )


def test_a_question_may_leave_out_what_can_be_told():
    found = completed({"question": "年费是多少？", "id": 7}, "here", 0.0)
    assert (found["id"], found["kind"], found["language"], found["split"]) == ("7", "question", "zh", "train")
    assert completed({"question": "What does it cost?"}, "here", 1.0)["split"] == "test"
    whole = {**found, "language": "en", "split": "test"}
    assert list(completed(whole, "here", 0.0).items()) == list(whole.items())


def test_rows_of_other_classes_are_not_learned_from(place, tmp_path):
    with pytest.raises(StepFailed, match="may be learned from"):
        ask(Ask(access=("public",)), Suite(place / "suite"), KnowledgeBase(place / "plain"), Run(tmp_path / "rows"))


def test_a_base_carries_its_reranker_and_searches_with_it(place, tmp_path):
    from septet.inference.rerank import load_reranker

    carried = base_of(place, tmp_path / "kb")
    assert carried.digest() == base_of(place, tmp_path / "again").digest() != KnowledgeBase(place / "plain").digest()
    assert (carried.path / "reranker" / "config.json").samefile(place / "model" / "config.json")
    judge = load_reranker(f"likelihood:{place / 'model'}")
    opened, given = Searcher(carried), Searcher(KnowledgeBase(place / "plain"), reranker=judge)
    for question in (*ASKED, "开户", ""):
        found = [[hit.chunk["id"] for hit in one.search(question, 3)] for one in (opened, given)]
        assert found[0] == found[1]
    opened.close()
    given.close()


def test_what_cannot_judge_is_refused(place, tmp_path):
    corpus = Corpus(place / "corpus")
    both = Knowledge(encoder="hashing", reranker="ms-marco-minilm")
    with pytest.raises(ConfigError, match="two rerankers"):
        knowledge(both, corpus, Model(place / "model"), run=Run(tmp_path / "both"))
    (tmp_path / "gguf").mkdir()
    (tmp_path / "gguf" / "model.gguf").write_bytes(b"GGUF")
    with pytest.raises(ConfigError, match="safetensors"):
        knowledge(Knowledge(encoder="hashing"), corpus, Model(tmp_path / "gguf"), run=Run(tmp_path / "kb"))


RECIPE = """
name = "r"
[docs]
step = "data.read"
paths = ["docs"]
licence = "own"
origin = "private"
access = "secret"
[plain]
step = "data.knowledge"
corpus = "@docs"
encoder = "hashing"
[questions]
step = "data.questions"
knowledge = "@plain"
paths = ["asked.jsonl"]
licence = "own"
derived = 0
least = 0
choices = 0
test_share = 0.0
[rows]
step = "data.ask"
suite = "@questions"
knowledge = "@plain"
[tokenizer]
step = "data.tokenizer"
corpus = "@docs"
vocabulary = 300
[model]
step = "model.decoder"
tokenizer = "@tokenizer"
layers = 1
width = 32
heads = 2
context = 512
[taught]
step = "train.finetune"
model = "@model"
rows = "@rows"
held_out = 0.0
[knowledge]
step = "data.knowledge"
corpus = "@docs"
encoder = "hashing"
model = "@taught"
"""


def test_its_classes_its_lineage_and_its_erasure(workspace, place):
    (place / "r.toml").write_text(RECIPE, "utf-8")
    recipe = recipes.load(place / "r.toml")
    made = Runner(workspace).run(recipe)
    store = workspace.store
    assert learned_classes(store.folder(made["plain"])) == ()
    assert learned_classes(store.folder(made["knowledge"])) == ("secret",)
    before = sorted((store.folder(made["knowledge"]) / "reranker").iterdir())
    was = {path.name: path.read_bytes() for path in before}
    done = erase(workspace, find(workspace, PERSON), "asked by the person")
    assert {one.name for one in done.models} >= {"r/taught"}
    folder = store.folder(made["knowledge"])
    assert {path.name: path.read_bytes() for path in (folder / "reranker").iterdir()} == was
    assert not any(PERSON in chunk["text"] for chunk in KnowledgeBase(folder).chunks())
    opened = Searcher(KnowledgeBase(folder))
    assert opened.search("开户需要什么", 2)
    opened.close()


def test_an_update_reads_the_documents_alone(workspace, place):
    from septet.knowledge.living import Living

    (place / "r.toml").write_text(RECIPE, "utf-8")
    recipe = recipes.load(place / "r.toml")
    made = Runner(workspace).run(recipe)
    (place / "docs" / "rules.md").write_text(RULES.replace("15 元", "20 元"), "utf-8")
    try:
        done = Living(workspace, recipe, "knowledge").update()
    finally:
        (place / "docs" / "rules.md").write_text(RULES, "utf-8")
    assert done.encoded == 1
    assert workspace.resolve("r/taught").fingerprint == made["taught"].fingerprint
