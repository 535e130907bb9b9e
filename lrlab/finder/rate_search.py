"""Owns how a schedule's best rate is searched for with whole runs: which come next, which wins.

The search is halved over seeds and never over epochs: what is best after half the epochs is
another rate, and of most schedules another curve. Pure; `experiment` trains the runs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from lrlab.finder.trials import Results, Trial

COARSE = 2
"""Doublings between the rates of the first grid: a ratio of 4."""

TOP = 3
"""Rates that get more seeds, at first; the last seeds go to two."""

FEWEST_RUNS = 5
"""The fewest runs that a search makes sense with: three rates, and two between them."""

_MOST_IN_VAIN = 9
"""Rates that are tried at least, as far as there are runs, before all are said to break down."""

_SEEDS_OF_TOP = 3
"""Seeds that the top three get; what is left then goes to the two best."""


@dataclass(frozen=True)
class Tolerance:
    """How much worse than the best still counts as good.

    Args:
        amount: The difference, or the share of the best value, >= 0.
        relative: Whether it is a share.
    """

    amount: float
    relative: bool = False

    def least(self, best: float) -> float:
        """Return the lowest score that is as good as the best one; higher is better."""
        return best - self.amount * (abs(best) if self.relative else 1.0)


@dataclass(frozen=True)
class Search:
    """The search for the best rate of a schedule, with so many runs.

    Scores are higher for better rates, and None where a run did not survive. What comes next
    depends on the scores alone, not on their order: resuming is replaying.

    Args:
        runs: The most runs, >= `FEWEST_RUNS`.
        tolerance: By how much a rate has to be worse than the best to close the search on its side.
    """

    runs: int
    tolerance: Tolerance

    def proposals(self, scores: Results) -> list[Trial]:
        """Return the trials that come next, side by side; none once it is over.

        First a grid with ratio 4 around the suggestion, one seed, that goes on towards any side on
        which the best rate is at the edge or no rate is worse by the tolerance. Then the rates
        beside the best, at ratio 2. Then more seeds for the best three, and for the best two, until
        the runs are used up. It is over early only where no run at any rate survives.

        Example:
            >>> search, scores = Search(12, Tolerance(0.1)), {}
            >>> while trials := search.proposals(scores):
            ...     print([(trial.factor, trial.seed) for trial in trials])
            ...     scores |= {trial: -abs(trial.step - 1.2) for trial in trials}
            [(0.25, 0), (1.0, 0), (4.0, 0)]
            [(16.0, 0)]
            [(2.0, 0), (8.0, 0)]
            [(2.0, 1), (4.0, 1), (1.0, 1)]
            [(2.0, 2), (4.0, 2), (1.0, 2)]
        """
        left = self.runs - len(scores)
        missing = [step for step in (-COARSE, 0, COARSE) if Trial(step, 0) not in scores]
        if missing:
            return [Trial(step, 0) for step in missing[:left]]
        means = mean_scores(scores)
        best = best_step(means)
        most = self._most_first if best is not None else max(self._most_first, _MOST_IN_VAIN)
        steps = self._outward(means)[: max(most - len(means), 0)]
        if not steps and best is not None:
            steps = [step for step in (best - 1, best + 1) if step not in means]
        if steps:
            return [Trial(step, 0) for step in steps[:left]]
        return [] if best is None else _more_seeds(scores, means)[:left]

    def chosen(self, scores: Results) -> int | None:
        """Return the step of the best rate, None if no run survived.

        Of the rates that have at least half as many seeds as any: one seed proves nothing.
        """
        means = mean_scores(scores)
        counts = {step: _count(scores, step) for step, mean in means.items() if mean is not None}
        most = max(counts.values(), default=0)
        return best_step({step: means[step] for step, n in counts.items() if 2 * n >= most})

    @property
    def _most_first(self) -> int:
        """The most rates of the grid, so that runs are left to look closer."""
        return max(3, self.runs - 2 - TOP)

    def _outward(self, means: Mapping[int, float | None]) -> list[int]:
        """Return the steps beyond those tried, on each side that is still open."""
        below, above = min(means) - COARSE, max(means) + COARSE
        best = best_step(means)
        if best is None:
            return [below, above]
        top = means[best]
        assert top is not None
        least = self.tolerance.least(top)
        fallen = [step for step, mean in means.items() if mean is None or mean < least]
        open_below = not any(step < best for step in fallen)
        open_above = not any(step > best for step in fallen)
        return [below] * open_below + [above] * open_above


def mean_scores(scores: Results) -> dict[int, float | None]:
    """Return the mean score at each step over its seeds, None where a run did not survive."""
    of_step: dict[int, list[float | None]] = {}
    for trial in sorted(scores):
        of_step.setdefault(trial.step, []).append(scores[trial])
    return {step: _mean(found) for step, found in of_step.items()}


def best_step(means: Mapping[int, float | None]) -> int | None:
    """Return the step of the highest mean, of equal ones the lowest; None if none survived."""
    ranked = _ranked(means)
    return ranked[0] if ranked else None


def _mean(scores: Sequence[float | None]) -> float | None:
    survived = [score for score in scores if score is not None]
    return fmean(survived) if len(survived) == len(scores) else None


def _ranked(means: Mapping[int, float | None]) -> list[int]:
    """Return the steps that survived, the best first."""
    survived = [(-mean, step) for step, mean in means.items() if mean is not None]
    return [step for _, step in sorted(survived)]


def _more_seeds(scores: Results, means: Mapping[int, float | None]) -> list[Trial]:
    """Return the next seed of those of the top rates that have the fewest."""
    top = _ranked(means)[:TOP]
    if all(_count(scores, step) >= _SEEDS_OF_TOP for step in top):
        top = top[:2]
    counts = {step: _count(scores, step) for step in top}
    fewest = min(counts.values())
    return [Trial(step, fewest) for step in top if counts[step] == fewest]


def _count(scores: Results, step: int) -> int:
    return sum(trial.step == step for trial in scores)
