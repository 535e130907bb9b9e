import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrlab.schedules import Length
from lrlab.schedules.durations import LONGEST, SHORTEST, Duration, parse

GOOD = {
    "20 epochs": Duration(20, "epochs"),
    "1 epoch": Duration(1, "epochs"),
    "500 steps": Duration(500, "steps"),
    "1 step": Duration(1, "steps"),
    "30%": Duration(30, "%"),
    "30 %": Duration(30, "%"),
    "0.5 epochs": Duration(0.5, "epochs"),
    ".5epochs": Duration(0.5, "epochs"),
    "1e3 steps": Duration(1000, "steps"),
    "1.5E+2 steps": Duration(150, "steps"),
    "  7  steps  ": Duration(7, "steps"),
    "120%": Duration(120, "%"),
}


@pytest.mark.parametrize(("text", "duration"), GOOD.items(), ids=GOOD.keys())
def test_parse(text, duration):
    assert parse(text) == duration


def test_parse_leaves_a_duration_alone():
    assert parse(Duration(3, "steps")) == Duration(3, "steps")


WAYS = "write `20 epochs`, `20 steps` or `20%` (of the run)"
BAD = {
    "bare number": (20, f"needs a unit: {WAYS}"),
    "bare float": (
        0.5,
        "needs a unit: write `0.5 epochs`, `0.5 steps` or `0.5%` (of the run)",
    ),
    "bare large number": (
        1_500_000,
        "needs a unit: write `1500000 epochs`, `1500000 steps` or `1500000%` (of the run)",
    ),
    "number as text": ("20", f"must be a duration, got `20`; {WAYS}"),
    "unknown unit": ("20 hours", f"must be a duration, got `20 hours`; {WAYS}"),
    "unit with a capital": ("20 Epochs", f"must be a duration, got `20 Epochs`; {WAYS}"),
    "unit alone": ("epochs", f"must be a duration, got `epochs`; {WAYS}"),
    "two durations": ("1 epoch 2 steps", f"must be a duration, got `1 epoch 2 steps`; {WAYS}"),
    "empty": ("", f"must be a duration, got ``; {WAYS}"),
    "negative": ("-2 epochs", f"must be a duration, got `-2 epochs`; {WAYS}"),
    "digits of another script": ("٣ epochs", f"must be a duration, got `٣ epochs`; {WAYS}"),
    "endless": ("1" * 99 + "%", f"must be a duration, got `{'1' * 57}...`; {WAYS}"),
    "true": (True, f"must be a duration, got `true`; {WAYS}"),
    "null": (None, f"must be a duration, got `null`; {WAYS}"),
    "list": (["1 epoch"], f"must be a duration, got `['1 epoch']`; {WAYS}"),
    "zero": ("0 steps", "must be longer than 0 and finite, got `0 steps`"),
    "bare zero": (0, "must be longer than 0 and finite, got `0`"),
    "bare negative": (-2, "must be longer than 0 and finite, got `-2`"),
    "NaN": (math.nan, "must be longer than 0 and finite, got `.nan`"),
    "infinite": (math.inf, "must be longer than 0 and finite, got `.inf`"),
    "overflow": ("1e999 steps", "must be longer than 0 and finite, got `1e999 steps`"),
    "absurdly long": ("1e10 steps", "must be from 1e-06 to 1e+09, got `1e10 steps`"),
    "absurdly short": ("1e-7%", "must be from 1e-06 to 1e+09, got `1e-7%`"),
    "underflow": ("1e-999 steps", "must be longer than 0 and finite, got `1e-999 steps`"),
}


@pytest.mark.parametrize(("value", "message"), BAD.values(), ids=BAD.keys())
def test_parse_refuses(value, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        parse(value)


STEPS = {
    "2 epochs": 200,
    "0.25 epochs": 25,
    "7 steps": 7,
    "30%": 300,
    "100%": 1000,
    "0.1%": 1,
}


@pytest.mark.parametrize(("text", "steps"), STEPS.items(), ids=STEPS.keys())
def test_in_steps(text, steps):
    assert parse(text).in_steps(Length(100, 10)) == steps


def test_percent_of_a_run_is_exact():
    assert Duration(30, "%").in_steps(Length(1719, 10)) == 5157


TEXTS = {
    "1 epoch": Duration(1, "epochs"),
    "1.5 epochs": Duration(1.5, "epochs"),
    "1 step": Duration(1, "steps"),
    "10000000 steps": Duration(1e7, "steps"),
    "30%": Duration(30, "%"),
    "0.1%": Duration(0.1, "%"),
    "0.3333333333333333 epochs": Duration(1 / 3, "epochs"),
}


@pytest.mark.parametrize(("text", "duration"), TEXTS.items(), ids=TEXTS.keys())
def test_str(text, duration):
    assert str(duration) == text


@given(
    value=st.floats(SHORTEST, LONGEST) | st.integers(1, int(LONGEST)),
    unit=st.sampled_from(["epochs", "steps", "%"]),
)
def test_round_trip(value, unit):
    duration = Duration(value, unit)
    assert parse(str(duration)) == duration
