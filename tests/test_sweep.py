"""LR range test: rates, smoothing, stop rule, suggestions and verdicts."""

import json
import math
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from lrlab.finder import landmarks
from lrlab.finder.suggestion import Suggestion, Verdict, suggest
from lrlab.finder.sweep import (
    NONFINITE_STEPS,
    StoppedBy,
    classic_rules,
    initial_loss,
    rates,
    smooth,
    stop,
)

LN_10 = math.log(10)


def curves(
    *,
    steps=500,
    min_lr=1e-6,
    max_lr=10.0,
    seeds=3,
    initial=2.4,
    floor=0.6,
    falls=1e-3,
    rises=0.3,
    noise=0.1,
):
    """Losses like a real sweep's: a plateau, a fall around a rate, a rise from another on."""
    lr = rates(min_lr=min_lr, max_lr=max_lr, steps=steps)
    falls = np.broadcast_to(falls, seeds)[:, np.newaxis]
    fallen = 1 / (1 + (falls / lr) ** 1.5)
    with np.errstate(over="ignore"):
        rise = np.minimum((lr / rises) ** 4, 1e12)
    noises = np.random.default_rng(0).normal(scale=noise, size=(seeds, steps))
    return lr, (initial - (initial - floor) * fallen + rise) * np.exp(noises)


# --- rates ---


def test_rates_are_the_closed_form_in_float64():
    found = rates(min_lr=1e-6, max_lr=10, steps=500)
    expected = [1e-6 * 1e7 ** (i / 499) for i in range(500)]
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    assert found[0] == 1e-6
    assert found[-1] == 10


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"min_lr": 0, "max_lr": 1, "steps": 10}, "0 < min_lr < max_lr"),
        ({"min_lr": 1, "max_lr": 1, "steps": 10}, "0 < min_lr < max_lr"),
        ({"min_lr": 1, "max_lr": math.inf, "steps": 10}, "0 < min_lr < max_lr"),
        ({"min_lr": math.nan, "max_lr": 1, "steps": 10}, "0 < min_lr < max_lr"),
        ({"min_lr": 0.1, "max_lr": 1, "steps": 1}, "at least 2"),
    ],
)
def test_rates_refuse_an_empty_range(settings, message):
    with pytest.raises(ValueError, match=message):
        rates(**settings)


# --- smoothing ---


@given(value=st.floats(-1e6, 1e6), steps=st.integers(1, 50), beta=st.floats(0, 0.999))
def test_smooth_of_a_constant_is_the_constant(value, steps, beta):
    np.testing.assert_array_equal(smooth(np.full(steps, value), beta), np.full(steps, value))


def test_smooth_is_the_corrected_moving_average():
    losses = np.random.default_rng(0).normal(size=(2, 3, 20))
    average, expected = 0.0, []
    for step, loss in enumerate(losses[1, 2]):
        average = 0.9 * average + 0.1 * loss
        expected.append(average / (1 - 0.9 ** (step + 1)))
    found = smooth(losses, beta=0.9)
    assert found.shape == losses.shape
    np.testing.assert_allclose(found[1, 2], expected, rtol=1e-12)


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_smooth_skips_broken_losses_and_leaves_its_input(broken):
    losses = np.array([[1.0, broken, 3.0], [1.0, 1.0, 1.0]])
    before = losses.copy()
    found = smooth(losses)
    np.testing.assert_array_equal(found[0, [0, 2]], smooth([1.0, 3.0]))
    assert np.isnan(found[0, 1])
    np.testing.assert_array_equal(found[1], 1)
    np.testing.assert_array_equal(losses, before)


def test_smooth_refuses_a_beta_of_one():
    with pytest.raises(ValueError, match="less than 1"):
        smooth([1.0], beta=1.0)


# --- stop rule ---

FLAT = [2.2, 2.4] * 25
BROKEN = [math.nan, math.inf, math.nan]

