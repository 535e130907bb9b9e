"""Owns the LR range test's curve: rates, smoothing, the rule that ends it, the classic readings.

Pure numpy, no state; `suggestion` is lrlab's own reading of the finished curves.
"""

import enum

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

INITIAL_STEPS = 10
"""Steps whose mean loss is the initial loss: one batch alone is too noisy a reference."""

DIVERGENCE_FACTOR = 4.0
"""Smoothed loss over its best at which a sweep has diverged; the factor of fastai and Lightning."""

INITIAL_MARGIN = 1.1
ABOVE_INITIAL_STEPS = 20
"""So many steps in a row, by such a factor, above the initial loss are no longer noise."""


class StoppedBy(enum.StrEnum):
    """What ended a sweep, each with a sentence for people.

    Example:
        >>> StoppedBy.COMPLETED.sentence
        'all rates were tried'
    """

    sentence: str

    def __new__(cls, value: str, sentence: str) -> "StoppedBy":
        """Make a member that is the string `value` and carries its `sentence`."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.sentence = sentence
        return member

    COMPLETED = "completed", "all rates were tried"
    NONFINITE = "nonfinite", "the loss was infinite or not a number"
    DIVERGED = "diverged", "the smoothed loss rose above 4 times its best"
    ABOVE_INITIAL = "above_initial", "the smoothed loss stayed above the initial loss"


def rates(*, min_lr: float, max_lr: float, steps: int) -> Floats:
    """Return the learning rates of an exponential sweep, one value per step.

    lr(i) = min_lr * (max_lr / min_lr) ** (i / (steps - 1))

    Args:
        min_lr: First rate, > 0.
        max_lr: Last rate, > `min_lr`.
        steps: Number of rates, >= 2.

    Returns:
        float64 array of shape (steps,), each value computed by itself: a rate multiplied up
        step after step drifts.

    Raises:
        ValueError: If the range is empty or has fewer than two steps.

    Example:
        >>> rates(min_lr=0.001, max_lr=10, steps=5)
        array([1.e-03, 1.e-02, 1.e-01, 1.e+00, 1.e+01])

    References:
        Leslie N. Smith, Cyclical Learning Rates for Training Neural Networks, 2017, section 3.3,
        https://arxiv.org/abs/1506.01186; exponential instead of linear after fastai's `lr_find`,
        https://docs.fast.ai/callback.schedule.html
    """
    if not 0 < min_lr < max_lr < np.inf:
        raise ValueError(f"rates need 0 < min_lr < max_lr, got {min_lr:g} and {max_lr:g}")
    if steps < 2:
        raise ValueError(f"steps must be at least 2, got {steps}")
    curve = min_lr * (max_lr / min_lr) ** (np.arange(steps) / (steps - 1))
    curve[-1] = max_lr
    return np.asarray(curve, np.float64)


def smooth(losses: ArrayLike, beta: float = 0.98) -> Floats:
    """Return the bias-corrected exponential moving average along the last axis.

    s(i) = sum_j beta^(i-j) loss(j) / sum_j beta^(i-j), j = 0 .. i

    Args:
        losses: Any shape (..., steps); a value that is not finite ends its row.
        beta: Share of the past, 0 <= beta < 1.

    Returns:
        float64 array of the same shape; NaN from a row's first value that is not finite on.

    Example:
        >>> smooth([2.0, 1.0, np.nan, 1.0], beta=0.5)
        array([2.        , 1.33333333,        nan,        nan])

    References:
        Diederik P. Kingma and Jimmy Ba, Adam, 2015, section 3, https://arxiv.org/abs/1412.6980
    """
    if not 0 <= beta < 1:
        raise ValueError(f"beta must be at least 0 and less than 1, got {beta:g}")
    values = np.array(losses, np.float64)
    values[~np.isfinite(values)] = np.nan
    average = np.zeros(values.shape[:-1])
    weight = 0.0
    for step in range(values.shape[-1]):
        # The running average itself, not a sum to be divided: so a constant stays constant.
        weight = beta * weight + 1
        average = average + (values[..., step] - average) / weight
        values[..., step] = average
    return values


def initial_loss(losses: Floats) -> float:
    """Return the loss of the untrained model: the mean over the first steps, NaN if there is none.

    A sweep that explodes at once must not raise its own yardstick, so the mean is at most twice
    the very first loss.
    """
    first = losses[:INITIAL_STEPS]
    first = first[np.isfinite(first)]
    if not first.size:
        return float("nan")
    return float(min(first.mean(), first[0] + abs(first[0])))


def stop(losses: ArrayLike) -> tuple[int, StoppedBy] | None:
    """Return the step at which a sweep is over and why, or None while it goes on.

    Causal: a step is judged by the losses up to it, so a longer prefix gives the same answer and
    the result does not depend on how often it is asked.

    Args:
        losses: True batch losses of the steps so far, shape (steps,).

    Returns:
        The first step whose loss is no longer part of the sweep, and the reason. None also after
        the last rate: then the sweep is `StoppedBy.COMPLETED`.

    Example:
        >>> stop([2.3, 2.2, float("inf"), 2.0])
        (2, <StoppedBy.NONFINITE: 'nonfinite'>)
    """
    values = np.asarray(losses, np.float64)
    if values.ndim != 1:
        raise ValueError(f"losses must have the shape (steps,), got {values.shape}")
    found = []
    broken = np.flatnonzero(~np.isfinite(values))
    if broken.size:
        found.append((int(broken[0]), StoppedBy.NONFINITE))
        values = values[: broken[0]]
    if values.size > INITIAL_STEPS:
        smoothed = smooth(values)
        initial = initial_loss(values)
        best = np.minimum.accumulate(smoothed)
        # An easy task reaches losses near 0, where 4 times the best still is a good loss.
        limit = np.maximum(best + (DIVERGENCE_FACTOR - 1) * np.abs(best), initial)
        above = smoothed > initial + (INITIAL_MARGIN - 1) * abs(initial)
        found += _first(smoothed > limit, StoppedBy.DIVERGED)
        found += _first(_lasting(above, ABOVE_INITIAL_STEPS), StoppedBy.ABOVE_INITIAL)
    return min(found, key=lambda end: end[0], default=None)


def _first(over: NDArray[np.bool_], reason: StoppedBy) -> list[tuple[int, StoppedBy]]:
    """Return the first step that is over with its reason, as a list of one or none.

    The initial loss is known only after the first steps, so they cannot be over.
    """
    steps = np.flatnonzero(over[INITIAL_STEPS:])
    return [(int(steps[0]) + INITIAL_STEPS, reason)] if steps.size else []


def _lasting(flags: NDArray[np.bool_], length: int) -> NDArray[np.bool_]:
    """Return where a flag has been true for `length` steps in a row, this one included."""
    steps = np.arange(flags.size)
    last_false = np.maximum.accumulate(np.where(flags, -1, steps))
    return steps - last_false >= length


def classic_rules(lr: Floats, curves: Floats) -> dict[str, float | None]:
    """Return what fastai's rules say about the smoothed mean curve, None where they say nothing.

    As in fastai the first tenth of the steps and the last 5 that were recorded are left out.

    Args:
        lr: Rates of the sweep, shape (steps,).
        curves: Losses, shape (seeds, steps), NaN from each sweep's end on.

    Returns:
        The rate of each rule:

        * `minimum`: a tenth of the rate of the lowest loss;
        * `steepest`: where the loss falls fastest over the logarithm of the rate (`steep`);
        * `valley`: half-way along the longest falling subsequence;
        * `slide`: where, seen from the right, the slope stops to change.

    References:
        fastai, `fastai.callback.schedule`, https://docs.fast.ai/callback.schedule.html
    """
    recorded = int(np.isfinite(curves).all(axis=0).sum())
    kept = slice(lr.size // 10, max(recorded - 5, 0))
    smoothed = smooth(curves[:, :recorded].mean(axis=0))[kept]
    if smoothed.size < 2:
        return dict.fromkeys(("minimum", "steepest", "valley", "slide"))
    lr = lr[kept]
    slope = np.diff(smoothed) / np.diff(np.log(lr))
    return {
        "minimum": float(lr[smoothed.argmin()]) / 10,
        "steepest": float(lr[slope.argmin()]),
        "valley": float(lr[_valley(smoothed)]),
        "slide": float(lr[_slide(smoothed)]),
    }


def _valley(losses: Floats) -> int:
    """Return the step halfway into the middle third of the longest descending subsequence."""
    lengths = np.ones(losses.size, np.int64)
    for step in range(1, losses.size):
        higher = losses[:step] > losses[step]
        lengths[step] = 1 + lengths[:step].max(where=higher, initial=0)
    end = int(lengths.argmax())
    length = int(lengths[end])
    return max(end - length + int(length / 3) + int(length / 6), 0)


def _slide(losses: Floats, distance: int = 15, threshold: float = 0.005) -> int:
    """Return the left end of the last interval, slid from the right, whose ends differ in slope."""
    slope = np.gradient(losses)
    distance = min(distance, losses.size - 1)
    differs = np.abs(slope[distance:] - slope[:-distance]) > threshold
    if not differs[-1]:
        return differs.size - 1
    alike = np.flatnonzero(~differs)
    return int(alike[-1]) + 1 if alike.size else 0
