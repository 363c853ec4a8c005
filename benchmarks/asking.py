"""Teaches Gemma 3 270M to ask what a passage answers, for `retrieval.py --rerank likelihood:FOLDER/model`.

    SEPTET_SHARED=FOLDER  python benchmarks/asking.py FOLDER

Rows: 1,400 questions of CMRC 2018 with 240 characters around their answers, and 300 official interpretations of US banking rules
with the paragraphs that they explain. What `retrieval.py` asks of laws and of the GDPR is none of it; its questions on
Regulation E are, and prove nothing with this model. `SEPTET_BENCH_MODEL` names a model folder in place of Gemma.
"""

from __future__ import annotations

import json
import random
import sys
import time
from pathlib import Path
from typing import Any

import adapters

from septet.compress.steps import Merge, merge
from septet.core import Run
from septet.files import read_json
from septet.kinds import Conversations, Model
from septet.model.template import asking
from septet.train.steps import Lora, lora


def main(place: Path) -> None:
    chance = random.Random(3)
    chinese, english = _chinese(chance), _english()
    chance.shuffle(chinese)
    chance.shuffle(english)
    rows = chinese[:1400] + english[:300]
    chance.shuffle(rows)
    model = Model(adapters._model(place))
    start = time.process_time()
    learnt = lora(Lora(batch=16), model, Conversations.write(place / "rows", rows), Run(place / "learnt"))
    log = read_json(learnt.path / "training.json")
    merge(Merge(), model, learnt, Run(place / "model"))
    print(
        f"{len(rows)} rows, {time.process_time() - start:.0f} CPU s; loss of a question {log['validation_loss_before']:.2f} to "
        f"{log['validation_loss_after']:.2f}; {place / 'model'}"
    )


def _chinese(chance: random.Random) -> list[dict[str, Any]]:
    found = []
    for name in ("cmrc2018_dev_part.json", "cmrc2018_trial.json"):
        read = json.loads((adapters.SHARED / "corpora" / "cmrc2018-zh" / name).read_text("utf-8"))
        for paragraph in (one for document in read["data"] for one in document["paragraphs"]):
            for asked in paragraph["qas"]:
                context = adapters._cut(paragraph["context"], asked["answers"][0]["text"], 240, chance)
                if context:
                    found.append(_row(asked["id"], context, asked["question"]))
    return found


def _english() -> list[dict[str, Any]]:
    path = adapters.SHARED / "corpora" / "us-bank-regulations" / "paragraphs.jsonl"
    read = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    texts = {row["id"]: row["text"] for row in read if row["kind"] == "paragraph"}
    return [
        _row(row["id"], texts[row["explains"]], row["text"])
        for row in read
        if 40 <= len(texts.get(row.get("explains"), "")) <= 900 and 80 <= len(row["text"]) <= 400
    ]


def _row(identity: str, passage: str, question: str) -> dict[str, Any]:
    return {"id": identity, "messages": [*asking(passage), {"role": "assistant", "content": question}]}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
