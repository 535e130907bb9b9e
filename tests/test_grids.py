"""Grids: `--set` with several values, what they are called, their files and their figure."""

import csv
import functools
import itertools
import json
import math
from dataclasses import replace

import numpy as np
import pytest
from samples import COLLAPSED, run, summary
from told import Told
from typer.testing import CliRunner

import lrlab
from lrlab import config, experiment, palette
from lrlab.analysis import summaries
from lrlab.cli import app
from lrlab.config import grid, gridded, set_values
from lrlab.config.grid import GridPoint
from lrlab.errors import ConfigError, Interrupted, ResultsError, UsageError
from lrlab.plots import canvas, grid_figure
from lrlab.report import tables
from lrlab.results import comparison, lock

STEADY = "schedule: {type: constant, lr: 0.01}\nepochs: 1\n"
FALLING = "schedule: {type: linear, initial_lr: 0.01}\nepochs: 1\n"

# --- what `--set` states ---

VALUES = {
    "batch_size=32": [32],
    "batch_size=32,64, 128": [32, 64, 128],
    "batch_size=32:512:x2": [32, 64, 128, 256, 512],
    "schedule.lr=0.001:1:x10": [0.001, 0.01, 0.1, 1],
    "schedule.lr=1e-3:1e-2:x3.16": [0.001, 0.00316227766017, 0.01],
    "optimizer=sgd,{type: adam, beta_1: 0.5}": ["sgd", {"type": "adam", "beta_1": 0.5}],
    "schedule.values=[0.1,0.01]": [[0.1, 0.01]],
    "schedule.values=[0.1,0.01],[0.2,0.02]": [[0.1, 0.01], [0.2, 0.02]],
    "name='a,b'": ["a,b"],
    'name="a\\",b",c': ['a",b', "c"],
    "name=it's,b": ["it's", "b"],
    "schedule.lr=max(1, step)": ["max(1, step)"],
    "model.args.ratio='1:2'": ["1:2"],
    "data=keras:mnist,C:\\a.npz": ["keras:mnist", "C:\\a.npz"],
    "optimizer.weight_decay=null,0.1": [None, 0.1],
    "schedule.drop=true,1": [True, 1],
}


@pytest.mark.parametrize(("text", "expected"), VALUES.items(), ids=VALUES)
def test_values_of_a_setting(text, expected):
    [setting] = set_values.settings([text])
    found = [value for value, _ in setting.values]
    assert found == expected
    assert [type(value) for value in found] == [type(value) for value in expected]


# text after --set: what is said
REFUSED = {
    "lr=1:0.1:x2": "the first value must be above 0 and below the last, got 1 and 0.1",
    "lr=0.1:0.1:x2": "the first value must be above 0 and below the last, got 0.1 and 0.1",
    "lr=0:1:x2": "the first value must be above 0 and below the last, got 0 and 1",
    "lr=1:1e999:x2": "the first value must be above 0 and below the last, got 1 and inf",
    "lr=0.1:1:x1": "the factor must be above 1, got 1",
    "lr=0.1:1:x3": "does not reach 1 from 0.1 by factors of 3",
    "lr=1:1.5:x2": "does not reach 1.5 from 1 by factors of 2",
    "lr=0.1:1:10": "does not say by which factor its values grow",
    "lr=0.1:1": "does not say by which factor its values grow",
    "lr=1:1000:x1.001": "states 6,911 values; one key takes at most 1,000",
    "lr=1,,2": "has an empty value",
    "lr=1,": "has an empty value",
    "lr=1,1.0": "states 1.0 twice",
    "lr=[1,2": "not valid YAML",
}


@pytest.mark.parametrize(("text", "said"), REFUSED.items(), ids=REFUSED)
def test_bad_values_are_one_clear_error(text, said):
    with pytest.raises(UsageError) as caught:
        set_values.settings([text])
    assert said in caught.value.message
    assert text in caught.value.message


def test_a_range_that_misses_its_end_says_where_it_could_end():
    with pytest.raises(UsageError) as caught:
        set_values.settings(["lr=0.1:1:x3"])
    assert caught.value.hint.startswith("end it at 0.9 or 2.7")


