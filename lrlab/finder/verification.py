"""Owns how short real runs verify a suggested rate: which rates come next, and what they say.

Pure numpy; `experiment` trains the runs, and a benchmark may with a loop of its own.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, NamedTuple

import numpy as np
from pydantic import Field

MOST_STEPS = 4_000
"""The most steps of a run; a longer one is verified by its curve squeezed into so many."""

FIRST_SEED = 1_000
"""Seed of the runs that search, above that of any sweep; the next one is of those that confirm."""

MOST_SEARCHED, MOST_RUNS = 6, 9
"""The most runs that search for the best rate, and those that confirm it included."""

MARGIN = 0.02
"""By what share a neighbour has to be worse to count as worse."""

CLIFF = 1.25
"""What a run counts at most, over the best: beyond it has left the bottom of the valley, which a
parabola describes."""


LEAST_WRONG = 1e-3
"""Share of wrong answers that counts at least: where all are right the loss alone decides."""


class Trial(NamedTuple):
    """A run to be tried: at the suggestion times 2^step, with one seed or another.

    Attributes:
        step: Doublings of the suggested rate.
        seed: 0 for the runs that search, 1 for those that confirm.
    """

    step: int
    seed: int

    @property
    def factor(self) -> float:
        """Its rate over the suggestion."""
        return 2.0**self.step


Results = Mapping[Trial, float | None]
"""What trials gave: an error or a loss >= 0, the lower the better; None: it did not survive."""


@dataclass(frozen=True)
class ShortRun:
    """A short real run: the `type` of its schedule, its rate or peak, what it gave.

    The results are those of the validation set after the run, None where it broke down.
    """

    schedule: str
    lr: float
    val_loss: float | None
    val_accuracy: float | None
    seed: Annotated[int, Field(strict=True, ge=0)] | None = field(
        default=None, metadata={"left_out": True}
    )


def proposals(results: Results) -> list[Trial]:
    """Return the trials that come next, side by side; none once there is nothing left to learn.

    The search begins at the suggestion, its half and its double, steps down until a run survives,
    and goes on towards any side on which no rate is worse than the best. Then the best and its
    neighbours are confirmed with another seed, and so are those of a rate that then becomes the
    best, so that neither a lucky run nor the edge of a cliff decides.

    Args:
        results: All results so far; what they say does not depend on their order.

    Example:
        >>> results = {}
        >>> while trials := proposals(results):
        ...     print([trial.factor for trial in trials])
        ...     results |= {trial: abs(trial.step - 1) + 0.1 for trial in trials}
        [0.5, 1.0, 2.0]
        [4.0]
        [2.0, 1.0, 4.0]
    """
    searched = _of_seed(results, 0)
    missing = [step for step in (-1, 0, 1) if step not in searched]
    if missing:
        return [Trial(step, 0) for step in missing]
    wanted = _outward(searched)[: max(MOST_SEARCHED - len(searched), 0)]
    if wanted:
        return [Trial(step, 0) for step in wanted]
    means = _means(results)
    best = _best(means)
    if best is None:
        return []
    around = [step for step in (best, best - 1, best + 1) if means.get(step) is not None]
    unsure = [step for step in around if Trial(step, 1) not in results]
    return [Trial(step, 1) for step in unsure[: max(MOST_RUNS - len(results), 0)]]


def refined(results: Results) -> float | None:
    """Return the best rate over the suggestion, None if no run survived.

    The lowest point of the parabola through the best rate tried and its neighbours, over the
    logarithm of the rate, each the mean over its seeds; at most one step from the best, and never
    beyond the highest rate that survived with every seed it was tried with.

    Example:
        >>> tried = {-1: 0.15, 0: 0.11, 1: 0.11, 2: None}
        >>> print(f"{refined({Trial(step, 0): error for step, error in tried.items()}):.2f}")
        1.41
    """
    errors = _means(results)
    confirmed = {step: e for step, e in errors.items() if Trial(step, 1) in results}
    best = _best(confirmed)
    if best is None:
        best = _best(errors)
    if best is None:
        return None
    survived = {step: error for step, error in errors.items() if error is not None}
    near = {step: errors[step] for step in (best - 1, best, best + 1) if step in errors}
    worst = CLIFF * survived[best]
    steps = np.array(list(near), np.float64)
    heights = np.array([worst if e is None else min(e, worst) for e in near.values()])
    bottom = float(best)
    if len(near) == 3 and np.ptp(heights) > 0:
        bend, slope, _ = np.polyfit(steps - best, heights, 2)
        if bend > 0:
            bottom = best + float(np.clip(-slope / (2 * bend), -1, 1))
    broken = [step for step, error in errors.items() if error is None and step > best]
    highest = max(step for step in survived if step < min(broken, default=np.inf))
    return float(2.0 ** min(bottom, highest))


def error_of(loss: float, accuracy: float) -> float:
    """Return what the search compares: the geometric mean of loss and share of wrong answers.

    The accuracy is what counts, but on a small validation set many rates share one; the loss tells
    them apart.
    """
    return math.sqrt(max(loss, 0.0) * max(1 - accuracy, LEAST_WRONG))


def _of_seed(results: Results, seed: int) -> dict[int, float | None]:
    tried = sorted(results.items(), key=lambda each: each[0])
    return {trial.step: error for trial, error in tried if trial.seed == seed}


def _means(results: Results) -> dict[int, float | None]:
    """Return the mean error at each step over its seeds, None where a run did not survive."""
    of_step: dict[int, list[float | None]] = {}
    for trial, error in sorted(results.items(), key=lambda each: each[0]):
        of_step.setdefault(trial.step, []).append(error)
    return {
        step: None if None in errors else float(np.mean(np.array(errors, np.float64)))
        for step, errors in of_step.items()
    }


def _best(errors: Mapping[int, float | None]) -> int | None:
    """Return the step of the lowest error, of equal ones the lowest; None if none survived."""
    survived = [(error, step) for step, error in errors.items() if error is not None]
    return min(survived)[1] if survived else None


def _outward(errors: Mapping[int, float | None]) -> list[int]:
    """Return the steps next to those tried, on each side that has not become worse."""
    best = _best(errors)
    if best is None:
        return [min(errors) - 1, min(errors) - 2]
    lowest = errors[best]
    assert lowest is not None
    limit = lowest * (1 + MARGIN)

    def worse(steps: Sequence[int]) -> bool:
        return any((error := errors[step]) is None or error > limit for step in steps)

    wanted = []
    if not worse([step for step in errors if step < best]):
        wanted.append(min(errors) - 1)
    if not worse([step for step in errors if step > best]):
        wanted.append(max(errors) + 1)
    return wanted
