"""A user's own data: an npz file with x_train, y_train and optionally x_test, y_test."""

import hashlib
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np

from lrlab.errors import DataError
from lrlab.io import npz, reading
from lrlab.io.npz import Array
from lrlab.tasks import labels
from lrlab.tasks.data_source import DataSource

SMALL = 24_000_000
MOST_UNPACKED = 100
"""The arrays may take `SMALL` bytes, or so many times what the file does; zeros pack 1000 to 1."""

# The square of a larger one is infinite in float32.
_MAX_PIXEL = np.float64(1e18)
_IMAGES, _LABELS = ("x_train", "x_test"), ("y_train", "y_test")
_ARRAYS = (*_IMAGES, *_LABELS)
_WANTED = (
    "an npz file with `x_train` (n, height, width[, channels]) or (n, features), `y_train` (n,) "
    "with whole numbers from 0, and optionally `x_test`, `y_test`; write it with "
    "`numpy.savez_compressed`"
)


def resolve(path: Path, warn: Callable[[str], None] | None = None) -> DataSource:
    """Return the source of a file, whose shapes and labels are then known to be sound.

    Args:
        path: The file.
        warn: Called with each text about what is probably a mistake.

    Raises:
        DataError: If it cannot be read, is not an npz file, has too few images, or its shapes or
            labels are not what can be trained on.
    """
    digest, images = fingerprint(path), train_images(path)
    if images < 2:
        raise DataError(f"`{path}` has {images} training images", "at least 2 are needed")
    shapes = _shapes(path)
    _check_all_there(path, shapes)
    arrays = _read(path, _LABELS)
    _check(path, arrays, shapes)
    if warn is not None:
        for text in labels.doubts(arrays["y_train"], "y_train"):
            warn(f"`{path}`: {text}")
    return DataSource.of(path.name, digest, images, path, shapes["x_train"][1:])


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


def read(path: Path) -> tuple[Array, Array, Array | None, Array | None]:
    """Return `x_train, y_train, x_test, y_test`; the last two are None where the file has none.

    Raises:
        DataError: If the file is damaged or the arrays do not fit together.
    """
    arrays = _read(path, _ARRAYS)
    shapes = {name: values.shape for name, values in arrays.items()}
    _check_all_there(path, shapes)
    _check(path, arrays, shapes)
    for name in [name for name in _IMAGES if name in arrays]:
        x = arrays[name]
        if x.dtype.kind == "b":
            raise _wrong(path, f"`{name}` holds {x.dtype}, not numbers")
        if x.dtype.kind == "f" and not (np.abs(x) < _MAX_PIXEL).all():
            raise _wrong(path, f"`{name}` holds NaN, infinite or absurdly large values")
    return arrays["x_train"], arrays["y_train"], arrays.get("x_test"), arrays.get("y_test")


def _read(path: Path, names: Collection[str]) -> dict[str, Array]:
    """Return those of the arrays that the file holds."""
    with _opened(path) as (file, limit):
        return npz.read(file, names, limit)


def _shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Return the shapes of those arrays that the file holds, from their headers alone."""
    with _opened(path) as (file, limit):
        headers = npz.headers(file, _ARRAYS, limit)
    return {name: header.shape for name, header in headers.items()}


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


def _check(path: Path, arrays: Mapping[str, Array], shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Make sure that the shapes fit together and the labels are class numbers."""
    for x, y in [pair for pair in zip(_IMAGES, _LABELS, strict=True) if pair[0] in shapes]:
        shape = shapes[x]
        if len(shape) not in (2, 3, 4) or 0 in shape:
            raise _wrong(path, f"`{x}` has shape {shape}")
        if flaw := labels.flaw(arrays[y], y, shape[0]):
            raise _flawed(path, flaw)
    if flaw := labels.flaw_for_training(arrays["y_train"], "y_train"):
        raise _flawed(path, flaw)
    if "x_test" not in shapes:
        return
    if shapes["x_test"][1:] != shapes["x_train"][1:]:
        raise _wrong(
            path,
            f"images of `x_test` have shape {shapes['x_test'][1:]}, those of `x_train` "
            f"{shapes['x_train'][1:]}",
        )
    if arrays["y_test"].max() > arrays["y_train"].max():
        raise DataError(
            f"`{path}`: `y_test` has class {arrays['y_test'].max()}, the largest in `y_train` is "
            f"{arrays['y_train'].max()}"
        )


def _unreadable(path: Path, error: Exception) -> DataError:
    return DataError(
        f"`{path}` is not a readable npz file: {reading.reason(error)}", f"it takes {_WANTED}"
    )


def _wrong(path: Path, what: str) -> DataError:
    return DataError(f"`{path}`: {what}", f"it takes {_WANTED}")


def _flawed(path: Path, flaw: labels.Flaw) -> DataError:
    return DataError(f"`{path}`: {flaw.found}", flaw.remedy)
