"""`auto` rates: where they may stand, one sweep for all that share it, and a sweep that fails."""

import json
import shutil

import numpy as np
import pytest
from told import Told

from lrlab import config, experiment, schedules
from lrlab.config import parse
from lrlab.errors import ConfigError, Interrupted, UsageError
from lrlab.experiment import choosing
from lrlab.experiment.preparation import prepare
from lrlab.experiment.verifying import Question, verify
from lrlab.fields import auto_rates, filled
from lrlab.finder.trials import Trial
from lrlab.finder.verification import MOST_RUNS, MOST_STEPS
from lrlab.plots import dispatch
from lrlab.results import auto_trials, verified_auto
from lrlab.results.inspection import directory
from lrlab.results.run import Guess
from lrlab.schedules import Length
from lrlab.tasks.data_source import DataSource
from lrlab.training.engines.engine import Score
from lrlab.training.jobs import Result, RunJob, ShortJob

FOUND = {"steady_lr": 0.01, "max_lr": 0.1}


@pytest.mark.parametrize(
    ("text", "wanted", "filled_in"),
    [
        ("{type: constant, lr: auto}", {"lr": "steady_lr"}, {"lr": 0.01}),
        ("{type: one_cycle, max_lr: auto}", {"max_lr": "max_lr"}, {"max_lr": 0.1}),
        ("{type: cosine, initial_lr: auto}", {"initial_lr": "steady_lr"}, {"initial_lr": 0.01}),
        ("{type: linear, initial_lr: auto}", {"initial_lr": "steady_lr"}, {"initial_lr": 0.01}),
        ("{type: performance, initial_lr: auto}", {"initial_lr": "steady_lr"},
         {"initial_lr": 0.01}),
        ("{type: cyclic, min_lr: 0.001, max_lr: auto}", {"max_lr": "max_lr"}, {"max_lr": 0.1}),
        ("{type: power, initial_lr: 0.1, s: 5 steps}", {}, {"initial_lr": 0.1}),
    ],
)  # fmt: skip
def test_auto_is_found_and_filled(text, wanted, filled_in):
    schedule = parse(f"schedule: {text}").experiment.schedule
    assert auto_rates(schedule) == wanted
    full = filled(schedule, FOUND)
    assert auto_rates(full) == {}
    assert {name: getattr(full, name) for name in filled_in} == filled_in


def test_phases_of_a_sequence_may_be_auto():
    phases = "[{type: constant, lr: auto, for: 10%}, {type: one_cycle, max_lr: auto, for: rest}]"
    schedule = parse(f"schedule: {{type: sequence, phases: {phases}}}").experiment.schedule
    assert auto_rates(schedule) == {"phases.0.lr": "steady_lr", "phases.1.max_lr": "max_lr"}
    full = filled(schedule, FOUND)
    assert [full.phases[0].lr, full.phases[1].max_lr] == [0.01, 0.1]
    assert full.phases[0].for_ == schedule.phases[0].for_


def test_auto_survives_a_round_trip():
    first = parse("schedule: {type: one_cycle, max_lr: auto}").experiment
    dumped = first.model_dump(mode="json")
    assert dumped["schedule"]["max_lr"] == "auto"
    assert parse(json.dumps(dumped)).experiment == first


def test_scale_is_a_factor_on_what_auto_finds():
    schedule = parse("schedule: {type: constant, lr: auto, scale: 2}").experiment.schedule
    assert filled(schedule, FOUND).peak(Length(10, 2)) == 0.02


@pytest.mark.parametrize("value", ["automatic", ".nan", "-1", "0"])
def test_nothing_else_passes_for_auto(value):
    with pytest.raises(ConfigError, match=r"schedule\.lr: must be"):
        parse(f"schedule: {{type: constant, lr: {value}}}")


def test_a_suggestion_that_does_not_fit_is_refused():
    schedule = parse("schedule: {type: one_cycle, max_lr: auto, start_lr: 0.5}").experiment.schedule
    with pytest.raises(ValueError, match=r"^start_lr must not be above max_lr, got 0.5 > 0.1$"):
        filled(schedule, FOUND)


