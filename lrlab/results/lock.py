"""One lrlab at a time in a results directory.

The kernel keeps the lock and releases it when its owner ends, however that happens; so there are no
stale locks. What the file says is for people.
"""

import contextlib
import json
import os
import socket
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
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
_MOST_BYTES = 10_000


@contextmanager
def hold(
    out: Path, *, report: "Reporter", wait: bool = False, command: str | None = None
) -> Iterator[None]:
    """Hold the lock of a results directory, which is made, and clear it of half-written files.

    Args:
        out: The directory.
        report: Told whom it waits for, and if the file system has no locks.
        wait: Whether to wait for another owner; otherwise that is an error.
        command: The command line that the file names.

    Raises:
        ResultsError: If it is held and not waited for, or the directory cannot be written.
    """
    try:
        descriptor = _acquired(out, wait, report)
    except OSError as error:
        raise atomic.unwritable(out / NAME, error) from error
    try:
        _describe(descriptor, command)
        atomic.remove_parts(out)
        yield
    finally:
        # Removed while it is held, so that nobody waits for a file that is gone; see _is_there.
        with contextlib.suppress(OSError):
            (out / NAME).unlink()
        os.close(descriptor)


def owner(out: Path) -> str | None:
    """Return who holds the lock of a results directory now, None if nobody does.

    Nothing is written; None as well where the file system has no locks.
    """
    if sys.platform == "win32":
        return None
    try:
        descriptor = os.open(out / NAME, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)  # Given up at once, on closing.
    except BlockingIOError:
        return _owner(descriptor)
    except OSError:
        pass
    finally:
        os.close(descriptor)
    return None


def _acquired(out: Path, wait: bool, report: "Reporter") -> int:
    """Return the descriptor of the lock file, locked."""
    told = False
    while True:
        out.mkdir(parents=True, exist_ok=True)
        descriptor = _opened(out / NAME)
        try:
            locked = _try_lock(descriptor, report)
            if locked and _is_there(descriptor, out / NAME):
                return descriptor
            owner = _owner(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
        if locked:
            continue  # It was removed by its last owner in between: another one takes its place.
        if not wait:
            raise ResultsError(
                f"is in use by {owner}",
                "wait for it with `--wait`, or name another folder with `--out`",
                path=out,
            )
        if not told:
            report.note(f"waiting for {owner}, which is using `{out}`")
            told = True
        time.sleep(_POLL_SECONDS)


def _opened(path: Path) -> int:
    links = getattr(os, "O_NOFOLLOW", 0)  # Windows has none.
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | links, 0o666)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError("it is not a regular file")
    return descriptor


def _try_lock(descriptor: int, report: "Reporter") -> bool:
    if sys.platform == "win32":
        report.warn("results directories are not locked on Windows: do not run two lrlabs in one")
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        reason = error.strerror or error
        report.warn(f"this file system has no locks ({reason}): do not run two lrlabs in `--out`")
    return True


def _is_there(descriptor: int, path: Path) -> bool:
    """Return whether the open file is still the one that the path names."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False


def _describe(descriptor: int, command: str | None) -> None:
    """Say who holds the lock; where the disk is full it is held all the same."""
    about = {"pid": os.getpid(), "host": socket.gethostname(), "command": command}
    with contextlib.suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.write(descriptor, json.dumps(about).encode() + b"\n")


def _owner(descriptor: int) -> str:
    """Return who holds the lock, as the file says."""
    try:
        about: dict[str, Any] = json.loads(os.pread(descriptor, _MOST_BYTES, 0))
        who = f"process {int(about['pid'])} on {about['host']}"
        return f"{who} (`{about['command']}`)" if about["command"] else who
    except (ValueError, KeyError, TypeError, RecursionError):
        return "another lrlab"  # It has not said so yet.
