import pytest

pytest.importorskip("xllamacpp", reason="the package xllamacpp is not installed: pip install 'septet[llamacpp]'")

from septet.compress.equivalence import agreements
from septet.compress.steps import Cost, Quantise, quantise, report
from septet.core import ConfigError, Run
from septet.inference.protocol import Completion, Options, Prompt, load
from septet.kinds import Suite

CONTEXTS = [{"chunk": "c", "title": "Fees", "text": "The plain card costs 12 dollars."}]


@pytest.fixture(scope="module")
def suite(tmp_path_factory):
    items = [
        {
            "id": f"{n}",
            "kind": "question",
            "language": "en",
            "question": f"{n}?",
            "answers": [f"{n} dollars"],
            "contexts": CONTEXTS,
        }
        for n in range(5)
    ]
    items.append({"id": "none", "kind": "question", "language": "zh", "question": "？", "answers": [], "contexts": []})
    about = {"name": "s", "version": "1", "licence": "x", "origin": "x"}
    return Suite.write(tmp_path_factory.mktemp("suite"), items, about)


def test_the_report_says_what_was_saved_and_what_it_cost(tiny, suite, tmp_path):
    small = quantise(Quantise(), tiny, Run(tmp_path / "small"))
    run = Run(tmp_path / "report")
    made = report(Cost(items=4, tokens=6), tiny, small, suite, run)
    made.check()
    summary = made.summary()
    assert summary["size_after"].value < summary["size_before"].value
    assert summary["same_token_ids"].value == 1.0
    assert summary["greedy_agreement"].value > 0.9
    assert summary["perplexity_ratio"].value == pytest.approx(1.0, abs=0.02)
    assert summary["perplexity_ratio"].low <= summary["perplexity_ratio"].value <= summary["perplexity_ratio"].high
    assert len(list(made.items())) == 4 + 4
    assert {"decode_tokens_per_second_after", "load_seconds_before"} <= run.observed.keys()
    again = report(Cost(items=4, tokens=6), tiny, small, suite, Run(tmp_path / "again"))
    assert again.digest() == made.digest()


def test_a_suite_without_answers_is_refused(tiny, suite, tmp_path):
    bare = Suite.write(tmp_path / "bare", [row for row in suite.items() if not row["answers"]], suite.about)
    with pytest.raises(ConfigError, match="no questions with answers"):
        report(Cost(), tiny, tiny, bare, Run(tmp_path / "out"))


def test_agreement_is_the_share_of_tokens_that_the_other_form_would_have_said_there(tiny):
    engine = load(tiny)
    try:
        prompts = [Prompt(tuple(engine.codec.encode(text))) for text in ("What does", "年费是")]
        said = engine.generate(prompts, Options(max_tokens=6))
        assert agreements(engine, prompts, said) == [1.0, 1.0]
        other = (said[0].ids[0] + 1, *said[0].ids[1:])
        changed = Completion("", other, said[0].finish, 1)
        (share,) = agreements(engine, prompts[:1], [changed])
        assert share < 1
    finally:
        engine.close()
    assert agreements(engine, [], []) == []
