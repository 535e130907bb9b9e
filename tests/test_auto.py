"""`auto` rates: where they may stand, one sweep for all that share it, and a sweep that fails."""

import json

import numpy as np
import pytest
from told import Told

from lrlab import config, experiment, schedules
from lrlab.config import parse
from lrlab.errors import ConfigError, UsageError
from lrlab.fields import auto_rates, filled
from lrlab.plots import dispatch
from lrlab.schedules import Length

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


def test_one_sweep_serves_all_and_is_reused(small_npz, write_config, tmp_path):
    read = three_configs(write_config, small_npz)
    first, second = Told(), Told()
    out = tmp_path / "out"
    compared, _ = experiment.compare(read, out=out, seeds=1, report=first)
    experiment.save(compared, out)
    peak, steady, fixed = compared.experiments
    (folder,) = (out / "sweeps").iterdir()
    about = json.loads((folder / "sweep.json").read_text())
    assert about["verdict"] == "ok"
    assert peak.chosen == {"max_lr": about["max_lr"]}
    assert steady.chosen == {"lr": about["steady_lr"]}
    assert fixed.chosen == {}
    assert peak.config["schedule"]["max_lr"] == about["max_lr"]
    assert len(first.notes) == 1
    assert f"max_lr {about['max_lr']:g}" in (out / "comparison.md").read_text()
    again, _ = experiment.compare(read, out=out, seeds=1, report=second)
    assert again == compared
    assert (second.notes, second.trained) == ([], [])


def test_a_sweep_without_a_suggestion_stops_that_experiment_alone(
    small_npz, write_config, tmp_path
):
    with np.load(small_npz) as arrays:
        kept = dict(arrays)
    kept["y_train"] = np.random.default_rng(0).permutation(kept["y_train"])
    shuffled = tmp_path / "shuffled.npz"
    np.savez(shuffled, **kept)
    read = three_configs(write_config, shuffled)
    compared, _ = experiment.compare(read, out=tmp_path / "out", seeds=2, report=Told())
    peak, steady, fixed = compared.experiments
    # Nothing can be learned from shuffled labels, at no rate.
    assert (peak.status, steady.status, fixed.status) == ("failed", "failed", "collapsed")
    assert len(peak.notes) == 2
    assert "found no learning rate: " in peak.notes[0]
    assert peak.chosen == {}
