"""The predicted best factor on a schedule, held against a literal double loop and known ratios."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lrlab
from lrlab.errors import UsageError

STEPS_PER_EPOCH, EPOCHS = 1_719, 10  # The reference experiment: the ratios grow with its log.


def literal(eta):
    """The formula as it is written, term by term."""
    total = sum(eta)
    t1 = 1 / (2 * total)
    t2 = sum(rate**2 for rate in eta) / (2 * total)
    t3 = 0.0
    for k in range(len(eta) - 1):
        later = sum(eta[t] for t in range(k + 1, len(eta)))
        squares = sum(eta[t] ** 2 for t in range(k, len(eta)))
        from_here = sum(eta[t] for t in range(k, len(eta)))
        t3 += 0.5 * eta[k] / later * squares / from_here
    return math.sqrt(t1 / (t2 + t3))


@given(st.lists(st.floats(0, 10), min_size=1, max_size=40), st.floats(1e-3, 10))
@settings(max_examples=200)
def test_it_is_the_double_loop(rates, last):
    rates = [rate if rate > 1e-6 else 0.0 for rate in rates] + [last]
    assert lrlab.predicted_scale(rates) == pytest.approx(literal(rates), rel=1e-9)


# schedule: its best peak over that of a constant rate, as the design lists it
RATIOS = {
    "linear": ({"type": "linear", "initial_lr": 1.0}, 3.4),
    "cosine": ({"type": "cosine", "initial_lr": 1.0}, 3.3),
    "1cycle": ({"type": "one_cycle", "max_lr": 1.0}, 3.1),
    "wsd": ({"type": "wsd", "max_lr": 1.0, "decay": "20%", "shape": "linear"}, 1.7),
    "exponential": ({"type": "exponential", "initial_lr": 1.0, "s": "100%"}, 3.7),
}


@pytest.mark.parametrize(("schedule", "expected"), RATIOS.values(), ids=RATIOS)
def test_ratios_to_a_constant_rate(schedule, expected):
    rates = lrlab.rates(schedule, STEPS_PER_EPOCH, EPOCHS)
    constant = np.full(len(rates), rates.max())
    found = lrlab.predicted_scale(rates) / lrlab.predicted_scale(constant)
    assert found == pytest.approx(expected, abs=0.06)


def test_a_single_step_wants_the_inverse_of_its_rate():
    assert lrlab.predicted_scale([0.5]) == pytest.approx(2.0)
    assert lrlab.predicted_scale([0.0, 0.5, 0.0, 0.0]) == pytest.approx(2.0)


def test_steps_at_zero_at_the_end_change_nothing():
    rates = [0.1, 0.2, 0.1]
    assert lrlab.predicted_scale([*rates, 0.0, 0.0]) == lrlab.predicted_scale(rates)
    assert np.isfinite(lrlab.predicted_scale([*rates, 0.0, 0.1]))


@pytest.mark.parametrize("factor", [1e-200, 1e-3, 7.0, 1e200])
def test_a_factor_on_the_curve_divides_it(factor):
    rates = np.linspace(1, 0.01, 100)
    expected = lrlab.predicted_scale(rates) / factor
    assert lrlab.predicted_scale(rates * factor) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("rates", "said"),
    [
        ([], "at least one step, got the shape (0,)"),
        ([[0.1]], "one dimension and at least one step, got the shape (1, 1)"),
        (0.1, "got the shape ()"),
        ([0.0, 0.0], "are all 0"),
        ([0.1, -0.1], "must be finite and not negative, got -0.1 at step 1"),
        ([0.1, math.nan], "got nan at step 1"),
        ([math.inf], "got inf at step 0"),
        (["fast"], "must be numbers, got list"),
        ({"lr": 1}, "must be numbers, got dict"),
    ],
)
def test_what_are_no_rates(rates, said):
    with pytest.raises(UsageError) as caught:
        lrlab.predicted_scale(rates)
    assert said in caught.value.message


def test_it_takes_millions_of_steps():
    assert lrlab.predicted_scale(np.ones(2_000_000)) == pytest.approx(
        1 / math.sqrt(2_000_000 * (1 + math.log(2_000_000))), rel=0.05
    )
