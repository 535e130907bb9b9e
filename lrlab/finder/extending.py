"""Owns what is swept next where a sweep gave no number: lower or higher rates, or more steps.

Pure: the same sweeps lead to the same next one, whatever the machine. `experiment` trains them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lrlab.finder.span import MAX_LR, MIN_LR, MOST_STEPS, default_steps
from lrlab.finder.suggestion import Verdict

MOST_SWEEPS = 3
"""The most sweeps of one setup, the first included."""

MORE_STEPS, MOST_EXTENDED = 4, 2_000
"""By what factor a sweep gets more steps, and the most that it gets without being told.

Measured on a GRU and on self-attention, both with SGD: 500 steps teach them nothing; the latter
learns in 1,000, the former in 2,000.
"""

MOST_PASSES = 40
"""The most passes over the data of a sweep that gets more steps.

With more of them a model learns even shuffled labels by heart, and a sweep only sees training.
"""

ENDS_EARLY = 0.6
"""Share of its steps before which a sweep ends whose range lies too high."""

ROOM = 10.0
"""The highest rate over that at which a sweep ended, in the one that follows at lower rates."""

LIFT = 1_000.0
"""By what factor the range rises where the loss did not rise up to its end."""

_LEAST_LR, _MOST_LR = 1e-30, 1e30


@dataclass(frozen=True)
class Span:
    """What a sweep tries: rates from `min_lr` to `max_lr` in so many steps."""

    min_lr: float
    max_lr: float
    steps: int


@dataclass(frozen=True)
class Tried:
    """A finished sweep: its span, the verdict, and the median share of the steps it got through."""

    span: Span
    verdict: Verdict
    share: float


@dataclass(frozen=True)
class Stated:
    """What of a span was stated, None where it was not: only the rest may change."""

    min_lr: float | None = None
    max_lr: float | None = None
    steps: int | None = None

    @property
    def low(self) -> float:
        """The first rate of the first sweep."""
        return MIN_LR if self.min_lr is None else self.min_lr

    @property
    def high(self) -> float:
        """The last rate of the first sweep."""
        return MAX_LR if self.max_lr is None else self.max_lr

    def first(self, steps_per_epoch: int) -> Span:
        """Return the first span to sweep; its range has to go upward from above 0.

        Example:
            >>> Stated(min_lr=1e-13).first(100)
            Span(min_lr=1e-13, max_lr=10.0, steps=400)
        """
        usual = default_steps(steps_per_epoch, _decades(self.low, self.high))
        return Span(self.low, self.high, self.steps or usual)


NOTHING = Stated()


def tried(span: Span, verdict: Verdict, losses: npt.NDArray[np.float64]) -> Tried:
    """Return a finished sweep, whose losses, shape (seeds, steps), are NaN from its ends on."""
    recorded = np.isfinite(losses).sum(axis=1)
    return Tried(span, verdict, float(np.median(recorded)) / losses.shape[1])


def next_span(sweeps: Sequence[Tried], stated: Stated, steps_per_epoch: int) -> Span | None:
    """Return what to sweep next, None where there is a number or nothing more to try.

    * The loss did not rise up to the end of the range: the range goes up by a factor of 1,000.
    * The sweep ended early: its range moves down, to end at 10 times the rate where that was,
      with 500 steps or more.
    * It did not, but was down before it was looked at: the range begins a factor of 1,000 lower.
    * Nothing was learned, or it was too noisy: 4 times as many steps, but 2,000 and 40 passes over
      the data at most.

    What was stated stays as it is. No span is swept twice, and there are 3 sweeps at most.

    Args:
        sweeps: All sweeps so far, in order.
        stated: What the user has stated.
        steps_per_epoch: Steps of a pass over the data.

    Example:
        >>> first = Tried(Span(1e-6, 10.0, 200), Verdict.TOO_NOISY, 0.9)
        >>> next_span([first], Stated(), 60)
        Span(min_lr=1e-06, max_lr=10.0, steps=800)
        >>> next_span([first], Stated(steps=200), 60) is None
        True
    """
    last = sweeps[-1]
    if last.verdict in (Verdict.OK, Verdict.TOO_SHORT) or len(sweeps) >= MOST_SWEEPS:
        return None
    most = max(last.span.steps, min(MOST_EXTENDED, MOST_PASSES * steps_per_epoch))
    known = {each.span for each in sweeps}
    found = (span for span in _wished(last, stated, most) if span not in known)
    return next(found, None)


def _wished(last: Tried, stated: Stated, most: int) -> list[Span]:
    """Return what could be swept after a sweep, the best first, in so many steps at most."""
    span, wished = last.span, []
    fixed = stated.min_lr is not None or stated.max_lr is not None
    if last.verdict is Verdict.NO_DIVERGENCE:
        high = _power(span.max_lr * LIFT)
        return [] if fixed else [replace(span, min_lr=_power(span.min_lr * LIFT), max_lr=high)]
    if last.verdict is Verdict.DIVERGED_AT_ONCE and last.share >= ENDS_EARLY:
        low = _power(span.min_lr / LIFT)
        steps = stated.steps or round(span.steps * _decades(low, span.max_lr) / _width(span))
        return [] if fixed else [Span(low, span.max_lr, steps)]
    if last.share < ENDS_EARLY and not fixed:
        width = span.max_lr / span.min_lr
        high = _power(ROOM * span.min_lr * width**last.share)
        steps = stated.steps or max(span.steps, min(MOST_STEPS, most))
        wished.append(Span(_power(high / width), high, steps))
    if last.verdict is Verdict.DIVERGED_AT_ONCE:
        return wished
    if stated.steps is None:
        wished.append(replace(span, steps=min(MORE_STEPS * span.steps, most)))
    return wished


def _decades(low: float, high: float) -> float:
    return math.log10(high / low)


def _width(span: Span) -> float:
    return _decades(span.min_lr, span.max_lr)


def _power(lr: float) -> float:
    """Return the power of ten that is nearest, so that a span reads well."""
    within = min(max(lr, _LEAST_LR), _MOST_LR)
    return float(f"1e{round(math.log10(within))}")
