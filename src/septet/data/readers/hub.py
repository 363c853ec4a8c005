"""A data set of the Hugging Face hub, `hub:org/name` or `hub:org/name@revision`: streamed by the package `datasets`.

A data set that is saved on disk needs no package: its Arrow files are read as tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from septet.core import MissingExtra, StepFailed
from septet.data.readers.records import maker
from septet.data.readers.row import Item, Told


def read_hub(name: str, told: Told) -> Iterator[Item]:
    """One row or reject a record, split by split. No code of the data set is run. Raises MissingExtra and StepFailed."""
    try:
        import datasets
    except ImportError:
        raise MissingExtra("datasets", "hub") from None
    place, _, revision = name.partition("@")
    try:
        splits: Any = datasets.load_dataset(place, revision=revision or None, streaming=True)
    except (OSError, ValueError, RuntimeError) as error:
        raise StepFailed(f"the data set {place} cannot be opened: {error}", "Check its name and the network") from None
    make = maker(told, place.rpartition("/")[2])
    for split in sorted(splits):
        for number, record in enumerate(splits[split], 1):
            yield make(record, f"split {split}, row {number}")
