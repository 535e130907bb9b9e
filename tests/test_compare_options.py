"""`compare --until-sure`, `--target` and `--metric` on the command line, and budgets in words."""

import io
import json
import re
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest
from samples import run, summary
from typer.testing import CliRunner

from lrlab import console
from lrlab.analysis import looks, summaries
from lrlab.cli import app
from lrlab.errors import ResultsError
from lrlab.metric import ACCURACY
from lrlab.report import tables, unlike, verdict
from lrlab.results import comparison
from lrlab.results.asked import Reached, Summary
from lrlab.schedules import Length
from lrlab.training.jobs import Progress

STEADY = "schedule: {type: constant, lr: 0.005}\nepochs: 2\n"
SLOW = "schedule: {type: constant, lr: 0.0004}\nepochs: 2\n"


@pytest.fixture
def compare(tmp_path, write_config, small_npz):
    def call(*options, texts=(("steady", STEADY), ("slow", SLOW))):
        paths = [write_config(text, f"{name}.yaml") for name, text in texts]
        arguments = ["compare", *paths, "--data", small_npz, "--out", tmp_path / "out", *options]
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return call


def test_until_sure_with_a_target(compare, tmp_path):
    ended = compare("--until-sure", "--max-seeds", 6, "--target", "auto")
    assert ended.exit_code == 0, ended.output
    assert ended.stdout.startswith("steady is the best (val accuracy 0.9")
    assert "decided after 3 seeds: only steady is left; 6 runs, where 6 seeds" in ended.stdout
    assert "to reach val accuracy 0." in ended.stdout
    assert "test results are shown only for those that may be the best" in ended.stdout
    assert "peak learning rates 0.005 (steady), 0.0004 (slow)" in ended.stdout
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"target.png", "test-openings.json"} <= names
    assert "look after 3 seeds: slow cannot be the best; steady is left" in ended.stderr
    checked = CliRunner().invoke(app, ["check", str(tmp_path / "out")])
    assert checked.stdout == "checked 6 runs: 6 fine\n"
    drawn = CliRunner().invoke(app, ["plot", str(tmp_path / "out"), "--format", "svg"])
    assert (tmp_path / "out" / "target.svg").exists(), drawn.output


def test_json_hides_the_same_test_results(compare, tmp_path):
    ended = compare("--until-sure", "--max-seeds", 6, "--json")
    said = json.loads(ended.stdout)
    tests = {e["name"]: e["final"]["test_accuracy"]["mean"] for e in said["experiments"]}
    assert tests["steady"] > 0.8
    assert tests["slow"] is None
    assert said["test"]["shown"] == ["steady"]
    (record,) = (tmp_path / "out").glob("runs/slow-*/seed-0/run.json")
    assert json.loads(record.read_text())["test"]["accuracy"] > 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--until-sure", "--seeds", 5], "`--until-sure` chooses the number of seeds itself"),
        (["--within", 0.3], "`--within` and `--max-seeds` belong to `--until-sure`"),
        (["--max-seeds", 6], "`--within` and `--max-seeds` belong to `--until-sure`"),
        (["--until-sure", "--max-seeds", 2], "`--max-seeds` must be at least 3, got 2"),
        (["--until-sure", "--within", 0], "`--within` must be a number above 0, got 0"),
        (["--until-sure", "--metric", "test_accuracy"], "cannot go by test accuracy"),
        (["--target", "loss=0.3"], "unknown metric `loss`"),
        (["--target", "val_loss"], "`--target` must be `METRIC=VALUE` or `METRIC=auto`"),
    ],
)
def test_what_cannot_be_meant_is_refused(compare, tmp_path, options, said):
    ended = compare(*options)
    assert ended.exit_code == 2
    assert said in ended.stderr
    assert not (tmp_path / "out" / "runs").exists()


def test_one_experiment_has_nobody_to_be_compared_with(compare):
    ended = compare("--until-sure", texts=[("steady", STEADY)])
    assert (ended.exit_code, "there is only one" in ended.stderr) == (2, True)


# --- budgets and rates in words ---

THREE = [0.9, 0.902, 0.901]
FAR = [0.8, 0.802, 0.801]


def experiments(**changes):
    one = summary(*(run(value) for value in THREE), name="one")
    return summaries.compare(
        [one, summary(*(run(value) for value in FAR), name="other", **changes)]
    )


