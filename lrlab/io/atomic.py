"""Files that are written all or nothing: a crash leaves the old one or the new one, never a half.

    .<name>.<random>.part     being written; a crash leaves it, and it is of no use
    .<name>.<inode>.whole     a folder that is complete and only has to take its place
    .<random>.files           files that are complete and only have to take their places
    <name>.damaged            what turned out to be damaged, set aside

Nothing old goes before its successor is complete and on the disk, and `recover` finishes what a
crash cut off from there on.
"""

import contextlib
import ctypes
import errno
import os
import re
import secrets
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from lrlab.errors import ResultsError
from lrlab.io import reading

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
_PART = re.compile(r"\..+\.[0-9a-f]+\.part", re.ASCII)
_WHOLE = re.compile(r"\.(?P<name>.+)\.(?P<inode>\d+)\.whole", re.ASCII)
_FILES = re.compile(r"\.[0-9a-f]+\.files", re.ASCII)
_ASIDE = re.compile(r".+\.damaged(-\d+)?", re.ASCII)

# What the kernel answers where a file system cannot exchange two names.
_NO_EXCHANGE = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EXDEV)
# What it answers where a folder cannot be synchronised: some network file systems, and folders
# that may be written but not read.
_NO_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EACCES, errno.EPERM)
# What it answers where a file cannot have two names.
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS)
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


def write(path: Path, content: bytes) -> None:
    """Write a file, all or nothing, making its folder; an existing one is replaced.

    It is on the disk when this returns, and so is its name: a machine that vanishes then does not
    take it along.

    Raises:
        ResultsError: If it cannot be written.
    """
    with _writing(path):
        _make_folder(path.parent)
        part = _part(path)
        with _removed_on_failure(part):
            _write_new(part, content)
            part.replace(path)
        _sync(path.parent)


def write_text(path: Path, text: str) -> None:
    """Write a text file as `write` does, in UTF-8.

    Raises:
        ResultsError: If it cannot be written.
    """
    write(path, text.encode())


def write_new(path: Path, text: str) -> None:
    """Write a text file in UTF-8, all or nothing, where there is none; none is ever replaced.

    Raises:
        ResultsError: If there is one, or it cannot be written.
    """
    with _writing(path):
        _make_folder(path.parent)
        part = _part(path)
        with _removed_on_failure(part):
            _write_new(part, text.encode())
            try:
                os.link(part, path)
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                if os.path.lexists(path):
                    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from error
                part.replace(path)
        part.unlink(missing_ok=True)
        _sync(path.parent)


def write_folder(target: Path, contents: Mapping[str, bytes]) -> None:
    """Write a folder of files, all or nothing; one that is there is replaced.

    Args:
        target: The folder.
        contents: What each file holds, by its name, which may lie in folders of the folder.

    Raises:
        ResultsError: If it cannot be written. What was there is then still there, or `recover`
            puts the new one in its place.
    """
    with _writing(target):
        _make_folder(target.parent)
        part = _part(target)
        with _removed_on_failure(part):
            _fill(part, contents)
            whole = part.with_name(f".{target.name}.{part.stat().st_ino}.whole")
            part.rename(whole)
        _sync(target.parent)
        _put_in_place(whole, target)


