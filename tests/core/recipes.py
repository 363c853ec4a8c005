"""A small recipe over the toy steps, as text and as a written file."""

from __future__ import annotations

from pathlib import Path

TOY = """
[raw]
step = "toy.read"
file = "words.txt"

[big]
step = "toy.upper"
words = "@raw"

[bigger]
step = "toy.upper"
words = "@big"
suffix = "!"

[count]
step = "toy.total"
words = ["@raw", "@bigger"]
"""


def written(folder: Path, text: str = TOY, words: str = "one two three a 四五 six") -> Path:
    """The recipe in a folder, with the file that it reads."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "words.txt").write_text(words, "utf-8")
    (folder / "toy.toml").write_text(text, "utf-8")
    return folder / "toy.toml"
