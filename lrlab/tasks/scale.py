"""Standardising inputs: mean 0 and deviation 1 over the training set, computed in float32."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lrlab.errors import DataError
from lrlab.io.npz import Array
from lrlab.tasks.parts import blocks
from lrlab.tasks.picked import is_on_disk

Floats = npt.NDArray[np.float32]

# Below this, the squares of float32 values lose digits.
_SMALLEST = 1e-17


@dataclass(frozen=True, eq=False)
class Scale:
    """What is subtracted from each value of an example, and what it is then multiplied by.

    Args:
        shift: The means over the training set, float32, of the shape of one example.
        factor: One over the deviations, likewise.
    """

    shift: Floats
    factor: Floats

    def __call__(self, x: Array) -> Floats:
        """Return scaled inputs, float32; the graph computes the same bits batch by batch."""
        scaled: Floats = (x.astype(np.float32) - self.shift) * self.factor
        return scaled

    @classmethod
    def of(cls, x: Array) -> "Scale":
        """Return the scale that gives `x` mean 0 and deviation 1; a constant value becomes 0.

        Raises:
            DataError: If the values are too small.
        """
        if is_on_disk(x):
            return _of_blocks(x)
        pixels = x.astype(np.float32)
        mean = pixels.mean(axis=0, dtype=np.float64)
        with np.errstate(under="ignore"):
            squares = np.square(pixels - mean.astype(np.float32))
            deviation = np.sqrt(squares.mean(axis=0, dtype=np.float64))
        beyond = deviation < _SMALLEST
        if beyond.any():
            deviation[beyond] = _exactly(pixels[:, beyond])
        deviation[deviation == 0] = 1.0  # A value that never changes stays 0.
        with np.errstate(over="ignore"):
            shift, factor = mean.astype(np.float32), (1.0 / deviation).astype(np.float32)
        if not np.isfinite(factor).all():
            raise DataError(
                "the values of the training images are too small to be standardised",
                "scale them, to about 1",
            )
        return cls(shift, factor)

    @classmethod
    def of_targets(cls, y: Array) -> "Scale":
        """Return the scale that gives amounts mean 0 and deviation 1, each column by itself."""
        rows = cls.of(y.reshape(len(y), -1))
        return cls(rows.shift.reshape(y.shape[1:]), rows.factor.reshape(y.shape[1:]))


def _of_blocks(x: Array) -> Scale:
    """Return the scale of an array on a disk, of which a block at a time is in memory."""
    total = sum(block.sum(axis=0, dtype=np.float64) for _, block in blocks(x))
    mean = np.asarray(total / len(x))
    squares = sum(np.square(block - mean).sum(axis=0, dtype=np.float64) for _, block in blocks(x))
    deviation = np.sqrt(np.asarray(squares / len(x)))
    deviation[deviation == 0] = 1.0
    return Scale(mean.astype(np.float32), (1.0 / deviation).astype(np.float32))


def _exactly(pixels: Floats) -> npt.NDArray[np.float64]:
    """Return the deviation of pixels whose squares float32 cannot hold; 0 where none changes."""
    varies = pixels.max(axis=0) != pixels.min(axis=0)
    deviation: npt.NDArray[Any] = pixels.astype(np.float64).std(axis=0)
    return np.where(varies, deviation, 0.0)