def write_files(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write several files into a folder, all or none of them, replacing those that are there.

    Raises:
        ResultsError: If they cannot be written. Where some have taken their places and others not,
            `recover` goes on.
    """
    with _writing(folder):
        for name in contents:
            if reading.is_folder(folder / name):
                raise IsADirectoryError(errno.EISDIR, f"`{name}` is a directory")
        _make_folder(folder)
        part = _part(folder / "files")
        with _removed_on_failure(part):
            _fill(part, contents)
            whole = folder / f".{secrets.token_hex(8)}.files"
            part.rename(whole)
        _sync(folder)
        _move_in(whole)


def recover(folder: Path) -> None:
    """Finish or remove what a killed process left; only for who holds the folder's lock.

    What was complete takes its place, what was half written goes.

    Raises:
        ResultsError: If the folder cannot be read, or what is complete cannot take its place.
    """
    try:
        names = sorted(os.listdir(folder))
    except FileNotFoundError:
        return
    except OSError as error:
        raise reading.unreadable(folder, error) from error
    with _writing(folder):
        for name in names:
            if whole := _WHOLE.fullmatch(name):
                _finish(folder / name, folder / whole["name"], int(whole["inode"]))
            elif _FILES.fullmatch(name):
                _move_in(folder / name)
    for name in names:  # Last: what a folder's successor replaces may be among them.
        if is_part(name):
            _remove(folder / name)


def is_part(name: str) -> bool:
    """Return whether a file of this name is one that was being written."""
    return _PART.fullmatch(name) is not None


def is_whole(name: str) -> bool:
    """Return whether a folder of this name is complete and has not taken its place yet."""
    return (_WHOLE.fullmatch(name) or _FILES.fullmatch(name)) is not None


def set_aside(path: Path) -> Path:
    """Move something damaged out of the way, so that its owner can still look at it.

    It becomes `<name>.damaged`, or `<name>.damaged-2` where that is taken, and so on: nothing is
    deleted. Only for who holds the folder's lock.

    Returns:
        The new path.

    Raises:
        ResultsError: If it cannot be moved.
    """
    aside = _free_aside(path)
    with _writing(path):
        path.rename(aside)
        _sync(path.parent)
    return aside


def _free_aside(path: Path) -> Path:
    aside, number = path.with_name(f"{path.name}.damaged"), 1
    while os.path.lexists(aside):
        number += 1
        aside = path.with_name(f"{path.name}.damaged-{number}")
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
    with _writing(path):
        if reading.is_folder(path) and not reading.is_link(path):
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it, where there is none.

    Raises:
        ResultsError: If it cannot be made.
    """
    with _writing(folder):
        _make_folder(folder)


def _make_folder(folder: Path) -> None:
    missing = []
    while not reading.exists(folder):
        missing.append(folder)
        folder = folder.parent
    for each in reversed(missing):
        each.mkdir(exist_ok=True)
        _sync(each.parent)
    if not missing and not reading.is_folder(folder):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))


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


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Say of what goes wrong which path it is about."""
    try:
        yield
    except OSError as error:
        raise unwritable(path, error) from error


@contextmanager
def _removed_on_failure(part: Path) -> Iterator[None]:
    """Remove a part, however the work on it is cut off."""
    try:
        yield
    except BaseException:
        _remove(part)
        raise


def _part(path: Path) -> Path:
    # Random, since processes of two machines may have one number.
    return path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")


def _fill(part: Path, contents: Mapping[str, bytes]) -> None:
    part.mkdir()
    folders = {part}
    for name, content in contents.items():
        (part / name).parent.mkdir(parents=True, exist_ok=True)
        folders |= {part / each for each in Path(name).parents}
        _write_new(part / name, content)
    for folder in sorted(folders, reverse=True):
        _sync(folder)


def _write_new(path: Path, content: bytes) -> None:
    """Write a file that is not there; a link that someone laid in its place is not followed."""
    with os.fdopen(os.open(path, _NEW, 0o666), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """Bring the names in a folder onto the disk, where its file system can do that."""
    if sys.platform == "win32":
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise


def _put_in_place(whole: Path, target: Path) -> None:
    """Let a complete folder take its place; what was there goes when it has."""
    old: Path | None = None
    if os.path.lexists(target):
        try:
            _exchange(whole, target)
            old = whole
        except OSError as error:
            if error.errno not in _NO_EXCHANGE:
                raise
            old = _out_of_the_way(target)
            whole.rename(target)
    else:
        whole.rename(target)
    _sync(target.parent)
    if old is not None:
        _remove(old)


def _out_of_the_way(target: Path) -> Path | None:
    """Move away what is to be replaced, where the file system cannot exchange; return where to."""
    old = _part(target)
    try:
        target.rename(old)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        shutil.rmtree(target)  # It lies in the lower layer of an overlay: it can only be deleted.
        return None
    return old


def _exchange(first: Path, second: Path) -> None:
    """Exchange two names in one step.

    Raises:
        OSError: If that fails, or cannot be done here.
    """
    if _renameat2 is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    names = os.fsencode(first), os.fsencode(second)
    if _renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(second))


def _found_renameat2() -> Callable[..., int] | None:
    """Return the C library's `renameat2`, None where it has none."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        function = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return None
    function.argtypes = (ctypes.c_int, ctypes.c_char_p) * 2 + (ctypes.c_uint,)
    found: Callable[..., int] = function
    return found


_renameat2 = _found_renameat2()


def _finish(whole: Path, target: Path, inode: int) -> None:
    """Finish what `_put_in_place` had begun: the name says which folder is the successor."""
    if _inode(whole) == inode or not os.path.lexists(target):
        _put_in_place(whole, target)
    elif _inode(target) == inode:
        _remove(whole)  # They had been exchanged: this is the old one.
    else:
        whole.rename(_free_aside(target))  # A copy of a directory: no one can tell.


def _inode(path: Path) -> int | None:
    try:
        return path.lstat().st_ino
    except FileNotFoundError:
        return None


def _move_in(whole: Path) -> None:
    """Let complete files take their places beside the folder that they were written into."""
    for name in sorted(os.listdir(whole)):
        (whole / name).replace(whole.with_name(name))
    _sync(whole.parent)
    whole.rmdir()


def _remove(path: Path) -> None:
    with contextlib.suppress(ResultsError):  # A leftover part does no harm.
        remove(path)