@pytest.mark.parametrize(
    ("texts", "options"),
    [
        (["batch_size=1", "batch_size=2"], {}),
        (["batch_size=1", "batch_size=1"], {}),
        (["epochs=1"], {"epochs": 2}),
    ],
)
def test_a_key_stated_twice_is_an_error(texts, options):
    with pytest.raises(UsageError, match="is stated twice"):
        set_values.settings(texts, **options)


def test_a_key_comes_before_the_keys_inside_it():
    found = set_values.settings(["schedule.lr=1", "optimizer.weight_decay=0.1", "optimizer=adam"])
    assert [one.key for one in found] == ["schedule.lr", "optimizer", "optimizer.weight_decay"]


@pytest.mark.parametrize("command", ["find-lr", "export"])
def test_other_commands_refuse_a_grid_in_words(write_config, command):
    path = str(write_config(STEADY))
    ended = CliRunner().invoke(app, [command, path, "--set", "schedule.lr=0.1,0.2"])
    assert ended.exit_code == 2
    assert "states 2 values; only `lrlab compare` and `lrlab tune` take a grid" in ended.stderr


# --- experiments and their names ---


def experiments(paths, *texts):
    return gridded.read(paths, set_values.settings(texts), set())


def names(found):
    return [each.experiment.name for each in found]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["batch_size=32"], ["x"]),
        (["batch_size=32,64"], ["x-batch_size-32", "x-batch_size-64"]),
        (["optimizer=sgd,adam"], ["x-sgd", "x-adam"]),
        (["optimizer.type=sgd,adam"], ["x-sgd", "x-adam"]),
        (["schedule.lr=0.1,auto"], ["x-lr-0.1", "x-lr-auto"]),
        (["schedule.lr=0.1,0.10001"], ["x-lr-0.1", "x-lr-0.10001"]),
        (["model=mlp,nets/own.py:small"], ["x-mlp", "x-own.py-small"]),
        (["model=a/own.py:small,b/own.py:small"], ["x-own.py-small-1", "x-own.py-small-2"]),
        (
            ["optimizer={type: sgd, momentum: 0.9},adam", "epochs=1,2"],
            ["x-sgd-0.9-epochs-1", "x-sgd-0.9-epochs-2", "x-adam-epochs-1", "x-adam-epochs-2"],
        ),
    ],
)
def test_names_say_what_differs(write_config, texts, expected):
    settings = set_values.settings(texts)
    trusted = config.consents(gridded.overrides(settings), [])
    found = gridded.read([write_config(STEADY)], settings, trusted)
    assert names(found) == expected


def test_every_config_meets_every_combination(write_config):
    paths = [write_config(STEADY, "a.yaml"), write_config(FALLING, "b.yaml")]
    found = experiments(paths, "batch_size=8,16", "epochs=2")
    assert [(e.experiment.batch_size, e.experiment.epochs) for e in found] == [(8, 2), (16, 2)] * 2
    assert [e.point for e in found] == [
        GridPoint(name, {"batch_size": size}) for name in "ab" for size in (8, 16)
    ]


def test_names_stay_when_another_config_joins(write_config):
    one, other = write_config(STEADY, "a.yaml"), write_config(FALLING, "b.yaml")
    alone = names(experiments([one], "batch_size=8,16"))
    assert names(experiments([one, other], "batch_size=8,16"))[:2] == alone


def test_a_name_that_would_be_too_long_is_numbered(write_config):
    path = write_config(f"name: {'n' * 60}\n{STEADY}")
    assert names(experiments([path], "batch_size=8,16")) == [f"{'n' * 59}-0001", f"{'n' * 59}-0002"]


def test_weight_decay_of_several_optimizers(write_config):
    text = STEADY + "optimizer: {type: sgd, momentum: 0.9}\n"
    found = experiments([write_config(text)], "optimizer.weight_decay=0,0.1", "optimizer=sgd,adam")
    told = [(e.experiment.optimizer.type, e.experiment.optimizer.weight_decay) for e in found]
    assert told == [("sgd", 0), ("sgd", 0.1), ("adam", 0), ("adam", 0.1)]


