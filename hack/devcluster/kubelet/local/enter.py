"""Become a container's process: ``enter.py PARENT-PID INSTRUCTIONS.json``. Standard library only.

In a mount namespace of its own the process sees the machine's files, with each volume at its mount path. In a user
namespace of its own it is the user that the pod's security context asks for. In a PID namespace of its own it is
process 1: what it starts ends with it, and it has to handle SIGTERM itself, as in a container. Nothing on the machine
changes. This program stays as its parent, hands signals on and ends with its exit code.

The new root is a small tmpfs: a directory that lies above a mount path is made anew and filled with binds of what
the machine has there; everything else is one bind of the whole directory.
"""

import contextlib
import ctypes
import errno
import json
import os
import select
import signal
import socket
import sys
from pathlib import Path
from typing import Any, NamedTuple

_CLONE_NEWNS, _CLONE_NEWUTS, _CLONE_NEWUSER, _CLONE_NEWPID = 0x20000, 0x4000000, 0x10000000, 0x20000000
_MS_BIND, _MS_REC, _MS_PRIVATE = 0x1000, 0x4000, 0x40000
_SYS_MOUNT_SETATTR, _AT_FDCWD, _AT_RECURSIVE, _MOUNT_ATTR_RDONLY = 442, -100, 0x8000, 1
_PR_SET_PDEATHSIG = 1
_STAYS_WRITABLE = (Path("/proc"), Path("/dev/shm"))  # noqa: S108 - a mount point, not a temporary file
_FORWARDED = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2}
_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


class Mount(NamedTuple):
    """A folder or file of the machine, and where the container sees it."""

    source: Path
    target: Path
    read_only: bool


def _mount(source: Path | str, target: Path, kind: str | None, flags: int, options: str | None = None) -> None:
    words = [None if word is None else str(word).encode() for word in (source, target, kind)]
    extra = None if options is None else options.encode()
    _check(_libc.mount(*words, ctypes.c_ulong(flags), extra), f"mount {source} on {target}")


def _bind(source: Path, target: Path) -> None:
    _mount(source, target, None, _MS_BIND | _MS_REC)


def _make_read_only(path: Path) -> None:
    """Make a tree of mounts read-only; a kernel before 5.12 cannot, which is told and let pass."""
    attributes = (ctypes.c_uint64 * 4)(_MOUNT_ATTR_RDONLY, 0, 0, 0)
    where = _AT_FDCWD, str(path).encode(), _AT_RECURSIVE
    result = _libc.syscall(_SYS_MOUNT_SETATTR, *where, ctypes.byref(attributes), ctypes.sizeof(attributes))
    if result != 0 and ctypes.get_errno() == errno.ENOSYS:
        print("devcluster: this kernel cannot make the root read-only; it stays writable", file=sys.stderr)
        return
    _check(result, f"make {path} read-only")


def _new_namespaces(uid: int, gid: int, *, user: bool) -> None:
    outer_uid, outer_gid = os.getuid(), os.getgid()
    flags = _CLONE_NEWNS | _CLONE_NEWUTS | _CLONE_NEWPID | (_CLONE_NEWUSER if user else 0)
    _check(_libc.unshare(flags), "unshare")
    if user:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{uid} {outer_uid} 1")
        Path("/proc/self/gid_map").write_text(f"{gid} {outer_gid} 1")
    _mount("none", Path("/"), None, _MS_REC | _MS_PRIVATE)


def _in(root: Path, path: Path) -> Path:
    """Where a path of the machine lies below the new root."""
    return root / path.relative_to("/")


def _outermost(targets: list[Path]) -> set[Path]:
    """The mount paths that do not lie inside another one."""
    return {path for path in targets if not any(other in path.parents for other in targets)}


def _mount_point(path: Path, *, folder: bool) -> None:
    """Make an empty directory or file to mount on, unless it is there."""
    if folder:
        path.mkdir(parents=True, exist_ok=True)
    elif not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def _fill(root: Path, opened: set[Path], targets: set[Path]) -> None:
    """Make every opened directory anew, with binds of all that it has on the machine."""
    for folder in sorted(opened):
        _in(root, folder).mkdir(parents=True, exist_ok=True)
        for path in folder.iterdir() if folder.is_dir() else ():
            if path not in opened and path not in targets:
                _copy_entry(path, _in(root, path))


def _copy_entry(path: Path, copy: Path) -> None:
    if path.is_symlink():
        copy.symlink_to(path.readlink())
        return
    _mount_point(copy, folder=path.is_dir())
    try:
        _bind(path, copy)
    except OSError as problem:
        if problem.errno not in {errno.EACCES, errno.EPERM, errno.ENOENT}:
            raise  # what we may not see stays an empty place


