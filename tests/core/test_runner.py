"""Plan, run, resume: what is kept, what is made again, and that no kill loses or doubles anything."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from recipes import TOY, written

from septet.core import Node, Recipe, StepFailed, StoreError, events, lineage, plugins, recipe
from septet.core.fingerprint import digest, digest_tree
from septet.core.runner import Runner
from septet.core.workspace import Settings, Workspace

EXECUTED = ("step_started",)


def run(path: Path, workspace: Workspace, *changes: str):
    """Run a recipe; returns the records and the names of the steps that were executed."""
    seen = []
    records = Runner(workspace, sinks=[seen.append]).run(recipe.load(path, changes))
    return records, [event.name for event in seen if event.kind in EXECUTED]


def test_a_second_run_executes_nothing(tmp_path, workspace):
    path = written(tmp_path)
    first, made = run(path, workspace)
    assert made == ["raw", "big", "bigger", "count"]
    second, made = run(path, workspace)
    assert made == []
    assert {name: record.digest for name, record in first.items()} == {
        name: record.digest for name, record in second.items()
    }
    assert lineage.verify(workspace) == []


def test_a_changed_field_reruns_only_what_depends_on_it(tmp_path, workspace):
    path = written(tmp_path)
    run(path, workspace)
    plan = {one.name: one for one in Runner(workspace).plan(recipe.load(path, ["bigger.suffix=?"]))}
    assert [name for name, one in plan.items() if not one.hit] == ["bigger", "count"]
    assert [(change.key, change.was, change.now) for change in plan["bigger"].changes] == [("suffix", "!", "?")]
    assert [change.key for change in plan["count"].changes] == ["words"]
    assert plan["bigger"].seconds is not None
    _, made = run(path, workspace, "bigger.suffix=?")
    assert made == ["bigger", "count"]
    _, made = run(path, workspace)
    assert made == []


def test_a_changed_outside_file_is_seen_and_a_moved_one_is_not(tmp_path, workspace):
    path = written(tmp_path / "here")
    run(path, workspace)
    _, made = run(written(tmp_path / "there"), workspace)
    assert made == []
    (tmp_path / "here" / "words.txt").write_text("other words")
    _, made = run(path, workspace)
    assert made == ["raw", "big", "bigger", "count"]


def test_a_sweep_is_a_for_loop(tmp_path, workspace):
    from toy import Read, Total, Upper

    written(tmp_path)
    raw = Node(Read(file=str(tmp_path / "words.txt")), name="raw")
    sweep = [Node(Upper(suffix=mark), {"words": raw}, f"mark-{mark}") for mark in "abc"]
    records = Runner(workspace).run(Recipe([*sweep, Node(Total(), {"words": sweep}, "all")]))
    assert set(records) == {"raw", "mark-a", "mark-b", "mark-c", "all"}
    assert len({record.digest for record in records.values()}) == 5


def test_a_step_is_a_plain_function(tmp_path):
    from septet.core import Run
    from toy import Upper, Words, upper

    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "words.txt").write_text("a bc")
    made = upper(Upper(suffix="."), Words(tmp_path / "in"), Run(tmp_path / "out"))
    assert made.words() == ["A.", "BC."]


@pytest.mark.parametrize("engine", ["inline", "process"])
def test_every_engine_gives_the_same_digests_and_events(tmp_path, engine):
    path = written(tmp_path)
    seen = []
    with Workspace(tmp_path / engine) as workspace:
        records = Runner(workspace, sinks=[seen.append]).run(recipe.load(path, [f"run.engine={engine}"]))
        assert records["count"].digest == digest_tree({"count.txt": digest(b"12")})
    kinds = [event.kind for event in seen]
    assert {
        "run_started",
        "step_started",
        "progress",
        "metric",
        "drop",
        "observe",
        "step_sealed",
        "run_finished",
    } <= set(kinds)
    assert next(event for event in seen if event.kind == "drop").count == 1


@pytest.mark.parametrize("engine", ["inline", "process"])
def test_a_failing_step_says_why_and_keeps_what_was_sealed(tmp_path, workspace, engine):
    path = written(tmp_path)
    with pytest.raises(StepFailed, match=r"the second word is bad\. Take it out"):
        run(path, workspace, "big.die=true", f"run.engine={engine}")
    assert [record.step for record in workspace.store.records()] == ["toy.read"]
    last = list(events.read(sorted(workspace.runs.glob("*.jsonl"))[-1]))
    assert [event.kind for event in last][-2:] == ["step_failed", "run_failed"]
    _, made = run(path, workspace)
    assert made == ["big", "bigger", "count"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a device whose disk is always full")
@pytest.mark.parametrize("engine", ["inline", "process"])
def test_a_full_disk_is_named_and_nothing_half_made_is_sealed(tmp_path, workspace, engine):
    path = written(tmp_path)
    with pytest.raises(StoreError, match=r"no space is left on the disk.*septet gc"):
        run(path, workspace, "big.fill=/dev/full", f"run.engine={engine}")
    assert [record.step for record in workspace.store.records()] == ["toy.read"]
    assert lineage.verify(workspace) == []
    assert not list((workspace.root / "store" / ".drafts").glob("*"))


def test_a_killed_worker_is_an_error_that_names_the_signal(tmp_path, workspace):
    path = written(tmp_path)
    others = set(_children())

    def kill_worker(event):
        if event.kind == "progress" and event.name == "big":
            worker = next(one for one in _children() if one not in others)
            os.kill(worker, signal.SIGKILL)

    with pytest.raises(StepFailed, match="ended with status -9"):
        Runner(workspace, sinks=[kill_worker]).run(recipe.load(path, ["run.engine=process", "big.pause_s=0.3"]))
    assert run(path, workspace, "big.pause_s=0.0")[1] == ["big", "bigger", "count"]


def _children() -> list[int]:
    found = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
    return [int(one) for one in found.read_text().split()]


KILLED = textwrap.dedent("""
    import os, signal, sys
    from pathlib import Path
    from septet.core import recipe
    from septet.core.runner import Runner
    from septet.core.workspace import Workspace

    # Every change that this process makes to a file system or a database is a boundary at which it can be killed.
    left = int(sys.argv[3])
    count = 0

    def watch(event, arguments):
        global left, count
        if event in ("os.rename", "os.mkdir", "os.chmod", "os.remove", "shutil.rmtree", "os.link") or (
            event == "open" and isinstance(arguments[1], str) and any(mode in arguments[1] for mode in "wax")
        ):
            boundary()

    def boundary():
        global left, count
        count += 1
        if count == left:
            os.kill(os.getpid(), signal.SIGKILL)

    from septet.core import ledger, store
    for owner, name in ((ledger._Sqlite, "writing"), (store, "_flush")):
        def wrapped(*arguments, inner=getattr(owner, name)):
            boundary()
            return inner(*arguments)
        setattr(owner, name, wrapped)
    path, place = Path(sys.argv[1]), Path(sys.argv[2])
    loaded = recipe.load(path)
    sys.addaudithook(watch)
    with Workspace(place) as workspace:
        Runner(workspace).run(loaded)
    print(count)
