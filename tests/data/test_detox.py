"""Detoxification: word lists in bulk, a classifier learnt from labels, what is done with a hit, and whom the filter hits."""

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from septet.core import ConfigError, Run
from septet.data.steps import (
    Detoxify,
    FilterFairness,
    ToxicityClassifier,
    detoxify,
    filter_fairness,
    toxicity_classifier,
)
from septet.detect import edits
from septet.detect import policy as policies
from septet.detect.lexicon import Category, Lexicon
from septet.detect.toxicity import mentions, sentences
from septet.kinds import Corpus, Policy

WORDS = ("坏蛋", "大傻瓜", "numbskull*", "total twit")
LEXICON = Lexicon(
    {"abuse": Category(words=WORDS), "mild": Category(words=("笨蛋",), unless=("可爱",))}, allow=("坏蛋糕",)
)
PIECES = (
    "坏蛋|坏 蛋|坏\u200b蛋|壞蛋|坏*蛋|坏。蛋|大傻瓜|ｎｕｍｂｓｋｕｌｌ|n u m b s k u l l|"
    "numb5kull|NumbSkulls|nümbskull|total twit|t0tal tw1t|坏蛋糕|笨蛋|"
    "可爱的笨蛋|坏@蛋|坏!蛋|坏!蛋!好|n@u@m@b@s@k@u@l@l|@n@u@m@b@s@k@u@l@l|numb|numb*skull|坏|蛋|@|$|*|_|numb$kull|numb5ku11|a|b|"
    "&#22351;蛋|%E5%9D%8F蛋|好人|a fine day|，|。| |\n|℃|1|!"
).split("|")


@given(st.lists(st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=9).map("".join), max_size=8))
@settings(max_examples=300, deadline=None)
def test_a_column_gives_what_its_texts_give(texts):
    assert LEXICON.find_all(texts) == {row: LEXICON.find(text) for row, text in enumerate(texts) if LEXICON.find(text)}


@pytest.mark.parametrize(
    "text", ["你坏蛋", "你壞 蛋", "numb5kull", "n u m b s k u l l", "ｎｕｍｂｓｋｕｌｌ!", "@n@u@m@b@s@k@u@l@l"]
)
def test_disguises_are_seen_through(text):
    assert LEXICON.find_all(["好的", text, ""]).keys() == {1}


@given(st.text(max_size=60))
def test_sentences_are_the_whole_text(text):
    assert "".join(text[start:end] for start, end in sentences(text)) == text


def test_words_of_latin_script_are_words_of_their_own():
    texts = [
        "numbskulled",
        "xnumbskull",
        "total twitter",
        "total twit!",
        "a total twit",
        "totaltwit",
        "total_twit",
        "t*o*t*a*l twit",
    ]
    assert LEXICON.find_all(texts) == {row: LEXICON.find(text) for row, text in enumerate(texts) if LEXICON.find(text)}
    assert {0, 3, 4} <= LEXICON.find_all(texts).keys()
    assert not LEXICON.find_all(["xnumbskull", "total twitter"])


def test_groups_are_words_of_their_own():
    assert mentions("She said women and old people came") == {"gender", "age"}
    assert mentions("这位残疾人是上海人") == {"disability", "region"}
    assert mentions("The manual of kidney care, and a blackboard") == set()


def rows_of(texts, metas=None, dataset="web"):
    for i, text in enumerate(texts):
        yield {
            "id": f"d{i}",
            "text": text,
            "dataset": dataset,
            "source": f"s{i}",
            "source_digest": "",
            "start": 0,
            "end": len(text),
            "language": "zh",
            "licence": "",
            "origin": "public",
            "access": "",
            "transforms": [],
            "meta": json.dumps(metas[i]) if metas else "",
        }


def policy_of(path, **keys):
    path.mkdir()
    words = {"abuse": {"action": "mask", "weight": 0.9, "words": list(WORDS)}}
    values = {"lexicon": {"categories": words}, **keys}
    (path / "policy.json").write_bytes(policies.encode(policies.decode(values, "test")))
    return Policy(path)


TEXTS = ["今天天气很好。", "你这个坏蛋，走开。", "女人都是大傻瓜", "女人来了"]