def test_end_rates_may_not_be_auto():
    with pytest.raises(ConfigError, match="end_lr: must be a number"):
        parse("schedule: {type: cosine, initial_lr: 0.1, end_lr: auto}")


def test_there_is_no_curve_before_the_sweep(write_config, tmp_path):
    path = write_config("schedule: {type: constant, lr: auto}")
    with pytest.raises(ValueError, match="`auto`"):
        schedules.rates(config.load(path).schedule, Length(10, 2))
    with pytest.raises(UsageError, match="lr is `auto`"):
        dispatch.plot([path], tmp_path / "out", "png", print)


def three_configs(write_config, data):
    texts = {
        "peak": "{type: one_cycle, max_lr: auto}",
        "steady": "{type: constant, lr: auto}",
        "fixed": "{type: constant, lr: 0.01}",
    }
    return config.read(
        [
            write_config(f"schedule: {text}\ndata: {data}\nepochs: 1", f"{name}.yaml")
            for name, text in texts.items()
        ]
    )


def inspection_of(out):
    return directory.inspect(out)


def test_one_sweep_serves_all_and_is_reused(small_npz, write_config, tmp_path, monkeypatch):
    read = three_configs(write_config, small_npz)
    first, second = Told(), Told()
    out = tmp_path / "out"
    prepared = []
    monkeypatch.setattr(choosing, "prepare", lambda of: prepared.append(of) or prepare(of))
    compared, _ = experiment.compare(read, out=out, seeds=1, report=first)
    assert len(prepared) == 1  # Sweep and verification share what was read.
    experiment.save(compared, out)
    peak, steady, fixed = compared.experiments
    (folder,) = (out / "sweeps").iterdir()
    about = json.loads((folder / "sweep.json").read_text())
    assert about["verdict"] == "ok"
    verified = {v.schedule["type"]: v for v in map(verified_auto.read, verified_auto.files(folder))}
    assert set(verified) == {"one_cycle", "constant"}
    assert peak.chosen == {"max_lr": verified["one_cycle"].rates.max_lr}
    assert steady.chosen == {"lr": verified["constant"].rates.steady_lr}
    assert fixed.chosen == {}
    assert peak.config["schedule"]["max_lr"] == peak.chosen["max_lr"]
    for one in verified.values():
        assert one.suggested.max_lr == about["max_lr"]
        assert one.steps == 18
        assert 4 <= len(one.runs) <= MOST_RUNS
    assert [note.split(":")[0] for note in first.notes] == ["swept for `auto`", "peak", "steady"]
    assert f"max_lr {peak.chosen['max_lr']:g}" in (out / "comparison.md").read_text()
    assert inspection_of(out).problems == []
    again, _ = experiment.compare(read, out=out, seeds=1, report=second)
    assert again == compared
    assert (second.notes, second.trained) == ([], [])
    first_file = verified_auto.files(folder)[0]
    first_file.write_text("{}")
    (finding,) = inspection_of(out).problems
    assert finding.path == first_file
    third = Told()
    repaired, _ = experiment.compare(read, out=out, seeds=1, report=third)
    assert repaired == compared
    assert "the rates are verified again" in third.warnings[0]


def test_rates_that_0_1_had_not_verified_stay_where_runs_were_trained_at_them(
    small_npz, write_config, tmp_path
):
    """Such a directory is one whose sweep has no `verified-` files."""
    out = tmp_path / "out"
    read = three_configs(write_config, small_npz)
    experiment.compare(read, out=out, seeds=1, report=Told())
    (folder,) = (out / "sweeps").iterdir()
    for file in verified_auto.files(folder):
        file.unlink()
    about = json.loads((folder / "sweep.json").read_text())
    shutil.rmtree(out / "runs")
    text = f"schedule: {{type: one_cycle, max_lr: {about['max_lr']}}}\ndata: {small_npz}\nepochs: 1"
    unverified = config.read([write_config(text, "peak.yaml")])
    before, _ = experiment.compare(unverified, out=out, seeds=1, report=Told())
    told = Told()
    compared, _ = experiment.compare(
        three_configs(write_config, small_npz)[:1], out=out, seeds=1, report=told
    )
    assert (told.notes, told.trained) == ([], [])
    assert compared.experiments[0].chosen == {"max_lr": about["max_lr"]}
    assert compared.experiments[0].final == before.experiments[0].final
    assert verified_auto.files(folder) == []


