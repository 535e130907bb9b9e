"""Warnings before training: a table of schedules and what is said of them."""

from __future__ import annotations

import pytest

from lrlab import config
from lrlab.errors import ConfigError

# With 100 steps an epoch and 10 epochs.
WARNED = {
    "warm-up past the end": (
        "{type: constant, lr: 0.1, warmup: {for: 10 epochs}}",
        "bad.yaml:1:51: schedule.warmup.for: the warm-up's end is past the end of the run "
        "(10 epochs, 1,000 steps); it is `10 epochs` long",
    ),
    "boundary past the end": (
        "{type: piecewise, values: [0.1, 0.01], boundaries: [10 epochs]}",
        "bad.yaml:1:63: schedule.boundaries.0: `10 epochs` is past the end of the run "
        "(10 epochs, 1,000 steps); the rate 0.01 is never used",
    ),
    "boundary past the end because of the warm-up": (
        "{type: multistep, initial_lr: 0.1, boundaries: [95%, 960 steps], warmup: {for: 5%}}",
        "bad.yaml:1:64: schedule.boundaries.1: `960 steps` is past the end",
    ),
    "phase past the end": (
        "{type: sequence, phases: [{for: 1000 steps, type: constant, lr: 1}, "
        "{type: constant, lr: 2}]}",
        "bad.yaml:1:79: schedule.phases.1: begins at step 1,000, past the end of the run",
    ),
    "step that never comes": (
        "{type: step, initial_lr: 0.1, every: 20 epochs}",
        "bad.yaml:1:11: schedule: the rate stays at 0.1 for all 1,000 steps",
    ),
    "patience longer than the run": (
        "{type: performance, initial_lr: 0.1, patience: 9}",
        "bad.yaml:1:58: schedule.patience: the rate stays at 0.1: it cannot move before the end "
        "of epoch 10, and the run has 10",
    ),
    "patience longer than what the warm-up leaves": (
        "{type: greedy, initial_lr: 0.1, patience: 7, warmup: {for: 150 steps}}",
        "schedule.patience: the rate stays at 0.1: it cannot move before the end of epoch 10",
    ),
    "zero for half the run": (
        "{type: linear_to_zero, max_lr: 0.1, over: 50%}",
        "schedule: the rate is 0 for 500 steps, from step 500 on",
    ),
    "above 10": (
        "{type: cosine, initial_lr: 12}",
        "schedule: the rate is above 10 from step 0 on and reaches 12; hardly any",
    ),
    "short peak": (
        "{type: inverse_sqrt, max_lr: 0.1, s: 5 steps}",
        "schedule: the rate is near its peak 0.1 for only 2 steps, around step 5 of 1,000",
    ),
}

SILENT = [
    "{type: constant, lr: 0.1}",
    "{type: constant, lr: 0.1, warmup: {for: 5%}}",
    "{type: one_cycle, max_lr: 0.1}",
    "{type: one_cycle, variant: pytorch, max_lr: 0.1}",
    "{type: wsd, max_lr: 0.1}",
    "{type: linear_to_zero, max_lr: 0.1}",
    "{type: cyclic, min_lr: 0, max_lr: 0.1}",
    "{type: cosine_restarts, initial_lr: 0.1, period: 1 epoch}",
    "{type: performance, initial_lr: 0.1, patience: 8}",
    "{type: piecewise, values: [0.1, 0.01], boundaries: [999 steps]}",
    "{type: sequence, phases: [{for: 999 steps, type: constant, lr: 1}, {type: constant, lr: 2}]}",
]


def warnings(text):
    return config.warnings(config.parse(f"schedule: {text}", "bad.yaml"), steps_per_epoch=100)


@pytest.mark.parametrize(("text", "message"), WARNED.values(), ids=WARNED.keys())
def test_warned(text, message):
    (found,) = warnings(text)
    assert message in found
    assert "\n  | " in found
    assert found.endswith("^")


@pytest.mark.parametrize("text", SILENT)
def test_silent(text):
    assert warnings(text) == []


def test_a_formula_that_fails_later_in_the_run_is_an_error():
    with pytest.raises(ConfigError, match=r"bad.yaml:1:11: schedule: gives -0.1 at step 791; "):
        warnings("{type: formula, expression: '(7.9 - epoch) // 1 / 10'}")