@pytest.mark.parametrize("action", ["keep", "review", "rewrite", "drop"])
def test_every_action_accounts_for_every_row(tmp_path, action):
    corpus = Corpus.write(tmp_path / "in", rows_of(TEXTS))
    policy = policy_of(tmp_path / "p", toxicity={"actions": {"abuse": action}})
    made = detoxify(Detoxify(), corpus, policy, (), run=Run(tmp_path / "out"))
    rows, dropped = list(made.rows()), list(made.dropped())
    assert {row["id"] for row in [*rows, *dropped]} == {"d0", "d1", "d2", "d3"}
    review = [json.loads(line) for line in (tmp_path / "out" / "review.jsonl").read_text("utf-8").splitlines()]
    assert [one["id"] for one in review] == (["d1", "d2"] if action == "review" else [])
    if action == "drop":
        assert [(row["id"], row["rule"]) for row in dropped] == [("d1", "toxicity:abuse"), ("d2", "toxicity:abuse")]
    elif action == "rewrite":
        assert [row["text"] for row in rows] == ["今天天气很好。", "你这个**，走开。", "女人都是***", "女人来了"]
        at = rows[1]["text"].index("走开")
        assert edits.original(edits.decode(rows[1]["edits"]), at, at + 2) == (6, 8)
    else:
        assert [row["text"] for row in rows] == TEXTS
    bias = json.loads((tmp_path / "out" / "bias.json").read_bytes())
    assert bias == {"web": {"gender": {"mentions": 2, "toxic": 1}}}


def labelled(count=900, seed=5):
    draw = random.Random(seed)
    rude = ("滚开", "真恶心", "去死吧", "讨厌鬼")
    kind = ("谢谢你", "辛苦了", "很高兴", "祝顺利")
    for _ in range(count):
        bad = draw.random() < 0.5
        group = draw.choice(["gender", "region"])
        who = {"gender": "女生", "region": "河南人"}[group]
        text = f"{who}{draw.choice(rude if bad else kind)}，{draw.choice('天地人和风雨雷电')}{draw.randrange(1000)}"
        yield text, {"label": int(bad), "group": group}


def test_a_classifier_is_learnt_and_its_sentences_are_left_out(tmp_path):
    texts, metas = zip(*labelled(), strict=True)
    corpus = Corpus.write(tmp_path / "in", rows_of(texts, metas))
    config = ToxicityClassifier(classes={"1": "abuse"})
    scorer = toxicity_classifier(config, corpus, Run(tmp_path / "scorer"))
    figures = scorer.about["by_category"]["abuse"]
    assert set(figures) == {"all", "gender", "region"}
    assert figures["all"]["auc"][0] > 0.98
    assert figures["all"]["f1"][1] <= figures["all"]["f1"][0] <= figures["all"]["f1"][2]
    again = toxicity_classifier(config, corpus, Run(tmp_path / "again"))
    assert (again.path / "weights.safetensors").read_bytes() == (scorer.path / "weights.safetensors").read_bytes()
    kind = "河南人谢谢你，天1。女生辛苦了，和22。" * 40
    long = Corpus.write(
        tmp_path / "long", rows_of([kind + "女生真恶心，去死吧，滚开，讨厌鬼，" * 4 + "去死吧。" + kind])
    )
    policy = policy_of(tmp_path / "p", toxicity={"threshold": 0.6, "actions": {"abuse": "rewrite"}})
    (row,) = detoxify(Detoxify(detectors=()), long, policy, (scorer,), run=Run(tmp_path / "out")).rows()
    assert row["text"] == kind + kind
    assert row["transforms"] == ["data.detoxify"]


def test_hate_is_split_by_group_where_asked(tmp_path):
    texts, metas = zip(*labelled(), strict=True)
    corpus = Corpus.write(tmp_path / "in", rows_of(texts, metas))
    config = ToxicityClassifier(classes={"1": "hate"}, by_group=("hate",))
    assert toxicity_classifier(config, corpus, Run(tmp_path / "s")).about["classes"] == ["hate.gender", "hate.region"]
    with pytest.raises(ConfigError, match="that classes names"):
        toxicity_classifier(ToxicityClassifier(classes={"9": "hate"}), corpus, Run(tmp_path / "t"))


def test_the_filter_is_held_to_account_by_group(tmp_path):
    texts = ["女人喜欢大傻瓜这部电影"] * 10 + ["女人来了"] * 10 + ["上海人来了"] * 20 + ["天气好"] * 60 + ["坏蛋"] * 5
    metas = [{"label": 0}] * 100 + [{"label": 1}] * 5
    corpus = Corpus.write(tmp_path / "in", rows_of(texts, metas))
    report = filter_fairness(FilterFairness(), corpus, policy_of(tmp_path / "p"), (), run=Run(tmp_path / "r"))
    summary = report.summary()
    assert (summary["false_alarms.gender"].value, summary["false_alarms.gender"].n) == (0.5, 20)
    assert summary["false_alarms.region"].value == 0
    assert summary["false_alarms.all"].value == pytest.approx(0.1)
    assert report.content["facts"]["largest_gap"] == 0.5


def test_actions_of_the_policy_are_checked():
    with pytest.raises(ConfigError, match="unknown action 'remove'"):
        policies.decode({"toxicity": {"actions": {"abuse": "remove"}}}, "p")
