"""A user's own data: an npz file with x_train, y_train and optionally x_test, y_test."""

import hashlib
import os
from pathlib import Path

import numpy as np

from lrlab.errors import DataError
from lrlab.io import npz, reading
from lrlab.io.npz import Array
from lrlab.tasks.data_source import DataSource

SMALL = 24_000_000
MOST_UNPACKED = 100
"""The arrays may take `SMALL` bytes, or so many times what the file does; zeros pack 1000 to 1."""

# The square of a larger one is infinite in float32.
_MAX_PIXEL = np.float64(1e18)
_ARRAYS = ("x_train", "y_train", "x_test", "y_test")
_WANTED = (
    "an npz file with `x_train` (n, height, width[, channels]) or (n, features), `y_train` (n,) "
    "with whole numbers from 0, and optionally `x_test`, `y_test`; write it with "
    "`numpy.savez_compressed`"
)


def resolve(path: Path) -> DataSource:
    """Return the source of a file.

    Raises:
        DataError: If it cannot be read, is not an npz file or has too few images.
    """
    digest, images = fingerprint(path), train_images(path)
    if images < 2:
        raise DataError(f"`{path}` has {images} training images", "at least 2 are needed")
    return DataSource.of(path.name, digest, images, path)


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
    try:
        with reading.open_file(path) as file:
            packed = os.fstat(file.fileno()).st_size
            arrays = npz.read(file, _ARRAYS, max(SMALL, MOST_UNPACKED * packed))
    except (OSError, ValueError, MemoryError) as error:
        raise _unreadable(path, error) from error
    for name in ("x_train", "y_train"):
        if name not in arrays:
            raise DataError(f"`{path}` has no `{name}`", f"it takes {_WANTED}")
    if ("x_test" in arrays) != ("y_test" in arrays):
        raise DataError(f"`{path}` has only one of `x_test` and `y_test`", f"it takes {_WANTED}")
    _check(path, arrays, "train")
    if "x_test" not in arrays:
        return arrays["x_train"], arrays["y_train"], None, None
    _check(path, arrays, "test")
    if arrays["x_test"].shape[1:] != arrays["x_train"].shape[1:]:
        raise DataError(
            f"`{path}`: images of `x_test` have shape {arrays['x_test'].shape[1:]}, "
            f"those of `x_train` {arrays['x_train'].shape[1:]}",
            f"it takes {_WANTED}",
        )
    if arrays["y_test"].max() > arrays["y_train"].max():
        raise DataError(
            f"`{path}`: `y_test` has class {arrays['y_test'].max()}, the largest in `y_train` is "
            f"{arrays['y_train'].max()}"
        )
    return arrays["x_train"], arrays["y_train"], arrays["x_test"], arrays["y_test"]


def _unreadable(path: Path, error: Exception) -> DataError:
    return DataError(
        f"`{path}` is not a readable npz file: {reading.reason(error)}", f"it takes {_WANTED}"
    )


def _check(path: Path, arrays: dict[str, Array], part: str) -> None:
    x, y = arrays[f"x_{part}"], arrays[f"y_{part}"]
    wrong = None
    if x.ndim not in (2, 3, 4) or len(x) == 0 or x.size == 0:
        wrong = f"`x_{part}` has shape {x.shape}"
    elif x.dtype.kind == "b":
        wrong = f"`x_{part}` holds {x.dtype}, not numbers"
    elif y.shape != (len(x),):
        wrong = f"`y_{part}` has shape {y.shape}, which does not fit {len(x)} images"
    elif y.dtype.kind not in "ui" or y.min() < 0 or y.max() > 9_999:
        wrong = f"`y_{part}` must hold whole numbers from 0 to 9999"
    elif x.dtype.kind == "f" and not (np.abs(x) < _MAX_PIXEL).all():
        wrong = f"`x_{part}` holds NaN, infinite or absurdly large values"
    if wrong:
        raise DataError(f"`{path}`: {wrong}", f"it takes {_WANTED}")
