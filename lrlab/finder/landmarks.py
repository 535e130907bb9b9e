"""Owns how a sweep's curve is read: smoothed over the logarithm of the rate, then its landmarks.

Pure numpy.
"""

import math
from dataclasses import dataclass

import numpy as np

from lrlab.finder.sweep import Floats, initial_loss

WIDTH = 0.25
"""Standard deviation of the smoothing window, in decades of the learning rate."""

CEILING = 0.5
"""Rise over the initial loss that a step counts at most, and every step after divergence."""

HALF, KNEE, EDGE = 0.5, 0.95, 0.8
"""Shares of the descent at the landmarks: on the way down, all but done, given back in part."""

STEADY_FACTOR, PEAK_FACTOR = 2.4, 6.5
"""The suggestions over the knee's rate; neither goes beyond the edge.

Amid the factors that cost no development task more than a point of accuracy: 1.6 to 3.6 for a
constant rate, 4.8 to 7.6 for the peak of one_cycle.
"""


@dataclass(frozen=True)
class Landmarks:
    """Points of a smoothed curve; `half`, `knee`, `edge` are natural logarithms of rates."""

    half: float
    knee: float
    edge: float
    descent: float
    rises: bool

    @property
    def steady(self) -> float:
        """Logarithm of the rate for constant and decaying schedules."""
        return min(self.knee + math.log(STEADY_FACTOR), self.edge)

    @property
    def peak(self) -> float:
        """Logarithm of the peak rate of one_cycle."""
        return min(self.knee + math.log(PEAK_FACTOR), self.edge)


def relative(curves: Floats) -> Floats:
    """Return the losses' change over the initial loss, (loss - initial) / |initial|, capped."""
    initial = np.array([[initial_loss(curve)] for curve in curves])
    scale = np.abs(initial)
    change = (curves - initial) / np.where(scale > 0, scale, 1.0)
    return np.asarray(np.minimum(change, CEILING))


def landmarks(x: Floats, curves: Floats) -> Landmarks:
    """Return the landmarks of the curve that the seeds share.

    The mean over the seeds is smoothed by a Gaussian window over the logarithm of the rate: it
    does not lag as a moving average does. Landmarks lie on the slopes of the valley, where a
    little noise moves them little, not at its flat bottom.
    """
    change = relative(curves)
    mean = np.where(np.isfinite(change), change, CEILING).mean(axis=0)
    window = np.exp(-0.5 * ((x[:, np.newaxis] - x) / (WIDTH * math.log(10))) ** 2)
    curve = window @ mean / window.sum(axis=1)
    best = int(curve.argmin())
    if curve[best] >= 0:
        return Landmarks(x[0], x[0], x[0], descent=0.0, rises=True)
    down = slice(None, best + 1)
    return Landmarks(
        half=_crossing(x[down], curve[down], HALF * curve[best]),
        knee=_crossing(x[down], curve[down], KNEE * curve[best]),
        edge=_first_crossing(x[best:], curve[best:], EDGE * curve[best]),
        descent=-float(curve[best]),
        rises=bool(np.any(curve[best:] > EDGE * curve[best])),
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
