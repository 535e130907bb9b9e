"""Quantiles of Student's t and of the normal distribution, without SciPy."""

import functools
import math

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_MOST_DF = 1_000


def normal_quantile(tail: float) -> float:
    """Return the value that a standard normal variable exceeds with probability `tail`, < 0.5.

    Example:
        >>> round(normal_quantile(0.025), 3)
        1.96
    """
    low, high = 0.0, 40.0
    for _ in range(80):
        middle = (low + high) / 2
        above = math.erfc(middle / math.sqrt(2)) / 2 > tail
        low, high = (middle, high) if above else (low, middle)
    return (low + high) / 2


def t_quantiles(tail: float, df: Floats) -> Floats:
    """Return the values that Student's t exceeds with probability `tail`, 0 < tail < 0.5.

    Between whole degrees of freedom log t is interpolated linearly in 1 / df, which is never too
    low, and too high by less than 1 % from 3 degrees on (by up to 4 % between 1 and 2); above 1,000
    the value for 1,000 is taken.

    Example:
        >>> t_quantiles(0.025, np.array([2.0, 10.0])).round(3)
        array([4.303, 2.228])
    """
    df = np.clip(df, 1.0, float(_MOST_DF))
    below = np.floor(df).astype(np.int64)
    above = np.minimum(below + 1, _MOST_DF)
    known = {int(whole): math.log(_t_quantile(tail, int(whole))) for whole in np.unique(
        np.concatenate([below.ravel(), above.ravel()]))}  # fmt: skip
    table = np.full(_MOST_DF + 1, np.nan)
    table[list(known)] = list(known.values())
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (1 / df - 1 / above) / (1 / below - 1 / above)
    share = np.where(above > below, share, 1.0)
    return np.asarray(np.exp(share * table[below] + (1 - share) * table[above]))


@functools.lru_cache(maxsize=10_000)
def _t_quantile(tail: float, df: int) -> float:
    """Return the quantile for whole degrees of freedom, from the distribution in closed form."""
    # t = sqrt(df) tan(angle): the tail falls from 0.5 to 0 as the angle goes to pi / 2.
    low, high = 0.0, math.pi / 2
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if _tail(middle, df) > tail else (low, middle)
    return math.sqrt(df) * math.tan((low + high) / 2)


def _tail(angle: float, df: int) -> float:
    """Return P(T > sqrt(df) tan(angle)).

    Abramowitz and Stegun, Handbook of mathematical functions (1964), 26.7.3 and 26.7.4.
    """
    terms = np.arange(1, (df - 1) // 2 if df % 2 else df // 2)
    ratios = 2 * terms / (2 * terms + 1) if df % 2 else (2 * terms - 1) / (2 * terms)
    series = 1.0 + np.cumprod(ratios * math.cos(angle) ** 2).sum()
    if df % 2 == 0:
        inside = math.sin(angle) * series
    elif df == 1:
        inside = 2 * angle / math.pi
    else:
        inside = (angle + math.sin(angle) * math.cos(angle) * series) * 2 / math.pi
    return float(1 - inside) / 2
