"""Code that means harm is kept in: it ends as what it is, changes nothing, leaves nothing, and never passes without its tests."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from septet.evaluate.sandbox import Limits, Sandbox, isolation, pass_at_k

LIMITS = Limits(cpu_s=1, wall_s=2.0)
TRUE = "assert f(1) == 2"


@pytest.fixture(scope="module")
def box():
    with Sandbox(LIMITS) as opened:
        yield opened


@pytest.mark.parametrize(
    ("program", "outcome", "detail"),
    [
        ("def f(x): return x + 1", "passed", ""),
        ("def f(x): return x", "failed", "AssertionError"),
        ("def f(x): return y", "error", "NameError"),
        ("def f(x:", "error", "SyntaxError"),
        ("import sys; sys.exit(0)", "error", "SystemExit"),
        ("import os; os._exit(0)", "killed", "exit status 0"),
        ("import os\ndef f(x): os._exit(0)", "killed", "exit status 0"),
        ("import atexit, os; atexit.register(os._exit, 0)", "error", "NameError"),
        ("def f(x): raise SystemExit(0)", "error", "SystemExit"),
        ("while True: pass", "timeout", "processor"),
        ("import time; time.sleep(60)", "timeout", "clock"),
        ("import signal, time; signal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass", "timeout", ""),
        ("x = bytearray(100 << 30)", "memory", "MemoryError"),
        ("while True: print('x' * 1000)", "output", ""),
        ("import os\nwhile True: os.fork()", "error", "BlockingIOError"),
        (
            "import threading, time\nfor _ in range(99): threading.Thread(target=time.sleep, args=(9,)).start()",
            "error",
            "",
        ),
        ("import ctypes; ctypes.string_at(0)", "killed", "SIGSEGV"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "killed", "SIGKILL"),
        ("import os; os.closerange(0, 4000)", "killed", ""),
        ("def f(n): return f(n + 1)", "error", "RecursionError"),
        ("f = open('big', 'wb')\nwhile True: f.write(bytes(1 << 20))", "error", "OSError"),
        ("input()", "error", "EOFError"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSTOP)", "timeout", "clock"),
        ("raise ValueError('x' * 10_000_000)", "error", "ValueError"),
        ("class E(Exception):\n  def __str__(self): raise self\nraise E", "error", "E"),
        (
            "meta = type('M', (type,), {'__name__': property(lambda self: 1j)})\nraise meta('E', (Exception,), {})",
            "killed",
            "",
        ),
    ],
)
def test_every_end_has_its_name(box, program, outcome, detail):
    result = box.run(program, TRUE)
    assert result.outcome == outcome, result
    assert detail in result.detail
    assert result.isolation == box.isolation


@pytest.mark.parametrize(
    "program",
    [
        "import builtins\nbuiltins.AssertionError = ValueError\nbuiltins.len = lambda one: 3",
        "range = lambda *any: []\nabs = lambda one: 0\nall = lambda one: True",
        "import os, json, struct\nmessage = json.dumps({'proof': 'x', 'ready': True}).encode()\n"
        "frame = struct.pack('=Q', len(message)) + message\n"
        "for one in range(3, 64):\n  try: os.write(one, frame)\n  except OSError: pass",
        "import sys\nprint('passed', 'proof')\nsys.stderr.write('{\"proof\": true}')",
        "import sys\nsys.modules.clear()",
        "import os, struct\nfor one in range(3, 64):\n"
        "  try: os.write(one, struct.pack('=Q', 50_000) + b'[' * 50_000)\n  except OSError: pass",
        "def check(candidate): pass\ndef test(): pass",
    ],
)
def test_a_trick_does_not_pass(box, program):
    tests = "count = 0\nfor one in range(3): count += 1\nassert count == 3 and len([1]) == 1 and abs(-2) == 2\nassert f(1) == 2"
    assert box.run(f"{program}\ndef f(x): return 7", tests).outcome != "passed"


def test_a_function_that_is_named_as_a_builtin_is_tested(box):
    assert box.run("def sum(a, b): return a + b", "assert sum(1, 2) == 3", ["sum"]).outcome == "passed"


def test_it_can_work_as_code_does(box):
    program = """
import dataclasses, os, typing
@dataclasses.dataclass
class Pair:
    one: int
def f(x):
    with open('note', 'w') as file: file.write('甲')
    print(sorted({'b', 'a'}), os.environ, '甲')
    return Pair(x).one + (open('note').read() == '甲')
"""
    result = box.run(program, TRUE)
    assert result.outcome == "passed", result
    assert result.output == "['a', 'b'] environ({}) 甲\n"
    assert box.run("import os", "assert os.listdir('.') == []").outcome == "passed"


def test_long_programs_and_tests(box):
    assert box.run("x = 1 #" + "字" * 200_000, f"assert x == 1 #{'x' * 300_000}").outcome == "passed"


def test_files_outside_cannot_be_changed(box, tmp_path):
    if not box.isolation.files:
        pytest.skip("this kernel grants neither read-only mounts nor Landlock")
    for place in (tmp_path / "new", Path.home() / "septet-sandbox-test", Path(__file__)):
        result = box.run(f"open({str(place)!r}, 'a').write('x')", "pass")
        assert (result.outcome, place.exists()) == ("error", place == Path(__file__)), result


def test_there_is_no_network(box):
    if not box.isolation.network:
        pytest.skip("this kernel grants no network namespace")
    for target in ("('127.0.0.1', 9)", "('192.0.2.1', 53)"):
        program = f"import socket\nsocket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', {target})"
        assert "unreachable" in box.run(program, "pass").detail


def test_nobody_outside_is_reached_and_nothing_is_left(box):
    program = """
