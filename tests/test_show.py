"""`lrlab show`, and figures of a comparison that was cut off."""

import json
import shutil
import subprocess
import sys

import pytest
from told import Told
from typer.testing import CliRunner

from lrlab import config, experiment
from lrlab.analysis import gathering
from lrlab.cli import app
from lrlab.errors import Interrupted
from lrlab.results import comparison, inspection

STEADY = "schedule: {type: constant, lr: 0.005}\nepochs: 2\n"
FALLING = "schedule: {type: exponential, initial_lr: 0.01, s: 1 epochs}\nepochs: 2\n"
TABLES = ("comparison.json", "comparison.csv", "comparison.md")


def cli(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


class CutOff(Told):
    """Is interrupted while the runs of a seed are at work."""

    def __init__(self, seed):
        super().__init__()
        self._seed = seed

    def progress(self, run, progress):
        super().progress(run, progress)
        if run.seed == self._seed and run.name == "falling":
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def place(tmp_path_factory, small_npz):
    """Configs, a whole comparison in `whole`, and one that was cut off in `part`."""
    folder = tmp_path_factory.mktemp("shown")
    for name, text in (("steady", STEADY), ("falling", FALLING)):
        (folder / f"{name}.yaml").write_text(f"{text}data: {small_npz}\n")
    read = config.read([folder / "steady.yaml", folder / "falling.yaml"])
    options = {"seeds": 4, "workers": 1}
    compared, _ = experiment.compare(read, out=folder / "whole", report=Told(), **options)
    experiment.save(compared, folder / "whole")
    with pytest.raises(Interrupted):
        experiment.compare(read, out=folder / "part", report=CutOff(3), **options)
    return folder


@pytest.fixture
def whole(place, tmp_path):
    return shutil.copytree(place / "whole", tmp_path / "whole")


@pytest.fixture
def part(place, tmp_path):
    return shutil.copytree(place / "part", tmp_path / "part")


def files(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def folder_of(out, name, seed):
    (folder,) = (out / "runs").glob(f"{name}-*")
    return folder / f"seed-{seed}"


def test_a_comparison_is_shown_as_compare_showed_it(place, whole):
    configs = [place / "steady.yaml", place / "falling.yaml"]
    told = cli("compare", *configs, "--seeds", 4, "--out", whole)
    printed = cli("compare", *configs, "--seeds", 4, "--out", whole, "--json")
    before = files(whole)
    shown = cli("show", whole)
    assert (shown.exit_code, shown.stderr) == (0, "")
    assert shown.stdout == "".join(told.stdout.splitlines(keepends=True)[:-1])
    as_json = json.loads(cli("show", whole, "--json").stdout)
    assert as_json == json.loads(printed.stdout)
    by_loss = cli("show", whole, "--metric", "val_loss").stdout
    assert "val loss" in by_loss.splitlines()[0]
    assert files(whole) == before


def test_it_needs_neither_tensorflow_nor_matplotlib(part):
    code = (
        "import sys\nfrom lrlab import cli\ntry:\n    cli.main()\nfinally:\n"
        "    print('loaded', *sys.modules, file=sys.stderr)"
    )
    command = [sys.executable, "-c", code, "show", str(part)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert {"tensorflow", "keras", "matplotlib"}.isdisjoint(done.stderr.split())


def test_after_an_interruption_what_has_ended_is_shown(whole, part):
    before = files(part)
    shown = cli("show", part)
    head, _, verdict, *rest = shown.stdout.splitlines()
    assert head.startswith("not a whole comparison: 7 runs have ended; unfinished: falling seed 3 ")
    assert "at step " in head
    assert "falling" in verdict
    rows = [line.split() for line in rest if line.startswith(("falling", "steady"))]
    assert [(row[0], "seeds" in shown.stdout) for row in rows] == [
        ("falling", True), ("steady", True)
    ]  # fmt: skip
    assert "test accuracy" not in shown.stdout
    assert files(part) == before
    for name in TABLES:
        (whole / name).unlink()
    assert "8 runs have ended\n" in cli("show", whole).stdout
    shutil.rmtree(folder_of(whole, "falling", 3))
    assert cli("show", whole).stdout.splitlines()[2] == verdict


def test_the_figures_of_what_has_ended_are_drawn_and_the_comparison_goes_on(place, part):
    drawn = cli("plot", part)
    assert drawn.exit_code == 0
    assert drawn.stderr.startswith(f"warning: `{part}`: not a whole comparison: 7 runs have ended")
    names = [line.rpartition("/")[2] for line in drawn.stdout.splitlines()]
    assert names == ["learning-rate.png", "loss.png", "accuracy.png"]
    told = cli(
        "compare", place / "steady.yaml", place / "falling.yaml", "--seeds", 4, "--out", part
    )
    assert "training 1 run; 1 from where it was cut off; 7 finished before" in told.stderr
    assert inspection.inspect(part).problems == []
    of_part = comparison.read(part).experiments
    of_whole = comparison.read(place / "whole").experiments
    assert [e.final["val_accuracy"] for e in of_part] == [e.final["val_accuracy"] for e in of_whole]


def test_runs_that_the_comparison_does_not_know_are_told_and_can_be_shown(place, whole):
    told = cli("compare", place / "steady.yaml", "--seeds", 2, "--out", whole)
    assert told.exit_code == 0
    shown = cli("show", whole)
    assert "falling" not in shown.stdout.splitlines()[0]
    assert (
        f"6 other runs lie in the directory; `lrlab show {whole} --runs` shows all" in shown.stdout
    )
    every = cli("show", whole, "--runs")
    assert every.stdout.startswith("not a whole comparison: 8 runs have ended\n")
    assert "falling" in every.stdout


def test_what_is_damaged_is_left_out_with_its_reason(part):
    damaged = folder_of(part, "steady", 1) / "epochs.csv"
    damaged.write_text("epoch\n")
    shown = cli("show", part)
    assert shown.exit_code == 0
    assert f"not shown: `{damaged}` is damaged" in shown.stdout
    assert "6 runs have ended" in shown.stdout
    (part / "runs" / "foreign").mkdir()
    (part / "runs" / "steady-0123456789").symlink_to(part)
    assert cli("show", part).stdout == shown.stdout


def test_two_experiments_of_one_name_are_told_apart(place, part, tmp_path):
    changed = tmp_path / "steady.yaml"
    changed.write_text((place / "steady.yaml").read_text().replace("0.005", "0.004"))
    experiment.compare(config.read([changed]), out=part, seeds=1, report=Told())
    names = [e.name for e in gathering.gather(part).comparison.experiments]
    assert len(set(names)) == 3
    assert [name.partition("-")[0] for name in names] == ["falling", "steady", "steady"]
    assert cli("show", part).exit_code == 0


def test_runs_that_another_metric_judges_are_left_out(part, tmp_path):
    config_ = tmp_path / "line.yaml"
    config_.write_text("model: linear\ndata: cycling\nepochs: 1\n" + STEADY.splitlines()[0])
    experiment.compare(config.read([config_]), out=part, seeds=1, report=Told())
    gathered = gathering.gather(part)
    assert {e.name for e in gathered.comparison.experiments} == {"falling", "steady"}
    assert "1 run is judged by another metric" in gathered.left_out[-1]


def test_a_sweep_is_shown(tmp_path, small_npz, write_config):
    told = cli(
        "find-lr", write_config(STEADY), "--data", small_npz, "--seeds", 1, "--out", tmp_path / "f"
    )
    shown = cli("show", tmp_path / "f")
    assert shown.exit_code == 0
    assert shown.stdout == "".join(told.stdout.splitlines(keepends=True)[:-1])
    assert cli("show", tmp_path / "f", "--json").stdout.startswith('{\n  "format"')
    done = cli("show", tmp_path / "f", "--metric", "val_loss")
    assert (done.exit_code, "there is none here" in done.stderr) == (2, True)


@pytest.mark.parametrize("runs", [[], ["--runs"]])
def test_where_there_is_nothing_to_show_that_is_an_error(runs, tmp_path):
    for out, reason in ((tmp_path, "holds no run that has ended"), (tmp_path / "none", "is not a")):
        done = cli("show", out, *runs)
        assert (done.exit_code, done.stdout) == (3, "")
        assert done.stderr.startswith(f"error: `{out}` {reason}")


def test_a_link_out_of_the_directory_is_not_followed(part, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "runs").symlink_to(part / "runs")
    done = cli("show", tmp_path / "out")
    assert (done.exit_code, "leads out of" in done.stderr) == (3, True), done.stderr
