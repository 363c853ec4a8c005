"""`septet init FOLDER`: a project for your own documents, with the quickstart's recipe and policy to start from."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from septet.core.errors import ConfigError


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, nargs="?", default=Path(), help="where to lay it out (default: here)")
    parser.add_argument("--documents", default="documents", help="the folder of your documents, seen from the project")


def run(given: argparse.Namespace) -> int:
    folder: Path = given.folder
    templates = next((place for place in _places() if (place / "quickstart.toml").exists()), None)
    if templates is None:
        raise ConfigError(
            "the recipes are not part of this installation", "Install septet from its wheel or its repository"
        )
    name = re.sub(r"[^a-z0-9-]+", "-", folder.absolute().name.lower()).strip("-") or "assistant"
    made = []
    recipe = (templates / "quickstart.toml").read_text("utf-8")
    recipe = re.sub(r'^paths = \["\.\./docs/handbook"\]', f'paths = ["{given.documents}"]', recipe, flags=re.MULTILINE)
    recipe = re.sub(r'^licence = "Apache-2.0"', 'licence = "unknown"', recipe, flags=re.MULTILINE)
    recipe = re.sub(r'^paths = \["handbook/[^\]]*\]\n', "", recipe, flags=re.MULTILINE)
    recipe = re.sub(r'^name = "quickstart"', f'name = "{name}"', recipe, flags=re.MULTILINE)
    files = {
        "assistant.toml": recipe,
        "policy.toml": (templates / "policy.toml").read_text("utf-8"),
        "attacks.jsonl": (templates / "attacks.jsonl").read_text("utf-8"),
        ".gitignore": ".septet/\n",
    }
    for file in files:
        if (folder / file).exists() and file != ".gitignore":
            raise ConfigError(f"{folder / file} is there already", "Choose another folder, or move it away")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / given.documents).mkdir(parents=True, exist_ok=True)
    for file, text in files.items():
        if not (folder / file).exists():
            (folder / file).write_text(text, "utf-8")
            made.append(file)
    print(f"made {', '.join(made)} and {given.documents}/ in {folder.absolute()}")
    print(f"put your documents into {given.documents}/ and run: septet run {folder / 'assistant.toml'}")
    return 0


def _places() -> tuple[Path, Path]:
    """Where the recipes lie: in an installation, and in a checkout."""
    return Path(sys.prefix) / "share" / "septet" / "recipes", Path(__file__).parents[3] / "recipes"
