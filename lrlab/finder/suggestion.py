"""Owns what finished sweeps say: the suggested learning rates, how sure they are, the verdict.

Pure numpy. A verdict other than `ok` gives no number rather than a bad one.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from lrlab.finder.landmarks import DECADE, WIDTH, Landmarks, landmarks, whole
from lrlab.finder.sweep import (
    INITIAL_STEPS,
    Floats,
    Worded,
    classic_rules,
    deviation,
    stop,
)

MIN_STEPS = 100
MIN_STEPS_A_DECADE = 25
"""A faster sweep learns too late: its knee moves up towards the edge."""

SURE = 4.0
"""Least fall, in standard errors of the curve, that is more than luck."""

MIN_GAIN = 0.1
"""Least share of the fall that lies below the loss of guessing, or of what a perfect model gains.

Falling from a bad start to the loss of guessing is not learning.
"""

AT_ONCE = 0.1
"""Share of the sweep that must pass before the knee, else its start was not seen."""

MAX_NOISE = 0.04
MAX_SPREAD = 4.0
"""Standard error of the curve over its descent, and factor between seeds, still to be trusted."""


class Verdict(Worded):
    """What a sweep showed, each with a sentence that says what was seen and what helps.

    Example:
        >>> Verdict.NO_DIVERGENCE.sentence
        'the loss never rose again, even at the highest rate; raise --max-lr'
    """

    OK = "ok", "the loss fell to a clear valley and rose again"
    NO_DESCENT = (
        "no_descent",
        "no rate made the model better than guessing in so few steps; check labels, model and "
        "loss, or raise --steps or --max-lr",
    )
    NO_DIVERGENCE = (
        "no_divergence",
        "the loss never rose again, even at the highest rate; raise --max-lr",
    )
    DIVERGED_AT_ONCE = "diverged_at_once", "even the lowest rates were too high; lower --min-lr"
    TOO_NOISY = "too_noisy", "seeds or batches disagree too much; use more --steps or --seeds"
    TOO_SHORT = (
        "too_short",
        f"too few --steps: use at least {MIN_STEPS}, and {MIN_STEPS_A_DECADE} per decade of rates",
    )


@dataclass(frozen=True)
class Rates:
    """The two suggested learning rates of one seed, None unless the verdict is `ok`."""

    steady_lr: float | None
    max_lr: float | None


@dataclass(frozen=True)
class Suggestion:
    """What `suggest` found; every rate is None unless the verdict is `ok`.

    Attributes:
        verdict: What the sweep showed.
        steady_lr: Rate for constant and decaying schedules.
        max_lr: Peak of one_cycle and its kin.
        lowest_useful_lr: Rate at which half of the descent was done, or `steady_lr` if that is
            lower: a steep fall may lie within a factor of four below the peak.
        highest_stable_lr: Rate from which on the loss has clearly risen again.
        spread: Largest over smallest suggestion of the seeds alone, >= 1; of the two suggestions
            the one that is less sure.
        by_seed: What each seed's curve alone suggests.
        rules: What the classic rules say, by name; see `classic_rules`.
    """

    verdict: Verdict
    steady_lr: float | None = None
    max_lr: float | None = None
    lowest_useful_lr: float | None = None
    highest_stable_lr: float | None = None
    spread: float | None = None
    by_seed: tuple[Rates, ...] = ()
    rules: Mapping[str, float | None] = field(default_factory=dict)


def suggest(
    lr: ArrayLike,
    losses: ArrayLike,
    *,
    chance: float | None = None,
    perfect: float | None = None,
) -> Suggestion:
    """Suggest learning rates from the loss curves of a sweep.

    The knee is the rate at which the seeds' mean curve, smoothed over the logarithm of the rate,
    has done 95 % of its fall; the edge the rate at which it has given back 20 % of it. With pace
    steps per decade of rates, 71 in a usual sweep,

        max_lr = knee^0.4 edge^0.6 min(1, pace / 71)        steady_lr = max_lr / 4

    so that both stay the further below the edge the nearer it is to the knee. Only differences of
    losses count: a constant added to the loss or a positive factor changes nothing.

    Args:
        lr: Rates of the sweep, shape (steps,), positive and strictly increasing.
        losses: True batch losses, shape (seeds, steps) or (steps,); NaN from divergence on. Single
            losses between others that are not finite are skipped.
        chance: Loss of a guess that ignores the input, ln 10 for ten equal classes. Where it is
            known, a fall that does not lead below it is `no_descent`.
        perfect: Loss of a perfect model, 0 for a cross-entropy. Where it is known too, little below
            the loss of guessing is much if there is not more to gain, as with a rare class.

    Returns:
        The suggestion. Losses after the step at which `lrlab.finder.sweep.stop` ends a seed's sweep
        play no part.

    Raises:
        ValueError: If the shapes do not match or `lr` is not positive and increasing.

    Example:
        >>> lr = np.geomspace(1e-6, 10, 500)
        >>> found = suggest(lr, 2.3 - 1.7 / (1 + 1e-3 / lr) + (lr / 0.3) ** 4)
        >>> print(found.verdict, f"{found.steady_lr:.3f} {found.max_lr:.3f}")
        ok 0.014 0.057

    References:
        Leslie N. Smith, Cyclical Learning Rates for Training Neural Networks, 2017, section 3.3,
        https://arxiv.org/abs/1506.01186
    """
    x, curves = _checked(lr, losses)
    together = landmarks(x, curves)
    alone = [landmarks(x, curve[np.newaxis]) for curve in curves]
    known = None if chance is None else _Known(chance, perfect)
    verdict = _verdict(x, curves, together, alone, known)
    rules = classic_rules(np.asarray(lr, np.float64), curves)
    if verdict is not Verdict.OK:
        return Suggestion(verdict, by_seed=(Rates(None, None),) * len(curves), rules=rules)
    return Suggestion(
        verdict=verdict,
        steady_lr=math.exp(together.steady),
        max_lr=math.exp(together.peak),
        lowest_useful_lr=math.exp(min(together.half, together.steady)),
        highest_stable_lr=math.exp(together.edge),
        spread=_spread(alone),
        by_seed=tuple(Rates(math.exp(one.steady), math.exp(one.peak)) for one in alone),
        rules=rules,
    )


def _checked(lr: ArrayLike, losses: ArrayLike) -> tuple[Floats, Floats]:
    """Return log rates (steps,) and losses (seeds, steps), NaN from the end of each sweep on."""
    rates = np.asarray(lr, np.float64)
    curves = np.atleast_2d(np.array(losses, np.float64))
    if rates.ndim != 1 or rates.size < 2:
        raise ValueError(f"lr must have the shape (steps,), at least 2 steps, got {rates.shape}")
    if not (rates[0] > 0 and np.isfinite(rates[-1]) and np.all(np.diff(rates) > 0)):
        raise ValueError("lr must be positive, finite and strictly increasing")
    if curves.ndim != 2 or curves.shape[0] == 0 or curves.shape[1] != rates.size:
        raise ValueError(f"losses must have the shape (seeds, {rates.size}), got {curves.shape}")
    for curve in curves:
        if end := stop(curve):
            curve[end[0] :] = np.nan
    return np.log(rates), whole(curves)


class _Known(NamedTuple):
    """Losses that are known before a sweep: of guessing, and of a perfect model if possible."""

    chance: float
    perfect: float | None


def _verdict(
    x: Floats,
    curves: Floats,
    together: Landmarks,
    alone: list[Landmarks],
    known: _Known | None,
) -> Verdict:
    """Return the first reason not to trust the curves, or `ok`."""
    decades = (x[-1] - x[0]) / DECADE
    if x.size < max(MIN_STEPS, MIN_STEPS_A_DECADE * decades):
        return Verdict.TOO_SHORT
    learned = _learned(x, curves, together, known)
    share = np.median(np.isfinite(curves).sum(axis=1)) / x.size
    if not learned and share <= AT_ONCE:
        return Verdict.DIVERGED_AT_ONCE
    if not (learned and together.rises) and _still_falling(curves):
        return Verdict.NO_DIVERGENCE
    if learned and _noise(x, curves, together) > MAX_NOISE * together.descent:
        return Verdict.TOO_NOISY
    if not learned:
        # One that learned before it was first looked at ends early and seems not to fall.
        early = share < 0.5 and not _fell(curves, together, _noise(x, curves, together))
        return Verdict.DIVERGED_AT_ONCE if early else Verdict.NO_DESCENT
    if together.knee < x[int(AT_ONCE * x.size)]:
        return Verdict.DIVERGED_AT_ONCE
    if not together.rises:
        return Verdict.NO_DIVERGENCE
    return Verdict.TOO_NOISY if _disagree(together, alone) else Verdict.OK


def _learned(x: Floats, curves: Floats, together: Landmarks, known: _Known | None) -> bool:
    """Return whether the loss fell, and to one that only a model that learned can have."""
    noise = _noise(x, curves, together)
    if not _fell(curves, together, noise):
        return False
    if known is None:
        return True
    gain = known.chance - (together.initial - together.descent)
    most = together.descent
    if known.perfect is not None:
        most = min(most, known.chance - known.perfect)
    return gain > max(MIN_GAIN * most, SURE * noise)


def _fell(curves: Floats, together: Landmarks, noise: float) -> bool:
    """Return whether the loss fell by more than luck, to whatever value."""
    return together.descent > SURE * math.hypot(noise, _initial_noise(curves))


def _still_falling(curves: Floats) -> bool:
    """Return whether the last quarter of the sweep lies surely below the quarters before."""
    if not np.isfinite(curves).all():
        return False
    quarters = np.array_split(curves - curves.mean(axis=1, keepdims=True), 4, axis=1)
    third, last = quarters[2].ravel(), quarters[3].ravel()
    error = math.hypot(third.std() / math.sqrt(third.size), last.std() / math.sqrt(last.size))
    return bool(third.mean() - last.mean() > 3 * error)


def _noise(x: Floats, curves: Floats, together: Landmarks) -> float:
    """Return the standard error of the smoothed curve, from the differences of neighbours.

    All over the curve or near its lowest point, whichever is larger: a network that is dead at low
    rates has no noise there.
    """
    near = curves[:, np.abs(x - together.best) <= 2 * WIDTH * DECADE]
    in_window = 2 * math.sqrt(math.pi) * WIDTH * DECADE * x.size / (x[-1] - x[0])
    largest = max(deviation(curves), deviation(near))
    return largest / math.sqrt(max(in_window, 1.0) * len(curves))


def _initial_noise(curves: Floats) -> float:
    """Return the standard error of the mean initial loss."""
    return deviation(curves[:, :INITIAL_STEPS]) / math.sqrt(INITIAL_STEPS * len(curves))


def _disagree(together: Landmarks, alone: list[Landmarks]) -> bool:
    """Return whether a seed learned much less than all, or the seeds' suggestions lie apart."""
    weakest = min(one.descent for one in alone)
    return weakest < together.descent / 2 or _spread(alone) > MAX_SPREAD


def _spread(alone: list[Landmarks]) -> float:
    """Return the larger factor between the seeds' suggestions."""
    steady = np.ptp([one.steady for one in alone])
    peak = np.ptp([one.peak for one in alone])
    return math.exp(max(steady, peak))
