"""The verdict: critical values against SciPy, hand-made cases, invariants, coverage."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import lrlab
from lrlab.analysis.best_set import best_set, deficits
from lrlab.analysis.quantiles import t_quantiles
from lrlab.errors import UsageError

NAN = math.nan


# --- critical values ---


@pytest.mark.parametrize("tail", [0.25, 0.05, 0.025, 0.0125 / 19, 2.5e-5, 1e-7])
def test_critical_values_are_scipys_at_whole_degrees_and_safe_between(tail):
    whole = np.array([1, 2, 3, 4, 5, 8, 13, 40, 99, 1000])
    np.testing.assert_allclose(t_quantiles(tail, whole), stats.t.isf(tail, whole), rtol=1e-6)
    between = np.concatenate([np.linspace(1, 3, 41), np.geomspace(3, 1000, 200)])
    over = t_quantiles(tail, between) / stats.t.isf(tail, between)
    assert over.min() > 1 - 1e-6
    assert over.max() < 1.06
    assert over[between >= 3].max() < 1.01
    assert t_quantiles(tail, np.array([1e9]))[0] >= stats.norm.isf(tail)


# --- the formulas, computed once more in loops ---


def in_loops(scores, alpha):
    """Return the half widths of all differences, as docs/concepts/verdict.md writes them."""
    n = [len(one) for one in scores]
    s2 = [np.var(one, ddof=1) for one in scores]
    nu = [count - 1 for count in n]
    total = sum(nu)
    common = sum(a * b for a, b in zip(nu, s2, strict=True)) / total
    v = [common / a + (1 - 1 / a) * b for a, b in zip(n, s2, strict=True)]
    k = len(scores)
    widths = np.zeros((k, k))
    for i in range(k):
        for j in range(k):
            if i == j:
                continue
            weights = [
                nu[m] / total * (1 / n[i] ** 2 + 1 / n[j] ** 2)
                + (nu[m] / n[m] ** 2 if m in (i, j) else 0)
                for m in range(k)
            ]
            parts = [a * b for a, b in zip(weights, s2, strict=True)]
            df = sum(parts) ** 2 / sum(p**2 / a for p, a in zip(parts, nu, strict=True))
            assert sum(parts) == pytest.approx(v[i] / n[i] + v[j] / n[j])
            critical = t_quantiles(alpha / (2 * (k - 1)), np.array(df))
            widths[i, j] = critical * math.sqrt(v[i] / n[i] + v[j] / n[j])
    return widths


@pytest.mark.parametrize("counts", [(3, 3), (3, 5, 2, 24), (4,) * 6])
def test_intervals_are_those_of_the_formulas(counts):
    rng = np.random.default_rng(len(counts))
    scores = [rng.normal(0.9 - i / 300, 0.002 * (i + 1), n) for i, n in enumerate(counts)]
    widths, means = in_loops(scores, 0.05), np.array([one.mean() for one in scores])
    lower = means[:, None] - means[None, :] - widths
    np.fill_diagonal(lower, 0)
    best = [not any(lower[i, j] > 0 for i in range(len(scores))) for j in range(len(scores))]
    found = best_set({str(i): one for i, one in enumerate(scores)})
    assert set(found.best_set) == {str(i) for i, good in enumerate(best) if good}
    for j in range(len(scores)):
        among = [i for i, good in enumerate(best) if good]
        low = 0.0 if best[j] else max(0.0, min(lower[i, j] for i in among))
        high = max(0.0, *(means[i] - means[j] + widths[i, j] * (i != j) for i in among))
        assert found.behind[str(j)] == pytest.approx((low, high))


def test_the_six_configs_with_24_seeds():
    """The repository's own figures: means and deviations of 24 seeds each, as measured."""
    measured = {"piecewise": (0.89914, 0.0018), "one_cycle": (0.89861, 0.0024),
                "performance": (0.89727, 0.0022), "exponential": (0.89449, 0.0021),
                "power": (0.8932, 0.0018), "constant": (0.88664, 0.0034)}  # fmt: skip
    found = deficits(
        np.array([mean for mean, _ in measured.values()]),
        np.array([sigma**2 for _, sigma in measured.values()]),
        np.full(6, 24),
        0.05,
    )
    best = [n for n, good in zip(measured, found.may_be_best, strict=True) if good]
    assert best == ["piecewise", "one_cycle"]


