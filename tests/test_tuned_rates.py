"""Interval, width, sensitivity and regret, on scores of which they can be told by hand."""

import math

import numpy as np
import pytest

from lrlab.analysis import tuned_rates, tuning_summary
from lrlab.analysis.tuned_rates import RateScores
from lrlab.finder.rate_search import Tolerance
from lrlab.metric import ACCURACY, known
from lrlab.results.run import Status
from lrlab.results.tuning_record import RunsAtRate


def rates(*means, first=0.01, ratio=2.0):
    scores = [(mean,) if not isinstance(mean, tuple) else mean for mean in means]
    return [RateScores(first * ratio**index, of) for index, of in enumerate(scores)]


def test_interval_holds_what_cannot_be_told_from_the_best_and_is_not_torn():
    noisy = (-0.001, 0.0, 0.001)
    found = tuned_rates.interval(
        rates((0.90, 0.90), (0.80, 0.801), tuple(0.9 + x for x in noisy), 0.8995, (0.85, 0.851)),
        0.04,
    )
    assert found == (0.04, 0.08)


def test_interval_is_not_known_without_a_spread():
    assert tuned_rates.interval(rates(0.8, 0.9, 0.8), 0.02) is None


def test_interval_ends_where_runs_broke_down():
    found = tuned_rates.interval(rates((0.9, 0.91), (0.9, 0.92), (0.95, None)), 0.02)
    assert found == (0.01, 0.02)


def test_interval_covers_rates_as_good_as_the_best():
    """Equal rates stay in it with probability 0.95, though the best of them was picked."""
    rng, kept = np.random.default_rng(5), []
    for _ in range(300):
        drawn = rng.normal(0, 1, (4, 3))
        best = int(drawn.mean(axis=1).argmax())
        given = rates(*[tuple(of) for of in drawn])
        kept.append(tuned_rates.interval(given, given[best].lr) == (given[0].lr, given[3].lr))
    assert np.mean(kept) > 0.95 - 3 * math.sqrt(0.05 * 0.95 / 300)


@pytest.mark.parametrize(
    ("means", "low", "high", "ends"),
    [
        ((0.80, 0.90, 0.80), 0.02 * 2**-0.05, 0.02 * 2**0.05, (False, False)),
        ((0.896, 0.90, 0.897), 0.01, 0.04, (True, True)),
        ((0.80, 0.90, None), 0.02 * 2**-0.05, 0.02, (False, False)),
        ((0.899, 0.5, 0.899, 0.90, 0.899), 0.04 / 2 ** (0.004 / 0.399), 0.16, (False, True)),
    ],
)
def test_width_goes_to_where_the_line_crosses_the_tolerance(means, low, high, ends):
    given = rates(*means)
    best = max((each for each in given if each.mean is not None), key=lambda each: each.mean).lr
    found = tuned_rates.width(given, best, Tolerance(0.005))
    assert found.low == pytest.approx(low)
    assert found.high == pytest.approx(high)
    assert (found.open_low, found.open_high) == ends
    assert found.factor == pytest.approx(high / low)


def test_sensitivity_is_the_mean_excess_loss_over_the_logarithm_of_the_rate():
    given = rates(1.0, 0.5, 1.5, first=0.1, ratio=10.0)
    assert tuned_rates.sensitivity(given, 9.0, 0.1, 10.0) == pytest.approx((0.25 + 0.5) / 2)
    assert tuned_rates.sensitivity(given, 1.0, 0.1, 10.0) == pytest.approx(0.25)
    assert tuned_rates.sensitivity(given, 9.0, 1.0, math.sqrt(10)) == pytest.approx(0.25)


def test_a_rate_at_which_runs_broke_down_counts_as_untrained():
    given = rates(0.5, 0.5, None, first=0.1, ratio=10.0)
    assert tuned_rates.sensitivity(given, 2.5, 0.1, 10.0) == pytest.approx(0.5)
    assert tuned_rates.sensitivity(rates(None, None), 2.5, 0.01, 0.02) is None


def test_common_range_is_what_was_tried_of_all():
    assert tuned_rates.common_range([rates(1, 2, 3), rates(1, 2, 3, first=0.02), []]) == (
        0.02,
        0.04,
    )
    assert tuned_rates.common_range([rates(1, 2), rates(1, 2, first=1.0)]) is None


def test_tolerance_is_in_points_or_in_per_cent_of_the_best():
    assert tuning_summary.tolerance_of(ACCURACY) == Tolerance(0.005)
    assert tuning_summary.tolerance_of(ACCURACY, 1.5) == Tolerance(0.015)
    relative = tuning_summary.tolerance_of(known("mae"))
    assert relative.least(-0.2) == pytest.approx(-0.21)


def at(lr, *values, first=1000):
    seeds = tuple(range(first, first + len(values)))
    statuses = tuple(Status.DIVERGED if value is None else Status.DONE for value in values)
    return RunsAtRate(lr, lr, seeds, statuses, values, values, tuple("x" for _ in values))


def test_the_fresh_seeds_count_for_the_best_rate():
    """The search saw 0.92 there; with the fresh seeds it is no better than its neighbour."""
    tried = [at(0.1, 0.85, 0.85), at(0.2, 0.901, 0.9), at(0.4, 0.92, 0.92)]
    best = tuning_summary.best_rate(
        tried, tried[2], at(0.4, 0.88, 0.881, 0.882, first=0), "max", Tolerance(0.005)
    )
    assert best.seen == pytest.approx(0.92)
    assert best.fresh.mean == pytest.approx(0.881)
    assert best.interval == (0.2, 0.4)
