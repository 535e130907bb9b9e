"""Files that are written all or nothing: a crash leaves the old one or the new one, never a half.

While it is being written it is called `.<name>.<process id>.part`; what turned out to be damaged is
kept as `<name>.damaged`.
"""

import contextlib
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from lrlab.errors import ResultsError

_NOT_A_LINK = getattr(os, "O_NOFOLLOW", 0)  # Windows has none.
_PART = re.compile(r"\..+\.\d+\.part", re.ASCII)
_ASIDE = re.compile(r".+\.damaged(-\d+)?", re.ASCII)


def write(path: Path, content: bytes) -> None:
    """Write a file, all or nothing, making its folder; an existing one is replaced.

    It is on the disk when this returns: a machine that vanishes then does not take it along.

    Raises:
        ResultsError: If it cannot be written.
    """
    part = _part(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_new(part, content)
        part.replace(path)
    except OSError as error:
        _remove(part)
        raise unwritable(path, error) from error


def write_text(path: Path, text: str) -> None:
    """Write a text file as `write` does, in UTF-8.

    Raises:
        ResultsError: If it cannot be written.
    """
    write(path, text.encode())


def write_folder(target: Path, contents: Mapping[str, bytes]) -> None:
    """Write a folder of files, all or nothing; one that is there is replaced.

    Raises:
        ResultsError: If it cannot be written.
    """
    part = _part(target)
    try:
        _remove(part)
        part.mkdir(parents=True)
        for name, content in contents.items():
            _write_new(part / name, content)
        if target.exists():
            shutil.rmtree(target)
        part.replace(target)
    except OSError as error:
        _remove(part)
        raise unwritable(target, error) from error


def remove_parts(folder: Path) -> None:
    """Remove what a killed process left half written; only for who holds the folder's lock.

    Raises:
        ResultsError: If the folder cannot be read.
    """
    try:
        for entry in os.scandir(folder):
            if is_part(entry.name):
                _remove(Path(entry.path))
    except FileNotFoundError:
        pass
    except OSError as error:
        reason = f"cannot be read: {error.strerror or error}"
        raise ResultsError(reason, path=folder) from error


def is_part(name: str) -> bool:
    """Return whether a file of this name is one that was being written."""
    return _PART.fullmatch(name) is not None


def set_aside(path: Path) -> Path:
    """Move something damaged out of the way, so that its owner can still look at it.

    It becomes `<name>.damaged`, or `<name>.damaged-2` where that is taken, and so on: nothing is
    deleted. Only for who holds the folder's lock.

    Returns:
        The new path.

    Raises:
        ResultsError: If it cannot be moved.
    """
    aside, number = path.with_name(f"{path.name}.damaged"), 1
    while os.path.lexists(aside):
        number += 1
        aside = path.with_name(f"{path.name}.damaged-{number}")
    try:
        path.rename(aside)
    except OSError as error:
        raise unwritable(path, error) from error
    return aside


def is_aside(name: str) -> bool:
    """Return whether a file of this name is one that was set aside."""
    return _ASIDE.fullmatch(name) is not None


def was_set_aside(path: Path) -> bool:
    """Return whether something that had this path was set aside."""
    return os.path.lexists(path.with_name(f"{path.name}.damaged"))


def remove(path: Path) -> None:
    """Remove a file, or a folder with all that is in it; a symbolic link is not followed.

    Raises:
        ResultsError: If it cannot be removed.
    """
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(path, error) from error


def check_writable(out: Path) -> None:
    """Make the results directory and make sure, before any training, that it can be written.

    Raises:
        ResultsError: If not.
    """
    probe = _part(out / "probe")
    try:
        out.mkdir(parents=True, exist_ok=True)
        _write_new(probe, b"")
        probe.unlink()
    except OSError as error:
        raise unwritable(out, error) from error


def check_within(out: Path, path: Path) -> None:
    """Make sure that a path below `out` does not leave it through a symbolic link.

    Raises:
        ResultsError: If it does.
    """
    try:
        leaves = not path.resolve().is_relative_to(out.resolve())
    except (OSError, RuntimeError) as error:  # A loop of links is one or the other.
        raise ResultsError(f"cannot be followed: {error}", path=path) from error
    if leaves:
        raise ResultsError(
            f"leads out of `{out}`",
            "remove the symbolic link, or name the folder that it leads to with `--out`",
            path=path,
        )


def unwritable(path: Path, error: OSError) -> ResultsError:
    """Return the error that says that `path` cannot be written."""
    return ResultsError(
        f"cannot be written: {error.strerror or error}",
        "free some space, allow writing there, or name another folder with `--out`; "
        "finished runs are kept",
        path=path,
    )


def _part(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}.part")


def _write_new(path: Path, content: bytes) -> None:
    """Write a file that is not there; a link that someone laid in its place is not followed."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _NOT_A_LINK, 0o666)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _remove(path: Path) -> None:
    with contextlib.suppress(ResultsError):  # A leftover part does no harm.
        remove(path)