def test_a_sweep_without_a_suggestion_stops_that_experiment_alone(
    small_npz, write_config, tmp_path
):
    with np.load(small_npz) as arrays:
        kept = dict(arrays)
    kept["x_train"] = np.zeros_like(kept["x_train"])
    blank = tmp_path / "blank.npz"
    np.savez(blank, **kept)
    read = three_configs(write_config, blank)
    compared, _ = experiment.compare(read, out=tmp_path / "out", seeds=2, report=Told())
    peak, steady, fixed = compared.experiments
    # Nothing can be learned from blank images, at no rate, and not by heart either.
    assert (peak.status, steady.status, fixed.status) == ("failed", "failed", "collapsed")
    assert len(peak.notes) == 2
    assert "found no learning rate: " in peak.notes[0]
    assert peak.chosen == {}


# --- the questions that short runs answer ---


def question(text, *, images=320, epochs=2):
    read = parse(f"schedule: {text}\nbatch_size: 32").experiment
    source = DataSource("never read", "0" * 64, images)
    return Question(read.setup(source), read.schedule, epochs, FOUND)


def tenth(_):
    return Guess(0.1, 2.3026, 1_000)


class Pretended:
    """An executor whose runs give what a function of their highest rate says."""

    def __init__(self, score):
        self.score = score
        self.rounds = []

    def results(self, jobs, told):
        self.rounds.append(len(jobs))
        assert all(isinstance(job, ShortJob) for job in jobs)
        for index, job in enumerate(jobs):
            told(index, Result(self.score(job.rates.max())))


LONG = {"images": 320_000, "epochs": 3}


def test_a_short_run_is_tried_as_it_is_and_a_long_one_squeezed():
    own = question("{type: one_cycle, max_lr: auto}").job(Trial(1, 0))
    assert isinstance(own, RunJob)
    assert (own.schedule.max_lr, own.epochs, own.seed) == (0.2, 2, 1_000)
    asked = question("{type: one_cycle, max_lr: auto}", **LONG)
    squeezed = asked.job(Trial(-1, 1))
    assert isinstance(squeezed, ShortJob)
    assert squeezed.rates.shape == (MOST_STEPS,)
    assert squeezed.rates.max() == pytest.approx(0.05, rel=1e-3)
    assert squeezed.seed == 1_001
    whole = schedules.rates(filled(asked.schedule, asked.rates(0.5)), Length(10_000, 3))
    np.testing.assert_allclose(squeezed.rates[[0, -1]], whole[[0, -8]], rtol=1e-9)


def test_a_closed_loop_that_is_too_long_is_tried_at_its_first_rate():
    job = question("{type: performance, initial_lr: auto}", **LONG).job(Trial(0, 0))
    np.testing.assert_array_equal(job.rates, np.full(MOST_STEPS, 0.01))


def test_questions_are_answered_side_by_side_and_stay_where_runs_survive():
    asked = [
        question("{type: constant, lr: auto}", **LONG),
        question("{type: one_cycle, max_lr: auto}", **LONG),
    ]
    alive = Pretended(lambda lr: Score(0.5, 0.8 + min(lr, 0.05)) if lr < 0.03 else Score(2.3, 0.1))
    steady, peak = verify(asked, alive, tenth)
    assert alive.rounds[0] == 6
    assert steady.rates["steady_lr"] < 0.03
    assert peak.rates["max_lr"] < 0.03
    assert peak.rates["steady_lr"] == pytest.approx(peak.rates["max_lr"] / 10)
    for answer in (steady, peak):
        assert len(answer.runs) <= MOST_RUNS
    assert any(run.val_accuracy == 0.1 for run in peak.runs)