def test_a_type_with_the_keys_of_another_is_answered_with_the_right_form(write_config):
    text = STEADY + "optimizer: {type: sgd, momentum: 0.9}\n"
    with pytest.raises(ConfigError, match="`--set optimizer=adam` replaces all of them"):
        experiments([write_config(text)], "optimizer.type=adam")


def test_an_optimizer_may_be_stated_by_its_type_alone():
    text = STEADY + "optimizer: adam\n"
    whole = STEADY + "optimizer: {type: adam}\n"
    assert config.parse(text).experiment == config.parse(whole).experiment


def test_all_problems_of_a_grid_are_told_once(write_config):
    path = write_config(STEADY + "model: nothing\n")
    with pytest.raises(ConfigError) as caught:
        experiments([path], "batch_size=0,-1,8")
    assert caught.value.message.startswith(f"3 problems in `{path}`\n")
    assert caught.value.message.count("model: must be") == 1


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["name=a,b"], "a grid names its experiments itself"),
        (["epochs=1:1000:x1.01", "batch_size=1:1000:x1.1"], "a grid has at most 5,000"),
    ],
)
def test_grids_that_cannot_be(write_config, texts, said):
    if "1.01" in texts[0]:
        texts = [f"batch_size={','.join(map(str, range(1, 101)))}",
                 f"epochs={','.join(map(str, range(1, 101)))}"]  # fmt: skip
    with pytest.raises(UsageError, match=said):
        experiments([write_config(STEADY)], *texts)


def test_a_large_grid_says_how_many_runs_it_is():
    settings = set_values.settings(["batch_size=1,2,3,4,5,6", "schedule.lr=0.01:1:x10"])
    assert grid.size(settings, configs=1, seeds=3) == ""
    assert grid.size(settings, configs=2, seeds=3) == (
        "a grid of 36 experiments (2 configs x 6 of batch_size x 3 of schedule.lr): 108 runs"
    )


# --- a comparison of a grid ---


def test_compare_trains_a_grid(write_config, small_npz, tmp_path):
    out = tmp_path / "out"
    paths = [str(write_config(STEADY, "a.yaml")), str(write_config(FALLING, "b.yaml"))]
    command = ["compare", *paths, "--data", str(small_npz), "--out", str(out), "--seeds", "1",
               "--set", "batch_size=50,100"]  # fmt: skip
    ended = CliRunner().invoke(app, command)
    assert ended.exit_code == 0, ended.output
    assert {path.stem for path in out.glob("*.png")} == {
        "learning-rate", "loss", "accuracy", "over-batch_size",
    }  # fmt: skip
    rows = list(csv.DictReader((out / "comparison.csv").open()))
    assert [(row["experiment"], row["config"], row["batch_size"]) for row in rows] == [
        ("a-batch_size-50", "a", "50"), ("a-batch_size-100", "a", "100"),
        ("b-batch_size-50", "b", "50"), ("b-batch_size-100", "b", "100"),
    ]  # fmt: skip
    said = json.loads((out / "comparison.json").read_text())
    assert said["experiments"][1]["point"] == {"config": "a", "at": {"batch_size": 100}}
    assert {path.name.rpartition("-")[0] for path in (out / "runs").iterdir()} == {
        row["experiment"] for row in rows
    }
    trained = {path: path.stat().st_mtime_ns for path in out.rglob("run.json")}
    again = CliRunner().invoke(app, command)
    assert (again.exit_code, again.stdout) == (0, ended.stdout)
    assert {path: path.stat().st_mtime_ns for path in out.rglob("run.json")} == trained
    drawn = CliRunner().invoke(app, ["plot", str(out), "--format", "svg"])
    assert str(out / "over-batch_size.svg") in drawn.stdout.splitlines()
    checked = CliRunner().invoke(app, ["check", str(out)])
    assert checked.stdout == "checked 4 runs: 4 fine\n"
    assert lrlab.load_results(out).figures[-1] == "over-batch_size"


def test_a_doubt_about_a_config_is_told_once_for_its_grid(write_config, small_npz, tmp_path):
    path = write_config("schedule: {type: linear, initial_lr: 0.01, warmup: {for: 9 epochs}}\n")
    given = set_values.settings(["optimizer=sgd,adam"], epochs=1, data=str(small_npz))
    told = Told(at_plan=lambda: (_ for _ in ()).throw(KeyboardInterrupt))
    read = gridded.read([path], given, set())
    with lock.hold(tmp_path, report=told), pytest.raises((KeyboardInterrupt, Interrupted)):
        experiment.compare(read, out=tmp_path, seeds=1, report=told)
    assert len([text for text in told.warnings if "warmup.for" in text]) == 1


