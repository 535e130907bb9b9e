"""Owns the LR range test's curve: rates, smoothing, the rule that ends it, the classic readings.

Pure numpy, no state; `suggestion` is lrlab's own reading of the finished curves.
"""

import enum

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

INITIAL_STEPS = 10
"""Steps whose mean loss is the initial loss: one batch alone is too noisy a reference."""

DIVERGED_NOISE, DIVERGED_STEPS = 4.0, 3
ABOVE_NOISE, ABOVE_FALL, ABOVE_STEPS = 2.0, 0.1, 20
"""What is far above the initial loss, and what is above it for good.

In deviations of the first losses and in shares of the fall so far; in so many steps in a row.
"""

NONFINITE_STEPS = 3
"""So many losses in a row that are not finite end a sweep; fewer are skipped."""

ROUNDING = 1e-6
"""Share of a loss that float32 cannot tell from none: least height of what is above another."""


class Worded(enum.StrEnum):
    """Members that are strings and carry a sentence for people."""

    sentence: str

    def __new__(cls, value: str, sentence: str) -> "Worded":
        """Make a member that is the string `value` and carries its `sentence`."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.sentence = sentence
        return member


class StoppedBy(Worded):
    """What ended a sweep, each with a sentence for people.

    Example:
        >>> StoppedBy.COMPLETED.sentence
        'all rates were tried'
    """

    COMPLETED = "completed", "all rates were tried"
    NONFINITE = "nonfinite", "the loss was infinite or not a number"
    DIVERGED = "diverged", "the loss rose above the initial one by more than it had fallen"
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
        losses: Any shape (..., steps); values that are not finite are skipped.
        beta: Share of the past, 0 <= beta < 1.

    Returns:
        float64 array of the same shape, NaN where a value was skipped.

    Example:
        >>> smooth([2.0, 1.0, np.nan, 1.0], beta=0.5)
        array([2.        , 1.33333333,        nan, 1.14285714])

    References:
        Diederik P. Kingma and Jimmy Ba, Adam, 2015, section 3, https://arxiv.org/abs/1412.6980
    """
    if not 0 <= beta < 1:
        raise ValueError(f"beta must be at least 0 and less than 1, got {beta:g}")
    values = np.array(losses, np.float64)
    finite = np.isfinite(values)
    values[~finite] = np.nan
    average = np.zeros(values.shape[:-1])
    weight = np.zeros(values.shape[:-1])
    for step in range(values.shape[-1]):
        known = finite[..., step]
        # The running average itself, not a sum to be divided: so a constant stays constant.
        weight = np.where(known, beta * weight + 1, weight)
        change = np.where(known, values[..., step] - average, 0.0)
        average = average + change / np.where(known, weight, 1.0)
        values[..., step] = np.where(known, average, np.nan)
    return values


def initial_loss(losses: Floats) -> float:
    """Return the loss of the untrained model, NaN if there is none.

    The mean over the first steps, but at most that over the first half of them: a sweep that
    explodes at once must not raise its own yardstick.
    """
    first = losses[:INITIAL_STEPS]
    first = first[np.isfinite(first)]
    if not first.size:
        return float("nan")
    half = first[: (first.size + 1) // 2]
    return float(min(first.mean(), half.mean()))


def stop(losses: ArrayLike) -> tuple[int, StoppedBy] | None:
    """Return the step at which a sweep is over and why, or None while it goes on.

    With s the smoothed loss, initial the untrained model's, fall = initial - min s so far, and
    noise the standard deviation of the first losses from step to step, it is over

    * `diverged` where s and the last 3 losses are above initial + max(fall, 4 noise);
    * `above_initial` where s has been above initial + max(0.1 fall, 2 noise) for 20 steps;
    * `nonfinite` at the first of 3 losses in a row that are not finite; fewer are skipped.

    Only differences of losses count, so a constant added to the loss or a positive factor changes
    nothing. Causal: each step is judged by the losses up to it, a broken one by the 2 after it, so
    a longer prefix gives the same answer and it does not matter how often it is asked.

    Args:
        losses: True batch losses of the steps so far, shape (steps,).

    Returns:
        The first step whose loss is no longer part of the sweep, and the reason. None also after
        the last rate: then the sweep is `StoppedBy.COMPLETED`.

    Example:
        >>> stop([2.3, float("nan"), 2.2, float("inf"), float("nan"), float("nan")])
        (3, <StoppedBy.NONFINITE: 'nonfinite'>)
    """
    values = np.asarray(losses, np.float64)
    if values.ndim != 1:
        raise ValueError(f"losses must have the shape (steps,), got {values.shape}")
    found = []
    broken = np.flatnonzero(_lasting(~np.isfinite(values), NONFINITE_STEPS))
    if broken.size:
        first = int(broken[0]) - NONFINITE_STEPS + 1
        found.append((first, StoppedBy.NONFINITE))
        values = values[:first]
    steps = np.flatnonzero(np.isfinite(values))
    known = values[steps]
    if known.size > INITIAL_STEPS:
        smoothed = smooth(known)
        initial = initial_loss(known)
        noise = max(deviation(known[:INITIAL_STEPS]), ROUNDING * abs(initial))
        fall = initial - np.minimum.accumulate(smoothed)
        limit = initial + np.maximum(fall, DIVERGED_NOISE * noise)
        high = _lasting(np.minimum(known, smoothed) > limit, DIVERGED_STEPS)
        above = smoothed > initial + np.maximum(ABOVE_FALL * fall, ABOVE_NOISE * noise)
        found += _first(steps, high, StoppedBy.DIVERGED)
        found += _first(steps, _lasting(above, ABOVE_STEPS), StoppedBy.ABOVE_INITIAL)
    return min(found, key=lambda end: end[0], default=None)


def deviation(losses: Floats) -> float:
    """Return the losses' standard deviation from step to step, which no trend or leap raises.

    The median of the differences of neighbours over 0.6745 sqrt(2), which is that of a normal
    distribution's; of several curves, shape (seeds, steps), of all together.
    """
    differences = np.abs(np.diff(losses, axis=-1))
    differences = differences[np.isfinite(differences)]
    return float(np.median(differences)) / (0.6745 * np.sqrt(2)) if differences.size else 0.0


def _first(
    steps: NDArray[np.intp], over: NDArray[np.bool_], reason: StoppedBy
) -> list[tuple[int, StoppedBy]]:
    """Return the first of the steps that is over with its reason, as a list of one or none.

    The initial loss is known only after the first steps, so they cannot be over.
    """
    found = steps[INITIAL_STEPS:][over[INITIAL_STEPS:]]
    return [(int(found[0]), reason)] if found.size else []


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
    recorded = np.flatnonzero(np.isfinite(curves).all(axis=0))
    end = int(recorded[-1]) + 1 if recorded.size else 0
    kept = slice(lr.size // 10, max(end - 5, 0))
    smoothed = smooth(curves[:, :end].mean(axis=0))[kept]
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
