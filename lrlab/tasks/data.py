"""Data sets as arrays: find, download, verify; split off validation; standardise.

`resolve` says cheaply which data a name means, without reading it; `load` reads it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lrlab.errors import DataError
from lrlab.io.printable import printable
from lrlab.tasks import fashion_mnist, own_npz, sketches

Images = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int32]
Array = npt.NDArray[Any]

FALLBACK_WARNING = (
    "Fashion-MNIST was not found and could not be downloaded; using `sketches` instead, drawings "
    "made by lrlab. Results are NOT comparable with those on Fashion-MNIST"
)

VALIDATION_SHARE = 12
MAX_VALIDATION = 5_000
SKETCHES_IMAGES = 60_000


@dataclass(frozen=True)
class DataSource:
    """Which data a name means; sources of equal content are equal.

    Args:
        name: What tables and figures call it.
        fingerprint: Hash of what it holds; runs on equal fingerprints saw equal data.
        train_images: Images to train on, the validation images not counted.
        path: The folder or file it is read from, None for `sketches`.
    """

    name: str = field(compare=False)
    fingerprint: str
    train_images: int
    path: Path | None = field(default=None, compare=False)


@dataclass(frozen=True)
class DataSet:
    """Standardised images, shape (n, height, width, ...) or (n, features), and their classes."""

    x_train: Images
    y_train: Labels
    x_val: Images
    y_val: Labels
    x_test: Images | None
    y_test: Labels | None
    classes: int


def resolve(
    name: str, data_dir: Path | None = None, warn: Callable[[str], None] | None = None
) -> DataSource:
    """Return which data `name` means: `auto`, `fashion-mnist`, `sketches` or an npz path.

    Args:
        name: The name, as in a config.
        data_dir: Where the files of Fashion-MNIST are looked for first.
        warn: Called with a text when `auto` falls back to `sketches`.

    Raises:
        DataError: If it is not there and cannot be had.
    """
    if data_dir is not None and not data_dir.is_dir():
        raise DataError(f"`{data_dir}` is not a folder", "pass an existing folder with `--data-dir`")
    if name == "sketches":
        return _sketches()
    if name in ("auto", "fashion-mnist"):
        return _fashion_mnist(name == "auto", data_dir, warn)
    path = Path(name)
    digest = own_npz.fingerprint(path)
    images = own_npz.train_images(path)
    if images < 2:
        raise DataError(f"`{path}` has {images} training images", "at least 2 are needed")
    return DataSource(printable(path.name), digest, images - _validation_images(images), path)


def train_images(name: str) -> int:
    """Return how many images there are to train on, without looking for or reading any.

    Raises:
        DataError: If an npz file cannot be read.
    """
    images = (
        own_npz.train_images(Path(name)) if name.endswith(".npz") else fashion_mnist.TRAIN_IMAGES
    )
    return images - _validation_images(images)


def _fashion_mnist(
    may_fall_back: bool, data_dir: Path | None, warn: Callable[[str], None] | None
) -> DataSource:
    folder = fashion_mnist.find(data_dir)
    if folder is None:
        try:
            folder = fashion_mnist.download()
        except DataError:
            if not may_fall_back:
                raise
            if warn is not None:
                warn(FALLBACK_WARNING)
            return _sketches()
    images = fashion_mnist.TRAIN_IMAGES
    return DataSource(
        "Fashion-MNIST", fashion_mnist.FINGERPRINT, images - _validation_images(images), folder
    )


def _sketches() -> DataSource:
    images = SKETCHES_IMAGES
    return DataSource("sketches", sketches.FINGERPRINT, images - _validation_images(images))


def load(source: DataSource) -> DataSet:
    """Read a data set, split off the validation images and standardise.

    The first twelfth of the training images, at most 5,000, is the validation set, as in the
    book; pixels are standardised with the mean and deviation of the remaining training images.

    Raises:
        DataError: If the files are damaged, or not what they were when they were resolved.
    """
    x_train, y_train, x_test, y_test = _read(source.path)
    if source.path is not None and source.path.is_file():
        _check_unchanged(source.path, source.fingerprint)
    split = _validation_images(len(x_train))
    scale = _standardiser(x_train[split:])
    return DataSet(
        x_train=scale(x_train[split:]),
        y_train=y_train[split:].astype(np.int32),
        x_val=scale(x_train[:split]),
        y_val=y_train[:split].astype(np.int32),
        x_test=None if x_test is None else scale(x_test),
        y_test=None if y_test is None else y_test.astype(np.int32),
        classes=int(y_train.max()) + 1,
    )


def _check_unchanged(path: Path, fingerprint: str) -> None:
    """Make sure that what was just read is what results will say they were made with."""
    if own_npz.fingerprint(path) != fingerprint:
        raise DataError(
            f"`{path}` has changed since this command began",
            "run it again; runs on the new data are kept apart from those on the old",
        )


def _read(path: Path | None) -> tuple[Array, Array, Array | None, Array | None]:
    if path is None:
        return sketches.sketches()
    return fashion_mnist.read(path) if path.is_dir() else own_npz.read(path)


def _validation_images(images: int) -> int:
    return min(MAX_VALIDATION, max(1, images // VALIDATION_SHARE))


def _standardiser(x: Array) -> Callable[[Array], Images]:
    """Return a function that maps pixels to float32 of mean 0 and deviation 1 over `x`."""
    pixels = x.astype(np.float32)
    mean = pixels.mean(axis=0, dtype=np.float64)
    deviation = np.sqrt(np.square(pixels - mean.astype(np.float32)).mean(axis=0, dtype=np.float64))
    deviation[deviation == 0] = 1.0  # A pixel that never changes stays 0.
    shift, factor = mean.astype(np.float32), (1.0 / deviation).astype(np.float32)
    return lambda images: (images.astype(np.float32) - shift) * factor
