"""Short runs that verify a suggestion: which rates come next, what they say, and in earnest."""

import json
import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from told import Told
from typer.testing import CliRunner

from lrlab import config, console, experiment
from lrlab.cli import app
from lrlab.finder.extending import Stated
from lrlab.finder.trials import FIRST_SEED, Trial
from lrlab.finder.verification import MOST_RUNS, error_of, proposals, refined
from lrlab.plots import sweep_figure
from lrlab.results import sweep_record


def searched(error):
    """Return all results of a search and its rounds, `error` telling what a trial gives."""
    results, rounds = {}, []
    while trials := proposals(results):
        assert not set(trials) & set(results)
        rounds.append(trials)
        results |= {trial: error(trial) for trial in trials}
    return results, rounds


def valley(bottom, cliff=math.inf):
    return lambda trial: None if trial.step > cliff else 0.1 + 0.05 * (trial.step - bottom) ** 2


FOUND = {
    "at the suggestion": (valley(0), 0),
    "between two rates": (valley(0.4), 0.4),
    "below": (valley(-2.3), -2.3),
    "above": (valley(2.3), 2.3),
    "far above": (valley(6), 6),
    "beyond a cliff": (valley(3, cliff=1), 0),
    "at a cliff": (valley(0, cliff=0), -1),
    "just below a cliff": (valley(0, cliff=1), 0),
    "far below, beyond a cliff": (valley(-4, cliff=-4), -5),
}


@pytest.mark.parametrize(("error", "expected"), FOUND.values(), ids=FOUND.keys())
def test_the_search_finds_the_best_rate(error, expected):
    results, rounds = searched(error)
    assert len(results) <= MOST_RUNS
    assert [trial.step for trial in rounds[0]] == [-1, 0, 1]
    assert math.log2(refined(results)) == pytest.approx(expected, abs=0.3)


def test_a_rate_is_not_trusted_because_nothing_higher_was_tried():
    results, _ = searched(valley(40))
    highest = max(step for step, _ in results)
    assert refined(results) <= 2.0 ** (highest - 1)


def test_the_answer_stays_a_quarter_below_a_breakdown_and_half_below_a_clear_loss():
    errors = {-2: 0.3, -1: 0.25, 0: 0.2, 1: 0.15, 2: 0.1}
    lower = {Trial(step, 0): error for step, error in errors.items()}
    assert refined(lower | {Trial(3, 0): None}) == 2.0
    assert refined(lower | {Trial(3, 0): 0.13}) <= 4.0
    assert refined(lower | {Trial(3, 0): 0.11, Trial(3, 1): None}) == 2.0


def test_a_run_that_learned_nothing_at_too_low_a_rate_broke_nothing():
    results = {Trial(-1, 0): None, Trial(0, 0): 0.2, Trial(1, 0): 0.1, Trial(2, 0): 0.2}
    assert refined(results) == pytest.approx(2.0)


def test_a_confirmation_that_moves_the_best_rate_to_the_end_reopens_the_search():
    def flattered(trial):
        return 0.17 if trial == Trial(1, 0) else 0.1 + 0.02 * abs(trial.step - 3)

    results, _ = searched(flattered)
    assert Trial(4, 0) in results
    assert math.log2(refined(results)) == pytest.approx(3, abs=0.3)


def test_the_best_rate_is_bracketed_and_confirmed_with_another_seed():
    results, _ = searched(valley(0.9))
    assert {step for step, seed in results if seed == 1} == {0, 1, 2}


def test_a_lucky_run_is_found_out():
    def lucky(trial):
        return 0.09 if trial == Trial(1, 0) else 0.1 + 0.02 * abs(trial.step + trial.seed / 10)

    results, _ = searched(lucky)
    assert Trial(1, 1) in results
    assert refined(results) <= 1.5


def test_a_rate_that_breaks_down_with_the_other_seed_is_not_exceeded():
    def brittle(trial):
        return None if trial.step > 0 and trial.seed else 0.1 + 0.02 * abs(trial.step - 1)

    results, _ = searched(brittle)
    assert refined(results) <= 1


