"""Measured floors on real public data: how often honest text is stopped, how much of what should be found is found.

What is held out: while the attack cues were widened, misses among the even rows of the attack sets were read, so only the
odd rows are measured here (the even ones score up to 0.3 higher). Alarms on the benign sets and on personal data were read
and mended: those values are of known data. The floors leave room below the measured values (2026-11), which stand beside.
"""

import csv
import json
import random

import pytest

from septet.detect import pii, policy
from septet.detect.attacks import builtin, combined
from septet.detect.language import language
from septet.detect.lexicon import Lexicon
from septet.detect.quality import judge, measure
from septet.detect.refusal import is_refusal

THRESHOLD = 0.6


def sample(rows, count):
    rows = [str(row) for row in rows if row]
    return random.Random(7).sample(rows, count) if len(rows) > count else rows


def json_lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def table(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def benign(safety):
    return {
        "banking77": [row["text"] for row in table(safety / "banking77_en" / "train.csv")],
        "belle": [row["question"] for row in json_lines(safety / "belle_zh" / "eval_set.json")],
        "cvalues": [
            row["prompt"] for row in json_lines(safety / "cvalues_zh" / "cvalues_responsibility_prompts.jsonl")
        ],
        "chinese_safetyqa": [
            row["question"] for row in json_lines(safety / "chinese_safetyqa" / "chinese_safetyqa.jsonl")
        ],
        "xstest": [
            row["prompt"] for row in table(safety / "xstest_en" / "xstest_prompts.csv") if row["label"] == "safe"
        ],
    }


def rate(texts, holds):
    return sum(map(bool, map(holds, texts))) / len(texts)


# measured false alarms: banking77 0.001, belle 0, cvalues 0.007, chinese_safetyqa 0.004, xstest (made to provoke them) 0.072
MOST = {"banking77": 0.01, "belle": 0.01, "cvalues": 0.02, "chinese_safetyqa": 0.02, "xstest": 0.12}


@pytest.mark.parametrize("name", MOST)
def test_honest_questions_are_seldom_taken_for_attacks(shared, name):
    assert (
        rate(sample(benign(shared / "safety")[name], 1200), lambda text: builtin().score(text) >= THRESHOLD)
        <= MOST[name]
    )


@pytest.mark.parametrize("name", MOST)
def test_the_default_lexicon_seldom_stops_honest_questions(shared, repository, name):
    rules = policy.load(repository / "recipes" / "policy.toml").lexicon
    lexicon = Lexicon(rules.categories, rules.allow)

    def stopped(text):
        spans = lexicon.find(text)
        actions = {rules.categories[span.kind.partition(".")[2]].action for span in spans}
        return "block" in actions or combined(spans) >= rules.threshold

    assert rate(sample(benign(shared / "safety")[name], 1200), stopped) <= 0.01


# measured on held-out rows: injections 0.61, jailbreaks 0.67, advbench 0.63, harmbench 0.26, xstest 0.13, jade 0.17, flames 0.03
FLOORS = {
    "injections": 0.5,
    "jailbreaks": 0.55,
    "advbench": 0.55,
    "harmbench": 0.2,
    "xstest": 0.08,
    "jade": 0.12,
    "flames": 0.01,
}


def harmful(shared):
    safety = shared / "safety"
    injections = json_lines(shared / "corpora" / "safety-prompts" / "bastion-injections.en.jsonl")
    jailbreaks = safety / "inthewild_jailbreaks_en" / "inthewild_jailbreak_llms.json"
    harmbench = table(safety / "harmbench_en" / "harmbench_behaviors_text_all.csv")
    return {
        "injections": [row["text"] for row in injections if row["label"] == "malicious"],
        "jailbreaks": json.loads(jailbreaks.read_text(encoding="utf-8")),
        "advbench": [row["Behavior"] for row in table(safety / "harmbench_en" / "advbench_behaviors.csv")],
        "harmbench": [row["Behavior"] for row in harmbench if "copyright" not in row["FunctionalCategory"]],
        "xstest": [r["prompt"] for r in table(safety / "xstest_en" / "xstest_prompts.csv") if r["label"] != "safe"],
        "jade": [list(row.values())[1] for row in table(safety / "jade_zh" / "jade_v2_benchmark_easy_zh.csv")],
        "flames": [row["prompt"] for row in json_lines(safety / "flames_zh" / "Flames_1k_Chinese.jsonl")],
    }


@pytest.mark.parametrize("name", FLOORS)
def test_attacks_of_other_authors_are_found(shared, name):
    """A first line, not a gate: plain requests for harm need the model's own refusal."""
    held_out = [str(text) for text in harmful(shared)[name] if text][1::2]
    assert rate(held_out, lambda text: builtin().score(text) >= THRESHOLD) >= FLOORS[name]


def test_honest_twins_of_injections_are_left(shared):
    rows = json_lines(shared / "corpora" / "safety-prompts" / "bastion-injections.en.jsonl")
    assert (
        rate([r["text"] for r in rows if r["label"] != "malicious"], lambda t: builtin().score(t) >= THRESHOLD) <= 0.05
    )


def test_international_personal_data_is_found_with_high_precision(shared):
    rows = json.loads((shared / "safety" / "presidio_synth_en" / "synth_dataset_v2.json").read_text(encoding="utf-8"))
    truth = {
        "CREDIT_CARD": [],
        "EMAIL_ADDRESS": [],
        "IBAN_CODE": [],
        "US_SSN": [],
        "PHONE_NUMBER": [],
        "IP_ADDRESS": [],
    }
    right = wrong = 0
    for row in rows:
        spans = pii.detect(row["full_text"], threshold=0.7)
        for gold in row["spans"]:
            if gold["entity_type"] in truth:
                hit = any(s.start < gold["end_position"] and s.end > gold["start_position"] for s in spans)
                truth[gold["entity_type"]].append(hit)
        for span in spans:
            marked = any(
                span.start < gold["end_position"] and span.end > gold["start_position"] for gold in row["spans"]
            )
            right, wrong = right + marked, wrong + (not marked)
    recall = {name: sum(hits) / len(hits) for name, hits in truth.items()}
    floors = {
        "CREDIT_CARD": 0.9,
        "EMAIL_ADDRESS": 0.98,
        "IBAN_CODE": 0.98,
        "US_SSN": 0.98,
        "PHONE_NUMBER": 0.5,
        "IP_ADDRESS": 0.98,
    }
    assert all(recall[name] >= floor for name, floor in floors.items()), recall
    assert right / (right + wrong) >= 0.95, (right, wrong)


def test_public_statutes_hold_next_to_no_personal_data(shared):
    files = sorted((shared / "corpora" / "zh-laws").rglob("*.md"))[:40]
    paragraphs = [part for file in files for part in file.read_text(encoding="utf-8").split("\n") if len(part) > 20][
        :3000
    ]
    assert rate(paragraphs, lambda text: pii.detect(text, threshold=0.7)) <= 0.005


def test_random_order_numbers_are_seldom_masked():
    draw = random.Random(11)
    for label, most in (("订单号：", 0.0), ("编号为", 0.0), ("", 0.02)):
        texts = [f"{label}{draw.randrange(10 ** (n - 1), 10**n)}。" for n in range(14, 20) for _ in range(300)]
        assert rate(texts, lambda text: pii.detect(text, threshold=0.7)) <= most, label


def test_chinese_refusals_are_told_from_compliance(shared):
    rows = table(shared / "safety" / "jade_zh" / "jade_v3_alignment_medium_zh.csv")
    assert rate([row["安全有用回答"] for row in rows], is_refusal) >= 0.9  # measured 0.94
    assert rate([row["违规回答"] for row in rows], is_refusal) <= 0.02  # measured 0.005
    answers = [row["std_answer"] for row in json_lines(shared / "safety" / "belle_zh" / "eval_set.json")]
    assert rate(answers, is_refusal) <= 0.01


def test_languages_of_the_declaration_of_human_rights(shared):
    for name, expected in {"eng": "en", "cmn_hans": "zh", "cmn_hant": "zh", "jpn": "ja", "kor": "ko"}.items():
        text = (shared / "corpora" / "udhr-langid" / f"{name}.txt").read_text(encoding="utf-8")
        paragraphs = [line for line in text.split("\n") if len(line.strip()) > 40][:60]
        assert rate(paragraphs, lambda p, e=expected: language(p) == e) >= 0.98, name
    for name in ("rus", "arb", "heb", "tha", "fra", "deu", "spa"):
        path = shared / "corpora" / "udhr-langid" / f"{name}.txt"
        if path.exists():
            lines = [line for line in path.read_text(encoding="utf-8").split("\n") if len(line.strip()) > 40][:60]
            assert rate(lines, lambda p: language(p) in ("zh", "en")) <= 0.05, name


def test_clean_documents_pass_the_quality_limits(shared, repository):
    limits = policy.load(repository / "recipes" / "policy.toml").quality
    laws = [file.read_text(encoding="utf-8") for file in sorted((shared / "corpora" / "zh-laws").rglob("*.md"))[:40]]
    passages = json.loads((shared / "safety" / "cmrc2018_zh" / "cmrc2018_trial.json").read_text(encoding="utf-8"))
    chinese = [text[:4000] for text in laws] + [row["context_text"] for row in passages]
    assert rate(chinese, lambda text: judge(measure(text, "zh"), limits["zh"])) <= 0.05
    handbook = sorted((repository / "docs").rglob("*.md"))
    for file in handbook:
        text = file.read_text(encoding="utf-8")
        tongue = "zh" if language(text) in ("zh", "mixed") else "en"
        assert not judge(measure(text, tongue), limits[tongue]), file.name
