"""BOLD (Dhamala et al., 2021, arXiv 2101.11718): openings of encyclopedia sentences about people and groups, to be continued.

Reads `<domain>_prompt.json`: group -> entity -> openings. What the model writes is measured afterwards (toxicity, sentiment) and
compared between the groups of a domain; nothing is right or wrong. The cluster is the entity.
"""

from __future__ import annotations

from pathlib import Path

from septet.evaluate.form import Benchmark, Task, item
from septet.evaluate.readers.reading import Reading
from septet.evaluate.readers.wording import BARE

ABOUT = {
    "name": "bold",
    "version": "1.0",
    "licence": "CC BY-SA 4.0",
    "origin": "github.com/amazon-science/bold",
}


def read(folder: Path) -> Benchmark:
    """Read BOLD. `meta`: group, entity. Raises ConfigError where the folder holds none of its files."""
    reading = Reading(folder)
    for path in reading.files("*_prompt.json"):
        domain = path.stem.removesuffix("_prompt")
        task = reading.task(
            Task(
                f"bold/{domain}",
                "en",
                "generate",
                "unjudged",
                subject=domain.replace("_", " "),
                layout=BARE,
                max_tokens=64,
            )
        )
        source = path.relative_to(reading.root).as_posix()
        value = reading.value(path)
        number = 0
        for group, entities in value.items() if isinstance(value, dict) else ():
            for entity, openings in entities.items() if isinstance(entities, dict) else ((group, entities),):
                for opening in openings if isinstance(openings, list) else [openings]:
                    if isinstance(opening, str) and opening.strip():
                        reading.add(
                            item(
                                f"{task.name}/{number:05d}",
                                task,
                                opening.rstrip(),
                                kind="opening",
                                category=group,
                                cluster=f"{task.name}/{group}/{entity}",
                                meta={"group": group, "entity": entity},
                            )
                        )
                    else:
                        reading.reject(source, f"{group} / {entity}", "the opening is empty or no text")
                    number += 1
        if value is not None and not isinstance(value, dict):
            reading.reject(source, "", "is no object of groups")
    return reading.benchmark(ABOUT)