STOPS = {
    "no step yet": ([], None),
    "flat": (FLAT, None),
    "falling": (list(np.linspace(2.5, 0.5, 200)), None),
    "collapsed to chance from a bad start": ([2.9] * 50 + [1.0] * 50 + [LN_10] * 100, None),
    "not a number at once": ([*BROKEN, 2.0], (0, StoppedBy.NONFINITE)),
    "not a number once": ([*FLAT, math.nan, *FLAT], None),
    "not a number twice": ([*FLAT, math.nan, math.inf, *FLAT], None),
    "not a number from a step on": ([*FLAT, *BROKEN, 1.0], (50, StoppedBy.NONFINITE)),
    "not a number first": ([math.nan, *FLAT], None),
    "exploded": ([*FLAT, 1e4, 1e6, 1e8], (52, StoppedBy.DIVERGED)),
    "exploded, then not a number": ([*FLAT, 1e4, 1e6, 1e8, *BROKEN], (52, StoppedBy.DIVERGED)),
    "near zero, four times the best is no divergence": (
        [2.3] * 10 + [1e-4] * 300 + [0.1] * 100,
        None,
    ),
    "a single bad batch": ([*FLAT, 6.0, *FLAT], None),
}


@pytest.mark.parametrize(("losses", "expected"), STOPS.values(), ids=STOPS.keys())
def test_stop(losses, expected):
    assert stop(losses) == expected


def test_stop_where_the_loss_stays_above_the_initial_one():
    step, reason = stop([*FLAT, *[2.9] * 200])
    assert reason is StoppedBy.ABOVE_INITIAL
    assert 50 + 20 <= step < 120


def test_stop_where_the_loss_exploded_at_once():
    step, _ = stop([2.3] + [1e6] * 40)
    assert step < 30


LOSSES = arrays.arrays(
    np.float64,
    st.integers(0, 80),
    elements=st.sampled_from([0.01, 0.5, 1.0, 2.3, 2.5, 3.0, 5.0, 40.0, math.nan, math.inf]),
)


@given(losses=LOSSES, cut=st.integers(0, 80))
def test_stop_is_causal(losses, cut):
    whole, part = stop(losses), stop(losses[:cut])
    if part is not None:
        assert whole == part
    elif whole is not None:
        assert whole[0] >= cut - (NONFINITE_STEPS - 1) * (whole[1] is StoppedBy.NONFINITE)


def test_stop_refuses_several_curves():
    with pytest.raises(ValueError, match=r"\(steps,\), got \(1, 2\)"):
        stop([[1.0, 2.0]])


def test_every_end_and_verdict_has_a_sentence():
    for member in (*StoppedBy, *Verdict):
        assert member == member.value == member.name.lower()
        assert len(member.sentence) > 10
        assert not member.sentence.endswith(".")


def test_initial_loss_is_not_raised_by_an_explosion():
    assert initial_loss(np.array([2.0] * 5 + [1e9, 1e12])) == 2.0


# --- suggestions ---


def test_suggest_on_a_clear_valley():
    found = suggest(*curves())
    assert found.verdict is Verdict.OK
    assert 1e-3 < found.steady_lr < found.max_lr <= found.highest_stable_lr < 0.4
    assert found.lowest_useful_lr == pytest.approx(1e-3, rel=0.3)
    assert 1 <= found.spread < 1.5
    assert len(found.by_seed) == 3
    assert all(one.steady_lr == pytest.approx(found.steady_lr, rel=0.3) for one in found.by_seed)
    assert set(found.rules) == {"minimum", "steepest", "valley", "slide"}


def test_suggest_takes_one_curve_as_one_seed():
    lr, losses = curves(seeds=1)
    assert suggest(lr, losses[0]) == suggest(lr, losses)
    assert suggest(lr, losses[0]).spread == 1


def test_suggest_ignores_what_came_after_the_end():
    lr, losses = curves(rises=0.1)
    cut = losses.copy()
    for curve in cut:
        curve[stop(curve)[0] :] = np.nan
    assert np.isnan(cut).any()
    assert suggest(lr, losses) == suggest(lr, cut)