# --- what the words rely on ---


def test_a_clear_winner_is_alone_and_low_scores_win_if_asked():
    scores = {"a": [0.9, 0.901, 0.902], "b": [0.8, 0.801, 0.802], "c": [0.7, 0.701, 0.702]}
    found = best_set(scores)
    assert found.best_set == ("a",)
    assert found.behind["a"] == (0.0, 0.0)
    assert found.decided
    low, high = found.behind["b"]
    assert 0 < low < 0.1 < high
    assert best_set(scores, mode="min").best_set == ("c",)


def test_runs_that_did_not_finish_take_no_part():
    found = best_set({"a": [0.9, NAN, 0.91, 0.9], "b": [0.8, 0.8, 0.81, 0.8], "c": [NAN, 0.99]})
    assert found.finished == {"a": (3, 4), "b": (4, 4), "c": (1, 2)}
    assert "c" not in found.behind
    assert found.means["c"] == 0.99
    assert best_set({"a": [NAN], "b": [NAN]}).best_set == ()


def test_equal_scores_cannot_be_told_apart_and_constants_can():
    assert set(best_set({"a": [0.9, 0.91, 0.92], "b": [0.9, 0.91, 0.92]}).best_set) == {"a", "b"}
    assert best_set({"a": [0.9] * 3, "b": [0.8] * 3}).best_set == ("a",)
    assert set(best_set({"a": [0.9] * 3, "b": [0.9] * 3}).best_set) == {"a", "b"}


@pytest.mark.parametrize("count", [1, 2])
def test_there_is_no_verdict_below_three_runs(count):
    assert not best_set({"a": [0.9] * count, "b": [0.8] * count}).decided
    assert not best_set({"a": [0.9, 0.9, 0.8]}).decided


@pytest.mark.parametrize(
    ("scores", "options"),
    [({}, {}), ({"a": [1.0]}, {"alpha": 0}), ({"a": [1.0]}, {"mode": "high"})],
)
def test_wrong_arguments_are_refused_in_words(scores, options):
    with pytest.raises(UsageError, match="needs scores, an alpha"):
        lrlab.best_set(scores, **options)


@settings(max_examples=200)
@given(
    scores=st.lists(
        st.lists(st.floats(-1, 1, width=32), min_size=2, max_size=6), min_size=2, max_size=6
    ),
    shift=st.floats(-2, 2),
    factor=st.floats(0.1, 10),
)
def test_invariants(scores, shift, factor):
    named = {str(i): one for i, one in enumerate(scores)}
    found = best_set(named)
    leader = max(named, key=lambda name: found.means[name])
    assert leader in found.best_set
    for name, (low, high) in found.behind.items():
        deficit = found.means[leader] - found.means[name]
        assert 0 <= low <= deficit + 1e-9
        assert high >= deficit - 1e-9 or name in found.best_set
        assert low == 0 or name not in found.best_set
    moved = best_set({name: np.array(one) * factor + shift for name, one in named.items()})
    for name, (low, high) in found.behind.items():
        assert moved.behind[name] == pytest.approx((factor * low, factor * high), abs=1e-6)


def test_simulated_coverage_of_six_tied_experiments_at_three_seeds():
    """The cell that matters most; the whole grid is benchmarks/verdicts.py."""
    rng = np.random.default_rng(0)
    scores = rng.normal(0, 1, (4_000, 6, 3)) * np.geomspace(1, 4, 6)[:, None]
    found = deficits(scores.mean(-1), scores.var(-1, ddof=1), np.full(6, 3), 0.05)
    assert (found.low == 0).all(-1).mean() > 0.94  # All true deficits are 0.
    assert (found.may_be_best.sum(-1) == 1).mean() < 0.01
