"""Files from outside, read with care: regular ones only, and never more than was asked for.

A pipe would let a command wait for ever, a device or a huge file would fill the memory.
"""

import errno
import io
import os
import stat
from pathlib import Path

_AT_ONCE = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


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
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return os.fdopen(descriptor, "rb")
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


def reason(error: Exception) -> str:
    """Return why a file could not be read, without its name."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