def test_suggest_leaves_its_input_alone():
    lr, losses = curves(rises=0.1)
    before = losses.copy()
    suggest(lr, losses)
    np.testing.assert_array_equal(losses, before)


# Valleys wide enough to deserve a suggestion: in a narrow one nothing is learned.
VALLEYS = st.builds(
    dict,
    falls=st.floats(1e-4, 1e-2),
    rises=st.floats(0.1, 0.5),
    noise=st.floats(0, 0.2),
    initial=st.floats(2, 3),
    seeds=st.integers(1, 4),
)


@settings(max_examples=30)
@given(valley=VALLEYS, factor=st.floats(1e-3, 1e3))
def test_suggestions_scale_with_the_rates(valley, factor):
    lr, losses = curves(**valley)
    one, scaled = suggest(lr, losses), suggest(lr * factor, losses)
    assert one.verdict is scaled.verdict is Verdict.OK
    np.testing.assert_allclose(scaled.steady_lr, one.steady_lr * factor, rtol=1e-6)
    np.testing.assert_allclose(scaled.max_lr, one.max_lr * factor, rtol=1e-6)
    np.testing.assert_allclose(scaled.spread, one.spread, rtol=1e-6)


SHAPES = {
    "a valley": {},
    "one seed": {"seeds": 1},
    "an early edge": {"rises": 0.02},
    "no rise": {"rises": 1e3},
    "noise": {"noise": 0.7},
    "flat": {"initial": LN_10, "floor": LN_10},
    "near 0": {"floor": 1e-3},
    "exploding at once": {"falls": 1e-9, "rises": 1e-5},
}


@settings(max_examples=60)
@given(
    shape=st.sampled_from(sorted(SHAPES)),
    constant=st.floats(-100, 100),
    factor=st.floats(1e-3, 1e3),
    gaps=st.lists(st.integers(20, 480), max_size=3),
    chance=st.none() | st.just(LN_10),
)
def test_a_constant_and_a_factor_of_the_loss_change_nothing(shape, constant, factor, gaps, chance):
    lr, losses = curves(**SHAPES[shape])
    losses = np.minimum(losses, 1e4)
    losses[0, gaps] = np.nan
    one = suggest(lr, losses, chance=chance)
    moved = factor * (losses + constant)
    other = suggest(lr, moved, chance=chance and factor * (chance + constant))
    assert [stop(curve) for curve in moved] == [stop(curve) for curve in losses]
    assert other.verdict is one.verdict
    for name in ("steady_lr", "max_lr", "lowest_useful_lr", "highest_stable_lr", "spread"):
        expected = getattr(one, name)
        assert getattr(other, name) == (expected and pytest.approx(expected, rel=1e-6))


def test_suggestions_of_losses_around_0_and_below():
    lr, losses = curves(floor=0.2)
    expected = suggest(lr, losses)
    assert expected.verdict is Verdict.OK
    for constant in (-0.2, -1.0, -2.4, -50.0, 50.0):
        found = suggest(lr, losses + constant)
        assert found.max_lr == pytest.approx(expected.max_lr, rel=1e-6)


@pytest.mark.parametrize("gap", [slice(0, 1), slice(100, 101), slice(250, 252)])
def test_a_loss_that_is_not_finite_between_others_is_skipped(gap):
    lr, losses = curves(seeds=1)
    expected = suggest(lr, losses)
    losses[0, gap] = np.inf
    found = suggest(lr, losses)
    assert found.verdict is Verdict.OK
    assert found.max_lr == pytest.approx(expected.max_lr, rel=0.05)
    assert None not in found.rules.values()


def test_the_rates_lie_further_below_an_edge_that_is_near():
    def shares(rises):
        found = suggest(*curves(rises=rises, noise=0.01))
        gap = found.highest_stable_lr / found.lowest_useful_lr
        return gap, found.steady_lr / found.lowest_useful_lr

    (near, low), (far, high) = shares(0.05), shares(0.5)
    assert near < far
    assert low < high


