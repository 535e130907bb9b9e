"""Which examples a run had right at the end: a bit each, and the file that holds them.

`examples.npz` has `val_right` and `val_examples`, `test_right` and `test_examples`: the bits as
`numpy.packbits` has them, and how many there are.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lrlab.io import npz

PARTS = ("val", "test")
"""The parts of the data, as in the names of results."""

MAX_BYTES = 30_000_000


@dataclass(frozen=True)
class Right:
    """Which examples of a part of the data a run had right, in the data's order, a bit each.

    Example:
        >>> Right.of(np.array([True, False, True])).bits()
        array([ True, False,  True])

    Args:
        packed: The bits as `numpy.packbits` has them, ceil(examples / 8) bytes.
        examples: How many there are.
    """

    packed: bytes
    examples: int

    @classmethod
    def of(cls, right: npt.NDArray[np.bool_]) -> "Right":
        """Return the bits of an array of bool, shape (examples,)."""
        return cls(np.packbits(right).tobytes(), len(right))

    def bits(self) -> npt.NDArray[np.bool_]:
        """Return whether each example was right, shape (examples,)."""
        packed = np.frombuffer(self.packed, np.uint8)
        return np.unpackbits(packed, count=self.examples).astype(np.bool_)


def pack(rights: Mapping[str, Right]) -> bytes:
    """Return the file of the bits of some parts."""
    arrays: dict[str, npz.Array] = {}
    for part, right in rights.items():
        arrays[f"{part}_right"] = np.frombuffer(right.packed, np.uint8)
        arrays[f"{part}_examples"] = np.array([right.examples], np.int64)
    return npz.pack(arrays)


def unpack(content: bytes) -> dict[str, Right]:
    """Return the bits of each part that a file has.

    Raises:
        ValueError: If it is damaged.
    """
    arrays, found = npz.unpack(content), {}
    for part in PARTS:
        packed, count = arrays.get(f"{part}_right"), arrays.get(f"{part}_examples")
        if packed is None and count is None:
            continue
        if packed is None or count is None or count.shape != (1,) or count.dtype != np.int64:
            raise ValueError(f"it does not say how many examples `{part}_right` has")
        examples = int(count[0])
        if packed.dtype != np.uint8 or examples < 1 or packed.shape != (-(-examples // 8),):
            raise ValueError(f"`{part}_right` does not hold one bit per example")
        found[part] = Right(packed.tobytes(), examples)
    return found
