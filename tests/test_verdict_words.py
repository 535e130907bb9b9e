"""What the verdict says: a table of scores and sentences, read as somebody without statistics."""

import math

import pytest

from lrlab import metric
from lrlab.analysis.best_set import best_set
from lrlab.errors import UsageError
from lrlab.report.verdict import headline, in_row, metric_of, what_more_seeds_bring

ACCURACY, LOSS = metric.ACCURACY.on("val"), metric.LOSS.on("val")
NAN = math.nan
A, B = [0.900, 0.902, 0.901], [0.901, 0.899, 0.9005]
FAR, NEAR = [0.800, 0.801, 0.8005], [0.890, 0.894, 0.892]

# name: (scores, the sentence, what the rows say)
SAID = {
    "a single experiment": ({"a": A}, "", [""]),
    "one seed": (
        {"a": A[:1], "b": B[:1]},
        "no ranking: one seed says nothing about luck; run `--seeds 3` or more",
        ["", ""],
    ),
    "two seeds": (
        {"a": A[:2], "b": B[:2]},
        "no verdict with two seeds; a third one allows it: `--seeds 3`, better 5",
        ["", ""],
    ),
    "a winner": (
        {"a": A, "far": FAR},
        "a is the best (val accuracy 0.9010); far is worse by 9.8 to 10.3 points",
        ["the best", "worse by 9.8 to 10.3"],
    ),
    "two that may be": (
        {"a": A, "b": B, "far": FAR},
        "a and b may each be the best (a leads with val accuracy 0.9010); far is worse by 9.7 to "
        "10.3 points",
        ["may be the best", "may be the best", "worse by 9.7 to 10.3"],
    ),
    "a winner with a run that did not finish": (
        {"a": [*A, NAN], "far": [*FAR, 0.8]},
        "a may be the best (val accuracy 0.9010), but only 3 of 4 runs finished; far is worse by "
        "9.9 to 10.3 points",
        ["may be the best", "worse by 9.9 to 10.3"],
    ),
    "one that never finished": (
        {"a": A, "far": FAR, "lost": [NAN, NAN, NAN]},
        "a is the best (val accuracy 0.9010); far is worse by 9.8 to 10.3 points; lost has too "
        "few finished runs to say",
        ["the best", "worse by 9.8 to 10.3", "0 of 3 runs finished"],
    ),
}


@pytest.mark.parametrize(("scores", "sentence", "rows"), SAID.values(), ids=SAID.keys())
def test_said(scores, sentence, rows):
    verdict = best_set(scores)
    assert headline(verdict, ACCURACY) == sentence
    assert [in_row(verdict, name, ACCURACY) for name in scores] == rows


def test_all_alike_says_what_may_be_luck():
    verdict = best_set({"a": A, "b": B, "c": [0.8995, 0.902, 0.901]})
    said = headline(verdict, ACCURACY)
    assert said.startswith("none can be told from the others (a leads with val accuracy 0.9010): ")
    assert said.endswith("points may be luck")


def test_loss_is_told_without_points_and_low_is_good():
    verdict = best_set({"a": [0.30, 0.31, 0.305], "b": [0.5, 0.51, 0.505]}, mode="min")
    said = headline(verdict, LOSS)
    assert said.startswith("a is the best (val loss 0.3050); b is worse by 0.1")
    assert "points" not in said


def test_more_seeds_are_promised_only_where_they_are_needed():
    assert what_more_seeds_bring(best_set({"a": A, "far": FAR}), ACCURACY) == ""
    said = what_more_seeds_bring(best_set({"a": A, "b": B, "near": NEAR}), ACCURACY)
    assert said.startswith("3 seeds show differences of about ")
    assert said.endswith(" seeds would show half of that")


def test_many_are_summed_up():
    scores = {f"s{i:02}": [0.9 - i / 100, 0.901 - i / 100, 0.902 - i / 100] for i in range(12)}
    said = headline(best_set(scores), ACCURACY)
    assert said.startswith("s00 is the best")
    assert said.endswith("so are 5 others")


@pytest.mark.parametrize("written", ["val_loss", "val loss", "VAL-LOSS"])
def test_metric_however_it_is_written(written):
    assert metric_of(written) == LOSS


def test_unknown_metric():
    with pytest.raises(UsageError, match="unknown metric `f1`"):
        metric_of("f1")


def test_an_experiment_with_too_few_finished_runs_is_named():
    scores = {"a": [0.9, 0.91, 0.92], "b": [0.8, 0.81, math.nan]}
    said = headline(best_set(scores), ACCURACY)
    assert said == "no verdict: b has fewer than 3 finished runs"
    scores["b"] = [math.nan] * 3
    said = headline(best_set(scores), ACCURACY)
    assert said == "no verdict: only one experiment has finished runs"
    scores["a"] = [math.nan] * 3
    said = headline(best_set(scores), metric.ACCURACY.on("test"))
    assert said == "no verdict: no finished run has a test accuracy"


def test_seeds_that_did_not_finish_are_not_asked_for_again():
    said = headline(best_set({"a": [0.9, 0.8, NAN], "b": [0.7, 0.8, NAN]}), ACCURACY)
    assert said == "no verdict: 2 finished runs of an experiment at most, and 3 are needed"
