"""What comes in beside text: speech with its transcripts, pictures with their captions."""

from __future__ import annotations

from septet.core import Config, External, Run, field, step
from septet.kinds import Pictures as PictureSet
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


class Pictures(Config):
    """Read pictures with their captions."""

    source: External = field(
        doc="A folder of PNG and JPEG files, or a .npz with the arrays images (N, H, W or N, H, W, 3, uint8) and labels (N)."
    )
    captions: str = field(
        "captions.csv",
        "The table in the folder: CSV with the columns file and caption, and label where there are classes.",
    )
    template: str = field("{label}", "The caption of a picture of a .npz; {label} stands for its label.")
    size: int = field(
        0, "Cut to a square and scale to so many pixels a side; 0: leave them as they are.", ge=0, le=1024
    )
    limit: int = field(0, "Read so many pictures at most, the first ones; 0: all.", ge=0)
    licence: str = field(doc=_LICENCE)
    origin: str = field(doc=_ORIGIN, choices=_ORIGINS)
    dataset: str = field("", "The name of the source; empty: the folder's or file's name.")
    language: str = field("en", "The language of the captions.")
    access: str = field("internal", _ACCESS)


@step("data.pictures", version=1)
def pictures(config: Pictures, run: Run) -> PictureSet:
    """Read pictures as PNG with their captions; reject by name what is broken."""
    from septet.data import pictures as reading

    return reading.read(config, run)
