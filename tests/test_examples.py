"""The examples run as they stand, the plugin through a real installation."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest


def test_the_sweep_runs_and_then_executes_nothing(repository, tmp_path):
    command = [sys.executable, str(repository / "examples" / "sweep.py"), str(repository / "docs" / "handbook" / "en")]
    surroundings = {**os.environ, "SEPTET_WORKSPACE": str(tmp_path / "ws")}
    first = subprocess.run(command, env=surroundings, capture_output=True, text=True, check=True).stdout
    assert first.count("documents") == 3
    assert subprocess.run(command, env=surroundings, capture_output=True, text=True, check=True).stdout == first


def test_a_plugin_is_installed_and_there(repository, tmp_path):
    """Built and installed by pip, offline, into a folder of its own; then used by name from the command line."""
    pytest.importorskip("setuptools", minversion="77")
    source = shutil.copytree(repository / "examples" / "plugin", tmp_path / "plugin")
    site = tmp_path / "site"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    subprocess.run([*install, "--target", str(site), str(source)], check=True)
    paths = os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])
    surroundings = {**os.environ, "PYTHONPATH": paths, "SEPTET_WORKSPACE": str(tmp_path / "ws")}

    def septet(*words: str) -> str:
        command = [sys.executable, "-m", "septet", *words]
        return subprocess.run(command, env=surroundings, capture_output=True, text=True, check=True).stdout

    assert "plugin.shout" in septet("ls", "steps")
    (tmp_path / "a.txt").write_text("quiet words, 安静的话")
    made = septet(
        "do", "data.read", "--paths", str(tmp_path / "a.txt"), "--licence", "CC0-1.0", "--origin", "public"
    ).split()[1]
    folder = septet("do", "plugin.shout", "--corpus", made, "--mark", "?").splitlines()[-1]
    read = "from septet.kinds import Corpus; import sys; print(next(Corpus(sys.argv[1]).rows())['text'])"
    said = subprocess.run([sys.executable, "-c", read, folder], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "QUIET WORDS, 安静的话?"
    assert septet("do", "evaluate.suite", "--name", "capitals", "--version", "'1'").startswith("Suite sha256:")
    code = (
        "from septet.core import plugins; from septet.detect import detectors; from septet.detect.policy import Policy\n"
        "found = detectors.resolve(['shouting', 'pii'], plugins.load, Policy())\n"
        "print([span.of('so LOUDLY said') for span in found['shouting']('so LOUDLY said')])"
    )
    run = subprocess.run([sys.executable, "-c", code], env=surroundings, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "['LOUDLY']"


def test_the_toys_of_two_recipes_are_drawn_and_played_again_alike(repository, tmp_path):
    pytest.importorskip("PIL", reason="pillow is not installed")
    subprocess.run([sys.executable, str(repository / "examples" / "toys.py"), str(tmp_path)], check=True)
    for kept in (repository / "recipes" / "toys").rglob("*"):
        made = tmp_path / kept.relative_to(repository / "recipes" / "toys")
        assert kept.is_dir() or kept.suffix == ".png" or made.read_bytes() == kept.read_bytes(), kept
        assert made.exists()
