"""A plugin: a step that writes a corpus in capitals, a detector of shouting, a suite. Install it, and all are there."""

import re

from septet.core import Config, Run, field, step
from septet.detect.span import Span
from septet.kinds import Corpus


class Shout(Config):
    """Write a corpus in capitals."""

    mark: str = field("!", "Added to each document.")


@step("plugin.shout", version=1)
def shout(config: Shout, corpus: Corpus, run: Run) -> Corpus:
    """Every document in capitals."""
    return Corpus.write(run.out, ({**row, "text": row["text"].upper() + config.mark} for row in corpus.rows()))


def shouting(text: str) -> list[Span]:
    return [Span(m.start(), m.end(), "shouting", 1.0, "capitals") for m in re.finditer(r"\b[A-Z]{5,}\b", text)]


def capitals():
    item = {"id": "c1", "kind": "choice", "language": "en", "question": "Which is in capitals?", "answers": ["LOUD"]}
    item |= {"options": ["LOUD", "quiet"], "label": 0, "split": "test", "category": "case"}
    return {"name": "capitals", "version": "1", "licence": "Apache-2.0", "origin": "written"}, [item]