def test_a_fast_sweep_suggests_lower_rates_than_its_landmarks_alone():
    slow, fast = (suggest(*curves(steps=steps, noise=0.01)) for steps in (500, 250))
    assert fast.highest_stable_lr == pytest.approx(slow.highest_stable_lr, rel=0.05)
    assert fast.max_lr == pytest.approx(slow.max_lr / 2, rel=0.05)


def test_curve_is_in_units_of_the_loss():
    lr, losses = curves(noise=0.01)
    shared = landmarks.curve(lr, losses)
    assert shared.loss.shape == lr.shape
    assert shared.loss[0] == pytest.approx(2.4, abs=0.05)
    assert shared.loss.min() == pytest.approx(losses.mean(axis=0).min(), abs=0.1)
    moved = landmarks.curve(lr, 3 * losses - 7)
    np.testing.assert_allclose(moved.loss, 3 * shared.loss - 7, rtol=1e-6)


@settings(max_examples=30)
@given(order=st.permutations(range(4)))
def test_suggestions_do_not_depend_on_the_order_of_seeds(order):
    lr, losses = curves(seeds=4)
    one, other = suggest(lr, losses), suggest(lr, losses[order])
    np.testing.assert_allclose(other.steady_lr, one.steady_lr, rtol=1e-9)
    np.testing.assert_allclose(other.max_lr, one.max_lr, rtol=1e-9)
    assert other.by_seed == tuple(one.by_seed[seed] for seed in order)


@pytest.mark.parametrize(
    ("lr", "losses", "message"),
    [
        ([0.1, 0.2, 0.3], [1.0, 2.0], r"\(seeds, 3\), got \(1, 2\)"),
        ([0.1, 0.2], np.ones((2, 2, 2)), r"\(seeds, 2\), got \(2, 2, 2\)"),
        ([0.1, 0.2], np.ones((0, 2)), r"\(seeds, 2\), got \(0, 2\)"),
        ([0.1], [1.0], "at least 2 steps"),
        ([[0.1, 0.2]], [1.0, 1.0], "at least 2 steps"),
        ([0.2, 0.1], [1.0, 1.0], "strictly increasing"),
        ([0.1, 0.1], [1.0, 1.0], "strictly increasing"),
        ([0.0, 0.1], [1.0, 1.0], "positive"),
        ([0.1, math.inf], [1.0, 1.0], "finite"),
        ([0.1, math.nan], [1.0, 1.0], "finite"),
    ],
)
def test_suggest_refuses_what_is_no_sweep(lr, losses, message):
    with pytest.raises(ValueError, match=message):
        suggest(lr, losses)


# --- verdicts ---


def exploding():
    lr, losses = curves()
    losses[:, 3:] = 1e9
    return lr, losses


def nothing_finite():
    lr, losses = curves()
    return lr, np.full_like(losses, np.nan)


def one_seed_dead():
    lr, losses = curves()
    losses[1] = LN_10
    return lr, losses


VERDICTS = {
    "a valley": (Verdict.OK, curves),
    "a valley in 200 steps": (Verdict.OK, lambda: curves(steps=200)),
    "one seed": (Verdict.OK, lambda: curves(seeds=1)),
    "flat at chance": (Verdict.NO_DESCENT, lambda: curves(initial=LN_10, floor=LN_10, noise=0)),
    "flat and noisy": (Verdict.NO_DESCENT, lambda: curves(initial=LN_10, floor=LN_10)),
    "from a bad start to what may be chance": (
        Verdict.OK,
        lambda: curves(initial=2.9, floor=LN_10),
    ),
    "rises beyond the range": (Verdict.NO_DIVERGENCE, lambda: curves(rises=1e3)),
    "falls at the end": (Verdict.NO_DIVERGENCE, lambda: curves(falls=3.0, rises=1e3)),
    "hardly falls": (Verdict.NO_DIVERGENCE, lambda: curves(min_lr=1e-8, max_lr=3e-4)),
    "explodes at once": (Verdict.DIVERGED_AT_ONCE, exploding),
    "never finite": (Verdict.DIVERGED_AT_ONCE, nothing_finite),
    "down before it starts": (
        Verdict.DIVERGED_AT_ONCE,
        lambda: curves(falls=5e-7, max_lr=1e6, noise=0.03),
    ),
    "ends in its first half": (
        Verdict.DIVERGED_AT_ONCE,
        lambda: curves(falls=1e-9, rises=1e-4),
    ),
    "batches disagree": (Verdict.TOO_NOISY, lambda: curves(noise=0.9)),
    "seeds disagree": (Verdict.TOO_NOISY, lambda: curves(falls=[1e-4, 1e-3, 1e-2], rises=5.0)),
    "one seed dead": (Verdict.TOO_NOISY, one_seed_dead),
    "20 steps": (Verdict.TOO_SHORT, lambda: curves(steps=20)),
    "20 steps a decade": (Verdict.TOO_SHORT, lambda: curves(steps=140)),
    "2 steps": (Verdict.TOO_SHORT, lambda: curves(steps=2)),
}


