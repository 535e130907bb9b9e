"""Who may be the best, and how far the others are behind: shrunk Welch comparisons with the best.

For the runs that finished: n_i of them with mean m_i and variance s_i^2, nu_i = n_i - 1,
N = sum nu. A variance is shrunk towards the common one,

    sbar^2 = sum nu_i s_i^2 / N,    v_i = sbar^2 / n_i + (1 - 1 / n_i) s_i^2,

and a difference of means has the standard error sqrt(v_i / n_i + v_j / n_j), its degrees of freedom
after Satterthwaite, and the critical value of Bonferroni for k - 1 comparisons. How it was chosen
among nine procedures, and what it guarantees: docs/concepts/verdict.md.

References:
    Hsu, Multiple comparisons: theory and methods (1996), chapter 4 (comparisons with the best);
    Satterthwaite, An approximate distribution of estimates of variance components (1946).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lrlab.analysis.quantiles import normal_quantile, t_quantiles
from lrlab.errors import UsageError
from lrlab.metric import Mode

Floats = npt.NDArray[np.float64]

PROCEDURE = "shrunk Welch"
FEWEST = 3
"""Finished runs that every experiment needs for a verdict; with two, an interval says nothing."""


@dataclass(frozen=True)
class Verdict:
    """What the scores of some experiments allow to say about which is the best.

    Attributes:
        best_set: The names that may be the best, by their mean, the best first.
        behind: For each name with at least two scores the interval of its deficit, in the unit of
            the scores: it is behind the best by at least the first number, at most the second.
            Within the best set the first is 0.
        half_width: For each of these names half the width of the interval between it and the one
            with the best mean: differences below that cannot be seen with so many scores.
        finished: For each name how many of its scores are there, and of how many.
        means: The mean of each name's scores, None without any.
        alpha: The probability with which any of it may be wrong.
        mode: Whether high scores (`max`) or low ones (`min`) are good.
    """

    best_set: tuple[str, ...]
    behind: Mapping[str, tuple[float, float]]
    half_width: Mapping[str, float]
    finished: Mapping[str, tuple[int, int]]
    means: Mapping[str, float | None]
    alpha: float
    mode: Mode

    @property
    def decided(self) -> bool:
        """Whether there is a verdict: two or more names with at least three scores each."""
        counts = [done for done, _ in self.finished.values() if done]
        return len(counts) > 1 and min(counts) >= FEWEST and bool(self.best_set)


def best_set(
    scores: Mapping[str, Sequence[float]], *, alpha: float = 0.05, mode: Mode = "max"
) -> Verdict:
    """Return which of some experiments may be the best, and how far the others are behind.

    With probability `1 - alpha` the truly best experiment is in the best set and all intervals
    hold at once.

    Args:
        scores: The scores of each experiment, by its name; NaN where a run did not finish.
        alpha: The probability of an error, 0 < alpha < 1.
        mode: `max` if high scores are good, `min` if low ones are.

    Returns:
        The verdict. Experiments with fewer than two scores take no part.

    Raises:
        UsageError: If there is no experiment, or an argument is out of its range.

    Example:
        >>> found = best_set({"a": [0.90, 0.91, 0.905], "b": [0.904, 0.91, 0.906], "c": [0.8] * 3})
        >>> found.best_set
        ('b', 'a')
        >>> [round(points, 3) for points in found.behind["c"]]
        [0.09, 0.12]
    """
    if not scores or not 0 < alpha < 1 or mode not in ("max", "min"):
        raise UsageError(
            "`best_set` needs scores, an alpha between 0 and 1, and the mode `max` or `min`"
        )
    return judged(scores, alpha=alpha, mode=mode)


PairErrors = Mapping[frozenset[str], float]
"""The squared standard error that the choice of examples adds to a difference, by the two names."""


def judged(
    scores: Mapping[str, Sequence[float]],
    *,
    alpha: float,
    mode: Mode,
    least_variance: float = 0.0,
    examples: PairErrors | None = None,
) -> Verdict:
    """Return the verdict of `best_set` for scores that are known to be sound.

    Args:
        scores: The scores of each experiment, NaN where a run did not finish.
        alpha: The probability of an error.
        mode: Whether high scores are good or low ones.
        least_variance: What the variance of an experiment's scores is at least, as where they are
            rounded: the spread that rounding hides.
        examples: What the examples that scores are measured on add to the error of a difference.
    """
    values = {name: np.asarray(of, np.float64).ravel() for name, of in scores.items()}
    there = {name: of[np.isfinite(of)] for name, of in values.items()}
    taking_part = [name for name, of in there.items() if len(of) > 1]
    sign = 1.0 if mode == "max" else -1.0
    parts = [there[name] for name in taking_part]
    found = deficits(
        np.array([sign * of.mean() for of in parts]),
        np.array([max(float(of.var(ddof=1)), least_variance) for of in parts]),
        np.array([len(of) for of in parts]),
        alpha,
        None if examples is None else _matrix(examples, taking_part),
    )
    ranked = sorted(range(len(parts)), key=lambda i: -sign * parts[i].mean())
    return Verdict(
        best_set=tuple(taking_part[i] for i in ranked if found.may_be_best[i]),
        behind={
            name: (float(found.low[i]), float(found.high[i])) for i, name in enumerate(taking_part)
        },
        half_width={name: float(found.half_width[i]) for i, name in enumerate(taking_part)},
        finished={name: (len(there[name]), len(values[name])) for name in scores},
        means={name: float(of.mean()) if len(of) else None for name, of in there.items()},
        alpha=alpha,
        mode=mode,
    )


def _matrix(errors: PairErrors, names: Sequence[str]) -> Floats:
    return np.array([[errors.get(frozenset((a, b)), 0.0) for b in names] for a in names])


@dataclass(frozen=True)
class Deficits:
    """Comparisons with the best, for each of k experiments; arrays of shape (..., k)."""

    may_be_best: npt.NDArray[np.bool_]
    low: Floats
    high: Floats
    half_width: Floats


def deficits(
    means: Floats,
    variances: Floats,
    counts: npt.NDArray[np.int64],
    alpha: float,
    examples: Floats | None = None,
) -> Deficits:
    """Return how far experiments are behind the best; larger means are better.

    Where the examples count as well, the half width of a difference is
    sqrt((c SE)^2 + (z SE_examples)^2), with z the normal quantile at the tail that c has.

    Args:
        means: Means of the scores, shape (..., k).
        variances: Their sample variances, shape (..., k).
        counts: How many scores there are, shape (k,), each >= 1 and one of them >= 2; where it is 1
            the variance is 0, and that of the others stands for it.
        alpha: The probability of an error.
        examples: The squared standard error of each difference that the examples add, (k, k).
    """
    k = means.shape[-1]
    if k == 0:
        return Deficits(means.astype(bool), means, means, means)
    margin = _margins(variances, counts.astype(np.float64), alpha)
    if examples is not None:
        margin = np.sqrt(margin**2 + normal_quantile(alpha / (2 * max(k - 1, 1))) ** 2 * examples)
    difference = means[..., :, None] - means[..., None, :]
    lower, upper = difference - margin, difference + margin
    itself = np.eye(k, dtype=bool)
    # [..., i, j]: i is surely better than j.
    better = (lower > 0) & ~itself
    best: npt.NDArray[np.bool_] = np.logical_not(np.any(better, axis=-2))
    among = np.broadcast_to(best[..., :, None], lower.shape)
    low = np.where(among, np.where(itself, 0.0, lower), np.inf).min(axis=-2)
    high = np.where(among, np.where(itself, 0.0, upper), -np.inf).max(axis=-2)
    low = np.where(best, 0.0, np.maximum(low, 0.0))
    leader = means.argmax(axis=-1)[..., None, None]
    half_width = np.take_along_axis(margin, leader, axis=-2)[..., 0, :]
    return Deficits(best, low, np.maximum(high, 0.0), half_width)


def _margins(variances: Floats, n: Floats, alpha: float) -> Floats:
    """Return the half width of the interval of each difference, shape (..., k, k), 0 of itself."""
    k, nu = len(n), n - 1
    total = nu.sum()
    common = (nu * variances).sum(axis=-1, keepdims=True) / total
    of_mean = (common / n + (1 - 1 / n) * variances) / n
    squared = of_mean[..., :, None] + of_mean[..., None, :]
    # Satterthwaite: the squared error is a sum of a_l s_l^2; see the module's docstring.
    fourth = nu * variances**2
    shared = (1 / n[:, None] ** 2 + 1 / n[None, :] ** 2) / total
    own = fourth / n**2
    below = shared**2 * fourth.sum(axis=-1)[..., None, None]
    below = below + own[..., :, None] * (2 * shared + 1 / n[:, None] ** 2)
    below = below + own[..., None, :] * (2 * shared + 1 / n[None, :] ** 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        df = np.where(below > 0, squared**2 / below, total)
    critical = t_quantiles(alpha / (2 * max(k - 1, 1)), df)
    return np.asarray(np.where(np.eye(k, dtype=bool), 0.0, critical * np.sqrt(squared)))
