"""Artifacts: typed folders. The core knows that a folder has a kind and a digest, and nothing of what is in it."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from septet.core.errors import StoreError
from septet.core.fingerprint import digest_file, digest_tree, files_below

RECORD = "record.json"
"""The evidence that the store puts beside an artifact's own files. It is no part of the artifact's digest."""

OBSERVED = "observed.jsonl"
"""What may differ between two runs of the same step, row by row (seconds). The record holds its digest, so that a change shows;
the artifact's digest leaves it out, so that two runs that found the same are the same."""


class Artifact:
    """A folder of a known kind. A kind is a subclass: it says which files it must hold and how they are read."""

    required: ClassVar[tuple[str, ...]] = ()
    """Names of files (or glob patterns) without which the folder is not of this kind."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)

    @classmethod
    def kind(cls) -> str:
        return cls.__name__

    def check(self) -> None:
        """Raise StoreError when the folder does not hold what its kind promises."""
        if not self.path.is_dir():
            raise StoreError(f"there is no {self.kind()} at {self.path}", "Check the path")
        for pattern in self.required:
            if not any(self.path.glob(pattern)):
                raise StoreError(
                    f"{self.path} is not a {self.kind()}: it holds no {pattern}", "Check the path, or make it again"
                )

    def digest(self, algorithm: str = "sha256") -> str:
        """The digest of the artifact's files, read now. It equals the one that its record holds, or something changed."""
        files = {
            name: digest_file(path, algorithm)
            for name, path in files_below(self.path)
            if name not in (RECORD, OBSERVED)
        }
        return digest_tree(files, algorithm)

    def __repr__(self) -> str:
        return f"{self.kind()}({str(self.path)!r})"