@pytest.mark.parametrize(("verdict", "sweep"), VERDICTS.values(), ids=VERDICTS.keys())
def test_verdict(verdict, sweep):
    found = suggest(*sweep())
    assert found.verdict is verdict
    numbers = (
        found.steady_lr,
        found.max_lr,
        found.lowest_useful_lr,
        found.highest_stable_lr,
        found.spread,
        *(one.steady_lr for one in found.by_seed),
        *(one.max_lr for one in found.by_seed),
    )
    assert all((number is not None) == (verdict is Verdict.OK) for number in numbers)


@pytest.mark.parametrize(
    ("initial", "floor", "chance", "verdict"),
    [
        (4.0, 2.3, None, Verdict.OK),
        (4.0, 2.3, LN_10, Verdict.NO_DESCENT),
        (4.6, 3.6, None, Verdict.OK),
        (2.9, LN_10, LN_10, Verdict.NO_DESCENT),
        (4.6, 3.6, math.log(100), Verdict.OK),
    ],
)
def test_chance_decides_what_descent_is(initial, floor, chance, verdict):
    lr, losses = curves(initial=initial, floor=floor)
    assert suggest(lr, losses, chance=chance).verdict is verdict


def test_little_below_guessing_is_much_where_there_is_not_more_to_gain():
    """A class of one in twenty: guessing has a loss of 0.21."""
    lr, losses = curves(initial=0.9, floor=0.15, noise=0.02)
    assert suggest(lr, losses, chance=0.21).verdict is Verdict.NO_DESCENT
    assert suggest(lr, losses, chance=0.21, perfect=0.0).verdict is Verdict.OK
    assert suggest(lr, losses, chance=0.155, perfect=0.0).verdict is Verdict.NO_DESCENT
    shifted = suggest(lr, losses + 5, chance=5.21, perfect=5.0)
    assert shifted.verdict is Verdict.OK


def raw_targets():
    """A regression whose targets are far from 0: down to above guessing, then up, in 3 decades."""
    lr, losses = curves(initial=8.0, floor=4.0, falls=1e-5, rises=1e-4, noise=0.1)
    return lr, losses


def test_a_valley_above_the_loss_of_guessing_is_no_range_that_is_too_high():
    found = suggest(*raw_targets(), chance=1.0, perfect=0.0)
    assert found.verdict is Verdict.NO_DESCENT
    assert suggest(*raw_targets()).verdict is Verdict.OK


def recorded():
    """Every recorded sweep of the benchmark, with the loss of guessing."""
    folder = Path(__file__).parents[1] / "benchmarks"
    tasks = [
        task
        for name in ("finder_tasks.json", "finder_families.json")
        if (folder / name).is_file()
        for task in json.loads((folder / name).read_text())
    ]
    if not tasks:
        pytest.skip("no benchmarks beside the tests: run them in a checkout")
    for task in tasks:
        yield task["lr"], np.array(task["loss_by_seed"], np.float64), task.get("chance", LN_10)


