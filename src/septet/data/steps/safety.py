"""What may not stay in a text: personal data, abuse, evaluation items, poison."""

from __future__ import annotations

from pathlib import Path

from septet.core import Config, External, Run, field, step
from septet.kinds import Corpus, Policy


class Mask(Config):
    """Take personal data out of the text."""

    key_file: External = field(
        External(""), "A file with the key for keyed actions (hash, pseudonym); empty: none is used."
    )


@step("data.mask", version=1)
def mask(config: Mask, corpus: Corpus, policy: Policy, run: Run) -> Corpus:
    """Replace personal data as the policy says for each kind. Counts are reported, values never."""
    from septet.data.privacy import apply

    return apply(corpus, policy, Path(config.key_file) if config.key_file else None, run)
