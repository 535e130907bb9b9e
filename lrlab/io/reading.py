"""Files from outside, read with care: regular ones only, and never more than was asked for.

A pipe would let a command wait for ever, a device or a huge file would fill the memory. What was
read and is wrong is told from what could not be read: only the former is damage.
"""

import errno
import io
import os
import stat
from pathlib import Path

from lrlab.errors import UnreadableError

_AT_ONCE = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
# There is no such file, or no file can have this name.
_ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.EINVAL)
# What lies there is known, and it is not a file of a usual size.
_WRONG = (*_ABSENT, errno.EISDIR, errno.EFBIG, errno.ENXIO)


def open_file(path: Path) -> io.BufferedReader:
    """Open a regular file for reading.

    Raises:
        OSError: If it cannot be opened, or is a folder, a pipe, a device or a socket.
    """
    try:
        # Opening a pipe would wait for whoever writes to it.
        descriptor = os.open(path, os.O_RDONLY | _AT_ONCE)
    except ValueError as error:  # A NUL or half a character in the name.
        raise OSError(errno.EINVAL, "is not a valid file name", str(path)) from error
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISREG(mode):
            return os.fdopen(descriptor, "rb")
    except OSError:
        os.close(descriptor)
        raise
    os.close(descriptor)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "is a directory", str(path))
    raise OSError(errno.EINVAL, "is not a regular file", str(path))


def read_bytes(path: Path, limit: int) -> bytes:
    """Return what a regular file holds.

    Raises:
        OSError: If it cannot be read, is not a regular file, or holds more than `limit` bytes.
    """
    with open_file(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > limit:
            raise OSError(errno.EFBIG, f"is larger than {limit:,} bytes", str(path))
        return file.read(size)  # Asked for the limit, Python would make room for all of it.


def exists(path: Path) -> bool:
    """Return whether a path leads to something.

    Raises:
        UnreadableError: If that cannot be found out.
    """
    return _mode(path) is not None


def is_folder(path: Path) -> bool:
    """Return whether a path leads to a folder.

    Raises:
        UnreadableError: If that cannot be found out.
    """
    mode = _mode(path)
    return mode is not None and stat.S_ISDIR(mode)


def is_file(path: Path) -> bool:
    """Return whether a path leads to a regular file.

    Raises:
        UnreadableError: If that cannot be found out.
    """
    mode = _mode(path)
    return mode is not None and stat.S_ISREG(mode)


def is_link(path: Path) -> bool:
    """Return whether a path is a symbolic link.

    Raises:
        UnreadableError: If that cannot be found out.
    """
    mode = _mode(path, follow=False)
    return mode is not None and stat.S_ISLNK(mode)


def names(folder: Path) -> list[str]:
    """Return the names in a folder, sorted.

    Raises:
        UnreadableError: If they cannot be read.
    """
    try:
        return sorted(os.listdir(folder))
    except OSError as error:
        raise unreadable(folder, error) from error


def _mode(path: Path, *, follow: bool = True) -> int | None:
    try:
        return os.stat(path, follow_symlinks=follow).st_mode
    except ValueError:  # A NUL or half a character in the name.
        return None
    except OSError as error:
        if error.errno in _ABSENT:
            return None
        raise unreadable(path, error) from error


def is_damage(error: Exception) -> bool:
    """Return whether an error says what a file is, and not that it could not be read."""
    return not isinstance(error, OSError) or error.errno in _WRONG


def unreadable(path: Path, error: Exception) -> UnreadableError:
    """Return the error that says that `path` cannot be read."""
    return UnreadableError(
        f"cannot be read: {reason(error)}",
        "allow reading it, or look at the disk; nothing was moved or changed",
        path=path,
    )


def reason(error: Exception) -> str:
    """Return why a file could not be read, without its name."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
