"""Short runs around a suggestion: which rates, how they refine it, and all of it in earnest."""

import json
import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from told import Told

from lrlab import config, console, experiment
from lrlab.finder.verification import FACTORS, REACH, rates_around, refined
from lrlab.results import sweep_record


def test_rates_lie_around_the_suggestion():
    rates = rates_around(0.06)
    assert rates == tuple(sorted(rates))
    assert rates[len(rates) // 2] == 0.06
    np.testing.assert_allclose([rates[0], rates[-1]], [0.02, 0.18], rtol=1e-12)


def losses_with_bottom_at(factor):
    """Return a parabola's losses at the rates around 1."""
    return [0.4 + 0.01 * (math.log(rate) - math.log(factor)) ** 2 for rate in FACTORS]


CASES = {
    "at the suggestion": (losses_with_bottom_at(1.0), 9.0, 1.0),
    "below": (losses_with_bottom_at(0.7), 9.0, 0.7),
    "above": (losses_with_bottom_at(1.6), 9.0, 1.6),
    "out of reach above": (losses_with_bottom_at(5.0), 9.0, REACH),
    "out of reach below": (losses_with_bottom_at(0.1), 9.0, 1 / REACH),
    "above what is stable": (losses_with_bottom_at(1.6), 1.2, 1.2),
    "no bottom, best first": ([0.4, 0.45, 0.5, 0.45, 0.41], 9.0, 1 / REACH),
    "the highest broke down": ([0.50, 0.45, 0.42, None, None], 9.0, None),
    "one survivor": ([None, None, 0.4, None, None], 9.0, 1.0),
    "two rates too high do not count beyond the cliff": ([0.41, 0.4, 0.41, 9.0, 99.0], 9.0, None),
}


@pytest.mark.parametrize(("losses", "highest", "expected"), CASES.values(), ids=CASES.keys())
def test_refined(losses, highest, expected):
    found = refined(rates_around(1.0), losses, highest)
    if expected is None:
        assert 1 / REACH <= found < 1.0
    else:
        assert found == pytest.approx(expected, rel=1e-9)


def test_nothing_is_refined_where_every_run_broke_down():
    assert refined(rates_around(1.0), [None] * len(FACTORS), 9.0) is None


@given(
    st.lists(st.none() | st.floats(1e-3, 1e3), min_size=5, max_size=5).filter(any),
    st.floats(1e-6, 1.0),
)
def test_refined_stays_within_reach_and_has_no_scale(losses, lr):
    found = refined(rates_around(lr), losses, highest=math.inf)
    doubled = refined(rates_around(lr), [x and 2 * x for x in losses], highest=math.inf)
    assert lr / REACH * (1 - 1e-9) <= found <= lr * REACH * (1 + 1e-9)
    assert doubled == pytest.approx(found, rel=1e-6)


# --- in earnest ---


@pytest.fixture(scope="module")
def verified(tmp_path_factory):
    """A verified sweep of the reference model on noisy images of 4 classes, and its folder."""
    rng = np.random.default_rng(5)
    y = rng.permutation(np.arange(4_000) % 4).astype(np.uint8)
    x = 128 + 25 * rng.normal(size=(4, 36))[y] + 50 * rng.normal(size=(len(y), 36))
    x = np.clip(x, 0, 255).astype(np.uint8).reshape(-1, 6, 6)
    out = tmp_path_factory.mktemp("verified")
    np.savez(out / "noisy.npz", x_train=x, y_train=y)
    read = config.reference(config.overrides([], data=str(out / "noisy.npz")))
    told = Told()
    record = experiment.find_lr(
        read, out=out, seeds=2, report=told, max_lr=10.0, steps=240, verify=True
    )
    assert told.warnings == []
    sweep_record.write(out, record)
    return record, out


def test_verified_rates_stand_beside_those_of_the_sweep(verified):
    record, out = verified
    about = json.loads((out / "sweep.json").read_text())
    assert about["verdict"] == "ok"
    for name in ("steady_lr", "max_lr"):
        assert about["verified"][name] <= about["highest_stable_lr"]
        assert 1 / 2.01 <= about["verified"][name] / about[name] <= 2.01
    runs = about["verified"]["runs"]
    assert [run["schedule"] for run in runs] == 5 * ["constant"] + 5 * ["one_cycle"]
    assert [run["lr"] for run in runs[:5]] == pytest.approx(
        rates_around(about["steady_lr"]), rel=0.01
    )
    assert all(0.25 < run["val_accuracy"] <= 1 for run in runs)
    assert sweep_record.read(out).summary == record.summary


def test_table_shows_both_and_the_classic_rules_only_if_asked(verified, capsys):
    record, _ = verified
    console.print_sweep(record, rules=True)
    with_rules = capsys.readouterr().out
    console.print_sweep(record)
    without = capsys.readouterr().out
    assert re.search(r"^ +sweep +verified", without)
    for name in ("steady_lr", "max_lr"):
        values = getattr(record.summary, name), getattr(record.summary.verified, name)
        row = " +".join(re.escape(f"{value:.3g}") for value in values)
        assert re.search(rf"^{name} +{row} ", without, re.MULTILINE)
    for name, value in record.summary.rules.items():
        assert re.search(rf"^{name} +{value:.3g} +alternative: ", with_rules, re.MULTILINE)
        assert not re.search(rf"^{name} ", without, re.MULTILINE)
