"""`septet init FOLDER`: a project for your own documents, with the quickstart's recipe and policy to start from."""

from __future__ import annotations

import argparse
import re
import sys
from datetime import datetime
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
    recipe = _for_own_documents((templates / "quickstart.toml").read_text("utf-8"), name, given.documents)
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


_OWN = {
    r"^# An assistant for .*\n# Another folder: .*\n": "",
    r'^paths = \["\.\./docs/handbook"\]': 'paths = ["{documents}"]',
    r'^paths = \["handbook/[^\]]*\]\nlicence = .*\n': "",
    r'^licence = "Apache-2.0"': 'licence = "unknown"',
    r'^origin = "public"': 'origin = "private"',
    r'^obtained = ".*"': 'obtained = "given by the owner"',
    r'^owner = ".*"': 'owner = ""',
    r'^access = "public"': 'access = "internal"',
    r'^retrieved = ".*"': 'retrieved = "{today}"',
    r'^name = "quickstart"': 'name = "{name}"',
}


def _for_own_documents(recipe: str, name: str, documents: str) -> str:
    """The quickstart's recipe without what is only true of the handbook."""
    today = f"{datetime.now():%Y-%m-%d}"
    for pattern, text in _OWN.items():
        recipe = re.sub(pattern, text.format(name=name, documents=documents, today=today), recipe, flags=re.MULTILINE)
    return f"# The assistant '{name}', from documents to a signed release. Run: septet run assistant.toml\n{recipe}"
