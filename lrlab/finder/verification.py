"""Owns how short real runs around a suggested rate refine it: which rates, and what they say.

Pure numpy; `experiment` trains the runs.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

FACTORS = (1 / 3, 1 / math.sqrt(3), 1.0, math.sqrt(3), 3.0)
"""Rates that are tried, over the suggestion."""

REACH = 2.0
"""How far the refined rate may be from the suggestion, as a factor.

A short run likes higher rates than a long one, so it may move the suggestion, not replace it. On
the development tasks 2 left less regret than 1.5 or 3.
"""

MOST_STEPS = 2_000
"""The most steps of a run, which takes one epoch if that is shorter."""

CLIFF = 1.25
"""Validation loss over the best that a run counts at most.

Beyond, it has left the smooth bottom that a parabola describes.
"""


@dataclass(frozen=True)
class ShortRun:
    """A short real run: schedule `constant` or `one_cycle`, its rate or peak, what it gave.

    The results are those of the validation set after the run, None where it broke down.
    """

    schedule: str
    lr: float
    val_loss: float | None
    val_accuracy: float | None


def rates_around(lr: float) -> tuple[float, ...]:
    """Return the rates that are tried around a suggestion, ascending, `lr` in their middle.

    Example:
        >>> [round(rate, 3) for rate in rates_around(0.03)]
        [0.01, 0.017, 0.03, 0.052, 0.09]
    """
    return tuple(lr * factor for factor in FACTORS)


def refined(lr: Sequence[float], val_loss: Sequence[float | None], highest: float) -> float | None:
    """Return the rate at the bottom of the parabola through the losses over log lr.

    The parabola smooths what a single run's luck would decide; the loss is less of a lottery than
    the accuracy. Where the parabola has no bottom, it is beyond the rates tried, or there is only
    noise: then the best rate tried counts.

    Args:
        lr: Rates tried, > 0, ascending, at least 3, the suggestion in their middle.
        val_loss: Validation loss at each rate, > 0; None where the run broke down.
        highest: Rate that the result never exceeds, the sweep's `highest_stable_lr`.

    Returns:
        The rate, within a factor of 2 of the suggestion; None if every run broke down.

    Example:
        >>> print(f"{refined([0.01, 0.1, 1.0], [0.50, 0.41, 0.50], highest=2.0):.3f}")
        0.100
        >>> print(f"{refined([0.01, 0.1, 1.0], [0.45, 0.45, None], highest=2.0):.3f}")
        0.050
    """
    reached = [loss for loss in val_loss if loss is not None]
    if not reached:
        return None
    worst = CLIFF * min(reached)
    losses = np.array([worst if loss is None else min(loss, worst) for loss in val_loss])
    suggested = lr[len(lr) // 2]
    x = np.log(np.asarray(lr) / suggested)
    bend, slope, _ = np.polyfit(x, losses, 2)
    bottom = -slope / (2 * bend) if bend > 0 else x[losses.argmin()]
    factor = math.exp(float(np.clip(bottom, -math.log(REACH), math.log(REACH))))
    return min(suggested * factor, highest)