def _build_root(root: Path, mounts: list[Mount], *, read_only: bool) -> None:
    _mount("tmpfs", root, "tmpfs", 0, "size=16m,mode=755")
    outer = _outermost([mount.target for mount in mounts])
    _fill(root, {Path("/"), *(folder for path in outer for folder in path.parents)}, outer)
    for mount in mounts:
        if mount.target in outer:
            _mount_point(_in(root, mount.target), folder=mount.source.is_dir())
    if read_only:
        _make_read_only(root)
        for path in filter(Path.is_dir, _STAYS_WRITABLE):
            _bind(path, _in(root, path))
    for mount in mounts:
        _mount_volume(root, mount)


def _mount_volume(root: Path, mount: Mount) -> None:
    target = _in(root, mount.target)
    _mount_point(target, folder=mount.source.is_dir())
    _bind(mount.source, target)
    if mount.read_only:
        _make_read_only(target)


def _keep_visible(root: Path, paths: list[Path], mounts: list[Mount]) -> None:
    """Bind what the program itself needs once more where a volume hides it, such as a checkout below /tmp."""
    for path in paths:
        if path.is_dir() and any(mount.target in path.parents for mount in mounts):
            _mount_point(_in(root, path), folder=True)
            _bind(path, _in(root, path))


def _read_mounts(documents: list[dict[str, Any]]) -> list[Mount]:
    """The mounts, outer ones before those that lie inside them, without symbolic links in their paths."""
    mounts = [Mount(Path(it["source"]), Path(it["target"]).resolve(), it["read_only"]) for it in documents]
    return sorted(mounts, key=lambda mount: len(mount.target.parts))


def _isolate(instructions: dict[str, Any]) -> None:
    mounts, root = _read_mounts(instructions["mounts"]), Path(instructions["root"])
    _new_namespaces(instructions["uid"], instructions["gid"], user=instructions["mode"] == "user")
    socket.sethostname(instructions["hostname"])
    _build_root(root, mounts, read_only=instructions["read_only_root"])
    keep = [Path(path) for path in instructions["keep"]]
    _keep_visible(root, keep, [mount for mount in mounts if not mount.read_only])
    os.chroot(root)


def _die_with_parent() -> None:
    """Let the kernel end this process with the one that started it. A change of user clears this, so it comes last."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _become(instructions: dict[str, Any]) -> None:
    os.chdir(instructions["directory"])
    try:
        os.execvpe(instructions["argv"][0], instructions["argv"], instructions["environment"])  # noqa: S606
    except OSError as problem:
        sys.exit(f"exec: {instructions['argv'][0]}: {problem.strerror}")


def _be_process_one(instructions: dict[str, Any], watched: int) -> None:
    """Become the first process of a PID namespace: when it ends, the kernel ends all that it has started.

    Args:
        instructions: what to become.
        watched: a pipe whose other end only the parent holds: it tells of one that died before we asked to go along.
    """
    os.setsid()
    _die_with_parent()
    if select.select([watched], [], [], 0)[0]:
        os._exit(1)
    _mount_own_proc()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _FORWARDED)
    _become(instructions)


def _mount_own_proc() -> None:
    """Show the processes of this PID namespace; where that is not allowed, the machine's /proc stays."""
    with contextlib.suppress(OSError):
        _mount("proc", Path("/proc"), "proc", 0)


def _look_after(child: int) -> int:
    """Hand signals on to the container and wait for it; its exit code, 128 and the number for a signal."""
    while True:
        number = signal.sigwait(_FORWARDED)
        if number != signal.SIGCHLD:
            os.kill(child, number)
            continue
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            return 128 - code if code < 0 else code


def main() -> None:
    """Read the instructions, remove them (they may hold secrets), and become the process or look after it."""
    parent, path = int(sys.argv[1]), Path(sys.argv[2])
    instructions = json.loads(path.read_text())
    path.unlink()
    if instructions["mode"]:
        _isolate(instructions)
    _die_with_parent()
    if os.getppid() != parent:
        sys.exit("the kubelet is gone")
    if not instructions["mode"]:
        _become(instructions)
    signal.pthread_sigmask(signal.SIG_BLOCK, _FORWARDED)
    watched, held = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(held)
        _be_process_one(instructions, watched)
    sys.exit(_look_after(child))


if __name__ == "__main__":
    main()
