"""The 1cycle policy, of rate and momentum, as the book, fastai and PyTorch define it."""

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from lrlab.schedules.annealing import Shape
from lrlab.schedules.steps import Rates, as_steps

Variant = Literal["book", "fastai", "pytorch"]


class _Definition(NamedTuple):
    """What a variant takes where nothing is said.

    `end_divisor` divides the first rate; in fastai it divides the peak.
    """

    start_divisor: float
    end_divisor: float
    pct_start: float
    shape: Shape


_DEFINITIONS = {
    "book": _Definition(10, 1000, 0.5, "linear"),
    "fastai": _Definition(25, 1e5, 0.25, "cosine"),
    "pytorch": _Definition(25, 1e4, 0.3, "cosine"),
}


def one_cycle(
    step: npt.ArrayLike,
    *,
    max_lr: float,
    over: float,
    start_lr: float | None = None,
    end_lr: float | None = None,
    variant: Variant = "book",
    pct_start: float | None = None,
    shape: Shape | None = None,
    three_phase: bool = False,
) -> Rates:
    """Return the rates of 1cycle: up to the peak, down again, then far below the start.

    `book`: with `last = over // 10 + 1` and `half = (over - last) // 2` steps, linear between
    `start_lr` at 0, `max_lr` at `half`, `start_lr` at `2 * half` and `end_lr` at `over`.
    `fastai`: a cosine from `start_lr` to `max_lr` at `pct_start * over`, another to `end_lr` at
    `over`. `pytorch`: the same with the peak at `pct_start * over - 1` and the end at `over - 1`.

    Args:
        step: Steps, any shape.
        max_lr: The peak, > 0.
        over: Steps that the whole cycle takes, > 0.
        start_lr: The first rate, at most `max_lr`; default `max_lr / 10` (fastai and PyTorch:
            `max_lr / 25`).
        end_lr: The last rate; default `start_lr / 1000` (fastai: `max_lr / 1e5`; PyTorch:
            `start_lr / 1e4`).
        variant: Whose definition it is.
        pct_start: The share of `over` at which the peak is; default 0.25 (fastai), 0.3
            (PyTorch). The book's peak is always in the middle.
        shape: Linear or cosine; default cosine. The book's is always linear.
        three_phase: PyTorch alone: back to `start_lr` as slowly as it rose, then to `end_lr`.

    Returns:
        The rates, float64, in the shape of `step`.

    Example:
        >>> one_cycle([0, 4, 8, 10], max_lr=0.5, over=10)
        array([5.e-02, 5.e-01, 5.e-02, 5.e-05])

    References:
        Smith, A disciplined approach to neural network hyper-parameters (2018),
        https://arxiv.org/abs/1803.09820; `book`: Géron, Hands-On Machine Learning, 2nd edition
        (2019), chapter 11; fastai's `fit_one_cycle`; PyTorch's `OneCycleLR`.
    """
    definition = _DEFINITIONS[variant]
    start = max_lr / definition.start_divisor if start_lr is None else start_lr
    last = (max_lr if variant == "fastai" else start) / definition.end_divisor
    end = last if end_lr is None else end_lr
    knots, middle = _knots(over, variant, pct_start, three_phase)
    if not knots:
        return np.interp(as_steps(step), [0.0, over], [start, end])
    values = [start, max_lr, start, end] if middle else [start, max_lr, end]
    return _between(as_steps(step), knots, values, shape or definition.shape)


def one_cycle_momentum(
    step: npt.ArrayLike,
    *,
    low: float,
    high: float,
    over: float,
    variant: Variant = "book",
    pct_start: float | None = None,
    shape: Shape | None = None,
    three_phase: bool = False,
) -> Rates:
    """Return the momentum of 1cycle: `high`, down to `low` where the rate peaks, and `high` again.

    Args:
        step: Steps, any shape.
        low: The momentum at the peak of the rate, in [0, 1).
        high: The momentum at start and end, in [0, 1).
        over: Steps that the whole cycle takes, > 0.
        variant: As in `one_cycle`.
        pct_start: As in `one_cycle`.
        shape: As in `one_cycle`.
        three_phase: As in `one_cycle`.

    Returns:
        The momenta, float64, in the shape of `step`.

    Example:
        >>> one_cycle_momentum([0, 4, 8, 10], low=0.85, high=0.95, over=10)
        array([0.95, 0.85, 0.95, 0.95])

    References:
        Smith (2018), https://arxiv.org/abs/1803.09820, section 4.3; 0.95 and 0.85 are the
        defaults of fastai (`moms`) and PyTorch (`max_momentum`, `base_momentum`).
    """
    knots, middle = _knots(over, variant, pct_start, three_phase)
    if not knots:
        return np.full(np.shape(step), high, np.float64)
    values = [high, low, high, high] if middle else [high, low, high]
    return _between(as_steps(step), knots, values, shape or _DEFINITIONS[variant].shape)


def _knots(
    over: float, variant: Variant, pct_start: float | None, three_phase: bool
) -> tuple[list[float], bool]:
    """Return the steps between which the curve runs, and whether it is at the start in between."""
    if variant == "book":
        half = (over - (over // 10 + 1)) // 2
        return ([] if half < 1 else [0.0, half, 2 * half, over]), True
    share = _DEFINITIONS[variant].pct_start if pct_start is None else pct_start
    if variant == "fastai":
        return [0.0, share * over, over], False
    rise = share * over
    if three_phase:
        return [0.0, rise - 1, 2 * rise - 2, over - 1], True
    return [0.0, rise - 1, over - 1], False


def _between(at: Rates, knots: list[float], values: list[float], shape: Shape) -> Rates:
    """Return the curve through `values` at `knots`; PyTorch's may lie before step 0."""
    inner = np.searchsorted(np.asarray(knots[1:-1]), at, side="left")
    edges, heights = np.asarray(knots, np.float64), np.asarray(values, np.float64)
    start, end = edges[inner], edges[inner + 1]
    length = np.where(end > start, end - start, 1.0)
    f = np.clip(np.where(end > start, (at - start) / length, 1.0), 0.0, 1.0)
    if shape == "cosine":
        f = (1.0 - np.cos(np.pi * f)) / 2.0
    return np.asarray((1.0 - f) * heights[inner] + f * heights[inner + 1])
