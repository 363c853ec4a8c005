import json
import os
from fractions import Fraction
from pathlib import Path

import pytest

from septet.core import ConfigError
from septet.train.reinforcement import rewards

SHARED = Path(os.environ.get("SEPTET_SHARED", Path(__file__).parents[3] / "shared"))
GSM8K = SHARED / "benchmarks" / "gsm8k"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("She earns $1,234.50 a week.", Fraction("1234.5")),
        ("16 - 3 - 4 = 9 eggs, so 9*2=18.", 18),
        ("16-3", 3),
        ("the change is -7 degrees", -7),
        ("the change is \u22127", -7),
        ("答案是１２０元", 120),
        ("一共 3.5万元", 35000),
        ("答案是一百二十元", 120),
        ("两千零五", 2005),
        ("一亿二千万零三", 120000003),
        ("二〇二六", 2026),
        ("负三点一四", Fraction("-3.14")),
        ("十五个", 15),
        ("答案 12 个，一共", 12),
        ("three quarters, 3/4", Fraction(3, 4)),
        ("1, 2, 3", 3),
        ("#### 72", 72),
        ("no number", None),
    ],
)
def test_the_last_number_is_read_as_a_person_reads_it(text, value):
    assert rewards.last_number(text) == value


def test_the_number_agrees_with_published_verdicts_on_real_answers():
    path = GSM8K / "example_model_solutions_0000_0659.jsonl"
    if not path.is_file():
        pytest.skip("GSM8K is not beside this checkout")
    agreed = total = 0
    for line in path.read_text("utf-8").splitlines():
        row = json.loads(line)
        for verdict in (value for value in row.values() if isinstance(value, dict)):
            total += 1
            agreed += bool(rewards.number(verdict["solution"], row["ground_truth"])) == verdict["is_correct"]
    assert total > 2000
    assert agreed / total > 0.99


def test_letters_are_chosen_by_cue_or_alone():
    for answer in ("The answer is (B).", "答案：Ｂ", "选B", "A is wrong, so B", "B"):
        assert rewards.choice(answer, "B") == 1, answer
    assert rewards.choice("BAD", "B") == 0
    assert rewards.choice("", "B") == 0


def test_texts_lengths_and_formats():
    assert rewards.exact(" 一百二十 元。", "一百二十元") == 1
    assert rewards.exact("", "") == 0
    assert rewards.contains("It costs １２ dollars!", "12 Dollars") == 1
    assert rewards.contains("anything", "reference", "thing") == 1
    assert rewards.length("abc", "", "2-3") == 1
    assert rewards.length("abcd", "", "2-3") == 0
    assert rewards.format("<a>\n1</a>", "", "<a>.*</a>") == 1
    assert rewards.format("1", "", "<a>.*</a>") == 0


def test_several_are_weighed_and_mistakes_are_told_before_training():
    score = rewards.combined(["exact", "length:1-4"], [2.0, 0.5])
    assert score("yes", "Yes") == [2.0, 0.5]
    assert score("maybe", "yes") == [0.0, 0.0]
    for names, weights, says in (
        (["exakt"], [], "there is no 'exakt'"),
        (["length:long"], [], "bounds of a length"),
        (["format:("], [], "cannot be read"),
        (["number:3"], [], "takes no setting"),
        (["exact"], [1.0, 2.0], "1 rewards have 2 weights"),
    ):
        with pytest.raises(ConfigError, match=says):
            rewards.combined(names, weights)
