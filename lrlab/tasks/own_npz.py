"""A user's own data: an npz file with x_train, y_train and optionally x_test, y_test."""

import hashlib
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from lrlab.errors import DataError
from lrlab.io import npz, reading
from lrlab.io.npz import Array
from lrlab.tasks import labels
from lrlab.tasks.parts import Given, Part

SMALL = 24_000_000
MOST_UNPACKED = 100
"""The arrays may take `SMALL` bytes, or so many times what the file does; zeros pack 1000 to 1."""

_IMAGES, _LABELS = ("x_train", "x_test"), ("y_train", "y_test")
_ARRAYS = (*_IMAGES, *_LABELS)
_WANTED = (
    "an npz file with `x_train` (n, height, width[, channels]) or (n, features), `y_train` (n,) "
    "with whole numbers from 0, and optionally `x_test`, `y_test`; write it with "
    "`numpy.savez_compressed`"
)


def check_unchanged(path: Path, digest: str) -> None:
    """Make sure that what was just read is what results will say they were made with.

    Raises:
        DataError: If the file's fingerprint is not the one given.
    """
    if fingerprint(path) != digest:
        raise DataError(
            f"`{path}` has changed since this command began",
            "run it again; runs on the new data are kept apart from those on the old",
        )


def fingerprint(path: Path) -> str:
    """Return the SHA-256 of the file.

    Raises:
        DataError: If it cannot be read.
    """
    try:
        with reading.open_file(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(
            f"`{path}` cannot be read: {reading.reason(error)}",
            "paths in a config are relative to its folder, paths after `--data` to the current one",
        ) from error


def train_images(path: Path) -> int:
    """Return how many training images there are, from the header of `x_train` alone.

    Raises:
        DataError: If the file is no npz or has no `x_train`.
    """
    try:
        with reading.open_file(path) as file:
            header = npz.header(file, "x_train")
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    if header is None:
        raise DataError(f"`{path}` has no `x_train`", f"it takes {_WANTED}")
    return header.shape[0] if header.shape else 0


def read(path: Path) -> Given:
    """Return what a file holds.

    Raises:
        DataError: If it is damaged, lacks an array, or has changed meanwhile.
    """
    digest = fingerprint(path)
    arrays = _read(path, _ARRAYS)
    _check_all_there(path, arrays)
    for name in [name for name in _IMAGES if name in arrays]:
        x = arrays[name]
        if x.dtype.kind == "b" or x.ndim not in (2, 3, 4):
            held = "truth values, not numbers" if x.dtype.kind == "b" else f"shape {x.shape}"
            raise DataError(f"`{path}`: `{name}` has {held}", f"it takes {_WANTED}")
    check_unchanged(path, digest)
    train = Part(arrays["x_train"], arrays["y_train"])
    test = Part(arrays["x_test"], arrays["y_test"]) if "x_test" in arrays else None
    return Given(train, test=test, standardise=True)


def _read(path: Path, names: Collection[str]) -> dict[str, Array]:
    """Return those of the arrays that the file holds."""
    with _opened(path) as (file, limit):
        return npz.read(file, names, limit)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[BinaryIO, int]]:
    """Open a file; yield it and how many bytes its arrays may take."""
    try:
        with reading.open_file(path) as file:
            packed = os.fstat(file.fileno()).st_size
            yield file, max(SMALL, MOST_UNPACKED * packed)
    except npz.NotNumbers as error:
        if error.name not in _LABELS:
            raise _unreadable(path, error) from error
        raise _flawed(path, labels.flaw_of_kind(error.descr, error.name)) from error
    except (OSError, ValueError, MemoryError) as error:
        raise _unreadable(path, error) from error


def _check_all_there(path: Path, names: Collection[str]) -> None:
    for name in ("x_train", "y_train"):
        if name not in names:
            raise DataError(f"`{path}` has no `{name}`", f"it takes {_WANTED}")
    if ("x_test" in names) != ("y_test" in names):
        raise DataError(f"`{path}` has only one of `x_test` and `y_test`", f"it takes {_WANTED}")


def _unreadable(path: Path, error: Exception) -> DataError:
    return DataError(
        f"`{path}` is not a readable npz file: {reading.reason(error)}", f"it takes {_WANTED}"
    )


def _flawed(path: Path, flaw: labels.Flaw) -> DataError:
    return DataError(f"`{path}`: {flaw.found}", flaw.remedy)
