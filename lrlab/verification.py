"""Owns how short real runs around a suggested rate refine it: which rates, and what they say.

Pure numpy; `experiment` trains the runs.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

FACTORS = (1 / 3, 1 / math.sqrt(3), 1.0, math.sqrt(3), 3.0)
"""Rates that are tried, over the suggestion; the refined rate lies between the outermost."""

MOST_STEPS = 2_000
"""Steps of a run at most; else it takes one epoch."""

CLIFF = 2.0
"""Points of accuracy below the best that a run counts at most.

Beyond, it has left the smooth top that a parabola describes.
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


def refined(lr: Sequence[float], val_accuracy: Sequence[float | None]) -> float | None:
    """Return the rate at the top of the parabola through the accuracies over log lr.

    The parabola smooths what a single run's luck would decide. Where it has no top, the rates
    differ by noise or the top is beyond them: then it is the best rate tried.

    Args:
        lr: Rates tried, > 0, ascending, at least 3.
        val_accuracy: Accuracy at each rate, 0 to 1; None where the run broke down.

    Returns:
        The rate, between the outermost tried; None if every run broke down.

    Example:
        >>> refined([0.01, 0.1, 1.0], [0.80, 0.81, 0.80])
        0.1
    """
    reached = [accuracy for accuracy in val_accuracy if accuracy is not None]
    if not reached:
        return None
    floor = max(reached) - CLIFF / 100
    scores = np.array([max(floor if a is None else a, floor) for a in val_accuracy])
    middle = math.log(lr[len(lr) // 2])
    x = np.log(lr) - middle
    bend, slope, _ = np.polyfit(x, scores, 2)
    top = -slope / (2 * bend) if bend < 0 else x[scores.argmax()]
    return math.exp(middle + float(np.clip(top, x[0], x[-1])))
