"""No reader sees a word above his clearance by any route: text, vectors, days, revisions, ids, answers, pages, errors."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("lancedb", reason="the extra 'data' is not installed")
pytest.importorskip("cryptography", reason="the extra 'sign' is not installed")
httpx = pytest.importorskip("httpx", reason="httpx is not installed")
sys.path[:0] = [str(Path(__file__).parent.parent / "server"), str(Path(__file__).parent.parent / "console")]

from filled_workspace import seal  # noqa: E402
from live_server import running  # noqa: E402

from septet.assistant import Assistant, Options  # noqa: E402
from septet.assistant import assistant as rooms  # noqa: E402
from septet.console.app import create_app as create_console  # noqa: E402
from septet.core import AccessDenied, ConfigError, GateRefused, Run  # noqa: E402
from septet.core import recipe as recipes  # noqa: E402
from septet.core.runner import Runner  # noqa: E402
from septet.detect.access import ALL, Access, Reader, is_cleared, readable  # noqa: E402
from septet.detect.policy import Policy as Rules  # noqa: E402
from septet.files import write_json  # noqa: E402
from septet.inference.protocol import Piece  # noqa: E402
from septet.kinds import Conversations, KnowledgeBase, Model, Policy  # noqa: E402
from septet.knowledge.living import Living  # noqa: E402
from septet.knowledge.revisions import index_of  # noqa: E402
from septet.knowledge.search import Searcher  # noqa: E402
from septet.operate import publish  # noqa: E402
from septet.operate.classes import learned_classes  # noqa: E402
from septet.operate.steps import MakeRelease, release  # noqa: E402
from septet.server.app import create_app  # noqa: E402
from septet.server.border import Key  # noqa: E402
from septet.server.desk import Desk  # noqa: E402

CLASSES = ("public", "internal", "confidential", "secret")
WORDS = {
    "public": "木樨花", "internal": "紫檀木", "confidential": "青花瓷", "secret": "夜明珠", "board": "龙涎香",
}  # fmt: skip
"""A word that stands in the documents of one class alone; nobody ranked `board`."""
CLEARANCES = ("", *CLASSES, ALL)
TABLE = """
[{0}]
step = "data.read"
paths = ["{0}"]
licence = "own"
origin = "private"
access = "{0}"
"""
RECIPE = (
    'name = "kb"\n'
    + "".join(TABLE.format(name) for name in WORDS)
    + '[all]\nstep = "data.mixture"\ncorpora = ['
    + ", ".join(f'"@{name}"' for name in WORDS)
    + ']\n[knowledge]\nstep = "data.knowledge"\ncorpus = "@all"\nencoder = "hashing"\n'
)


def seen_by(clearance):
    """The words that a clearance may see."""
    if clearance == ALL:
        return set(WORDS.values())
    last = CLASSES.index(clearance) if clearance else 0
    return {WORDS[name] for name in CLASSES[: last + 1]}


def above(clearance):
    return set(WORDS.values()) - seen_by(clearance)


def said(value):
    return json.dumps(value, ensure_ascii=False, default=str)


class Echo:
    """An engine that repeats all it was given: whatever reaches the prompt comes out."""

    name = "echo"

    def __init__(self):
        self.codec = SimpleNamespace(
            prompt=lambda messages: SimpleNamespace(ids=[1], text="\n".join(m["content"] for m in messages)),
            encode=lambda text: [1] * len(text),
        )

    def stream(self, prompt, options):
        yield Piece(prompt.text, "stop")

    def close(self):
        pass


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    from septet.core.workspace import Workspace

    folder = tmp_path_factory.mktemp("access")
    for name, word in WORDS.items():
        (folder / name).mkdir()
        (folder / name / f"{name}.md").write_text(
            f"# 藏品办法\n\n## 保管\n\n藏品{word}由保管员登记入库，藏品的费用为每年 20 元。\n", "utf-8"
        )
    (folder / "r.toml").write_text(RECIPE, "utf-8")
    with Workspace(folder / ".septet") as workspace:
        recipe = recipes.load(folder / "r.toml")
        records = Runner(workspace).run(recipe)
        model = seal(workspace, "served", "model.load", "Model", {}, _model, {"source": ["package:toy"]})
        policy = seal(
            workspace, "policy", "trust.policy", "Policy", {}, lambda out: write_json(out / "policy.json", {}), {}
        )
        base = records["knowledge"]
        knowledge = KnowledgeBase(workspace.store.folder(base))
        for name, learned in (("open", []), ("taught", ["confidential"])):
            inputs = {"model": model.fingerprint, "knowledge": base.fingerprint, "policy": policy.fingerprint}
            content = {
                "name": name,
                "settings": {"top": 5, "context_tokens": 2000, "max_tokens": 2000},
                "model": {"digest": Model(workspace.store.folder(model)).digest(), "learned": learned},
                "knowledge": {"digest": knowledge.digest(), "meta": {}, "updates": "follow"},
            }
            sealed = seal(
                workspace, name, "operate.release", "Release", inputs,
                lambda out, content=content: write_json(out / "release.json", content), {},
            )  # fmt: skip
            publish.publish(workspace, sealed)
        # A revision: each document changes, so that what was sealed, what ended and what came are all there.
        living = Living(workspace, recipe)
        for name, word in WORDS.items():
            path = folder / name / f"{name}.md"
            path.write_text(
                path.read_text("utf-8").replace("20 元", "30 元") + f"\n## 新增\n\n{word}每年清点一次。\n", "utf-8"
            )
        living.update()
        yield workspace, base, knowledge


def _model(out):
    for name in ("tokenizer.json", "model_card.json"):
        write_json(out / name, {})
    (out / "model.gguf").write_bytes(b"GGUF")


@pytest.fixture
def opened(place, monkeypatch):
    monkeypatch.setattr(rooms, "load", lambda model: Echo())
    made = []

    def open_(name):
        assistant = Assistant.open(place[0], name)
        made.append(assistant)
        return assistant

    yield open_
    for one in made:
        one.close()


@pytest.mark.parametrize("clearance", CLEARANCES)
@pytest.mark.parametrize("mode", ["hybrid", "text", "vector"])
@pytest.mark.parametrize("follow", [True, False])
def test_no_search_finds_what_is_above(place, clearance, mode, follow):
    workspace, base, knowledge = place
    classes = readable(Access(), clearance)
    searcher = Searcher(knowledge, folder=index_of(workspace, base, follow))
    found = set()
    for query in (*WORDS.values(), "藏品的费用", "保管员登记入库", "board", "secret' or '1'='1"):
        for as_of in ("", "2020-01-01", "2999-01-01"):
            text = said([hit.chunk for hit in searcher.search(query, 50, mode, classes, as_of)])
            assert not {word for word in above(clearance) if word in text}, (query, as_of)
            found |= {word for word in WORDS.values() if word in text}
    assert found == seen_by(clearance)
    for chunk in searcher.table.rows("id is not null", ("id", "text", "access")):
        one = searcher.chunk(chunk["id"], classes)
        assert (one is not None) == any(word in chunk["text"] for word in seen_by(clearance))
    searcher.close()


@pytest.mark.parametrize("clearance", CLEARANCES)
def test_no_answer_says_cites_or_logs_what_is_above(place, opened, clearance):
    workspace = place[0]
    assistant = opened("open")
    for question in [f"{word}的费用是多少？" for word in WORDS.values()]:
        for as_of in ("", "2020-01-01"):
            reader = Reader(name="someone", clearance=clearance)
            done = assistant.answer([{"role": "user", "content": question}], Options(as_of=as_of), reader)
            body = workspace.ledger.body(workspace.ledger.latest("answer", done.id))
            assert body["user"] == "someone"
            assert body["clearance"] == clearance
            for where in (done.contexts, done.citations, [one.text for one in done.sentences], body["citations"]):
                shown = said(where).replace(question, "")
                assert not {word for word in above(clearance) if word in shown}
    everything = assistant.answer([{"role": "user", "content": "藏品的费用"}], reader=Reader(clearance=clearance))
    assert not {word for word in above(clearance) if word in said(everything.contexts) + everything.text}
    assert seen_by(clearance) & {word for word in WORDS.values() if word in said(everything.contexts)}


def test_a_model_that_learned_from_a_class_answers_nobody_below_it(opened):
    assistant = opened("taught")
    ask = [{"role": "user", "content": "藏品的费用"}]
    for clearance in ("", "public", "internal"):
        with pytest.raises(AccessDenied) as refused:
            assistant.answer(ask, reader=Reader(clearance=clearance))
        assert "confidential" not in str(refused.value)
    for clearance in ("confidential", "secret", ALL):
        assert assistant.answer(ask, reader=Reader(clearance=clearance)).text
    with pytest.raises(ConfigError, match="no access class 'chief'"):
        assistant.answer(ask, reader=Reader(clearance="chief"))


@pytest.mark.parametrize("name", ["open", "taught"])
def test_the_gateway_and_the_console_know_who_asks(place, opened, name):
    keys = {clearance: f"key-{clearance or 'none'}-{'x' * 20}".replace("*", "all") for clearance in CLEARANCES}
    known = tuple(Key(secret, Reader(name=f"reader of {one}", clearance=one)) for one, secret in keys.items())
    with Desk(lambda: opened(name)) as desk:
        app = create_app(desk, known, (), create_console(place[0], desk))
        with running(app) as url:
            for clearance, secret in keys.items():
                headers = {"authorization": f"Bearer {secret}"}
                for stream in (False, True):
                    asked = {"model": name, "messages": [{"role": "user", "content": "藏品的费用"}], "stream": stream}
                    done = httpx.post(f"{url}/v1/chat/completions", json=asked, headers=headers, timeout=60)
                    denied = name == "taught" and clearance in ("", "public", "internal")
                    assert done.status_code == (403 if denied else 200)
                    assert not {word for word in above(clearance) if word in done.text}
                for path in ("/", "/answers", "/artifacts", "/runs", "/releases"):
                    page = httpx.get(url + path, headers=headers)
                    assert page.status_code == (200 if clearance == ALL else 403), (clearance, path)
                    if clearance != ALL:
                        assert not {word for word in above(clearance) if word in page.text}
                page = httpx.get(f"{url}/chat", headers=headers)
                assert page.status_code == 200
                form = {"question": "藏品的费用"}
                for path in ("/chat", "/chat/stream"):
                    page = httpx.post(url + path, data=form, headers=headers, timeout=60)
                    assert not {word for word in above(clearance) if word in page.text}


def test_an_injected_class_is_a_class_of_no_document(place):
    workspace, base, knowledge = place
    searcher = Searcher(knowledge, folder=index_of(workspace, base, True))
    for classes in ([], ["public') or ('1'='1"], ["'"], ["%"]):
        assert searcher.search("藏品", 5, access=classes) == []
    searcher.close()


def test_a_release_to_readers_below_what_was_learned_is_refused(tmp_path):
    model = tmp_path / "store" / "train.sft" / "sha256-m"
    made = Conversations.write(
        tmp_path / "rows", [{"id": "1", "messages": [{"role": "user", "content": "x"}], "access": ["secret"]}]
    )
    assert made.path
    _model(model)
    assert learned_classes(model) == ()
    policy = tmp_path / "policy"
    write_json(policy / "policy.json", {"gates": {"release": []}})
    knowledge = KnowledgeBase(tmp_path / "kb")
    write_json(knowledge.path / "meta.json", {})
    (knowledge.path / "chunks.parquet").write_bytes(b"")
    config = MakeRelease(name="x", readers="public")
    assert release(config, Model(model), knowledge, Policy(policy), (), Run(tmp_path / "out"))
    import septet.operate.classes as classes

    was = classes.learned_classes
    classes.learned_classes = lambda folder: ("internal", "secret")
    try:
        with pytest.raises(GateRefused, match="internal, secret"):
            release(config, Model(model), knowledge, Policy(policy), (), Run(tmp_path / "out2"))
    finally:
        classes.learned_classes = was


def test_the_order_of_classes_is_the_policys():
    ladder = Rules(access=Access(classes=("all", "staff"))).access
    assert readable(ladder, "staff") == {"all", "staff"}
    assert readable(ladder, "") == {"all"}
    assert is_cleared(ladder, "staff", ["all", "staff"])
    assert not is_cleared(ladder, "staff", ["board"])
    assert is_cleared(ladder, ALL, ["board"])
    with pytest.raises(ConfigError):
        Access(classes=("a", "a")).check()