@pytest.mark.parametrize(
    ("changes", "begins"),
    [
        ({}, "one is the best"),
        ({"epochs": 5}, "with different budgets (2 to 5 epochs): one is the best"),
        ({"model": "cnn"}, "one is the best"),
    ],
)
def test_a_verdict_on_different_budgets_says_so(changes, begins):
    compared = experiments(**changes)
    assert verdict.first_line(compared, verdict.usual(compared)).startswith(begins)
    assert tables.to_markdown(compared).startswith(begins)


def test_equal_epochs_of_unequal_steps_are_different_budgets():
    compared = experiments(batch_size=128)
    one, other = compared.experiments
    compared = replace(compared, experiments=(one, replace(other, steps_per_epoch=4)))
    assert unlike.budgets(compared) == "with different budgets (2 to 8 steps): "
    assert unlike.settings(compared) == (
        "not like for like: batch_size 32 (one), 128 (other); steps 2 (one), 8 (other)"
    )


def test_peak_rates_are_told_where_they_differ():
    compared = experiments()
    assert unlike.peaks(compared) == ""
    one, other = compared.experiments
    assert (one.peak_lr, other.peak_lr) == (0.25, 0.25)
    compared = replace(compared, experiments=(one, replace(other, peak_lr=0.02)))
    assert unlike.peaks(compared) == (
        "peak learning rates 0.25 (one), 0.02 (other); each is compared at its own rate, not at "
        "its best one"
    )
    older = replace(compared, experiments=(one, replace(other, peak_lr=None)))
    assert unlike.peaks(older) == ""


def test_many_experiments_of_one_value_are_counted():
    same = [summary(run(0.5), name=f"e{i}") for i in range(6)]
    other = summary(run(0.5), name="other", batch_size=64)
    said = unlike.settings(summaries.compare([*same, other]))
    assert said == "not like for like: batch_size 32 (6 experiments), 64 (other)"


def test_hostile_parts_of_a_comparison_are_refused(tmp_path):
    """A comparison whose parts do not fit is damaged, not drawn."""
    compared = experiments()
    one, other = compared.experiments
    short = Summary(1.0, None, None, (1.0,))
    bad = replace(one, reached=Reached((1,), short, short, short))
    comparison.write(tmp_path, replace(compared, experiments=(bad, other)), {})
    with pytest.raises(ResultsError, match="must have as many values as seeds"):
        comparison.read(tmp_path)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("looks", {"at": [3, 6], "metric": "x\u202e", "within": None}),
        ("target", {"metric": "f1", "mode": "max", "value": 1, "origin": "", "horizon": 2}),
        ("test", {"metric": "val_f1", "shown": [], "openings": [], "earlier": []}),
    ],
)
def test_a_metric_that_the_experiments_do_not_have_is_refused(tmp_path, part, value):
    path = tmp_path / comparison.FILE
    stated = json.loads(comparison.to_json(experiments())) | {part: value}
    path.write_text(json.dumps(stated))
    with pytest.raises(ResultsError, match=rf"{part}.metric must be one of val_accuracy, val_loss"):
        comparison.read(tmp_path)


@pytest.mark.parametrize("at", [[1], [24, 3], [3, 3, 3], [10**9]])
def test_odd_looks_are_judged_without_a_bug(tmp_path, at):
    planned = {"at": at, "metric": "val_accuracy", "within": None}
    stated = json.loads(comparison.to_json(experiments())) | {"looks": planned}
    (tmp_path / comparison.FILE).write_text(json.dumps(stated))
    read = comparison.read(tmp_path)
    assert isinstance(tables.to_markdown(read), str)


# --- the live view ---


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class PlannedRun:
    name, seed, length = "power", 1, Length(10, 2)
    setup = SimpleNamespace(task=SimpleNamespace(metric=ACCURACY))


def test_the_live_view_says_what_is_undecided(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setattr(sys, "stderr", Terminal())
    report, run_ = console.LiveReporter(), PlannedRun()
    scores = {"power": THREE, "linear": THREE[::-1], "far": FAR}
    report.looking(looks.stand({}, looks.planned(), mode="max"), 24)
    report.looking(looks.stand(scores, looks.planned(), mode="max"), 24)
    with report.planned([run_], 2, 0, 1):
        report.progress(run_, Progress(12, 0.025, 0.75, 0.8125))
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", sys.stderr.getvalue())
    assert "look after 3 seeds: far cannot be the best; power and linear are left" in shown
    assert "undecided: power and linear; next look after 6 seeds, the last one after 24" in shown