def test_nothing_is_found_where_no_run_survives():
    results, rounds = searched(lambda trial: None)
    assert refined(results) is None
    assert min(step for step, _ in results) <= -4
    assert len(results) <= MOST_RUNS
    assert len(rounds) < 6


def test_the_mildest_survivor_counts_where_all_are_alike():
    results, _ = searched(lambda trial: 0.5)
    assert 2**-6 <= refined(results) <= 1


ERRORS = st.dictionaries(
    st.builds(Trial, st.integers(-6, 6), st.integers(0, 1)),
    st.none() | st.floats(1e-3, 1e3),
    max_size=9,
)


@given(ERRORS)
def test_what_is_found_survived_and_has_no_scale(results):
    found = refined(results)
    doubled = refined({trial: error and 2 * error for trial, error in results.items()})
    assert doubled == (found and pytest.approx(found, rel=1e-6))
    of_step = {}
    for trial, error in results.items():
        of_step.setdefault(trial.step, []).append(error)
    survived = [step for step, errors in of_step.items() if None not in errors]
    assert (found is None) == (not survived)
    if found is not None:
        assert found <= 2 ** max(survived) * (1 + 1e-9)
        assert found >= 2 ** (min(survived) - 1) * (1 - 1e-9)


@given(st.data())
def test_a_search_ends_whatever_comes(data):
    def error(_):
        return data.draw(st.none() | st.floats(1e-3, 10))

    results, _ = searched(error)
    assert len(results) <= MOST_RUNS


def test_the_error_prefers_accuracy_and_lets_the_loss_break_ties():
    assert error_of(0.5, 0.9) < error_of(0.5, 0.8)
    assert error_of(0.4, 0.9) < error_of(0.5, 0.9)
    assert error_of(0.01, 1.0) < error_of(0.02, 1.0)


# --- in earnest ---


def test_a_rate_at_which_one_seed_is_ten_times_worse_is_too_high():
    """A convolutional network with BatchNorm, as it was measured; at 4 two of five seeds fail."""
    first = {-1: 4.7e-3, 0: 3.1e-3, 1: 2.2e-3, 2: 1.4e-3, 3: 7.6e-4, 4: None}
    second = {0: 3.0e-3, 1: 1.9e-3, 2: 6.1e-4, 3: 0.107}
    results = {}
    while asked := proposals(results):
        results |= {one: (second if one.seed else first)[one.step] for one in asked}
    assert Trial(3, 1) in results
    assert refined(results) <= 2.0
    fine = {**results, Trial(3, 1): 7.0e-4}
    assert refined(fine) == 4.0


def test_seeds_that_are_all_right_are_not_held_to_differ():
    results = {Trial(step, seed): 1e-4 if seed else 9e-4 for step in (-1, 0, 1) for seed in (0, 1)}
    results |= {Trial(2, 0): None}
    assert refined(results) is not None


@pytest.fixture(scope="module")
def verified(tmp_path_factory):
    """A verified sweep of the reference model on noisy images of 4 classes, and its folder."""
    rng = np.random.default_rng(5)
    y = rng.permutation(np.arange(4_000) % 4).astype(np.uint8)
    x = 128 + 25 * rng.normal(size=(4, 36))[y] + 50 * rng.normal(size=(len(y), 36))
    x = np.clip(x, 0, 255).astype(np.uint8).reshape(-1, 6, 6)
    out = tmp_path_factory.mktemp("verified")
    np.savez(out / "noisy.npz", x_train=x, y_train=y)
    read = config.reference(config.overrides(["epochs=2"], data=str(out / "noisy.npz")))
    told = Told()
    record = experiment.find_lr(
        read, out=out, seeds=2, report=told, stated=Stated(steps=240), verify=True
    )
    assert told.warnings == []
    sweep_record.write(out, record)
    return record, out


