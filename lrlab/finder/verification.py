"""Owns how short real runs verify a suggested rate: which rates come next, and what they say.

Pure numpy; `experiment` trains the runs, and a benchmark may with a loop of its own.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
from pydantic import Field

from lrlab.finder.trials import Results, Trial

MOST_STEPS = 4_000
"""The most steps of a run; a longer one is verified by its curve squeezed into so many."""

MOST_SEARCHED, MOST_RUNS = 10, 14
"""The most runs of the first seed, which search for the best rate, and of both together."""

WORSE = 0.05
"""By what share a rate has to be worse than the best to close the search on its side."""

LOST = 0.25
"""By what share a rate has to be worse than the best to have clearly lost.

No more than that counts in the parabola, which describes the bottom of the valley.
"""

BELOW_BROKEN, BELOW_LOST = 2, 1
"""How many steps the answer stays below a rate at which a run broke down, or clearly lost.

The next seed may break down at half the rate at which this one did, but hardly at a quarter.
"""

UNSTABLE = 10.0
"""By what factor two seeds may differ at a rate; one at which they differ by more is too high.

Below the rates at which every run breaks down lie some at which one seed in a few does. On no
development task do two seeds differ by more than 4.5.
"""

LEAST_WRONG = 1e-3
"""Share of wrong answers that counts at least: where all are right the loss alone decides."""


@dataclass(frozen=True)
class ShortRun:
    """A short real run: the `type` of its schedule, its rate or peak, what it gave.

    The results are those of the validation set after the run, None where it broke down; the
    accuracy is that or a like share, None where the metric is no share.
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
    and goes on towards any side on which no rate is worse than the best: a rate is never trusted
    because nothing higher was tried. A rate at which one seed is ten times worse than the other
    counts as one that broke down. Then the best of those that may be trusted and its neighbours
    are confirmed with another seed; what that changes is searched and confirmed anew, so that
    neither a lucky run nor the edge of a cliff decides.

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
    missing = [step for step in (-1, 0, 1) if Trial(step, 0) not in results]
    if missing:
        return [Trial(step, 0) for step in missing]
    errors = _means(results)
    left = MOST_RUNS - len(results)
    searched = sum(trial.seed == 0 for trial in results)
    wanted = _outward(errors)[: max(min(MOST_SEARCHED - searched, left), 0)]
    if wanted:
        return [Trial(step, 0) for step in wanted]
    best = _best(_trusted(errors))
    if best is None:
        return []
    around = [step for step in (best, best - 1, best + 1) if errors.get(step) is not None]
    unsure = [step for step in around if Trial(step, 1) not in results]
    return [Trial(step, 1) for step in unsure[: max(left, 0)]]


def refined(results: Results) -> float | None:
    """Return the best rate over the suggestion, None if no run survived.

    The lowest point of the parabola through the best rate that may be trusted and its neighbours,
    over the logarithm of the rate, each the mean over its seeds; at most one step from the best. It
    is at most a quarter of the lowest rate at which a run broke down, half of one at which it
    clearly lost, and half of the highest rate tried where nothing higher was worse.

    Example:
        >>> tried = {-1: 0.15, 0: 0.11, 1: 0.11, 2: 0.15}
        >>> print(f"{refined({Trial(step, 0): error for step, error in tried.items()}):.2f}")
        1.41
    """
    errors = _means(results)
    trusted = _trusted(errors)
    confirmed = {step: e for step, e in trusted.items() if Trial(step, 1) in results}
    best = _best(confirmed or trusted)
    if best is None:
        # All that survived lies too near to what broke down.
        return None if _best(errors) is None else 2.0 ** _highest(errors)
    return float(2.0 ** min(_bottom(errors, best), _highest(errors)))


def _bottom(errors: Mapping[int, float | None], best: int) -> float:
    """Return the lowest point of the parabola through a step and its neighbours."""
    near = {step: errors[step] for step in (best - 1, best, best + 1) if step in errors}
    lowest = errors[best]
    assert lowest is not None
    most = (1 + LOST) * lowest
    heights = np.array([most if e is None else min(e, most) for e in near.values()])
    if len(near) < 3 or np.ptp(heights) == 0:
        return best
    bend, slope, _ = np.polyfit(np.array(list(near), np.float64) - best, heights, 2)
    return best + float(np.clip(-slope / (2 * bend), -1, 1)) if bend > 0 else best


def error_of(loss: float, accuracy: float) -> float:
    """Return what the search compares: the geometric mean of loss and share of wrong answers.

    The accuracy is what counts, but on a small validation set many rates share one; the loss tells
    them apart.
    """
    return math.sqrt(max(loss, 0.0) * max(1 - accuracy, LEAST_WRONG))


def _means(results: Results) -> dict[int, float | None]:
    """Return the mean error at each step over its seeds, None where a run did not survive.

    None also where one seed is far worse than another: the next one may break down altogether.
    """
    of_step: dict[int, list[float | None]] = {}
    for trial, error in sorted(results.items(), key=lambda each: each[0]):
        of_step.setdefault(trial.step, []).append(error)
    return {step: _mean(errors) for step, errors in of_step.items()}


def _mean(errors: Sequence[float | None]) -> float | None:
    survived = [error for error in errors if error is not None]
    if len(survived) < len(errors):
        return None
    apart = max(survived) > UNSTABLE * max(min(survived), LEAST_WRONG)
    return None if apart else float(np.mean(survived))


def _best(errors: Mapping[int, float] | Mapping[int, float | None]) -> int | None:
    """Return the step of the lowest error, of equal ones the lowest; None if none survived."""
    survived = [(error, step) for step, error in errors.items() if error is not None]
    return min(survived)[1] if survived else None


def _highest(errors: Mapping[int, float | None]) -> int:
    """Return the highest step that may be trusted, where any survived.

    A run that did not survive at a rate below all that did was not broken by it.
    """
    survived = {step: error for step, error in errors.items() if error is not None}
    best = _best(errors)
    assert best is not None
    lost = (1 + LOST) * survived[best]
    limits = [max(errors) if _closed(errors, above=True) else max(errors) - 1]
    for step, error in errors.items():
        if error is None and step > min(survived):
            limits.append(step - BELOW_BROKEN)
        elif error is not None and step > best and error > lost:
            limits.append(step - BELOW_LOST)
    return min(limits)


def _trusted(errors: Mapping[int, float | None]) -> dict[int, float]:
    """Return the errors of the steps that survived and may be trusted."""
    survived = {step: error for step, error in errors.items() if error is not None}
    return {step: e for step, e in survived.items() if step <= _highest(errors)}


def _closed(errors: Mapping[int, float | None], *, above: bool) -> bool:
    """Return whether a rate above the best, or below it, is worse."""
    best = _best(errors)
    assert best is not None
    lowest = errors[best]
    assert lowest is not None
    side = [e for step, e in errors.items() if (step > best if above else step < best)]
    return any(error is None or error > lowest * (1 + WORSE) for error in side)


def _outward(errors: Mapping[int, float | None]) -> list[int]:
    """Return the steps next to those tried, on each side that is still to be searched."""
    if _best(errors) is None:
        return [min(errors) - 1, min(errors) - 2]
    wanted = []
    if not (_closed(errors, above=False) and _trusted(errors)):
        wanted.append(min(errors) - 1)
    if not _closed(errors, above=True):
        wanted.append(max(errors) + 1)
    return wanted