def test_files_without_a_grid_say_nothing_of_one():
    compared = summaries.compare([summary(run(0.5), name="a"), summary(run(0.6), name="b")])
    assert compared.gridded == ()
    assert tables.to_csv(compared).startswith("experiment,schedule,data,seeds,status,")


def test_a_grid_from_python(tmp_path):
    rng = np.random.default_rng(5)
    x = rng.normal(size=(120, 6)).astype(np.float32)
    options = {"data": (x, x[:, :3].argmax(axis=1)), "model": "mlp", "epochs": 1, "seeds": 1}
    given = {"steady": {"type": "constant", "lr": 0.05}, "own": lambda step: 0.1 + 0 * step}
    compared = lrlab.compare(
        given, grid={"batch_size": np.array([32, 64])}, out=tmp_path / "out", **options
    )
    assert compared.experiments == (
        "steady-batch_size-32", "steady-batch_size-64", "own-batch_size-32", "own-batch_size-64",
    )  # fmt: skip
    peaks = [e.peak_lr for e in compared._comparison.experiments]
    assert peaks == [0.05, 0.05, 0.1, 0.1]
    assert "over-batch_size" in compared.figures
    for refused, said in (
        ({"batch_size": [32, 32]}, "states 32 twice"),
        ({"batch_size": 32}, "must be a list of values"),
        ({"batch size": [32]}, "a key is a text such as"),
        ({"epochs": [1, 2]}, "`epochs` is stated twice"),
        ({"schedule.update": ["step", "epoch"]}, "cannot change a `schedule` that was given as"),
        ({"batch_size": [print]}, "a value is a number, a text or a mapping"),
    ):
        with pytest.raises(UsageError, match=said):
            lrlab.compare(given, grid=refused, out=tmp_path / "out", **options)


# --- the figure ---


def point(name, config_, *results, **at):
    e = summary(*results, name=name)
    return replace(e, point=GridPoint(config_, {k.replace("__", "."): v for k, v in at.items()}))


def compared():
    return summaries.compare(
        [
            point("a1", "a", run(0.5), run(0.52), run(0.51), schedule__lr=0.1),
            point("a2", "a", run(0.7), run(0.72), run(0.71), schedule__lr=1.0),
            point("a3", "a", COLLAPSED, run(0.3), COLLAPSED, schedule__lr=10.0),
            point("b1", "b", run(0.6), run(0.62), run(0.61), schedule__lr=0.1),
            point("b2", "b", run(0.4), run(0.42), run(0.41), schedule__lr=1.0),
            point("b3", "b", COLLAPSED, COLLAPSED, COLLAPSED, schedule__lr=10.0),
        ]
    )


def drawn(made, *gids):
    found = {gid: [] for gid in gids}
    for artist in made.axes[0].lines:
        found.setdefault(artist.get_gid(), []).append(artist)
    return found


def test_the_figure_has_a_line_per_schedule_and_a_dot_per_seed():
    comparison = compared()
    quantity = comparison.metric.on("val")
    made = grid_figure.draw(comparison, "schedule.lr", quantity, ["a2"], "about")
    artists = drawn(made)
    first, second = artists["means"]
    assert (first.get_label(), second.get_label()) == ("a", "b")
    np.testing.assert_allclose(first.get_xdata(), [0.1, 1, 10])
    np.testing.assert_allclose(first.get_ydata(), [0.51, 0.71, 0.3])
    np.testing.assert_allclose(second.get_ydata(), [0.61, 0.41])
    assert sorted(len(each.get_xdata()) for each in artists["seeds"]) == [1, 3, 3, 3, 3]
    [ring] = artists["best"]
    assert (ring.get_xdata()[0], ring.get_ydata()[0]) == (1.0, pytest.approx(0.71))
    assert [each.get_xdata()[0] for each in artists["not finished"]] == [10, 10]
    ax = made.axes[0]
    assert ax.get_xscale() == "log"
    assert [each.get_text() for each in ax.get_xticklabels()] == ["0.1", "1", "10"]


