"""What the runs of a search say of each schedule, and fresh seeds of all of them together."""

import math
from collections.abc import Sequence
from dataclasses import replace

from lrlab.analysis import tuned_rates
from lrlab.analysis.best_set import Verdict, judged
from lrlab.analysis.judging import known
from lrlab.analysis.tuned_rates import RateScores
from lrlab.finder.rate_search import Tolerance
from lrlab.metric import Metric, Mode
from lrlab.results.tuning_record import BestRate, Horizon, RunsAtRate, TunedSchedule

USUAL_POINTS, USUAL_PER_CENT = 0.5, 5.0
"""The tolerance: in percentage points where the metric is a share, otherwise of the best value."""


def tolerance_of(metric: Metric, points: float | None = None) -> Tolerance:
    """Return how much worse than the best a rate may be that is still good.

    Args:
        metric: The metric.
        points: In percentage points where it is a share, otherwise in per cent of the best value.
    """
    usual = USUAL_POINTS if metric.points else USUAL_PER_CENT
    return Tolerance((usual if points is None else points) / 100, relative=not metric.points)


def score(value: float | None, mode: Mode) -> float | None:
    """Return a value so that higher is better."""
    return value if value is None or mode == "max" else -value


def best_rate(
    tried: Sequence[RunsAtRate], seen: RunsAtRate, fresh: RunsAtRate, mode: Mode, like: Tolerance
) -> BestRate:
    """Return what all runs say of the rate that was chosen.

    Args:
        tried: The runs that searched, by rate, ascending.
        seen: Those of the rate that was chosen.
        fresh: Its runs with fresh seeds.
        mode: Whether high values are good or low ones.
        like: How much worse a rate within the width may be.
    """
    all_seeds = [
        _scores(at, mode, fresh.values if at.lr == seen.lr else ()) for at in tried
    ]  # The seeds that it was chosen by alone would make it look better than it is.
    width = tuned_rates.width(all_seeds, seen.lr, like)
    assert seen.mean is not None
    return BestRate(
        lr=seen.lr,
        scale=seen.scale,
        interval=tuned_rates.interval(all_seeds, seen.lr),
        width=(width.low, width.high),
        open=(width.open_low, width.open_high),
        seen=seen.mean,
        fresh=fresh,
    )


def regret(tuned: TunedSchedule, mode: Mode) -> float | None:
    """Return how much worse the suggestion is than the best rate, each by what is fair.

    The best rate counts with its fresh seeds, the suggestion, which nobody chose for its scores,
    with those that it was tried with; 0 where they are the same rate, None where the suggestion
    broke down or there is none.
    """
    if tuned.best is None or tuned.suggested_lr is None:
        return None
    if tuned.suggested_lr == tuned.best.lr:
        return 0.0
    suggested = next(at for at in tuned.tried if at.lr == tuned.suggested_lr)
    best, other = score(tuned.best.fresh.mean, mode), score(suggested.mean, mode)
    return None if best is None or other is None or not suggested.survived else best - other


def horizon(epochs: int | None, schedules: Sequence[TunedSchedule], ceiling: float) -> Horizon:
    """Return the schedules with what can be told only of all: the LR sensitivity.

    Args:
        epochs: The epochs of all of them, None where each has its own.
        schedules: The schedules.
        ceiling: The loss of a model that has not been trained; NaN where nobody knows.
    """
    curves = [[RateScores(at.lr, at.losses) for at in tuned.tried] for tuned in schedules]
    between = tuned_rates.common_range(curves)
    if between is None or not math.isfinite(ceiling):
        return Horizon(epochs, tuple(schedules), between)
    found = (
        replace(tuned, sensitivity=tuned_rates.sensitivity(curve, ceiling, *between))
        for tuned, curve in zip(schedules, curves, strict=True)
    )
    return Horizon(epochs, tuple(found), between)


def judge(of: Horizon, mode: Mode) -> Verdict | None:
    """Return which schedules may be the best by their fresh seeds, None where there is only one."""
    if len(of.schedules) < 2:
        return None
    scores = {tuned.name: known(tuned.fresh_values) for tuned in of.schedules}
    return judged(scores, alpha=tuned_rates.ALPHA, mode=mode)


def _scores(at: RunsAtRate, mode: Mode, more: Sequence[float | None]) -> RateScores:
    return RateScores(at.lr, tuple(score(value, mode) for value in (*at.values, *more)))
