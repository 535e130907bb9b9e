"""Data sets as arrays: find, download, verify; split off validation; standardise.

`resolve` says cheaply which data a name means, without reading it; `load` reads it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lrlab.errors import DataError
from lrlab.io import reading
from lrlab.tasks import fashion_mnist, own_npz, sketches
from lrlab.tasks.data_source import DataSource, validation_images

Images = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int32]
Array = npt.NDArray[Any]

# Below this, the squares of float32 values lose digits.
_SMALLEST = 1e-17

FALLBACK_WARNING = (
    "Fashion-MNIST was not found and could not be downloaded; using `sketches` instead, drawings "
    "made by lrlab. Results are NOT comparable with those on Fashion-MNIST"
)


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
        warn: Called with a text when `auto` falls back to `sketches`, and about labels that are
            probably a mistake.

    Raises:
        DataError: If it is not there and cannot be had.
    """
    if data_dir is not None and not reading.is_folder(data_dir):
        raise DataError(
            f"`{data_dir}` is not a folder", "pass an existing folder with `--data-dir`"
        )
    if name == "sketches":
        return sketches.resolve()
    if name not in ("auto", "fashion-mnist"):
        return own_npz.resolve(Path(name), warn)
    try:
        return fashion_mnist.resolve(data_dir)
    except DataError:
        if name != "auto":
            raise
    if warn is not None:
        warn(FALLBACK_WARNING)
    return sketches.resolve()


def train_images(name: str) -> int:
    """Return how many images there are to train on, without looking for or reading any.

    Raises:
        DataError: If an npz file cannot be read.
    """
    images = (
        own_npz.train_images(Path(name)) if name.endswith(".npz") else fashion_mnist.TRAIN_IMAGES
    )
    return images - validation_images(images)


def load(source: DataSource) -> DataSet:
    """Read a data set, split off the validation images and standardise.

    The first twelfth of the training images, at most 5,000, is the validation set, as in the
    book; pixels are standardised with the mean and deviation of the remaining training images.

    Raises:
        DataError: If the files are damaged, or not what they were when they were resolved.
    """
    x_train, y_train, x_test, y_test = _read(source)
    split = validation_images(len(x_train))
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


def _read(source: DataSource) -> tuple[Array, Array, Array | None, Array | None]:
    if source.path is None:
        return sketches.sketches()
    if reading.is_folder(source.path):
        return fashion_mnist.read(source.path)
    arrays = own_npz.read(source.path)
    own_npz.check_unchanged(source.path, source.fingerprint)
    return arrays


def _exactly(pixels: Images) -> npt.NDArray[np.float64]:
    """Return the deviation of pixels whose squares float32 cannot hold; 0 where none changes."""
    varies = pixels.max(axis=0) != pixels.min(axis=0)
    return np.where(varies, pixels.astype(np.float64).std(axis=0), 0.0)


def _standardiser(x: Array) -> Callable[[Array], Images]:
    """Return a function that maps pixels to float32 of mean 0 and deviation 1 over `x`."""
    pixels = x.astype(np.float32)
    mean = pixels.mean(axis=0, dtype=np.float64)
    with np.errstate(under="ignore"):
        squares = np.square(pixels - mean.astype(np.float32))
        deviation = np.sqrt(squares.mean(axis=0, dtype=np.float64))
    beyond = deviation < _SMALLEST
    if beyond.any():
        deviation[beyond] = _exactly(pixels[:, beyond])
    deviation[deviation == 0] = 1.0  # A pixel that never changes stays 0.
    with np.errstate(over="ignore"):
        shift, factor = mean.astype(np.float32), (1.0 / deviation).astype(np.float32)
    if not np.isfinite(factor).all():
        raise DataError(
            "the values of the training images are too small to be standardised",
            "scale them, to about 1",
        )
    return lambda images: (images.astype(np.float32) - shift) * factor
