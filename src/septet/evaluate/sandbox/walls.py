"""The walls around untrusted code, each a system call of Linux that says whether it was granted.

Namespaces (namespaces(7), user_namespaces(7)), read-only mounts (mount_setattr(2)), Landlock (landlock(7)), capabilities and
resource limits. Nothing here imports Septet or anything outside the standard library: it runs in the bare interpreter in which the
code is tried. What a kernel or a container does not grant comes back as False, and is reported, never assumed.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import struct
import sys
from collections.abc import Mapping, Sequence

NOBODY = 65534
NEW_MOUNTS, NEW_NAMES, NEW_IPC = 0x00020000, 0x04000000, 0x08000000
NEW_USER, NEW_PROCESSES, NEW_NETWORK = 0x10000000, 0x20000000, 0x40000000
_NO_SUID, _NO_DEVICES, _BIND, _RECURSIVE, _PRIVATE = 2, 4, 0x1000, 0x4000, 1 << 18
_PR_DEATH_SIGNAL, _PR_DUMPABLE, _PR_SUBREAPER, _PR_NO_NEW_PRIVILEGES = 1, 4, 36, 38
# These three numbers and mount_setattr's are the same on every architecture.
_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT, _MOUNT_SETATTR = 444, 445, 446, 442
# Where sockets and private files of others lie. A read-only mount does not keep a program from speaking to a socket.
_PRIVATE_PLACES = ("/run", "/var/run", "/tmp", "/var/tmp", "/dev/shm", "/home", "/root")  # noqa: S108


def _call(name: str, *arguments: object) -> int:
    """A function of the C library: its result, or -1 where it failed or the system has none such."""
    if sys.platform != "linux":
        return -1
    return int(getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments))


def _number(value: int) -> ctypes.c_long:
    return ctypes.c_long(value)


def unshare(flags: int) -> bool:
    """Leave the namespaces that the flags name for new ones."""
    return _call("unshare", ctypes.c_int(flags)) == 0


def _control(option: int, value: int) -> bool:
    return _call("prctl", ctypes.c_int(option), _number(value), _number(0), _number(0), _number(0)) == 0


def adopt_orphans() -> bool:
    """Become the parent of every descendant whose own parent ends."""
    return _control(_PR_SUBREAPER, 1)


def die_with_parent() -> bool:
    """Be killed when the parent ends."""
    return _control(_PR_DEATH_SIGNAL, 9)


def hide_memory() -> bool:
    """Keep processes of the same user from tracing this one or reading its memory."""
    return _control(_PR_DUMPABLE, 0)


def become_nobody(needed: Sequence[str]) -> bool:
    """As root, take the ids of nobody, if nobody can read the paths that are `needed`; else stay as one is."""
    if os.geteuid() != 0:
        return False
    trial = os.fork()
    if trial == 0:
        code = 1
        with contextlib.suppress(OSError):
            _take_nobody()
            code = 0 if all(os.access(path, os.R_OK) for path in needed) else 1
        os._exit(code)
    if os.waitpid(trial, 0)[1] != 0:
        return False
    _take_nobody()
    return True


def _take_nobody() -> None:
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


def enter_user_namespace() -> bool:
    """A user namespace in which this process is nobody, whoever it is outside. It holds the rights over the other namespaces."""
    user, group = os.geteuid(), os.getegid()
    _control(_PR_DUMPABLE, 1)  # after a change of ids the maps would belong to root and could not be written
    if not unshare(NEW_USER):
        return False
    try:
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{NOBODY} {user} 1")
        _write("/proc/self/gid_map", f"{NOBODY} {group} 1")
    except OSError:
        return False
    return True


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def hide_private_places(needed: Sequence[str]) -> bool:
    """A mount namespace of one's own in which private places are empty but for the absolute paths that are `needed`."""
    if not unshare(NEW_MOUNTS) or not _mount(None, "/", None, _RECURSIVE | _PRIVATE):
        return False
    places = dict.fromkeys(os.path.realpath(place) for place in _PRIVATE_PLACES)
    for place in places:
        if os.path.isdir(place) and place not in needed:  # noqa: PTH112
            kept = {path: os.open(path, os.O_PATH) for path in needed if _within(path, place)}
            hidden = _mount("tmpfs", place, "tmpfs", _NO_SUID | _NO_DEVICES, "mode=0755")
            back = [_put_back(path, descriptor) for path, descriptor in kept.items()]
            if not hidden or not all(back):
                return False
    return True


def _put_back(path: str, descriptor: int) -> bool:
    """Show what the descriptor has open at its old path again, unless it lies in one that is shown."""
    source = f"/proc/self/fd/{descriptor}"
    try:
        if os.path.exists(path):  # noqa: PTH110
            return True
        if os.path.isdir(source):  # noqa: PTH112
            os.makedirs(path, 0o755)  # noqa: PTH103
        else:
            os.makedirs(os.path.dirname(path), 0o755, exist_ok=True)  # noqa: PTH103, PTH120
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o644))
        return _mount(source, path, None, _BIND | _RECURSIVE)
    finally:
        os.close(descriptor)


