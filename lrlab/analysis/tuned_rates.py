"""What scores at several rates say of a schedule: the best rate's interval, the width, the regret.

Pure functions; scores are oriented so that higher is better.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from lrlab.analysis.best_set import deficits
from lrlab.finder.rate_search import Tolerance

ALPHA = 0.05


@dataclass(frozen=True)
class RateScores:
    """The scores of the runs at one rate.

    Args:
        lr: The rate, or the peak of the curve, > 0.
        scores: One of each seed, None where the run did not survive.
    """

    lr: float
    scores: tuple[float | None, ...]

    @property
    def mean(self) -> float | None:
        """The mean, None unless all runs survived."""
        there = [score for score in self.scores if score is not None]
        return fmean(there) if there and len(there) == len(self.scores) else None


@dataclass(frozen=True)
class Width:
    """The range of rates that are good: as good as the best but for a tolerance.

    Args:
        low: Its lowest rate.
        high: Its highest rate.
        open_low: Whether lower rates may be good too, since none was tried that is not.
        open_high: Likewise higher ones.
    """

    low: float
    high: float
    open_low: bool
    open_high: bool

    @property
    def factor(self) -> float:
        """The highest rate over the lowest."""
        return self.high / self.low


def interval(rates: Sequence[RateScores], best: float) -> tuple[float, float] | None:
    """Return the lowest and the highest rate around the best that cannot be told from it.

    By the comparison with the best of `best_set`, over all rates at which every run survived; of a
    rate with one seed the variance is the common one. Rates between which another one lies that can
    be told from the best do not belong to it.

    Args:
        rates: The rates, ascending.
        best: The rate that was chosen.

    Returns:
        The two rates; None where no rate has two seeds, so that no spread is known.
    """
    there = [each for each in rates if each.mean is not None]
    counts = np.array([len(each.scores) for each in there])
    if not (counts > 1).any():
        return None
    scores = [np.array(each.scores, np.float64) for each in there]
    found = deficits(
        np.array([of.mean() for of in scores]),
        np.array([of.var(ddof=1) if len(of) > 1 else 0.0 for of in scores]),
        counts,
        ALPHA,
    )
    like = {each.lr for each, may in zip(there, found.may_be_best, strict=True) if may}
    low, high = _around(rates, best, lambda each: each.lr in like)
    return rates[low].lr, rates[high].lr


def width(rates: Sequence[RateScores], best: float, tolerance: Tolerance) -> Width:
    """Return the range of rates around the best whose mean is within a tolerance of its mean.

    Between a rate that is and the next one that is not, the end is where the line between the two
    means crosses, over the logarithm of the rate; next to a rate at which runs broke down, the end
    is the last rate at which none did.

    Args:
        rates: The rates, ascending.
        best: The rate that was chosen; its runs have survived.
        tolerance: How much worse is still good.

    Example:
        >>> rates = [RateScores(0.1, (0.0,)), RateScores(1.0, (0.9,)), RateScores(10.0, (None,))]
        >>> found = width(rates, 1.0, Tolerance(0.45))
        >>> round(found.low, 4), found.high, found.open_low, found.open_high
        (0.3162, 1.0, False, False)
    """
    top = next(each.mean for each in rates if each.lr == best)
    assert top is not None
    least = tolerance.least(top)

    def good(each: RateScores) -> bool:
        return each.mean is not None and each.mean >= least

    first, last = _around(rates, best, good)
    low = rates[first].lr if first == 0 else _crossing(rates[first], rates[first - 1], least)
    open_high = last == len(rates) - 1
    high = rates[last].lr if open_high else _crossing(rates[last], rates[last + 1], least)
    return Width(low, high, first == 0, open_high)


def sensitivity(
    rates: Sequence[RateScores], ceiling: float, low: float, high: float
) -> float | None:
    """Return the LR sensitivity: how far the loss is above its lowest, on average over rates.

        mean over log(lr) in [low, high] of min(loss, ceiling) - min(loss)

    Between two rates the loss is taken on the line between theirs; where a run broke down it is the
    ceiling.

    Args:
        rates: The rates, ascending; their scores are losses, the lower the better.
        ceiling: What a loss counts as at most: that of a model that has not been trained.
        low: The lowest rate of the range, which has to be within those tried.
        high: The highest one.

    Returns:
        The sensitivity, in the unit of the loss; None where the range is empty or all broke down.

    Example:
        >>> rates = [RateScores(0.01, (1.0,)), RateScores(0.1, (0.5,)), RateScores(1.0, (9.0,))]
        >>> round(sensitivity(rates, 2.5, 0.01, 1.0), 3)
        0.625

    References:
        Wortsman et al., Small-scale proxies for large-scale Transformer training instabilities
        (2023), https://arxiv.org/abs/2309.14322, section 2.
    """
    means = [each.mean for each in rates]
    known = [mean for mean in means if mean is not None]
    if not low < high or not known:
        return None
    losses = np.array([ceiling if mean is None else min(mean, ceiling) for mean in means])
    at = np.log([each.lr for each in rates])
    ends = np.log([low, high])
    inner = at[(at > ends[0]) & (at < ends[1])]
    x = np.concatenate([ends[:1], inner, ends[1:]])
    heights = np.interp(x, at, losses)
    area = float(np.sum((heights[1:] + heights[:-1]) / 2 * np.diff(x)))
    return area / float(ends[1] - ends[0]) - min(min(known), ceiling)


def common_range(curves: Sequence[Sequence[RateScores]]) -> tuple[float, float] | None:
    """Return the rates that lie within those tried of every schedule; None where none do."""
    there = [rates for rates in curves if rates]
    if not there:
        return None
    low = max(rates[0].lr for rates in there)
    high = min(rates[-1].lr for rates in there)
    return (low, high) if low < high else None


def _around(
    rates: Sequence[RateScores], best: float, belongs: Callable[[RateScores], bool]
) -> tuple[int, int]:
    """Return the first and the last index of the run of rates around the best that belong."""
    low = high = next(index for index, each in enumerate(rates) if each.lr == best)
    while low > 0 and belongs(rates[low - 1]):
        low -= 1
    while high < len(rates) - 1 and belongs(rates[high + 1]):
        high += 1
    return low, high


def _crossing(inside: RateScores, outside: RateScores, least: float) -> float:
    """Return the rate at which the line between two means crosses a score."""
    if outside.mean is None or inside.mean is None:
        return inside.lr
    share = (inside.mean - least) / (inside.mean - outside.mean)
    return math.exp(math.log(inside.lr) + share * math.log(outside.lr / inside.lr))