def test_no_rate_is_found_where_every_run_is_no_better_than_a_guess():
    asked = question("{type: constant, lr: auto}", **LONG)
    (answer,) = verify([asked], Pretended(lambda _: Score(2.3, 0.1)), tenth)
    assert answer.rates is None
    (answer,) = verify([asked], Pretended(lambda _: None), tenth)
    assert answer.rates is None
    assert all(run.val_loss is None for run in answer.runs)


def test_rates_that_do_not_fit_the_schedule_are_not_tried():
    asked = question("{type: one_cycle, max_lr: auto, start_lr: 0.06}", **LONG)
    assert asked.job(Trial(-1, 0)) is None
    (answer,) = verify([asked], Pretended(lambda lr: Score(lr, 0.8)), tenth)
    assert answer.rates["max_lr"] == pytest.approx(0.1)


def test_auto_does_not_collapse_on_digits(write_config, tmp_path):
    """0.1 took the peak 0.14 there: every run ended at chance."""
    digits = pytest.importorskip("sklearn.datasets").load_digits()
    order = np.random.default_rng(3).permutation(len(digits.target))
    x, y = digits.images[order].astype(np.uint8), digits.target[order].astype(np.uint8)
    np.savez(
        tmp_path / "digits.npz", x_train=x[360:], y_train=y[360:], x_test=x[:360], y_test=y[:360]
    )
    path = write_config(
        f"""
        schedule: {{type: one_cycle, max_lr: auto}}
        data: {tmp_path / "digits.npz"}
        optimizer: {{type: sgd, momentum: 0.9}}
        batch_size: 16
        epochs: 20
        """
    )
    compared, _ = experiment.compare(
        config.read([path]), out=tmp_path / "out", seeds=2, report=Told()
    )
    (peak,) = compared.experiments
    assert peak.status == "done"
    assert peak.final["test_accuracy"].mean > 0.93


class CutOff(Told):
    """Is interrupted when so many short runs of a verification have ended."""

    def __init__(self, after):
        super().__init__()
        self.said = []
        self._after = after

    def tried(self, done, said=""):
        self.said += [said] if said else []
        if len(self.said) == self._after:
            raise KeyboardInterrupt


def test_a_verification_that_is_cut_off_goes_on_where_it_was(small_npz, write_config, tmp_path):
    read = three_configs(write_config, small_npz)
    whole, cut, rest = CutOff(None), CutOff(3), CutOff(None)
    experiment.compare(read, out=tmp_path / "whole", seeds=1, report=whole)
    out = tmp_path / "out"
    with pytest.raises(Interrupted, match="the verification of `auto` was not finished") as caught:
        experiment.compare(read, out=out, seeds=1, report=cut)
    assert caught.value.hint == "run the same command again to resume"
    (folder,) = (out / "sweeps").iterdir()
    assert verified_auto.files(folder) == []
    kept = sum(len(auto_trials.read(path).trials) for path in auto_trials.files(folder))
    assert 3 <= kept < len(whole.said)  # Runs that end while others are stopped are kept as well.
    found = inspection_of(out)
    assert found.problems == []
    assert "of an unfinished verification" in found.findings[0].what
    experiment.compare(read, out=out, seeds=1, report=rest)
    assert len(rest.said) == len(whole.said) - kept
    assert auto_trials.files(folder) == []
    (of_whole,) = (tmp_path / "whole" / "sweeps").iterdir()
    for path in verified_auto.files(of_whole):
        assert (folder / path.name).read_bytes() == path.read_bytes()


@pytest.mark.slow
def test_damaged_trials_are_tried_again(small_npz, write_config, tmp_path):
    read = three_configs(write_config, small_npz)
    out, told = tmp_path / "out", Told()
    with pytest.raises(Interrupted):
        experiment.compare(read, out=out, seeds=1, report=CutOff(2))
    (folder,) = (out / "sweeps").iterdir()
    for path in auto_trials.files(folder):
        path.write_text(path.read_text().replace('"step": 0', '"step": 1'))
    assert {finding.kind for finding in inspection_of(out).problems} == {"damaged"}
    experiment.compare(read, out=out, seeds=1, report=told)
    assert any("the verification starts over" in warning for warning in told.warnings)
    assert inspection_of(out).problems == []
