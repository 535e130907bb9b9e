"""One lrlab at a time in a results directory, and in whatever lies under it.

The kernel keeps the lock and releases it when its owner ends, however that happens; so there are no
stale locks. What the file says is for people; it stays when the lock is released.

Who holds a directory also shares the locks of the directories above it that have been results
directories, and nobody holds one directly below it: `results` and `results/find-lr` are nested.
"""

import contextlib
import json
import os
import socket
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lrlab.errors import ResultsError
from lrlab.io import atomic

if TYPE_CHECKING:
    from lrlab.reporter import Reporter

if sys.platform != "win32":
    import fcntl

NAME = ".lock"

_POLL_SECONDS = 0.5
_GLANCE_SECONDS = 0.2
"""`owner` holds a lock for a moment; so long at least nobody gives up."""

_MOST_BYTES = 10_000


class _InUse(Exception):
    """Somebody else holds the lock: the text says who, the path is the directory."""

    def __init__(self, owner: str, folder: Path) -> None:
        super().__init__(owner)
        self.folder = folder


@contextmanager
def hold(
    out: Path,
    *,
    report: "Reporter",
    wait: bool = False,
    command: str | None = None,
    no_lock: bool = False,
) -> Iterator[None]:
    """Hold the lock of a results directory, which is made, and mend what a killed process left.

    Args:
        out: The directory.
        report: Told whom it waits for, and that there is no lock.
        wait: Whether to wait for another owner; otherwise that is an error.
        command: The command line that the file names.
        no_lock: Whether to go on where the file system has no locks: the user knows that nobody
            else writes there.

    Raises:
        ResultsError: If it is held and not waited for, if there are no locks, or if the directory
            cannot be written.
    """
    with ExitStack() as locks:
        try:
            own = _acquired(out, wait, no_lock, report, locks)
        except OSError as error:
            raise atomic.unwritable(out / NAME, error) from error
        _describe(own, command)
        locks.callback(_truncate, own)
        atomic.recover(out)
        yield


def owner(out: Path) -> str | None:
    """Return who holds the lock of a results directory, or one directly below it, now.

    None if nobody does, and where the file system has no locks. Nothing is written.
    """
    for path in (out / NAME, *_below(out)):
        try:
            with ExitStack() as locks:
                _share(path, locks)  # Given up at once.
        except _InUse as held:
            return str(held)
        except OSError:
            pass
    return None


def _acquired(out: Path, wait: bool, no_lock: bool, report: "Reporter", locks: ExitStack) -> int:
    """Return the descriptor of the lock file, locked; `locks` closes it and the others."""
    told, until = False, time.monotonic() + _GLANCE_SECONDS
    while True:
        atomic.make_folder(out)
        with ExitStack() as taken:
            try:
                own = _take(out, no_lock, report, taken)
            except _InUse as held:
                who, folder = str(held), held.folder
            else:
                locks.push(taken.pop_all())
                return own
        if time.monotonic() < until:
            time.sleep(_GLANCE_SECONDS / 5)
            continue
        if not wait:
            raise ResultsError(
                f"is in use by {who}",
                "wait for it with `--wait`, or name another folder with `--out`",
                path=folder,
            )
        if not told:
            report.note(f"waiting for {who}, which is using `{folder}`")
            told = True
        time.sleep(_POLL_SECONDS)


def _take(out: Path, no_lock: bool, report: "Reporter", locks: ExitStack) -> int:
    """Take all locks that are needed, or none of them.

    Raises:
        _InUse: If one of them is held.
        OSError: If the directory cannot be written.
        ResultsError: If there are no locks.
    """
    own = _opened(out / NAME, os.O_RDWR | os.O_CREAT, locks)
    try:
        try:
            _lock(own, out, shared=False)
        except _InUse:
            _check_below(out)  # Who holds a folder there shares this lock, and has a name.
            raise
        for folder in out.resolve().parents:
            with contextlib.suppress(OSError):  # It has none, or it is another user's.
                _share(folder / NAME, locks)
        _check_below(out)
    except OSError as error:
        _go_on_without(error, no_lock, report, out)
    return own


def _check_below(out: Path) -> None:
    for path in _below(out):
        with contextlib.suppress(OSError), ExitStack() as given_up:
            _share(path, given_up)


def _go_on_without(error: OSError, no_lock: bool, report: "Reporter", out: Path) -> None:
    reason = error.strerror or error
    if not no_lock:
        raise ResultsError(
            f"cannot be locked: {reason}",
            "name a folder on another file system with `--out`; or, if you are sure that no other "
            "lrlab writes there, add `--no-lock`",
            path=out,
        ) from error
    report.warn(f"`{out}` is not locked ({reason}): do not run two lrlabs in it")


def _below(out: Path) -> list[Path]:
    """Return the lock files of the folders in a directory."""
    try:
        return sorted(out.glob(f"*/{NAME}"))
    except OSError:
        return []


def _share(path: Path, locks: ExitStack) -> None:
    """Share the lock of a file that is there."""
    descriptor = _opened(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0), locks)
    _lock(descriptor, path.parent, shared=True)


def _opened(path: Path, flags: int, locks: ExitStack) -> int:
    descriptor = os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o666)
    locks.callback(os.close, descriptor)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise OSError("it is not a regular file")
    return descriptor


def _lock(descriptor: int, folder: Path, *, shared: bool) -> None:
    """Lock an open file.

    Raises:
        _InUse: If somebody else has locked it.
        OSError: If there are no locks.
    """
    if sys.platform == "win32":
        raise OSError("Windows has none of this kind")
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        raise _InUse(_owner(descriptor), folder) from None


def _describe(descriptor: int, command: str | None) -> None:
    """Say who holds the lock; where the disk is full it is held all the same."""
    about = {"pid": os.getpid(), "host": socket.gethostname(), "command": command}
    with contextlib.suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(about).encode() + b"\n", 0)


def _truncate(descriptor: int) -> None:
    with contextlib.suppress(OSError):
        os.ftruncate(descriptor, 0)


def _owner(descriptor: int) -> str:
    """Return who holds the lock, as the file says."""
    try:
        about: dict[str, Any] = json.loads(os.pread(descriptor, _MOST_BYTES, 0))
        who = f"process {int(about['pid'])} on {about['host']}"
        return f"{who} (`{about['command']}`)" if about["command"] else who
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return "another lrlab"  # It has not said so yet.