def test_rates_that_are_suggested_are_usable():
    found = [suggest(lr, losses, chance=chance) for lr, losses, chance in recorded()]
    ok = [one for one in found if one.verdict is Verdict.OK]
    assert len(ok) > 20
    for one in ok:
        assert one.lowest_useful_lr <= one.steady_lr < one.max_lr <= one.highest_stable_lr


@pytest.mark.parametrize("factor", [1e-6, 3.7, 1e10])
def test_the_unit_of_the_loss_changes_no_verdict(factor):
    for lr, losses, chance in [*recorded(), (*raw_targets(), 1.0)]:
        for known in (None, chance):
            one = suggest(lr, losses, chance=known, perfect=0.0)
            scaled = None if known is None else factor * known
            other = suggest(lr, factor * losses, chance=scaled, perfect=0.0)
            assert other.verdict is one.verdict
            if one.verdict is Verdict.OK:
                assert other.steady_lr == pytest.approx(one.steady_lr, rel=1e-6)
                assert other.lowest_useful_lr == pytest.approx(one.lowest_useful_lr, rel=1e-6)


# --- classic rules ---


def longest_descent(losses):
    """fastai's definition of the valley, step by step, as an oracle for the vectorised one."""
    lengths = [1] * len(losses)
    for i in range(len(losses)):
        for j in range(i):
            if losses[j] > losses[i]:
                lengths[i] = max(lengths[i], lengths[j] + 1)
    end = lengths.index(max(lengths))
    start = end - lengths[end]
    section = (end - start) / 3
    return start + int(section) + int(section / 2)


def test_classic_rules_on_a_hand_made_valley():
    lr, losses = curves(noise=0)
    recorded = stop(losses[0])[0]
    losses[:, recorded:] = np.nan
    found = classic_rules(lr, losses)
    kept = slice(50, recorded - 5)
    smoothed = smooth(losses[0, :recorded])[kept]
    assert found["minimum"] == lr[kept][smoothed.argmin()] / 10
    slope = np.diff(smoothed) / np.diff(np.log(lr[kept]))
    assert found["steepest"] == lr[kept][slope.argmin()]
    assert found["valley"] == lr[kept][longest_descent(smoothed)]
    assert found["slide"] in lr


def test_classic_rules_are_silent_without_a_record():
    lr, losses = curves()
    losses[:, 20:] = np.nan
    assert set(classic_rules(lr, losses).values()) == {None}


# --- the shared tasks: what training at each rate really gave ---


def shared_tasks():
    """The finder tasks beside the checkout; see `LRLAB_FINDER_TASKS`."""
    beside = Path(__file__).parents[2] / "shared" / "finder"
    path = Path(os.environ.get("LRLAB_FINDER_TASKS", beside))
    path = path / "tasks.json" if path.is_dir() else path
    if not path.is_file():
        pytest.skip(f"no finder tasks at `{path}`; set LRLAB_FINDER_TASKS to have them checked")
    return json.loads(path.read_text())


def regret(task, kind, lr):
    """Points of accuracy lost against the best rate of the grid."""
    accuracy = 100 * np.array([truth["val_accuracy"] for truth in task[kind]])
    return accuracy.max() - np.interp(np.log(lr), np.log(task["grid"]), accuracy)


def suggestion(task) -> Suggestion:
    return suggest(task["lr"], np.array(task["loss_by_seed"], np.float64))


def test_regret_over_the_shared_tasks():
    tasks = shared_tasks()
    found = [suggestion(task) for task in tasks]
    assert {one.verdict for one in found} == {Verdict.OK}
    pairs = list(zip(tasks, found, strict=True))
    steady = [regret(task, "constant", one.steady_lr) for task, one in pairs]
    peak = [regret(task, "one_cycle", one.max_lr) for task, one in pairs]
    for regrets in (steady, peak):
        assert np.mean(regrets) <= 0.6
        assert np.max(regrets) <= 2.0


def test_spread_over_the_shared_tasks():
    spreads = np.array([suggestion(task).spread for task in shared_tasks()])
    assert np.mean(spreads <= 2) >= 0.9