def read_only_files() -> bool:
    """A mount namespace of one's own in which everything that is mounted now can only be read (Linux 5.12)."""
    if not unshare(NEW_MOUNTS):
        return False
    # attributes to set (read-only, no set-user-id), to clear, propagation, user namespace
    attributes = struct.pack("QQQQ", 1 | 2, 0, 0, 0)
    asked = (_number(_MOUNT_SETATTR), _number(-100), b"/", _number(0x8000), attributes, _number(len(attributes)))
    return _call("syscall", *asked) == 0


def _within(path: str, place: str) -> bool:
    return os.path.commonpath([place, path]) == place


def _mount(source: str | None, target: str, kind: str | None, flags: int, settings: str | None = None) -> bool:
    given = [None if one is None else os.fsencode(one) for one in (source, target, kind, settings)]
    return _call("mount", *given[:3], ctypes.c_ulong(flags), given[3]) == 0


def mount_scratch(place: str, max_bytes: int) -> bool:
    """An empty file system in memory at `place`; it goes with the mount namespace."""
    settings = f"size={max_bytes},nr_inodes=4096,mode=0777"
    return _mount("tmpfs", place, "tmpfs", _NO_SUID | _NO_DEVICES, settings)


def drop_capabilities() -> bool:
    """Give up every capability, and the ways to gain one."""
    header = struct.pack("Ii", 0x20080522, 0)
    kept = _control(_PR_NO_NEW_PRIVILEGES, 1)
    return _call("capset", header, b"\0" * 24) == 0 and kept


def landlock_version() -> int:
    """Which version of Landlock the kernel has on; 0 for none."""
    return max(0, _call("syscall", _number(_LANDLOCK_CREATE), None, _number(0), _number(1)))


def landlock(writable: Sequence[str]) -> bool:
    """Forbid this process and its children to change files outside the paths that are `writable`.

    From version 4 it may open no TCP port either, and from version 6 send no signal out. Needs `drop_capabilities` first.
    """
    version = landlock_version()
    if not version:
        return False
    rights = (1 << 1) | sum(1 << bit for bit in range(4, 13)) | (1 << 13 if version >= 2 else 0)
    rights |= 1 << 14 if version >= 3 else 0
    fields = [rights] + ([3] if version >= 4 else []) + ([3] if version >= 6 else [])
    wanted = struct.pack(f"{len(fields)}Q", *fields)
    rules = _call("syscall", _number(_LANDLOCK_CREATE), wanted, _number(len(wanted)), _number(0))
    if rules < 0:
        return False
    try:
        for path in writable:
            descriptor = os.open(path, getattr(os, "O_PATH", 0) | os.O_CLOEXEC)
            try:
                allowed = rights if os.path.isdir(path) else rights & ((1 << 1) | (1 << 14))  # noqa: PTH112
                rule = struct.pack("=Qi", allowed, descriptor)
                added = _call("syscall", _number(_LANDLOCK_ADD), _number(rules), _number(1), rule, _number(0))
            finally:
                os.close(descriptor)
            if added != 0:
                return False
        return _call("syscall", _number(_LANDLOCK_RESTRICT), _number(rules), _number(0)) == 0
    finally:
        os.close(rules)


def limit(limits: Mapping[str, int]) -> None:
    """Set what this process and its children may use: `cpu_s`, `memory_bytes`, `file_bytes`, `processes`, `open_files`."""
    cpu = limits["cpu_s"]
    for name, soft, hard in (
        ("RLIMIT_CPU", cpu, cpu + 1),
        ("RLIMIT_AS", limits["memory_bytes"], limits["memory_bytes"]),
        ("RLIMIT_FSIZE", limits["file_bytes"], limits["file_bytes"]),
        ("RLIMIT_NPROC", limits["processes"], limits["processes"]),
        ("RLIMIT_NOFILE", limits["open_files"], limits["open_files"]),
        ("RLIMIT_CORE", 0, 0),
    ):
        kind = getattr(resource, name, None)
        if kind is not None:
            ceiling = resource.getrlimit(kind)[1]
            if ceiling != resource.RLIM_INFINITY:
                soft, hard = min(soft, ceiling), min(hard, ceiling)
            resource.setrlimit(kind, (soft, hard))


def counts_processes() -> bool:
    """Whether the kernel keeps this user to a number of processes. It does not for root."""
    trial = os.fork()
    if trial == 0:
        drop_capabilities()
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
        try:
            grandchild = os.fork()
        except OSError:
            os._exit(0)
        if grandchild:
            os.waitpid(grandchild, 0)
        os._exit(1)
    return os.waitpid(trial, 0)[1] == 0
