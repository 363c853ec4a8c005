"""The program in which untrusted code is tried: started once, walled in, then forked for every piece of code.

    warden -> keeper -> minder -> code        (one keeper, minder and code for each piece)

The *warden* builds the walls that all share and reads requests: 8 bytes of length, then JSON, on its input; answers go the same way
on its output. The *keeper* gives one piece its own processes and its own scratch folder, and watches clock and output. The *minder*
is the first process of the namespace: with its end the kernel ends all that the code left behind. In the last one the code runs.

The tests and a secret come into the process of the code only when its own definitions have run to their end, and the keeper takes
nothing but that secret, sent after the last test, as the proof that they passed. So leaving early, printing or changing built-ins
does not pass. A program made to attack this very protocol from inside its own interpreter could still claim to have passed; it
could not leave the walls. An object that claims to equal everything fools these tests, as it fools any.

No word of Septet is imported here: the folder's `walls` is all it needs.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import random
import select
import shutil
import signal
import struct
import sys
import time
import types
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from septet.evaluate.sandbox import walls
else:
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 - pathlib is not loaded here
    import walls

    del sys.path[0]

# What solutions commonly import: read once here, not once for each of them.
_WARM = """bisect collections copy dataclasses datetime decimal enum fractions functools hashlib heapq itertools json math operator
re statistics string typing""".split()
_MESSAGE = 300
_REPORT_BYTES = 1 << 16


def main() -> None:
    """Build the walls, say which stand, and answer requests until the input ends."""
    scratch = sys.argv[1]
    for name in _WARM:
        importlib.import_module(name)
    reached = _walled(scratch)
    _send(1, reached)
    number = 0
    while (request := _receive(0)) is not None:
        number += 1
        _send(1, _kept(request, reached, scratch if reached["mounts"] else f"{scratch}/{number}"))


def _walled(scratch: str) -> dict[str, bool]:
    """What all pieces of code share: ids, user, network and mount namespace. Each is tried by itself, and said if it was reached.

    Root hides the private places before it becomes nobody: an interpreter in root's own folder is put back where all can read it.
    """
    needed = [scratch, sys.base_prefix, sys.prefix, os.path.dirname(os.path.abspath(__file__)), *sys.path]  # noqa: PTH100, PTH120
    needed = sorted({os.path.realpath(path) for path in needed if path and os.path.exists(path)})  # noqa: PTH110
    hidden = False
    if os.geteuid() == 0:
        os.chown(scratch, walls.NOBODY, walls.NOBODY)
        hidden = walls.hide_private_places(needed)
    nobody = walls.become_nobody(needed)
    user = walls.enter_user_namespace()
    mounts = user and (hidden or walls.hide_private_places(needed)) and walls.read_only_files()
    reached = {
        "identity": nobody or user,
        "network": user and walls.unshare(walls.NEW_NETWORK),
        "mounts": mounts and _granted(walls.NEW_MOUNTS),
        "processes": user and _granted(walls.NEW_PROCESSES),
    }
    if user:
        walls.unshare(walls.NEW_IPC | walls.NEW_NAMES)
    walls.hide_memory()
    walls.adopt_orphans()
    reached["landlock"] = not reached["mounts"] and walls.landlock_version() > 0
    reached["count"] = walls.counts_processes()
    return reached


def _granted(namespace: int) -> bool:
    trial = os.fork()
    if trial == 0:
        os._exit(0 if walls.unshare(namespace) else 1)
    return os.waitpid(trial, 0)[1] == 0


def _kept(request: dict[str, Any], reached: dict[str, bool], place: str) -> dict[str, Any]:
    """Run one piece of code under a keeper and return what the keeper says. A keeper that was killed says so too."""
    read, write = os.pipe()
    keeper = os.fork()
    if keeper == 0:
        os.close(read)
        try:
            walls.die_with_parent()
            _send(write, _keep(request, reached, place))
        except BaseException as error:
            _send(write, {"fault": f"{type(error).__name__}: {error}"})
            os._exit(1)
            raise
        os._exit(0)
    os.close(write)
    answer = _receive(read)
    os.close(read)
    os.waitpid(keeper, 0)
    if not reached["processes"]:
        _end_children()
    if not reached["mounts"]:
        shutil.rmtree(place, ignore_errors=True)
    return answer or {"outcome": "killed", "detail": "the code ended the process that watched it", "output": ""}


def _keep(request: dict[str, Any], reached: dict[str, bool], place: str) -> dict[str, Any]:
    limits = request["limits"]
    walls.adopt_orphans()
    if not reached["mounts"]:
        os.mkdir(place, 0o700)  # noqa: PTH102
    elif not walls.unshare(walls.NEW_MOUNTS) or not walls.mount_scratch(place, limits["scratch_bytes"]):
        raise OSError("no scratch folder in memory for this piece of code")
    if reached["processes"] and not walls.unshare(walls.NEW_PROCESSES):
        raise OSError("no process namespace for this piece of code")
    output, report, orders, status = (os.pipe() for _ in range(4))
    minder = os.fork()
    if minder == 0:
        walls.die_with_parent()
        _mind(request, reached, place, output[1], report[1], orders[0], status[1])
    for descriptor in (output[1], report[1], orders[0], status[1]):
        os.close(descriptor)
    try:
        return _watch(request, output[0], report[0], orders[1], status[0])
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(minder, signal.SIGKILL)
        os.waitpid(minder, 0)
        if not reached["processes"]:
            _end_children()


def _end_children() -> None:
    """Where there is no process namespace: kill what the code left behind; it has become this process's children."""
    listing = f"/proc/self/task/{os.getpid()}/children"
    while True:
        try:
            with open(listing, encoding="ascii") as file:  # noqa: PTH123
                left = [int(word) for word in file.read().split()]
        except OSError:
            return
        for step in (signal.SIGSTOP, signal.SIGKILL):
            for process in left:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(process, step)
        try:
            while os.waitpid(-1, 0 if left else os.WNOHANG)[0]:
                left = left[1:]
        except ChildProcessError:
            return


