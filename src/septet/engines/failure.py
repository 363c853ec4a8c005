"""A user's mistake, carried from a worker's process to the runner's."""

from __future__ import annotations

import msgspec

from septet.core import StepFailed, errors


class Failure(msgspec.Struct, frozen=True, tag="failure"):
    error: str
    message: str
    remedy: str

    def raise_again(self) -> None:
        kind = getattr(errors, self.error, StepFailed)
        if kind is errors.MissingExtra:
            raise StepFailed(self.message, self.remedy)
        raise kind(self.message, self.remedy)
