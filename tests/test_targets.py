"""Targets: when a run has reached one, which one is chosen, and how experiments compare by it."""

from dataclasses import replace

import numpy as np
import pytest
from samples import DIVERGED, FAILED, run, summary

from lrlab.analysis import judging, reaching, summaries, targets
from lrlab.metric import ACCURACY, LOSS
from lrlab.plots import target_figure
from lrlab.report import remarks, tables

VAL = ACCURACY.on("val")


@pytest.mark.parametrize(
    ("values", "target", "mode", "epochs"),
    [
        ([0.7, 0.8, 0.9], 0.8, "max", 2),
        ([0.7, 0.8, 0.79, 0.8, 0.9], 0.8, "max", 4),
        ([0.8, 0.8], 0.8, "max", 1),
        ([0.7, 0.7, 0.8], 0.8, "max", None),
        ([0.9], 0.8, "max", None),
        ([], 0.8, "max", None),
        ([0.5, 0.3, 0.3], 0.3, "min", 2),
        ([0.5, float("nan"), 0.3, 0.2], 0.3, "min", 3),
    ],
)
def test_two_epochs_in_a_row_reach_it(values, target, mode, epochs):
    assert targets.epochs_to(values, target, mode) == epochs


def test_the_share_of_runs_that_reached_it_is_a_line_of_steps():
    epochs, shares = targets.share_reached([2, 2, None, 5, 9], 6)
    assert epochs.tolist() == [0, 2, 2, 5, 5, 6]
    assert shares.tolist() == [0, 0, 0.4, 0.4, 0.6, 0.6]
    epochs, shares = targets.share_reached([None], 3)
    assert (epochs.tolist(), shares.tolist()) == ([0, 3], [0, 0])


@pytest.mark.parametrize(
    ("finals", "mode", "baseline", "value"),
    [
        ({"constant": [0.1, 0.3, 0.2], "x": [0.9]}, "max", "constant", 0.2),
        ({"a": [0.1], "b": [0.5, 0.5], "c": [0.9]}, "max", None, 0.5),
        ({"a": [0.1], "b": [0.9]}, "max", None, 0.1),
        ({"a": [0.1], "b": [0.9]}, "min", None, 0.9),
        ({"constant": [], "b": [0.9]}, "max", "constant", 0.9),
        ({"a": []}, "max", None, None),
    ],
)
def test_the_automatic_target(finals, mode, baseline, value):
    assert targets.automatic(finals, mode, baseline) == value


def compared(*, value=None, metric=VAL, constant="constant"):
    """Three experiments of four epochs: fast, slow (of the type `constant`), and one in trouble."""
    runs = {
        "fast": [run(0.5, 0.8, 0.9, 0.9), run(0.8, 0.8, 0.9, 0.9), run(0.5, 0.8, 0.8, 0.9)],
        constant: [run(0.1, 0.3, 0.5, 0.8), run(0.1, 0.3, 0.8, 0.8), run(0.2, 0.3, 0.5, 0.8)],
        "wild": [run(0.9, 0.9, 0.9, 0.9, seconds=8.0), DIVERGED, FAILED],
    }
    kind = {"type": "constant", "lr": 0.1}
    made = [
        summary(*of, name=name, epochs=4, **({"schedule": kind} if name == constant else {}))
        for name, of in runs.items()
    ]
    results = {
        folder: result
        for e, of in zip(made, runs.values(), strict=True)
        for folder, result in zip(e.runs, of, strict=True)
    }
    return reaching.with_target(summaries.compare(made), results, metric, value)


def test_epochs_steps_and_seconds():
    fast, slow, wild = compared(value=0.8).experiments
    assert fast.reached.after == (2, 1, 2)
    assert slow.reached.after == (None, 3, None)
    assert slow.reached.epochs.values == (4.0, 3.0, 4.0)
    assert (slow.reached.count, slow.reached.of) == (1, 3)
    assert fast.reached.steps.values == (2.0, 1.0, 2.0)
    assert fast.reached.seconds.values == (1.0, 0.5, 1.0)
    assert wild.reached.after == (1, None, None)
    assert wild.reached.epochs.values == (1.0, 4.0, None)
    assert (wild.reached.count, wild.reached.of) == (1, 2)


