"""Open-loop learning-rate schedules: pure, vectorised, float64 functions of the step.

Each formula takes the step first (any shape, counted from 0) and returns the rates in the same
shape; past its end the last value holds. Ranges are checked where configs are read.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Rates = npt.NDArray[np.float64]


class Schedule(Protocol):
    """What `rates` needs of a schedule's config."""

    @property
    def type(self) -> str:
        """The name of the formula."""

    def parameters(self, steps_per_epoch: int, epochs: int) -> dict[str, Any]:
        """Return the keyword arguments of the formula, durations in steps."""


def constant(step: npt.ArrayLike, *, lr: float) -> Rates:
    """Return the same rate at every step.

    Args:
        step: Steps, any shape.
        lr: The rate, > 0.

    Returns:
        The rates, float64, in the shape of `step`.

    Example:
        >>> constant([0, 1], lr=0.5)
        array([0.5, 0.5])
    """
    return np.full(np.shape(step), lr, np.float64)


def power(step: npt.ArrayLike, *, initial_lr: float, s: float, c: float = 1.0) -> Rates:
    """Return `initial_lr / (1 + step / s)**c`.

    Args:
        step: Steps, any shape.
        initial_lr: The rate at step 0, > 0.
        s: Steps until the rate is `initial_lr / 2**c`, > 0.
        c: The power, > 0.

    Returns:
        The rates, float64, in the shape of `step`.

    Example:
        >>> power([0, 100, 300], initial_lr=0.4, s=100)
        array([0.4, 0.2, 0.1])

    References:
        Géron, Hands-On Machine Learning, 2nd edition (2019), chapter 11. With `c=1` it is
        Keras' `InverseTimeDecay`.
    """
    return initial_lr / (1.0 + np.asarray(step, np.float64) / s) ** c


def exponential(step: npt.ArrayLike, *, initial_lr: float, s: float, factor: float = 0.1) -> Rates:
    """Return `initial_lr * factor**(step / s)`.

    Args:
        step: Steps, any shape.
        initial_lr: The rate at step 0, > 0.
        s: Steps in which the rate falls by `factor`, > 0.
        factor: What the rate is multiplied by every `s` steps, between 0 and 1.

    Returns:
        The rates, float64, in the shape of `step`.

    Example:
        >>> exponential([0, 20], initial_lr=1.0, s=20)
        array([1. , 0.1])

    References:
        Géron, Hands-On Machine Learning, 2nd edition (2019), chapter 11. It is Keras'
        `ExponentialDecay`.
    """
    return initial_lr * np.power(factor, np.asarray(step, np.float64) / s)


def piecewise(
    step: npt.ArrayLike, *, values: Sequence[float], boundaries: Sequence[float]
) -> Rates:
    """Return `values[k]`, where k counts the boundaries at or before the step.

    Args:
        step: Steps, any shape.
        values: The rates, one more than there are boundaries.
        boundaries: Steps, increasing, at which the next rate begins.

    Returns:
        The rates, float64, in the shape of `step`.

    Example:
        >>> piecewise([0, 9, 10], values=[0.1, 0.01], boundaries=[10])
        array([0.1 , 0.1 , 0.01])

    References:
        Géron, Hands-On Machine Learning, 2nd edition (2019), chapter 11. Keras'
        `PiecewiseConstantDecay` keeps the old value for one more step.
    """
    # Counted, not searched: in steps, boundaries of different units may not be sorted.
    reached = (np.asarray(step)[..., np.newaxis] >= np.asarray(boundaries)).sum(axis=-1)
    return np.asarray(np.take(values, reached), np.float64)


def one_cycle(
    step: npt.ArrayLike,
    *,
    max_lr: float,
    over: float,
    start_lr: float | None = None,
    end_lr: float | None = None,
) -> Rates:
    """Return the book's 1cycle: up to the peak, back down, then far below the start.

    With `last = over // 10 + 1` and `half = (over - last) // 2` steps, the rate is linear between
    `start_lr` at 0, `max_lr` at `half`, `start_lr` at `2 * half` and `end_lr` at `over`.

    Args:
        step: Steps, any shape.
        max_lr: The peak, > 0.
        over: Steps that the whole cycle takes, > 0.
        start_lr: The first rate, at most `max_lr`; default `max_lr / 10`.
        end_lr: The rate at step `over` and after; default `start_lr / 1000`.

    Returns:
        The rates, float64, in the shape of `step`.

    Example:
        >>> one_cycle([0, 4, 8, 10], max_lr=0.5, over=10)
        array([5.e-02, 5.e-01, 5.e-02, 5.e-05])

    References:
        Smith, A disciplined approach to neural network hyper-parameters (2018),
        https://arxiv.org/abs/1803.09820; in this form Géron, Hands-On Machine Learning, 2nd
        edition (2019), chapter 11.
    """
    start = max_lr / 10 if start_lr is None else start_lr
    end = start / 1000 if end_lr is None else end_lr
    half = (over - (over // 10 + 1)) // 2
    at = np.asarray(step, np.float64)
    if half < 1:
        return np.interp(at, [0.0, over], [start, end])
    return np.interp(at, [0.0, half, 2 * half, over], [start, max_lr, start, end])


FORMULAS: dict[str, Callable[..., Rates]] = {
    "constant": constant,
    "power": power,
    "exponential": exponential,
    "piecewise": piecewise,
    "one_cycle": one_cycle,
}


def rates(schedule: Schedule, steps_per_epoch: int, epochs: int) -> Rates:
    """Return the learning rate of every step of a run.

    Args:
        schedule: An open-loop schedule's config, as in `lrlab.load(path).schedule`.
        steps_per_epoch: Steps an epoch, >= 1.
        epochs: Epochs, >= 1.

    Returns:
        The rates, float64, shape `(steps_per_epoch * epochs,)`.

    Raises:
        ValueError: If the schedule is a closed loop, whose rates depend on the training, or a
            count is below 1.
    """
    if steps_per_epoch < 1 or epochs < 1:
        raise ValueError(f"need at least 1 step and 1 epoch, got {steps_per_epoch} and {epochs}")
    if schedule.type not in FORMULAS:
        raise ValueError(
            f"the rates of a `{schedule.type}` schedule are known only while training; "
            "see `lrlab.performance`"
        )
    step = np.arange(steps_per_epoch * epochs)
    if getattr(schedule, "update", "step") == "epoch":
        step -= step % steps_per_epoch
    return FORMULAS[schedule.type](step, **schedule.parameters(steps_per_epoch, epochs))
