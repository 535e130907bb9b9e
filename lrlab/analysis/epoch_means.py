"""What runs have in common after each epoch: mean, band, and the range worth showing.

Arrays in, arrays out; a quantity is a metric, of which the range that it can have is known.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lrlab.metric import Metric

Floats = npt.NDArray[np.float64]

_EXPLODED = 5.0
"""Highest loss over the usual one at which a curve may leave the figure."""

_BAND = 0.25
"""Share of the height that bands may add to what the means need, above and below."""


@dataclass(frozen=True)
class EpochMean:
    """Mean of a quantity over runs after each epoch, and the band of ± 1 standard deviation.

    Args:
        epoch: 1, 2, ... as people count, shape (epochs,).
        mean: The mean of the finite values, NaN where there is none.
        low: Lower edge of the band, NaN where fewer than two runs have a value.
        high: Its upper edge.
        std: The standard deviation, NaN likewise.
    """

    epoch: npt.NDArray[np.int64]
    mean: Floats
    low: Floats
    high: Floats
    std: Floats


def possible(quantity: Metric, *values: npt.ArrayLike) -> tuple[float, float]:
    """Return the least and the greatest value that a quantity can have.

    Args:
        quantity: The quantity.
        values: Values that it had. Where they leave its range, it is a user's own function under
            a known name, and there is no range.

    Example:
        >>> from lrlab.metric import ACCURACY, LOSS
        >>> possible(ACCURACY), possible(LOSS), possible(LOSS, [0.5, -2.0])
        ((0.0, 1.0), (0.0, inf), (-inf, inf))
    """
    for some in values:
        had = np.asarray(some, np.float64)
        had = had[np.isfinite(had)]
        if len(had) and (had.min() < quantity.least or had.max() > quantity.greatest):
            return -np.inf, np.inf
    return quantity.least, quantity.greatest


def epoch_mean(values: Sequence[Floats], quantity: Metric) -> EpochMean:
    """Return what runs have in common; the band stays in the range that is possible.

    Args:
        values: The quantity of each run, shape (epochs,) each, at least one run.
        quantity: What they are values of.
    """
    length = max(map(len, values))
    padded = np.full((len(values), length), np.nan)
    for row, value in zip(padded, values, strict=True):
        row[: len(value)] = np.where(np.isfinite(value), value, np.nan)
    count = np.isfinite(padded).sum(axis=0)
    several = count > 1
    mean, std = np.full(length, np.nan), np.full(length, np.nan)
    mean[count > 0] = np.nanmean(padded[:, count > 0], axis=0)
    std[several] = np.nanstd(padded[:, several], axis=0, ddof=1)
    low, high = np.clip([mean - std, mean + std], *possible(quantity, mean))
    return EpochMean(np.arange(1, length + 1), mean, low, high, std)


def highest_usual(losses: Sequence[float]) -> float:
    """Return the loss beyond which one has exploded, compared with the others.

    Example:
        >>> highest_usual([0.3, 0.5, 2.0]), highest_usual([0.3, 0.5, 1e6])
        (2.0, 1.0)
    """
    usual = sorted(losses)[(len(losses) - 1) // 2]
    return max(losses) if max(losses) <= _EXPLODED * usual else 2 * usual


def shown_range(means: Sequence[EpochMean], quantity: Metric) -> tuple[float, float] | None:
    """Return the range that shows the means, and their bands as far as they need little more.

    A loss that exploded is left out: it would press all others flat.

    Returns:
        The lower and the upper end, None where no value is finite.
    """
    finite = [of.mean[np.isfinite(of.mean)] for of in means]
    finite = [mean for mean in finite if len(mean)]
    if not finite:
        return None
    low = min(float(mean.min()) for mean in finite)
    tops = [float(mean.max()) for mean in finite]
    high = max(tops)
    if quantity.mode == "min":
        high = min(high, highest_usual(tops))
    margin = _BAND * (high - low)
    edges = np.concatenate([[low, high], *([of.low, of.high] for of in means)], axis=None)
    edges = np.clip(edges[np.isfinite(edges)], low - margin, high + margin)
    low, high = float(edges.min()), float(edges.max())
    room = 0.05 * (high - low) or 0.05 * abs(high) or 0.05
    least, greatest = possible(quantity, *finite)
    return max(low - room, least - room / 4), min(high + room, greatest + room / 4)