def test_the_constant_one_gives_the_automatic_target():
    found = compared().target
    assert (found.metric, found.value, found.horizon) == ("val_accuracy", 0.8, 4)
    assert found.origin == "the median final result of constant"
    by_type = compared(constant="steady").target
    assert by_type.origin == "the median final result of steady"


def test_a_loss_is_reached_from_above():
    found = compared(metric=LOSS.on("val"), value=0.61)
    assert found.target.mode == "min"
    assert found.experiments[0].reached.after == (3, 3, 3)


def test_the_table_says_how_many_reached_it():
    titles, rows = tables.table(compared(value=0.8))
    at = titles.index("reached")
    assert [row[at][0] for row in rows] == ["3 of 3", "1 of 3", "1 of 2"]
    at = titles.index("epochs to target")
    assert [row[at][0] for row in rows] == ["1.7 ± 0.6", "3.7 ± 0.6", "2.5 ± 2.1"]
    header, *lines = tables.to_csv(compared(value=0.8)).splitlines()
    assert header.endswith("runs_that_reached_target")
    assert [line.rpartition(",")[2] for line in lines] == ["3", "1", "1"]
    assert "epochs_to_target_mean" in header
    assert "seconds_to_target_ci95" in header


def test_the_fastest_is_told_in_words():
    (what,) = remarks.target(compared(value=0.8))
    assert what == (
        "the target val accuracy 0.8000 (stated) is reached with the first of 2 epochs in a row; a "
        "run that does not reach it counts as 4 epochs"
    )
    assert (
        remarks.target(compared(value=0.95))[0] == "to reach val accuracy 0.9500: no run reached it"
    )
    two = compared(value=0.8)
    two = replace(two, experiments=two.experiments[:2])
    assert remarks.target(two)[0] == (
        "to reach val accuracy 0.8000: fast is the fastest (1.7 epochs); constant is slower by 0.7 "
        "to 3.3 epochs"
    )


def test_equal_counts_of_epochs_are_not_taken_for_certainty():
    """All three runs of each reach it in the same epoch, one epoch apart: rounding hides more."""
    early = [run(0.8, 0.8, 0.8)] * 3
    late = [run(0.5, 0.8, 0.8)] * 3
    made = [summary(*early, name="early", epochs=3), summary(*late, name="late", epochs=3)]
    results = dict(zip(made[0].runs + made[1].runs, early + late, strict=True))
    found = judging.judge_target(reaching.with_target(summaries.compare(made), results, VAL, 0.8))
    assert found.best_set[0] == "early"
    low, high = found.behind["late"]
    assert low < 1 < high


def test_no_target_where_no_run_finished():
    lost = [summary(FAILED, name="a"), summary(FAILED, name="b")]
    results = {folder: FAILED for e in lost for folder in e.runs}
    made = reaching.with_target(summaries.compare(lost), results, VAL, None)
    assert made.target is None
    assert made.experiments[0].reached is None


def test_the_figure_has_a_line_for_each_experiment():
    made = compared(value=0.8)
    figure = target_figure.draw(made, made.target, "some data")
    (ax,) = figure.axes
    labels = [line.get_label() for line in ax.get_lines()]
    assert labels == ["fast\n(3 of 3)", "constant\n(1 of 3)", "wild\n(1 of 2)"]
    x, y = ax.get_lines()[0].get_data()
    np.testing.assert_array_equal(x, [0, 1, 1, 2, 2, 4])
    np.testing.assert_allclose(y, [0, 0, 1 / 3, 1 / 3, 1, 1])
    assert ax.get_ylim()[1] > 1
