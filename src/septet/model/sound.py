"""Sound files as speech models hear them: one channel, 16,000 samples a second.

WAV is read by Python's own module (PCM of 8 to 32 bits), FLAC by the optional soundfile (libsndfile); another rate is changed by
the optional soxr (libsoxr).

Shapes: S samples, C channels.
"""

from __future__ import annotations

import wave
from pathlib import Path
from typing import TYPE_CHECKING

from septet.core import ConfigError, MissingExtra
from septet.model.speech import RATE

if TYPE_CHECKING:
    import numpy as np

SUFFIXES = (".wav", ".flac")


class BrokenSoundError(Exception):
    """A sound file that cannot be read; the text says why."""


def read_sound(path: Path) -> np.ndarray:
    """The samples of a file, (S,) float32 from -1 to 1, at `RATE`; channels are averaged.

    Raises BrokenSoundError for a file that is broken, empty or of a form that is not read.
    """
    samples_SC, rate = _flac(path) if path.suffix.lower() == ".flac" else _wav(path)
    if not len(samples_SC):
        raise BrokenSoundError("it holds no sound")
    samples: np.ndarray = samples_SC.mean(1)
    if rate != RATE:
        try:
            import soxr
        except ModuleNotFoundError as error:
            raise MissingExtra("soxr", "speech") from error
        samples = soxr.resample(samples, rate, RATE, quality="HQ")
    return samples.astype("float32")


def write_wav(samples: np.ndarray, path: Path) -> None:
    """16 bits, one channel, at `RATE`: the same bytes for the same samples."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((samples.clip(-1, 1) * 32767).round().astype("<i2").tobytes())


def samples_of(path: Path) -> np.ndarray:
    """As `read_sound`, for one file that somebody asked for. Raises ConfigError."""
    if not path.is_file():
        raise ConfigError(f"there is no sound file {path}", "Check the path")
    try:
        return read_sound(path)
    except BrokenSoundError as error:
        raise ConfigError(f"{path} cannot be read: {error}", "Give a WAV or FLAC file") from error


def _wav(path: Path) -> tuple[np.ndarray, int]:
    import numpy as np

    try:
        with wave.open(str(path), "rb") as file:
            channels, width, rate, frames = file.getparams()[:4]
            data = file.readframes(frames)
    except (wave.Error, EOFError) as error:
        raise BrokenSoundError(f"no WAV of plain samples: {error or 'it ends too early'}") from error
    if len(data) != frames * channels * width:
        raise BrokenSoundError("it ends before its header says")
    if width == 3:  # each sample into the upper bytes of four
        padded = np.zeros((len(data) // 3, 4), "u1")
        padded[:, 1:] = np.frombuffer(data, "u1").reshape(-1, 3)
        data, width = padded.tobytes(), 4
    if width == 1:
        numbers = np.frombuffer(data, "u1").astype("float32") / 128 - 1
    else:
        numbers = np.frombuffer(data, f"<i{width}").astype("float32") / float(1 << (8 * width - 1))
    return numbers.reshape(-1, channels), rate


def _flac(path: Path) -> tuple[np.ndarray, int]:
    try:
        import soundfile
    except ModuleNotFoundError as error:
        raise MissingExtra("soundfile", "speech") from error
    try:
        samples_SC, rate = soundfile.read(str(path), dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise BrokenSoundError(str(error)) from error
    return samples_SC, int(rate)
