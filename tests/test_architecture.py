"""The house holds its shape: who may import whom, what an import may cost, and the manners of the code."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "septet"
# Each room with its floor. A room imports from floors below it; rooms of one floor do not know each other.
FLOORS = {
    "core": 0,
    "files": 1,
    "kinds": 2,
    "statistics": 3,
    "kernels": 3,
    "model": 4,
    "detect": 4,
    "inference": 5,
    "knowledge": 6,
    "data": 7,
    "train": 7,
    "compress": 7,
    "evaluate": 7,
    "operate": 7,
    "trust": 7,
    "engines": 7,
    "assistant": 8,
    "server": 9,
    "console": 9,
    "cli": 10,
}
STAGES = ("data", "model", "train", "compress", "evaluate", "operate", "trust")
HEAVY = ("torch", "transformers", "ray", "numpy", "pyarrow", "starlette", "uvicorn", "numba", "jinja2", "cryptography")
FILES = sorted(SOURCE.rglob("*.py"))


def room_of(path: Path) -> str:
    return path.relative_to(SOURCE).with_suffix("").parts[0]


def imported(path: Path) -> set[str]:
    """The rooms that a file imports, at the top or late."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == "septet" and len(parts) > 1 and parts[1] in FLOORS:
                found.add(parts[1])
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_go_down_the_ladder(path):
    room = room_of(path)
    if room in ("__init__", "__main__"):
        return
    assert room in FLOORS, f"{room} has no floor: which rooms may it know, and which may know it?"
    for other in imported(path) - {room}:
        assert FLOORS[other] < FLOORS[room], f"{room} (floor {FLOORS[room]}) imports {other} (floor {FLOORS[other]})"


def test_engines_see_the_core_only():
    for path in (SOURCE / "engines").glob("*.py"):
        assert imported(path) <= {"core", "engines"}, path


def test_the_core_has_no_word_of_language_models():
    words = ("llm", "token", "prompt", "corpus", "embedding", "chat")
    for path in (SOURCE / "core").glob("*.py"):
        text = path.read_text("utf-8").lower()
        assert not [word for word in words if word in text], path


def loaded_by(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(' '.join(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.split(".")[0] for name in done.stdout.split()}


@pytest.mark.parametrize("stage", STAGES)
def test_steps_are_light(stage):
    loaded = loaded_by(f"import septet.{stage}.steps")
    assert not loaded & set(HEAVY), f"septet.{stage}.steps imports {loaded & set(HEAVY)}"


def test_help_and_plan_load_nothing_heavy():
    """Not a clock, which would lie on a busy machine: what `--help` costs is told by what it loads."""
    loaded = loaded_by("from septet.cli.main import parser; parser().format_help()")
    assert not loaded & {*HEAVY, "sqlite3", "asyncio"}
    loaded = loaded_by("import septet.cli.plan_verb, septet.core.plugins as p; p.steps()")
    assert not loaded & set(HEAVY)


def functions(tree: ast.Module):
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_manners(path):
    text = path.read_text("utf-8")
    tree = ast.parse(text)
    assert path.name not in ("utils.py", "helpers.py", "misc.py", "common_utils.py")
    if text.strip():
        assert ast.get_docstring(tree), f"{path} does not say what it is"
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            names = ast.unparse(node.type) if node.type is not None else "everything"
            broad = names in ("everything", "Exception", "BaseException")
            raises = any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
            handed_on = "handed to" in ast.get_source_segment(text, node).replace("\n", " ") or "noqa: BLE001" in text
            assert not broad or raises or handed_on, f"{path}:{node.lineno} swallows {names}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in ("eval", "exec"), f"{path}:{node.lineno}"
            assert node.func.id != "print" or room_of(path) in ("cli", "__main__"), f"{path}:{node.lineno} prints"
        if isinstance(node, ast.Import | ast.ImportFrom):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module]
            assert not {"pickle", "cPickle", "dill", "joblib"} & set(modules), f"{path}:{node.lineno}"
    for function in functions(tree):
        public = not function.name.startswith("_")
        assert not (public and function.args.kwarg), (
            f"{path}:{function.lineno} {function.name} takes **{function.args.kwarg}"
        )


def test_every_step_explains_its_fields():
    from septet.core import plugins

    for step in plugins.steps().values():
        if step.name.partition(".")[0] not in STAGES:
            continue
        assert step.doc, step.name
        for info in step.fields:
            assert info.doc.text.endswith((".", ".)")), f"{step.name}.{info.name}: '{info.doc.text}'"