def _mind(
    request: dict[str, Any], reached: dict[str, bool], place: str, output: int, report: int, orders: int, status: int
) -> None:
    """Start the code, wait for its end, say how it ended, and end, which ends all that it started. Does not return."""
    if not reached["processes"]:
        walls.adopt_orphans()
    code = os.fork()
    if code == 0:
        try:
            _confine(request["limits"], reached, place, output, report, orders)
            _send(report, {"confined": True})
            _try(request["program"], request["visible"], report, orders)
        except BaseException as error:
            _send(report, {"fault": f"{type(error).__name__}: {error}"})
            raise
        finally:
            os._exit(70)
    _close_all_but(status)
    while True:
        ended, how, used = os.wait4(-1, 0)
        if ended == code:
            os.write(status, struct.pack("=id", how, used.ru_utime + used.ru_stime))
            os._exit(0)


def _confine(
    limits: dict[str, int], reached: dict[str, bool], place: str, output: int, report: int, orders: int
) -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((null, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    _close_all_but(0, 1, 2, report, orders)
    os.setsid()
    os.chdir(place)
    os.umask(0o077)
    os.environ.clear()
    walls.drop_capabilities()
    if reached["landlock"] and not walls.landlock([place, os.devnull]):
        raise OSError("Landlock was promised and refused")
    walls.limit(limits)
    random.seed(0)
    # After a fork these still hold what the warden's had: the code gets its own.
    sys.argv = ["solution"]
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115


def _close_all_but(*kept: int) -> None:
    before = 0
    for descriptor in sorted(kept):
        if before < descriptor:  # closerange(0, 0) closes everything
            os.closerange(before, descriptor)
        before = descriptor + 1
    os.closerange(before, 4096)


def _try(program: str, visible: list[str], report: int, orders: int) -> None:
    """Run the program, then the tests. Everything used after the program has run was taken hold of before. Does not return.

    The program has a copy of the built-ins: what it changes there changes neither its tests nor this function.
    """
    send, receive, leave, kind = _send, _receive, os._exit, type
    module, compiled, function = types.ModuleType("solution"), compile, types.FunctionType
    built, copied = dict(vars(sys.modules["builtins"])), types.ModuleType("builtins")
    vars(copied).update(built)
    sys.modules |= {"solution": module, "builtins": copied}
    vars(module)["__builtins__"] = vars(copied)
    main = sys.modules.pop("__main__")
    names, base, remembered, words, flush = module.__dict__, BaseException, (report, orders), str, sys.stdout.flush
    stage = "program"
    try:
        function(compiled(program, "solution.py", "exec"), names)()
        send(report, {"ready": True})
        order = receive(orders)
        stage = "tests"
        # The tests see the program's names, but its own `len` or `abs` only where it is what they test.
        seen = {name: value for name, value in names.items() if name not in built or name in visible}
        seen |= {"__builtins__": built, "__name__": "tests"}
        function(compiled(order["tests"], "tests.py", "exec"), seen)()
        flush()
        send(report, {"proof": order["secret"]})
    except base as error:
        sys.modules["__main__"] = main
        try:
            message = words(error)[:_MESSAGE]
        except base:
            message = ""
        send(remembered[0], {"error": kind(error).__name__, "stage": stage, "message": message})
        leave(1)
        raise
    leave(0)


def _watch(request: dict[str, Any], output: int, report: int, orders: int, status: int) -> dict[str, Any]:
    """Follow one piece of code to its end, or end it: by the clock, by the length of what it prints."""
    limits, secret = request["limits"], os.urandom(24).hex()
    deadline = time.monotonic() + limits["wall_s"]
    held = {output: bytearray(), report: bytearray(), status: bytearray()}
    waiting = b""
    poll = select.poll()
    for descriptor in held:
        os.set_blocking(descriptor, False)
        poll.register(descriptor, select.POLLIN)
    os.set_blocking(orders, False)
    sent = cut = late = False
    while len(held[status]) < struct.calcsize("=id"):
        left = deadline - time.monotonic()
        if left <= 0:
            late = True
            break
        gone = False
        for descriptor, event in poll.poll(left * 1000):
            if descriptor == orders:
                waiting = _pushed(orders, waiting)
                if not waiting:
                    poll.unregister(orders)
            elif not _drained(descriptor, held[descriptor]) and event & select.POLLHUP:
                poll.unregister(descriptor)
                gone = gone or descriptor == status
        if len(held[output]) > limits["output_bytes"] or len(held[report]) > _REPORT_BYTES:
            cut = True
            break
        if gone:
            break
        if not sent and any("ready" in said for said in _said(held[report])):
            sent = True
            waiting = _framed({"tests": request["tests"], "secret": secret})
            poll.register(orders, select.POLLOUT)
    for descriptor in (output, report):
        _drained(descriptor, held[descriptor])
    cut = cut or len(held[output]) > limits["output_bytes"]
    shown = bytes(held[output][: limits["kept_bytes"]]).decode("utf-8", "replace")
    verdict = _outcome(_said(held[report]), bytes(held[status]), secret, late, cut, limits["cpu_s"])
    return {**verdict, "output": shown}


def _outcome(
    said: list[dict[str, Any]], status: bytes, secret: str, late: bool, cut: bool, cpu_s: int
) -> dict[str, Any]:
    if not said or "confined" not in said[0]:
        # The code has not begun, so this is no outcome of it.
        return {"fault": said[0].get("fault", "the walls did not stand in time") if said else "the walls did not stand"}
    if cut:
        return {"outcome": "output", "detail": "it printed more than it may"}
    if any(one.get("proof") == secret for one in said):
        return {"outcome": "passed", "detail": ""}
    if late:
        return {"outcome": "timeout", "detail": "by the clock"}
    error = next((one for one in said if isinstance(one.get("error"), str)), None)
    if error is not None:
        name, stage = error["error"], error.get("stage")
        told = {"detail": f"{name}: {error.get('message', '')}"[: 2 * _MESSAGE].rstrip(": "), "stage": stage}
        if name == "MemoryError":
            return {"outcome": "memory", **told}
        return {"outcome": "failed" if name == "AssertionError" and stage == "tests" else "error", **told}
    if len(status) < struct.calcsize("=id"):
        return {"outcome": "killed", "detail": "its processes ended together"}
    how, used = struct.unpack("=id", status)
    if os.WIFSIGNALED(how):
        if os.WTERMSIG(how) == signal.SIGXCPU or used >= cpu_s:
            return {"outcome": "timeout", "detail": "by its use of the processor"}
        return {"outcome": "killed", "detail": signal.Signals(os.WTERMSIG(how)).name}
    return {"outcome": "killed", "detail": f"it left with exit status {os.WEXITSTATUS(how)} before its tests had run"}


def _framed(value: Any) -> bytes:
    data = json.dumps(value).encode()
    return struct.pack("=Q", len(data)) + data


def _send(descriptor: int, value: Any, write: Any = os.write, framed: Any = _framed) -> None:
    data = framed(value)
    while data:
        data = data[write(descriptor, data) :]


def _receive(descriptor: int, read: Any = os.read, loads: Any = json.loads, unpack: Any = struct.unpack) -> Any:
    """The next value, or None where the other side has closed."""
    data = b""
    size = 8
    while len(data) < size:
        more = read(descriptor, min(size - len(data), 1 << 20))
        if not more:
            return None
        data += more
        if len(data) == 8:
            size = 8 + unpack("=Q", data)[0]
    return loads(data[8:])


def _pushed(descriptor: int, data: bytes) -> bytes:
    """What is left after writing as much as the pipe takes. Nothing is left for one who does not read."""
    try:
        return data[os.write(descriptor, data) :]
    except BlockingIOError:
        return data
    except OSError:
        return b""


def _drained(descriptor: int, held: bytearray, most: int = 1 << 22) -> int:
    """Read what is there, up to `most` bytes, into `held`; return how much it was."""
    count = 0
    while count < most:
        try:
            data = os.read(descriptor, 1 << 16)
        except OSError:
            break
        if not data:
            break
        held += data
        count += len(data)
    return count


def _said(held: bytearray) -> list[dict[str, Any]]:
    """The whole messages of a report. One that is no JSON object ends it: the code wrote there itself."""
    found = []
    at = 0
    while at + 8 <= len(held):
        size = struct.unpack("=Q", held[at : at + 8])[0]
        if at + 8 + size > len(held):
            break
        try:
            value = json.loads(bytes(held[at + 8 : at + 8 + size]))
        except (ValueError, RecursionError):
            break
        if not isinstance(value, dict):
            break
        found.append(value)
        at += 8 + size
    return found


if __name__ == "__main__":
    main()