def test_verified_rates_stand_beside_those_of_the_sweep(verified):
    record, out = verified
    about = json.loads((out / "sweep.json").read_text())
    assert about["verdict"] == "ok"
    runs = about["verified"]["runs"]
    for kind, name in (("constant", "steady_lr"), ("one_cycle", "max_lr")):
        of_kind = [run for run in runs if run["schedule"] == kind]
        survived = [run["lr"] for run in of_kind if run["val_loss"] is not None]
        assert 4 <= len(of_kind) <= MOST_RUNS
        assert about["verified"][name] <= 1.01 * max(survived)
        tried = {run["lr"] for run in of_kind if run["seed"] == FIRST_SEED}
        for factor in (0.5, 1, 2):
            wanted = pytest.approx(factor * about[name], rel=0.02)
            assert any(lr == wanted for lr in tried)
    assert sweep_record.read(out).summary == record.summary


def test_table_shows_both_and_the_classic_rules_only_if_asked(verified, capsys):
    record, _ = verified
    console.print_sweep(record, rules=True)
    with_rules = capsys.readouterr().out
    console.print_sweep(record)
    without = capsys.readouterr().out
    assert re.search(r"^ +sweep +verified", without)
    assert f"verified by {len(record.summary.verified.runs)} short real runs" in without
    for name in ("steady_lr", "max_lr"):
        values = getattr(record.summary, name), getattr(record.summary.verified, name)
        row = " +".join(re.escape(f"{value:.3g}") for value in values)
        assert re.search(rf"^{name} +{row} ", without, re.MULTILINE)
    for name, value in record.summary.rules.items():
        assert re.search(rf"^{name} +{value:.3g} +alternative: ", with_rules, re.MULTILINE)
        assert not re.search(rf"^{name} ", without, re.MULTILINE)


def test_learning_how_frequent_the_classes_are_is_no_descent(tmp_path):
    """The loss falls far below ln 2, but not below that of always guessing 19 to 1."""
    rng = np.random.default_rng(6)
    y = (rng.permutation(2_000) % 20 == 0).astype(np.uint8)
    np.savez(tmp_path / "rare.npz", x_train=rng.normal(size=(2_000, 10)), y_train=y)
    read = config.reference(config.overrides([], data=str(tmp_path / "rare.npz")))
    record = experiment.find_lr(read, out=tmp_path, seeds=2, report=Told())
    assert record.losses[:, :20].mean() > 0.6
    assert np.nanmin(record.smoothed) < 0.8 * math.log(2)
    assert (record.summary.verdict, record.summary.steady_lr) == ("no_descent", None)


def test_a_regression_is_verified_by_its_loss(tmp_path):
    rng = np.random.default_rng(8)
    x = rng.normal(size=(1_500, 6))
    y = np.sin(x[:, 0]) + x[:, 1] * x[:, 2] + rng.normal(0, 0.1, len(x))
    np.savez(tmp_path / "own.npz", x_train=x, y_train=y.astype(np.float32))
    read = config.reference(config.overrides(["epochs=3"], data=str(tmp_path / "own.npz")))
    record = experiment.find_lr(read, out=tmp_path, seeds=2, report=Told(), verify=True)
    summary = record.summary
    assert (summary.verdict, summary.settings.loss) == (
        "ok",
        "mean squared error of standardised targets",
    )
    label = "batch loss (mean squared error of standardised targets)"
    assert sweep_figure.draw(record).axes[0].get_ylabel() == label
    for kind, rate in (("constant", "steady_lr"), ("one_cycle", "max_lr")):
        runs = [run for run in summary.verified.runs if run.schedule == kind]
        assert all(run.val_accuracy is None for run in runs)
        losses = {run.lr: run.val_loss for run in runs if run.val_loss is not None}
        nearest = min(losses, key=lambda lr: abs(math.log(lr / getattr(summary.verified, rate))))
        assert losses[nearest] <= 1.5 * min(losses.values())
    sweep_record.write(tmp_path, record)
    assert sweep_record.read(tmp_path).summary == summary


def test_without_a_config_it_is_told_how_long_the_runs_are(small_npz, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    command = ["find-lr", "--data", str(small_npz), "--seeds", "1", "--verify"]
    done = CliRunner().invoke(app, command)
    assert "verifying for runs of 10 epochs; `--set epochs=N` is for others\n" in done.stderr
    done = CliRunner().invoke(app, [*command, "--set", "epochs=1"])
    assert "verifying for runs of" not in done.stderr