@pytest.mark.parametrize(
    ("key", "values", "expected"),
    [
        ("batch_size", [64, 32], (["32", "64"], True, False)),
        ("schedule.max_lr", [0.1, 0.2], (["0.1", "0.2"], True, False)),
        ("optimizer.momentum", [0.9, 0.5], (["0.5", "0.9"], False, False)),
        ("optimizer.weight_decay", [0.1, 0, 0.01], (["0", "0.01", "0.1"], False, True)),
        ("optimizer", ["sgd", "adam"], (["sgd", "adam"], False, True)),
        ("schedule.lr", ["auto", 0.1], (["auto", "0.1"], False, True)),
        ("schedule.lr", [0.1, math.inf], (["0.1", "inf"], False, True)),
        ("schedule.lr", [0.1, math.nan], (["0.1", "nan"], False, True)),
        ("batch_size", [1e-29, 1e29], (["1e-29", "1e+29"], False, True)),
        ("batch_size", [10**40, 1], ([str(10**40), "1"], False, True)),
        ("batch_size", [32], (["32"], True, False)),
    ],
)
def test_axes(key, values, expected):
    found = grid_figure.axis(key, values)
    assert (list(found.places), found.log, found.words) == expected


@pytest.mark.parametrize("width", [None, 3.5])
def test_labels_never_touch(width):
    rates = [0.000657 * 2**n for n in range(9)]
    comparison = summaries.compare(
        [point(f"a{n}", "a", run(0.5), schedule__lr=lr) for n, lr in enumerate(rates)]
    )
    quantity = comparison.metric.on("val")
    made = grid_figure.draw(comparison, "schedule.lr", quantity, (), "about", width)
    labels = [each.get_window_extent() for each in made.axes[0].get_xticklabels()]
    assert len(labels) >= 3
    assert all(left.x1 < right.x0 for left, right in itertools.pairwise(labels))


@pytest.mark.parametrize("value", [math.nan, math.inf, 10**400, 1e-300, True, [1, [2]], "$x", {}])
def test_any_value_that_a_file_may_hold_is_drawn(value, tmp_path):
    comparison = summaries.compare(
        [point("a", "a", run(0.5), k__lr=value), point("b", "a", run(0.6), k__lr=1e10)]
    )
    made = grid_figure.draw(comparison, "k.lr", comparison.metric.on("val"), (), "about")
    assert canvas.save(made, tmp_path / "x.png").stat().st_size > 1_000


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ({}, "at least 1"),
        ({"a": functools.reduce(lambda inner, _: [inner], range(30), 1)}, "nested at most 20 deep"),
        ([], "point.at"),
    ],
)
def test_what_is_no_point_of_a_grid_is_not_read(tmp_path, at, said):
    stated = json.loads(
        comparison.to_json(summaries.compare([point("a", "a", run(0.5), batch_size=8)]))
    )
    stated["experiments"][0]["point"]["at"] = at
    (tmp_path / comparison.FILE).write_text(json.dumps(stated))
    with pytest.raises(ResultsError, match=said):
        comparison.read(tmp_path)


def test_other_keys_make_lines_of_their_own():
    comparison = summaries.compare(
        [
            point(f"a{lr}{size}", "a", run(0.5), schedule__lr=lr, batch_size=size)
            for lr in (0.1, 0.2)
            for size in (32, 64)
        ]
    )
    told = [line.name for line in grid_figure.lines(comparison, "batch_size")]
    assert told == ["lr 0.1", "lr 0.2"]


def test_lines_beyond_those_told_apart_are_grey():
    count = palette.TOLD_APART + 3
    comparison = summaries.compare(
        [
            point(f"a{n}-{size}", f"a{n}", run(0.5), batch_size=size)
            for n in range(count)
            for size in (32, 64)
        ]
    )
    made = grid_figure.draw(comparison, "batch_size", comparison.metric.on("val"), (), "about")
    assert len(drawn(made)["means"]) == palette.TOLD_APART
    [grey] = made.axes[0].collections
    assert len(grey.get_segments()) == 3
