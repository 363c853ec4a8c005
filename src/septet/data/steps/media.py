"""What comes in beside text: speech with its transcripts."""

from __future__ import annotations

from septet.core import Config, External, Run, field, step
from septet.kinds import Recordings

_LICENCE = "The licence of the source; a column licence in the table goes before it. 'unknown' is an answer."
_ORIGIN = "public, commercial or private."
_ORIGINS = ("public", "commercial", "private")
_ACCESS = "The access class of the source, one word."


class Speech(Config):
    """Read sound files with their transcripts."""

    folder: External = field(doc="The folder of WAV or FLAC files; folders inside it are read too.")
    transcripts: str = field(
        "transcripts.csv",
        "The table in the folder: CSV with the columns file and text, and language or lang where there are several.",
    )
    licence: str = field(doc=_LICENCE)
    origin: str = field(doc=_ORIGIN, choices=_ORIGINS)
    dataset: str = field("", "The name of the source; empty: the folder's name.")
    language: str = field("en", "The language of what the table names none for.")
    access: str = field("internal", _ACCESS)


@step("data.speech", version=1)
def speech(config: Speech, run: Run) -> Recordings:
    """Read recordings, at any rate and of one or more channels, as one channel at 16 kHz; reject by name what is broken."""
    from septet.data import recordings

    return recordings.read(config, run)
