"""Owns how a sweep's curve is read: smoothed over the logarithm of the rate, then its landmarks.

Pure numpy.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from lrlab.finder.sweep import Floats, initial_loss

DECADE = math.log(10)

WIDTH = 0.25
"""Standard deviation of the smoothing window, in decades of the learning rate."""

CEILING = 0.7
"""Rise over the initial loss, in shares of the fall, that a step counts at most, and every step
after divergence."""

HALF, KNEE, EDGE = 0.5, 0.95, 0.8
"""Shares of the descent at the landmarks: on the way down, all but done, given back in part."""

TOWARDS_EDGE = 0.6
"""Share of the way from knee to edge, over the logarithm of the rate, to the peak's rate."""

STEADY_DIVISOR = 4.0
"""The peak's rate over that for constant and decaying schedules.

On the development tasks shares of 0.5 to 0.7 are as good, each with its own divisor.
"""

USUAL_PACE = 500 / 7
"""Steps per decade from which on a sweep sees enough of each rate.

A faster one trains less at each, so that its knee and its edge lie higher by as much.
"""


@dataclass(frozen=True)
class Landmarks:
    """Points of a smoothed curve; `half`, `knee`, `best`, `edge` are logarithms of rates.

    Attributes:
        half: Where half of the descent is done.
        knee: Where 95 % of it is done.
        best: Where the curve is lowest.
        edge: Where 20 % of it is lost again.
        initial: Mean initial loss of the seeds.
        descent: How far the curve falls below it, in units of the loss.
        rises: Whether it rises as far as the edge at all.
        pace: Steps per decade of the rate.
    """

    half: float
    knee: float
    best: float
    edge: float
    initial: float
    descent: float
    rises: bool
    pace: float

    @property
    def peak(self) -> float:
        """Logarithm of the peak rate of one_cycle."""
        between = self.knee + TOWARDS_EDGE * (self.edge - self.knee)
        return between + math.log(min(1.0, self.pace / USUAL_PACE))

    @property
    def steady(self) -> float:
        """Logarithm of the rate for constant and decaying schedules."""
        return self.peak - math.log(STEADY_DIVISOR)


@dataclass(frozen=True)
class Curve:
    """The curve that the seeds share, over the initial loss as a share of the fall.

    Attributes:
        change: Smoothed (loss - initial) / fall, shape (steps,): 0 untrained, about -1 at best.
        initial: Mean initial loss of the seeds.
        fall: Unit of `change`, in units of the loss; 0 where the loss never fell.
    """

    change: Floats
    initial: float
    fall: float

    @property
    def loss(self) -> Floats:
        """The curve in units of the loss, shape (steps,)."""
        return self.initial + self.fall * self.change


def curve(lr: ArrayLike, losses: ArrayLike) -> Curve:
    """Return the smoothed curve that the advice is computed from.

    The mean over the seeds is smoothed by a Gaussian window over the logarithm of the rate: it
    does not lag as a moving average does. What a seed's losses are worth is measured by how far
    they fall, so that a constant added to the loss and a positive factor change nothing.

    Args:
        lr: Rates of the sweep, shape (steps,), positive and strictly increasing.
        losses: Batch losses, shape (seeds, steps) or (steps,), NaN from each sweep's end on; NaN
            between others is skipped.

    Example:
        >>> lr = np.geomspace(1e-4, 10, 300)
        >>> found = curve(lr, 2.3 - 1.7 / (1 + 1e-2 / lr) + (lr / 2) ** 4)
        >>> print(f"{found.loss[0]:.1f} {found.loss.min():.1f}")
        2.3 0.7
    """
    return shared_curve(np.log(np.asarray(lr, np.float64)), whole(losses))


def whole(losses: ArrayLike) -> Floats:
    """Return losses of shape (seeds, steps) whose gaps are filled by the line between neighbours.

    What comes after a seed's last finite loss is NaN; a start that is not finite takes the first.
    """
    curves = np.atleast_2d(np.array(losses, np.float64))
    for one in curves:
        known = np.flatnonzero(np.isfinite(one))
        end = int(known[-1]) + 1 if known.size else 0
        one[end:] = np.nan
        if known.size < end:
            one[:end] = np.interp(np.arange(end), known, one[known])
    return curves


def shared_curve(x: Floats, curves: Floats) -> Curve:
    """Return the curve of losses without gaps over log rates."""
    initials = [initial_loss(one) for one in curves]
    known = [value for value in initials if math.isfinite(value)]
    initial = float(np.mean(known)) if known else math.nan
    change = curves - np.array(initials)[:, np.newaxis]
    window = np.exp(-0.5 * ((x[:, np.newaxis] - x) / (WIDTH * DECADE)) ** 2)
    window /= window.sum(axis=1, keepdims=True)

    def smoothed(ceiling: float) -> Floats:
        capped = np.minimum(np.where(np.isfinite(change), change, ceiling), ceiling)
        return np.asarray(window @ capped.mean(axis=0))

    fall = -float(smoothed(0.0).min())
    if fall <= 0:
        return Curve(np.zeros(x.size), initial, 0.0)
    return Curve(smoothed(CEILING * fall) / fall, initial, fall)


def landmarks(x: Floats, curves: Floats) -> Landmarks:
    """Return the landmarks of the curve that the seeds share.

    They lie on the slopes of the valley, where a little noise moves them little, not at its flat
    bottom.
    """
    shared = shared_curve(x, curves)
    pace = (x.size - 1) * DECADE / (x[-1] - x[0])
    change = shared.change
    best = int(change.argmin())
    if change[best] >= 0:
        start = float(x[0])
        return Landmarks(
            start, start, start, start, shared.initial, descent=0.0, rises=True, pace=pace
        )
    down = slice(None, best + 1)
    return Landmarks(
        half=_crossing(x[down], change[down], HALF * change[best]),
        knee=_crossing(x[down], change[down], KNEE * change[best]),
        best=float(x[best]),
        edge=_first_crossing(x[best:], change[best:], EDGE * change[best]),
        initial=shared.initial,
        descent=-float(change[best]) * shared.fall,
        rises=bool(np.any(change[best:] > EDGE * change[best])),
        pace=pace,
    )


def _crossing(x: Floats, curve: Floats, level: float) -> float:
    """Return where the curve comes below the level for good; its start where it always is."""
    above = np.flatnonzero(curve > level)
    if not above.size:
        return float(x[0])
    last = above[-1]
    return float(np.interp(level, curve[[last + 1, last]], x[[last + 1, last]]))


def _first_crossing(x: Floats, curve: Floats, level: float) -> float:
    """Return where the curve first comes above the level; its end where it never does."""
    above = np.flatnonzero(curve > level)
    if not above.size:
        return float(x[-1])
    first = above[0]
    return float(np.interp(level, curve[first - 1 : first + 1], x[first - 1 : first + 1]))
