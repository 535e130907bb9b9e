"""When runs reach a target: the first of two epochs in a row at it; means that count who did not.

A run that has not reached the target by the end counts as the whole horizon, so the mean of an
experiment is its restricted mean, the area under the share of runs that are still on their way:

    mean over runs of min(T, horizon)

References:
    Royston and Parmar, Restricted mean survival time (2013), https://doi.org/10.1186/1471-2288-13-152
"""

import statistics
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from lrlab.metric import Mode

Floats = npt.NDArray[np.float64]

IN_A_ROW = 2
"""Epochs at the target that make it reached: a single one may be luck."""

ROUNDING = 1 / 12
"""Variance of rounding to whole epochs: three equal counts do not mean that nothing varies."""


def epochs_to(values: Sequence[float], target: float, mode: Mode) -> int | None:
    """Return after how many epochs a run reached a target and held it for a second one.

    Example:
        >>> epochs_to([0.7, 0.8, 0.79, 0.8, 0.9], 0.8, "max")
        4
        >>> epochs_to([0.7, 0.7, 0.8], 0.8, "max") is None
        True

    Args:
        values: The quantity after each epoch.
        target: The value to reach, itself included.
        mode: Whether high values are good (`max`) or low ones (`min`).

    Returns:
        The number of epochs, counted from 1; None where it was not reached.
    """
    given = np.asarray(values, np.float64)
    at = given >= target if mode == "max" else given <= target
    held = np.flatnonzero(at[:-1] & at[1:])
    return int(held[0]) + 1 if len(held) else None


def share_reached(epochs: Sequence[int | None], horizon: int) -> tuple[Floats, Floats]:
    """Return the corners of the line that says which share of runs has reached a target by when.

    Example:
        >>> share_reached([1, 3, None, None], 4)
        (array([0., 1., 1., 3., 3., 4.]), array([0.  , 0.  , 0.25, 0.25, 0.5 , 0.5 ]))

    Args:
        epochs: After how many epochs each run did, None where it did not; one run at least.
        horizon: The epochs at which the line ends.

    Returns:
        Epochs and shares, shape (corners,) each.
    """
    reached = np.array([e for e in epochs if e is not None and e <= horizon], np.float64)
    at, counts = np.unique(reached, return_counts=True)
    shares = np.concatenate([[0.0], np.cumsum(counts) / len(epochs)])
    return np.concatenate([[0.0], np.repeat(at, 2), [horizon]]), np.repeat(shares, 2)


def restricted(epochs: Sequence[int | None], horizon: int) -> list[float]:
    """Return how many epochs each run took; a run that took longer than that counts as `horizon`.

    Example:
        >>> restricted([4, None], 10)
        [4.0, 10.0]
    """
    return [float(horizon if e is None else min(e, horizon)) for e in epochs]


def automatic(
    finals: Mapping[str, Sequence[float]], mode: Mode, baseline: str | None
) -> float | None:
    """Return the target where none is stated: what half of the runs of an experiment end with.

    Args:
        finals: What the finished runs of each experiment ended with.
        mode: Whether high values are good or low ones.
        baseline: The experiment to take; None: the one in the middle, of two the worse.

    Returns:
        The median, None where no run has finished.
    """
    medians = {name: statistics.median(of) for name, of in finals.items() if of}
    if not medians:
        return None
    if baseline in medians:
        return medians[baseline]
    return sorted(medians.values(), reverse=mode == "min")[(len(medians) - 1) // 2]
