"""Documentation that cannot lie: the reference is what the program says, and the commands in the READMEs exist."""

from __future__ import annotations

import re
import tomllib

import pytest

from septet.cli.main import VERBS
from septet.core import plugins

FILE_ENDINGS = ("toml", "json", "jsonl", "parquet", "sqlite", "key", "path", "md", "safetensors", "gguf", "npy")


def test_the_reference_is_what_the_program_says(repository):
    from septet.cli.reference import pages

    for name, text in pages().items():
        written = (repository / "docs" / "reference" / name).read_text("utf-8")
        assert written == text, f"docs/reference/{name} is not what the program says: run make docs"


@pytest.mark.parametrize(
    "readme", ["README.md", "README.zh.md", "docs/handbook/en/commands.md", "docs/handbook/zh/commands.md"]
)
def test_every_command_that_a_page_shows_exists(repository, readme):
    text = (repository / readme).read_text("utf-8")
    shown = set(re.findall(r"^(?:\$ )?septet ([a-z]+)", text, re.MULTILINE)) | set(
        re.findall(r"`septet ([a-z]+)", text)
    )
    assert shown <= set(VERBS), shown - set(VERBS)


def test_both_readmes_show_the_same_commands(repository):
    english, chinese = (
        re.findall(r"```(?:bash|python)\n(.*?)```", (repository / name).read_text("utf-8"), re.DOTALL)
        for name in ("README.md", "README.zh.md")
    )
    assert len(english) == len(chinese)

    def commands(blocks):
        return [line.split("#")[0].split('"')[0].strip() for block in blocks for line in block.splitlines()]

    assert commands(english) == commands(chinese)


def test_steps_and_tables_that_the_handbook_names_exist(repository):
    known = set(plugins.steps())
    stages = {name.partition(".")[0] for name in known}
    for page in sorted((repository / "docs" / "handbook").rglob("*.md")):
        text = page.read_text("utf-8")
        for stage, verb in re.findall(r"`([a-z]+)\.([a-z_]+)`", text):
            if stage in stages and verb not in FILE_ENDINGS:
                assert f"{stage}.{verb}" in known, f"{page}: {stage}.{verb}"


def test_recipes_in_the_repository_load(repository):
    from septet.core import recipe

    for path in (repository / "recipes").glob("*.toml"):
        if "step" in str(tomllib.loads(path.read_text("utf-8"))) and path.name != "policy.toml":
            assert recipe.load(path).nodes
