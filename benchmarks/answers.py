"""Answers of small models on real texts: citations, groundedness, abstention, and whether an answer hangs on what it cites.

    python benchmarks/answers.py ../shared/corpora base=FOLDER tuned=FOLDER

A folder is the artifact of `model.load` or of `compress.quantise`. The questions of `answer_questions.jsonl` were written for this:
short facts of six Chinese laws (asked in Chinese) and of the GDPR (in English), which no model was tuned on here, and questions
of other domains. Each is asked with the first three passages that the product's search brings up; those with an answer are asked
a second time with the passages of the right article taken out, where the right answer is that the documents do not hold it.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import retrieval

from septet.core import Run
from septet.detect import policy
from septet.evaluate import answers, faithfulness
from septet.evaluate.steps import Faithfulness
from septet.inference.embedding import load_encoder
from septet.kinds import Measure, Model, Suite
from septet.knowledge.search import Searcher, contexts

HERE = Path(__file__).parent
ENCODER = "universal-sentence-encoder"
SIZE = 450
TOP = 3
TOKENS = 48
CONTEXT = 320
BATCH = 8


def items(shared: Path, place: Path) -> dict[str, list[dict[str, Any]]]:
    """Suite items with their contexts: answerable, with the evidence withheld, of another domain."""
    passages, places = retrieval.laws(shared, retrieval.LAWS[:6], SIZE)
    english, english_places = retrieval.gdpr(shared, SIZE)
    places |= {key: {at + len(passages) for at in some} for key, some in english_places.items()}
    passages = [*passages, *english]
    encoder = load_encoder(ENCODER)
    searcher = Searcher(retrieval.knowledge_base(passages, encoder, place / "artifact"), encoder, place / "index")
    found: dict[str, list[dict[str, Any]]] = {"answerable": [], "evidence withheld": [], "another domain": []}
    for number, line in enumerate((HERE / "answer_questions.jsonl").read_text("utf-8").splitlines()):
        row = json.loads(line)
        article = places[row["document"], row["article"]] if row["answers"] else set()
        held = sorted(at for at in article if row["quote"] in passages[at].text)
        if row["answers"] and not held:
            raise SystemExit(f"line {number + 1}: no passage of the article holds '{row['quote']}'")
        hits = searcher.search(row["question"], TOP + len(article))
        item = {
            "id": f"q{number:02}",
            "kind": "question",
            "split": "test",
            "category": row.get("document", "another domain"),
            **{name: row[name] for name in ("language", "question", "answers")},
            "evidence": {"source": f"{row['document']} {row['article']}", "quote": row["quote"]} if held else None,
            "chunks": list(map(str, held)),
            "contexts": contexts(hits[:TOP]),
        }
        found["answerable" if held else "another domain"].append(item)
        if held:
            left = [hit for hit in hits if int(hit.chunk["id"]) not in article][:TOP]
            bare = {"answers": [], "evidence": None, "chunks": [], "contexts": contexts(left)}
            found["evidence withheld"].append({**item, **bare})
    searcher.close()
    return found


def shown(measure: Measure) -> str:
    return f"{measure.value:.2f} ({measure.low:.2f} to {measure.high:.2f}; {measure.n})" if measure.n else "none"


def table(head: str, names: Sequence[str], measures: dict[str, Measure]) -> None:
    print(f"\n| {head} | both | zh | en |\n|---|---|---|---|")
    for name in names:
        cells = [measures[f"{name}{side}"] for side in ("", ".zh", ".en")]
        print(f"| {name} | {' | '.join(map(shown, cells))} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shared", type=Path)
    parser.add_argument("models", nargs="+", metavar="NAME=FOLDER")
    options = parser.parse_args()
    grounding = policy.load(HERE.parent / "recipes" / "policy.toml").grounding.settings()
    with tempfile.TemporaryDirectory(prefix="septet-answers-") as folder:
        place = Path(folder)
        suites = {
            kind: Suite.write(place / f"suite{at}", some, {"name": kind})
            for at, (kind, some) in enumerate(items(options.shared, place).items())
        }
        for number, pair in enumerate(options.models):
            name, _, model = pair.partition("=")
            for at, (kind, suite) in enumerate(suites.items()):
                run = Run(place / f"answers{number}{at}")
                report = answers.evaluate(name, Model(Path(model)), suite, grounding, TOKENS, CONTEXT, BATCH, run)
                asked = (
                    "exact_match",
                    "f1",
                    "citation_recall",
                    "citation_precision",
                    "groundedness",
                    "abstains_wrongly",
                )
                table(f"{name}, {kind}", asked if kind == "answerable" else ("abstains_rightly",), report.summary())
            config = Faithfulness(max_tokens=TOKENS, context_tokens=CONTEXT, batch=BATCH)
            run = Run(place / f"faithfulness{number}")
            report = faithfulness.evaluate(config, Model(Path(model)), suites["answerable"], grounding, run)
            told = ("citation_faithfulness", "withdrawn_by_check", "borne_elsewhere")
            table(f"{name}, faithfulness", told, report.summary())


if __name__ == "__main__":
    main()