""")


def test_a_kill_at_any_boundary_ends_in_the_same_artifacts(tmp_path):
    path = written(tmp_path)
    whole = subprocess.run(
        [sys.executable, "-c", KILLED, str(path), str(tmp_path / "whole"), "0"],
        capture_output=True,
        text=True,
        check=True,
    )
    boundaries = int(whole.stdout)
    assert boundaries > 40
    with Workspace(tmp_path / "whole") as workspace:
        expected = {record.fingerprint: record.digest for record in workspace.store.records()}
    killed = 0
    for at in range(1, boundaries + 1, 3):
        place = tmp_path / f"killed-{at}"
        command = [sys.executable, "-c", KILLED, str(path), str(place), str(at)]
        status = subprocess.run(command, capture_output=True, check=False).returncode
        killed += status == -signal.SIGKILL
        with Workspace(place) as workspace:
            Runner(workspace).run(recipe.load(path))
            assert {record.fingerprint: record.digest for record in workspace.store.records()} == expected, at
            assert lineage.verify(workspace) == [], at
            sealed = [entry.subject for entry in workspace.ledger.entries("sealed")]
            assert sorted(sealed) == sorted(expected), at
            assert set(workspace.names()) == {"toy/raw", "toy/big", "toy/bigger", "toy/count"}, at
    assert killed > 12


def test_a_killed_step_goes_on_from_its_scratch(tmp_path):
    path = written(tmp_path, TOY.replace('words = "@raw"\n', 'words = "@raw"\npause_s = 0.25\n', 1))
    place = tmp_path / "ws"
    command = [sys.executable, "-m", "septet", "run", str(path), "--workspace", str(place), "--quiet"]
    first = subprocess.Popen(command)
    done = place / "scratch"
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and not any(len(f.read_text().split()) >= 3 for f in done.glob("*/done.txt")):
        time.sleep(0.02)
    first.kill()
    first.wait()
    seen = []
    with Workspace(place) as workspace:
        Runner(workspace, sinks=[seen.append]).run(recipe.load(path))
        assert lineage.verify(workspace) == []
        assert not list(done.iterdir())
    lengths = [event.at for event in seen if event.kind == "metric" and event.name == "big"]
    assert lengths[0] > 3, "the words that were done before the kill were done again"


def test_two_runs_at_once_share_the_work(tmp_path):
    path = written(tmp_path, TOY.replace('words = "@raw"\n', 'words = "@raw"\npause_s = 0.1\n', 1))
    place = tmp_path / "ws"
    command = [sys.executable, "-m", "septet", "run", str(path), "--workspace", str(place)]
    both = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate()[1] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    with Workspace(place) as workspace:
        started = [
            event.name for run in workspace.runs.glob("*.jsonl") for event in events.read(run) if event.kind in EXECUTED
        ]
        assert sorted(started) == ["big", "bigger", "count", "raw"]
        assert lineage.verify(workspace) == []
    assert any("waiting" in one or "kept" in one for one in said)


def test_a_file_that_changes_under_a_step_is_no_evidence(tmp_path, workspace):
    path = written(tmp_path)

    class Meddling:
        def run(self, task, emit):
            from septet.core.runner import perform

            outcome = perform(task, emit)
            (tmp_path / "words.txt").write_text("changed meanwhile")
            return outcome

    with pytest.raises(StepFailed, match=r"changed while toy\.read read it"):
        Runner(workspace, Meddling()).run(recipe.load(path))
    assert workspace.store.records() == []


def test_the_same_run_on_either_database(tmp_path, place):
    path = written(tmp_path)
    with Workspace(tmp_path / "ws", Settings(ledger=place)) as workspace:
        first, made = run(path, workspace)
        assert len(made) == 4
        assert run(path, workspace)[1] == []
        assert workspace.resolve("toy/count").fingerprint == first["count"].fingerprint
        assert lineage.verify(workspace) == []


def test_steps_of_every_stage_are_known():
    stages = {name.partition(".")[0] for name in plugins.steps()}
    assert {"data", "model", "train", "compress", "evaluate", "operate", "trust", "toy"} <= stages