import os, signal, subprocess, sys
for one in (os.getppid(), 1, -1):
    try: os.kill(one, signal.SIGKILL)
    except (ProcessLookupError, PermissionError): pass
if os.fork() == 0:
    os.setsid()
    os.execv(sys.executable, [sys.executable, '-c', 'import time; time.sleep(6173)'])
subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(6173)'], start_new_session=True)
"""
    assert box.run(program, "import time; time.sleep(0.3)").outcome in ("passed", "killed")
    if sys.platform == "linux":
        lines = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
        assert not [line for line in lines if b"sleep(6173)" in line]
    assert box.run("f = lambda x: x + 1", TRUE).outcome == "passed"


def test_the_walls_that_this_machine_grants_are_told():
    reached = isolation()
    assert reached.level in ("full", "partial", "limits only")
    assert (reached.files_by != "") == reached.files
    assert msgspec.to_builtins(reached)["processes"] == reached.processes


def test_a_closed_sandbox_leaves_no_folder():
    with Sandbox(LIMITS) as opened:
        opened.run("x = 1", "pass")
        folder = Path(opened._folder)
        assert folder.is_dir()
    assert not folder.exists()


def test_a_guard_that_is_killed_is_replaced(box):
    box.run("x = 1", "pass")
    os.kill(box._warden.pid, 9)
    assert box.run("x = 1", "pass").outcome in ("passed", "killed")
    assert box.run("x = 1", "pass").outcome == "passed"


_PROBE = """
import json, struct, subprocess, sys
def framed(value):
    data = json.dumps(value).encode()
    return struct.pack("=Q", len(data)) + data
limits = json.loads(sys.argv[3])
requests = b"".join(framed({"program": one, "tests": "pass", "visible": [], "limits": limits}) for one in json.loads(sys.argv[4]))
done = subprocess.run([sys.executable, "-s", "-P", sys.argv[1], sys.argv[2]], input=requests, capture_output=True)
told = []
while done.stdout:
    size = 8 + struct.unpack("=Q", done.stdout[:8])[0]
    told.append(json.loads(done.stdout[8:size]))
    done.stdout = done.stdout[size:]
print(json.dumps(told))
"""


@pytest.mark.parametrize("namespaces", [True, False])
@pytest.mark.parametrize("root", [True, False])
def test_with_and_without_root_and_namespaces(tmp_path, monkeypatch, namespaces, root):
    """The same guard as another user, and where the kernel grants no namespace: what stands is told, and nothing passes wrongly."""
    import septet.evaluate.sandbox as package

    system = "/usr/bin/python3"
    if os.geteuid() == 0 and not root and not (shutil.which("setpriv") and Path(system).exists()):
        pytest.skip("no setpriv or no Python that another user can read")
    if os.geteuid() != 0 and root:
        pytest.skip("only root can try as root")
    place = Path(subprocess.run(["mktemp", "-d"], capture_output=True, text=True, check=True).stdout.strip())
    try:
        for name in ("walls.py", "warden.py"):
            text = (Path(package.__file__).parent / name).read_text("utf-8")
            if not namespaces:
                text = text.replace(
                    "def unshare(flags: int) -> bool:", "def unshare(flags: int) -> bool:\n    return False", 1
                )
            (place / name).write_text(text, "utf-8")
        scratch = place / "scratch"
        scratch.mkdir()
        python, before = sys.executable, []
        if os.geteuid() == 0 and not root:
            python, before = system, ["setpriv", "--reuid=1000", "--regid=1000", "--clear-groups"]
            os.chown(place, 1000, 1000)
            os.chown(scratch, 1000, 1000)
            if subprocess.run([python, "-P", "-c", "0"], capture_output=True).returncode:
                pytest.skip("the Python that another user can read is too old")
        programs = ["x = 1", "import os; os._exit(0)", f"open({str(place / 'new')!r}, 'w')", "while True: pass"]
        arguments = [
            str(place / "warden.py"),
            str(scratch),
            msgspec.json.encode(LIMITS).decode(),
            msgspec.json.encode(programs).decode(),
        ]
        done = subprocess.run(
            [*before, python, "-c", _PROBE, *arguments], capture_output=True, text=True, cwd="/", check=True
        )
        reached, *told = msgspec.json.decode(done.stdout)
        assert reached["mounts"] <= namespaces
        assert reached["processes"] <= namespaces
        assert [one["outcome"] for one in told[:2]] == ["passed", "killed"]
        if reached["mounts"] or reached["landlock"]:
            assert told[2]["outcome"] == "error"
            assert not (place / "new").exists()
        assert told[3]["outcome"] == "timeout"
    finally:
        shutil.rmtree(place)


@pytest.mark.parametrize(("samples", "passed", "k"), [(6, 3, 1), (6, 3, 2), (5, 1, 5), (5, 0, 3), (4, 4, 2)])
def test_pass_at_k_is_the_share_of_draws_with_a_pass(samples, passed, k):
    draws = list(itertools.combinations(range(samples), k))
    assert pass_at_k(samples, passed, k) == pytest.approx(sum(min(draw) < passed for draw in draws) / len(draws))


def test_pass_at_k_needs_k_samples():
    with pytest.raises(ValueError, match="at least k"):
        pass_at_k(3, 1, 4)
