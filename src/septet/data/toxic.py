"""A classifier of toxic categories from rows that a team has labelled, and how well it does by category and by group.

A fifth of the rows, by the digest of their text, is held out of a first training, and measured: AUC with DeLong's interval, F1 at
the policy's usual threshold with a bootstrap interval. The scorer that is kept is trained on all rows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from septet.core import ConfigError, Run
from septet.detect import linear
from septet.kinds import Corpus, Scorer
from septet.statistics import resampled

if TYPE_CHECKING:
    from septet.data.steps.safety import ToxicityClassifier

_THRESHOLD = 0.5
_LEAST = 30
"""Rows of a side below which a figure says nothing."""


def train(config: ToxicityClassifier, corpus: Corpus, run: Run) -> Scorer:
    """Write the scorer. Raises ConfigError where no row has a label that `classes` names."""
    texts: list[str] = []
    labels: list[set[str]] = []
    groups: list[str] = []
    unlabelled = 0
    for row in corpus.rows():
        meta = _meta(row)
        if config.label not in meta:
            unlabelled += 1
            continue
        group = str(meta.get(config.group) or "") if config.group else ""
        category = config.classes.get(str(meta[config.label]))
        texts.append(row["text"])
        groups.append(group)
        labels.append({_split(category, group, config.by_group)} if category else set())
    run.drop(f"no '{config.label}' in meta", unlabelled)
    classes = sorted(set().union(*labels)) if labels else []
    if not classes:
        raise ConfigError(
            f"no row has a '{config.label}' that classes names", f"classes knows {', '.join(config.classes) or 'none'}"
        )
    run.progress(1, 3, "trainings")
    held = np.array([hashlib.sha256(text.encode("utf-8", "replace")).digest()[1] < 51 for text in texts])
    inside = [place for place in range(len(texts)) if not held[place]]
    outside = np.flatnonzero(held)
    first = linear.train([texts[i] for i in inside], [labels[i] for i in inside], classes, config.seed)
    run.progress(2, 3, "trainings")
    scores = first.score_all([texts[i] for i in outside])
    truth = np.array([[name in labels[i] for name in classes] for i in outside])
    figures = _figures(classes, scores, truth, [groups[i] for i in outside])
    kept = linear.train(texts, labels, classes, config.seed)
    kept.save(run.out, {"purpose": "toxicity", "by_category": figures})
    run.progress(3, 3, "trainings")
    for name in classes:
        if "all" in figures[name]:
            auc = figures[name]["all"]["auc"]
            run.note(f"{name}: held-out AUC {auc[0]:.3f} ({auc[1]:.3f} to {auc[2]:.3f})")
        else:
            run.note(f"{name}: too few rows are held out to say how well it does")
    return Scorer(run.out)


def _split(category: str, group: str, by_group: Sequence[str]) -> str:
    return f"{category}.{group}" if group and category in by_group else category


def _figures(classes: Sequence[str], scores: Any, truth: Any, groups: Sequence[str]) -> Mapping[str, Any]:
    """AUC and F1, each as value, low, high, of each category: of all held-out rows and of those of each group."""
    figures: dict[str, Any] = {}
    for place, name in enumerate(classes):
        figures[name] = {}
        for group in ("all", *sorted(set(groups) - {""})):
            chosen = np.array([group in ("all", one) for one in groups])
            of, given = scores[chosen, place], truth[chosen, place]
            if min(given.sum(), (~given).sum()) < _LEAST:
                continue
            f1 = resampled(len(of), lambda drawn, of=of, given=given: _f1(of, given, drawn))  # type: ignore[misc]
            figures[name][group] = {
                "auc": list(linear.auc(of, given)),
                "f1": [f1.value, f1.low, f1.high],
                "rows": len(of),
                "positives": int(given.sum()),
            }
    return figures


def _f1(scores: Any, truth: Any, drawn: Sequence[int]) -> float:
    said, given = scores[drawn] >= _THRESHOLD, truth[drawn]
    right = float((said & given).sum())
    return 2 * right / max(1.0, float(said.sum() + given.sum()))


def _meta(row: Mapping[str, Any]) -> dict[str, Any]:
    value = json.loads(row["meta"]) if row["meta"] else {}
    return value if isinstance(value, dict) else {}
