"""What all formulas share: the type of a curve, and steps as an array."""

import numpy as np
import numpy.typing as npt

Rates = npt.NDArray[np.float64]


def as_steps(step: npt.ArrayLike) -> Rates:
    """Return steps as a float64 array of the same shape.

    It is always contiguous: NumPy may round a function of a strided array differently, and a
    slice must equal the whole bit for bit.
    """
    return np.array(step, np.float64, order="C")


def share(step: npt.ArrayLike, over: float) -> Rates:
    """Return which share of `over` steps has passed, between 0 and 1."""
    return np.clip(as_steps(step) / over, 0.0, 1.0)
