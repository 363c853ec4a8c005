"""A few steps that know nothing of language models, to test the core with. It is a plugin like any other."""

from __future__ import annotations

import os
import time
from pathlib import Path

from septet.core import Artifact, Config, ConfigError, External, Run, StepFailed, field, step


class Words(Artifact):
    required = ("words.txt",)

    def words(self) -> list[str]:
        return (self.path / "words.txt").read_text("utf-8").split()


class Count(Artifact):
    required = ("count.txt",)


class Read(Config):
    """Read words from a file."""

    file: External = field(doc="A text file.")


@step("toy.read", version=1)
def read(config: Read, run: Run) -> Words:
    (run.out / "words.txt").write_text(Path(config.file).read_text("utf-8"), "utf-8")
    return Words(run.out)


class Upper(Config):
    """Make words upper case, slowly enough to be killed."""

    suffix: str = field("", "Added to each word.")
    pause_s: float = field(0.0, "Seconds to wait a word.", ge=0)
    die: bool = field(False, "Whether to fail.")
    fill: str = field("", "A device to write to, such as /dev/full.")


@step("toy.upper", version=1)
def upper(config: Upper, words: Words, run: Run) -> Words:
    """Upper-case words; resumes from scratch."""
    done = run.scratch / "done.txt"
    finished = done.read_text("utf-8").split() if done.exists() else []
    todo = words.words()
    for number, word in enumerate(todo[len(finished) :], len(finished) + 1):
        time.sleep(config.pause_s)
        if config.die and number == 2:
            raise StepFailed("the second word is bad", "Take it out")
        finished.append(word.upper() + config.suffix)
        draft = done.with_suffix(".draft")
        draft.write_text(" ".join(finished), "utf-8")
        draft.replace(done)
        run.progress(number, len(todo), "words")
        run.metric("length", len(word), number)
    if config.fill:
        with Path(config.fill).open("w") as file:
            file.write("x" * 100_000)
    run.drop("none", 0)
    run.drop("short words", sum(1 for word in todo if len(word) < 2), "nowhere")
    run.observe("pid", os.getpid())
    (run.out / "words.txt").write_text(" ".join(finished), "utf-8")
    return Words(run.out)


class Total(Config):
    """Count words."""


@step("toy.total", version=1)
def total(config: Total, words: tuple[Words, ...], extra: Words | None, run: Run) -> Count:
    many = [*words, *([extra] if extra else [])]
    (run.out / "count.txt").write_text(str(sum(len(one.words()) for one in many)), "utf-8")
    return Count(run.out)


def slow_square(piece: list[float]) -> list[float]:
    """A piece of work: the square of a number after some seconds, and the process that did it."""
    number, seconds = piece
    time.sleep(seconds)
    return [number * number, os.getpid()]


def refuses_seven(number: int) -> int:
    if number == 7:
        raise ConfigError("seven is not allowed", "Take another number")
    return number


def dies(_: int) -> int:
    os._exit(3)
