"""Tasks of lm-evaluation-harness from their YAML files: what is asked, what is refused, and the harness's own word beside ours."""

from __future__ import annotations

import json
import random

import pytest
import tiny_models
from hypothesis import given
from hypothesis import strategies as st

from septet.core import ConfigError
from septet.evaluate import prompts
from septet.evaluate.readers import harness_tables
from septet.evaluate.readers.harness_yaml import load
from septet.evaluate.readers.lm_eval import read
from septet.evaluate.verdicts.harness import Pipeline, filtered, judge

CARDS = """question,A,B,C,D,answer
What does the plain card cost?,12 dollars,13 dollars,None,N/A,A
"Which card is
free?",gold,plain,0.50,7,B
Is "the first year" free?,yes,no,it depends,,A
Who may have one?,anyone,nobody,members,guests,D
When does it end?,in May,in June,never,soon,C
How is it paid?,at once,by month,by year,not at all,B
"""
SOLVED = """question,A,B,C,D,answer
What is a fee?,money,water,time,wood,A
What is a card?,a bird,a stone,plastic,a song,C
What is a year?,a day,twelve months,a week,an hour,B
"""
FEES = [
    {"q": "普通卡的年费是多少？", "a": "一百二十元", "options": ["一百二十元", "免费", "三百六十元"], "right": 0},
    {"q": "金卡的年费是多少？", "a": "三百六十元", "options": ["一百元", "三百六十元", "看情况"], "right": 1},
    {"q": "首年收费吗？", "a": "不收", "options": ["收", "不收", "收一半"], "right": 1},
    {"q": "次年收费吗？", "a": "收", "options": ["收", "不收", "不知道"], "right": 0},
]
YAMLS = {
    "_base": """
dataset_path: csv
test_split: test
fewshot_split: dev
output_type: multiple_choice
doc_to_text: "{{question.strip()}}\\nA. {{A}}\\nB. {{B}}\\nC. {{C}}\\nD. {{D}}\\nAnswer:"
doc_to_target: answer
doc_to_choice: ["A", "B", "C", "D"]
dataset_kwargs: {data_files: {test: data/cards.csv, dev: data/solved.csv}}
metric_list:
  - {metric: acc, aggregation: mean, higher_is_better: true}
""",
    "letters.yaml": """
include: _base
task: letters
tag: cards
num_fewshot: 2
fewshot_config: {sampler: first_n}
description: "On cards.\\n\\n"
metadata: {version: 2}
""",
    "drawn.yaml": """
include: _base
task: drawn
tag: [cards, more]
num_fewshot: 2
description: "About {subject}: cards."
""",
    "among.yaml": """
include: _base
task: among
num_fewshot: 2
fewshot_split: test
fewshot_config: {sampler: first_n}
fewshot_delimiter: "\\n---\\n"
""",
    "among_drawn.yaml": """
include: _base
task: among_drawn
num_fewshot: 3
fewshot_split: test
target_delimiter: ""
""",
    "itself.yaml": """
include: _base
task: itself
num_fewshot: 3
fewshot_split: null
""",
    "texts.yaml": """
include: _base
task: texts
num_fewshot: 1
fewshot_config: {sampler: first_n}
doc_to_text: "Question: {{question}}\\nAnswer:"
doc_to_choice: "{{[A|string, B|string, C|string, D|string]}}"
doc_to_target: "{{['A', 'B', 'C', 'D'].index(answer)}}"
""",
    "fees.yaml": """
task: fees
dataset_path: json
dataset_kwargs: {data_files: {validation: data/fees.jsonl}}
validation_split: validation
num_fewshot: 2
output_type: multiple_choice
doc_to_text: "问题：{{q}}\\n答案：\\n"
doc_to_choice: options
doc_to_target: right
target_delimiter: ""
fewshot_config: {sampler: first_n}
metric_list:
  - {metric: acc, aggregation: mean, higher_is_better: true}
  - {metric: acc_norm, aggregation: mean, higher_is_better: true}
""",
    "told.yaml": """
task: told
dataset_path: json
dataset_kwargs: {data_files: {test: data/fees.jsonl}}
test_split: test
num_fewshot: 2
output_type: multiple_choice
doc_to_text: q
doc_to_choice: {one: 收, two: 不收}
doc_to_target: "{{1 if '不' in a else 0}}"
gen_prefix: "答："
fewshot_config:
  sampler: first_n
  samples:
    - {q: 现在收吗？, a: 不收}
    - {q: 以后收吗？, a: 收}
metric_list:
  - {metric: acc, aggregation: mean, higher_is_better: true}
""",
    "last.yaml": """
task: last
dataset_path: json
dataset_kwargs: {data_files: {test: data/fees.jsonl}}
test_split: test
output_type: loglikelihood
doc_to_text: "{{q}}"
doc_to_target: " {{a}}"
metric_list:
  - {metric: perplexity, aggregation: perplexity, higher_is_better: false}
  - {metric: acc, aggregation: mean, higher_is_better: true}
""",
    "written.yaml": """
task: written
dataset_path: json
dataset_kwargs: {data_files: {test: data/fees.jsonl, train: data/fees.jsonl}}
test_split: test
training_split: train
num_fewshot: 1
output_type: generate_until
doc_to_text: "问：{{q}}\\n答："
doc_to_target: "{{a}}"
target_delimiter: ""
generation_kwargs: {until: ["\\n", "问"], max_gen_toks: 8, temperature: 1e-4, do_sample: false}
filter_list:
  - name: strict
    filter:
      - {function: regex, regex_pattern: "是(.+?)元", fallback: "无"}
      - {function: take_first}
  - name: loose
    filter:
      - {function: remove_whitespace}
      - {function: take_first}
metric_list:
  - {metric: exact_match, aggregation: mean, higher_is_better: true, ignore_punctuation: true, regexes_to_ignore: ["元", "。"]}
""",
    "group.yaml": """
group: all_cards
task:
  - cards
  - task: texts
    num_fewshot: 0
  - {group: inner, task: [fees], num_fewshot: 1}
aggregate_metric_list: [{metric: acc, weight_by_size: true}]
""",
}
TASKS = sorted(load_name.removesuffix(".yaml") for load_name in YAMLS if load_name not in ("_base", "group.yaml"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("harness")
    (root / "data").mkdir()
    (root / "tasks").mkdir()
    (root / "data" / "cards.csv").write_text(CARDS, "utf-8")
    (root / "data" / "solved.csv").write_text(SOLVED, "utf-8")
    lines = [json.dumps(fee, ensure_ascii=False) for fee in FEES]
    (root / "data" / "fees.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    for name, text in YAMLS.items():
        (root / "tasks" / name).write_text(text, "utf-8")
    return root / "tasks"


def questions(benchmark):
    """Each item of the only task as it is asked."""
    (task,) = benchmark.tasks
    shots = [one for one in benchmark.items if one["split"] == "shots"][: task.shots]
    return [prompts.build(task, one, shots, task.mode) for one in benchmark.items if one["split"] != "shots"]


def test_letters_with_shared_examples(folder):
    made = read(folder / "letters.yaml")
    (task,) = made.tasks
    assert (task.name, task.mode, task.shots, task.group, task.chance) == ("letters", "letter", 2, "cards", 0.25)
    assert made.about["version"] == "2"
    first = questions(made)[0]
    assert first.text == (
        "On cards.\n\nWhat is a fee?\nA. money\nB. water\nC. time\nD. wood\nAnswer: A\n\n"
        "What is a card?\nA. a bird\nB. a stone\nC. plastic\nD. a song\nAnswer: C\n\n"
        # pandas reads `None` and `N/A` as nothing, and the template writes that so.
        "What does the plain card cost?\nA. 12 dollars\nB. 13 dollars\nC. None\nD. None\nAnswer:"
    )
    assert first.ends == (" A", " B", " C", " D")
    assert [one["label"] for one in made.items if one["split"] == "test"] == [0, 1, 0, 3, 2, 1]
    assert [one["id"] for one in made.items if one["split"] == "test"] == [f"letters/{place}" for place in range(6)]


def test_examples_are_drawn_as_the_harness_draws_them(folder):
    made = read(folder / "drawn.yaml")
    draw = random.Random(1234)
    asked = ("What is a fee?", "What is a card?", "What is a year?")
    for question in questions(made):
        chosen = draw.sample(asked, 2)
        assert question.text.startswith(f"About {{subject}}: cards.{chosen[0]}")
        assert 0 < question.text.find(chosen[0]) < question.text.find(chosen[1])
        assert question.shots == 0


def test_an_item_is_not_its_own_example(folder):
    for name in ("among", "among_drawn"):
        for question in questions(read(folder / f"{name}.yaml")):
            assert question.text.count(question.item["question"]) == 1


def test_a_group_changes_its_tasks(folder):
    made = {task.name: task for task in read(folder / "group.yaml").tasks}
    assert {name: (task.group, task.shots) for name, task in made.items()} == {
        "letters": ("all_cards", 2),
        "drawn": ("all_cards", 0),
        "texts": ("all_cards", 0),
        "fees": ("all_cards::inner", 0),
    }
    assert made["fees"].language == "zh"
    whole = read(folder)
    assert {task.name for task in whole.tasks} == {*TASKS}
    assert len({one["id"] for one in whole.items}) == len(whole.items)


def test_what_is_written_is_filtered_and_matched(folder):
    made = read(folder / "written.yaml")
    (task,) = made.tasks
    assert (task.mode, task.stop, task.max_tokens, task.verdict) == ("generate", ("\n", "问"), 8, "harness")
    first = next(one for one in made.items if one["id"] == "written/0")
    right = judge(first, " 年费是一百二十元。")
    assert (right.outcome, right.score, right.extracted) == ("answered", 1.0, "一百二十")
    assert right.detail["filters"]["loose"]["exact_match"] == 0.0
    bare = judge(first, " 一百二十元。 ")
    assert (bare.outcome, bare.score) == ("unparsed", 0.0)
    assert bare.detail["filters"]["loose"]["exact_match"] == 1.0


CHOSEN = {
    "function": "multi_choice_regex",
    "regex_pattern": r"(\([A-Z]\))",
    "ignore_case": True,
    "ignore_punctuation": True,
}
CHOICES = ["免费", "首年免费", "The fee.", "no"]
OUTPUTS = {
    "I say (B), and (A) is wrong": "(B)",
    "那么首年免费吧": "(B)",
    "it is the FEE": "(C)",
    "answer: D": "(D)",
    "neither": "[invalid]",
    "": "[invalid]",
}


@pytest.mark.parametrize(("output", "letter"), OUTPUTS.items())
def test_a_choice_is_found_by_letter_or_text(output, letter):
    assert filtered(Pipeline("flexible", [CHOSEN]), output, CHOICES) == (letter, letter == "[invalid]")


@pytest.mark.peer
@pytest.mark.filterwarnings("default")
def test_the_harness_finds_the_same_choice():
    extraction = pytest.importorskip("lm_eval.filters.extraction")
    settings = {key: value for key, value in CHOSEN.items() if key != "function"}
    theirs = extraction.MultiChoiceRegexFilter(**settings)
    found = theirs.apply([list(OUTPUTS)], [{"choices": CHOICES}])
    assert found == [list(OUTPUTS.values())]


def test_a_likelihood_alone_is_neither_right_nor_wrong(folder):
    made = read(folder / "last.yaml")
    assert made.about["not_measured"] == "last: acc"
    assert all(one["labels"] == [] and one["options"] == one["answers"] for one in made.items)
    assert questions(made)[0].ends == (" 一百二十元",)


def test_a_row_that_fits_no_template_is_kept_with_its_reason(folder, tmp_path):
    (tmp_path / "rows.jsonl").write_text('{"q": "1?", "n": 1}\n{"q": "2?", "n": 7}\n', "utf-8")
    (tmp_path / "t.yaml").write_text(
        "task: t\ndataset_path: json\ndataset_kwargs: {data_files: {test: rows.jsonl}}\ntest_split: test\n"
        'output_type: multiple_choice\ndoc_to_text: q\ndoc_to_choice: ["x", "y"]\ndoc_to_target: n\n',
        "utf-8",
    )
    made = read(tmp_path / "t.yaml")
    assert [one["id"] for one in made.items] == ["t/0"]
    assert made.rejected[0]["where"] == "row 2"
    assert "7, is none of 2 choices" in made.rejected[0]["reason"]


def test_a_data_set_of_the_hub_is_read_from_a_folder_of_its_name(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    place = tmp_path / "org" / "exam" / "fees"
    place.mkdir(parents=True)
    for split, rows in (("test", FEES[:3]), ("dev", FEES[3:])):
        pq.write_table(pa.Table.from_pylist(rows), place / f"{split}-00000-of-00001.parquet")
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "t.yaml").write_text(
        "task: t\ndataset_path: org/exam\ndataset_name: fees\ntest_split: test\nfewshot_split: dev\n"
        "num_fewshot: 1\nfewshot_config: {sampler: first_n}\noutput_type: multiple_choice\n"
        "doc_to_text: q\ndoc_to_choice: options\ndoc_to_target: right\ntarget_delimiter: ：\n",
        "utf-8",
    )
    made = read(tmp_path / "tasks")
    assert questions(made)[0].text == "次年收费吗？：收\n\n普通卡的年费是多少？"
    assert len(made.items) == 4


def test_columns_are_named_and_chosen_as_for_pandas(tmp_path):
    (tmp_path / "a_test.csv").write_text('1;what\n2;"who; when"\n', "utf-8")
    (tmp_path / "b_test.csv").write_text("3;why\n", "utf-8")
    config = {
        "task": "t",
        "dataset_path": "csv",
        "dataset_kwargs": {
            "data_files": {"test": "*_test.csv"},
            "names": ["number", "question"],
            "sep": ";",
            "usecols": ["question", "number"],
        },
    }
    assert harness_tables.splits(config, tmp_path, ["test"])["test"] == [
        {"number": 1, "question": "what"},
        {"number": 2, "question": "who; when"},
        {"number": 3, "question": "why"},
    ]
    with pytest.raises(ConfigError, match="'nrows' of reading csv is not known"):
        harness_tables.splits(config | {"dataset_kwargs": config["dataset_kwargs"] | {"nrows": 1}}, tmp_path, ["test"])


PLAIN = {
    "task": "t",
    "dataset_path": "json",
    "dataset_kwargs": "{data_files: {test: ../data/fees.jsonl}}",
    "test_split": "test",
    "output_type": "multiple_choice",
    "doc_to_text": "q",
    "doc_to_choice": "options",
    "doc_to_target": "right",
}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"process_docs": "!function utils.clean"}, r"function utils\.clean for 'process_docs'"),
        ({"metric_list": "[{metric: !function mine.score}]"}, r"function mine\.score for 'metric_list'"),
        ({"dataset_path": "cais/mmlu"}, "reads the data set 'cais/mmlu'"),
        ({"dataset_kwargs": "{data_files: {test: 'https://host/x.json'}}"}, "from the network"),
        ({"dataset_kwargs": "{data_files: {test: nowhere.json}}"}, "nowhere.json is not below"),
        ({"test_split": "other"}, "no file of the split 'other'"),
        ({"doc_to_choice": "[yes, no]"}, "YAML reads yes, no"),
        ({"doc_to_text": "'{{missing}}'"}, "'missing' is undefined"),
        ({"doc_to_text": "'{{q'"}, "is no template"),
        ({"doc_to_text": "right"}, "puts its choices into the text"),
        ({"output_type": "loglikelihood_rolling"}, "is of the kind"),
        ({"num_fewshot": "9"}, "wants 9 examples of 4"),
        ({"metric_list": "[{metric: brier_score}]"}, "measures brier_score"),
        ({"doc_to_text": "\"{{q.__class__.__mro__[1].__subclasses__()}}\""}, "reaches too far"),
        ({"class": "!function task.Mine"}, "a task in Python"),
        ({"include": "t.yaml"}, "includes itself"),
        ({"test_split": "[", "task": "t"}, "cannot be read"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_by_name(folder, changed, message):
    path = folder.parent / "odd" / "t.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(f"{key}: {value}" for key, value in {**PLAIN, **changed}.items()), "utf-8")
    with pytest.raises(ConfigError, match=message):
        read(path)


def test_settings_are_read_as_yaml_reads_them(tmp_path):
    (tmp_path / "t.yaml").write_text("a: 1e-4\nb: no\nc: 12:30\nd: !function x.y\n", "utf-8")
    assert load(tmp_path / "t.yaml") == {"a": "1e-4", "b": False, "c": 750, "d": "x.y"}


@given(st.lists(st.sampled_from(["", "1", "-2", " 3", "0.50", "1e3", "NA", "None", "x", "True", "false"]), min_size=1))
def test_a_column_is_of_one_kind(values):
    rows = [{"c": value} for value in values]
    harness_tables._typed(rows, {})
    kinds = {type(row["c"]) for row in rows if row["c"] is not None}
    assert len(kinds) <= 1
    assert all((row["c"] is None) == (value in ("", "NA", "None")) for row, value in zip(rows, values, strict=True))


@pytest.mark.peer
@pytest.mark.filterwarnings("default")
def test_the_harness_asks_and_scores_the_same(folder, tmp_path, monkeypatch):
    lm_eval = pytest.importorskip("lm_eval")
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager

    from septet.inference.torch_engine import TorchEngine

    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.chdir(folder.parent)  # the harness takes paths from where it is started
    model = tiny_models.llama(tmp_path / "model", context=1024)
    theirs = lm_eval.simple_evaluate(
        HFLM(pretrained=str(model.path), dtype="float32", device="cpu", batch_size=4),
        tasks=TASKS,
        task_manager=TaskManager(include_path=str(folder), include_defaults=False),
        bootstrap_iters=0,
    )
    engine = TorchEngine(model, "float32")
    for name in TASKS:
        made = read(folder / f"{name}.yaml")
        samples = [one for one in theirs["samples"][name] if one["filter"] in ("none", "strict")]
        asked = questions(made)
        assert len(samples) == len(asked)
        for sample, question in zip(samples, asked, strict=True):
            assert question.item["id"] == f"{name}/{sample['doc_id']}"
            assert sample["arguments"][0][0] == question.text
            assert sample["doc_hash"] == question.item["meta"]["doc_hash"]
            if question.ends:
                assert tuple(one[1] for one in sample["arguments"]) == question.ends
        if not asked[0].ends:
            continue
        for place, found in engine.score([prompts.asked(question, engine.codec, False) for question in asked]):
            expected = [pair[0] for pair in samples[place]["filtered_resps"]]
            assert [one.total for one in found] == pytest.approx(expected, abs=1e-4)
