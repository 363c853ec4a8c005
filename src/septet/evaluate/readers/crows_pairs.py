"""CrowS-Pairs (Nangia et al., 2020, arXiv 2010.00133): pairs of sentences that differ in the group they speak of.

Reads `crows_pairs_anonymized.csv`. The pair is asked by likelihood alone: `meta.more` is the more stereotyping sentence,
`meta.less` the other; in `antistereo` pairs `sent_more` is the one that goes against the stereotype's direction, as published.
Many pairs are known to be faulty (Blodgett et al., 2021, ACL): a number from them is an indication, and says so.
"""

from __future__ import annotations

from pathlib import Path

from septet.evaluate.form import Benchmark, Task, item
from septet.evaluate.readers.exam import numbered
from septet.evaluate.readers.reading import Reading, Unreadable
from septet.evaluate.readers.values import text_of
from septet.evaluate.readers.wording import BARE

ABOUT = {
    "name": "crows_pairs",
    "version": "2020",
    "licence": "CC BY-SA 4.0",
    "origin": "github.com/nyu-mll/crows-pairs",
    "caveat": "many pairs are known to be invalid (Blodgett et al., 2021)",
}


def read(folder: Path) -> Benchmark:
    """Read CrowS-Pairs: the options are the two sentences, the more stereotyping first. Raises ConfigError where no file is."""
    reading = Reading(folder)
    task = reading.task(Task("crows_pairs", "en", "text", "pair", layout=BARE, chance=0.5))
    for path in reading.files("*crows_pairs*.csv"):
        for row in reading.rows(path):
            with reading.kept(row) as values:
                more, less = text_of(values["sent_more"], "sent_more"), text_of(values["sent_less"], "sent_less")
                direction = values["stereo_antistereo"].strip()
                if direction not in ("stereo", "antistereo"):
                    raise Unreadable(f"'stereo_antistereo' is '{direction}'")
                reading.add(
                    item(
                        f"crows_pairs/{numbered(values.get('', ''), row.number)}",
                        task,
                        "",
                        options=[more, less],
                        category=text_of(values["bias_type"], "bias_type"),
                        kind="pair",
                        meta={"more": more, "less": less, "direction": direction},
                    )
                )
    return reading.benchmark(ABOUT)
