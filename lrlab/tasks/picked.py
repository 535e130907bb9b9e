"""Some rows of an array on a disk, which are read only when they are asked for."""

from typing import Any

import numpy as np
import numpy.typing as npt

from lrlab.io.npz import Array


class Picked:
    """Rows of a memory map by their numbers; like an array as far as rows are taken from it.

    Args:
        array: The memory map.
        numbers: Which rows, in order.

    Example:
        >>> picked = Picked(np.arange(10) ** 2, np.array([3, 5, 7]))
        >>> picked[1:].tolist(), len(picked), picked.shape
        ([25, 49], 3, (3,))
    """

    def __init__(self, array: Array, numbers: npt.NDArray[np.int64]) -> None:
        self._array, self._numbers = array, numbers
        self.shape = (len(numbers), *array.shape[1:])
        self.dtype, self.ndim = array.dtype, array.ndim
        self.nbytes = array.nbytes // max(1, len(array)) * len(numbers)

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, which: Any) -> Array:
        rows: Array = self._array[self._numbers[which]]
        return rows


def is_on_disk(array: Any) -> bool:
    """Return whether the values of an array are on a disk rather than in memory."""
    return isinstance(array, np.memmap | Picked)


def rows_of(array: Array, numbers: npt.NDArray[np.int64]) -> Array:
    """Return rows by their numbers; those of a memory map are read when they are asked for."""
    if isinstance(array, np.memmap):
        return Picked(array, numbers)  # type: ignore[return-value]
    return array[numbers]
