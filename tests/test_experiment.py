"""Comparisons and sweeps carried out for real: reuse, failure, divergence, damage, Ctrl-C."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from schedule_strategies import ANY
from told import Told

from lrlab import config, experiment, schedules
from lrlab.analysis import summaries
from lrlab.errors import DataError, Interrupted, ResultsError, UsageError
from lrlab.experiment import running
from lrlab.experiment.executors.threads import default_workers
from lrlab.finder.extending import Stated
from lrlab.io import records
from lrlab.plots import comparison_figures
from lrlab.results import comparison, inspection, run_folder, sweep_record
from lrlab.results.run import Status
from lrlab.schedules import SCHEDULES, ClosedLoop, Length

STEADY = "schedule: {type: constant, lr: 0.005}\nepochs: 2\n"
FALLING = "schedule: {type: exponential, initial_lr: 0.01, s: 1 epochs}\nepochs: 2\n"
WILD = "schedule: {type: constant, lr: 1e6}\noptimizer: {type: sgd}\nepochs: 2\n"


@pytest.fixture
def compare(tmp_path, write_config, small_npz):
    """Compare configs, given as name=text, in the test's own folder; return result and report."""

    def call(out=None, *, told=None, data=small_npz, seeds=2, sets=(), **options):
        texts = options.pop("texts", {"steady": STEADY, "falling": FALLING})
        paths = [write_config(text, f"{name}.yaml") for name, text in texts.items()]
        read = config.read(paths, config.overrides(sets, data=str(data)))
        told = told or Told()
        out = out or tmp_path / "out"
        compared, _ = experiment.compare(read, out=out, seeds=seeds, report=told, **options)
        experiment.save(compared, out)
        return compared, told

    return call


@pytest.fixture(scope="module")
def finished(tmp_path_factory, small_npz) -> Path:
    """Results of two experiments with two seeds, trained once one by one; never written to."""
    folder = tmp_path_factory.mktemp("finished")
    for name, text in (("steady", STEADY), ("falling", FALLING)):
        (folder / f"{name}.yaml").write_text(text)
    paths = [folder / "steady.yaml", folder / "falling.yaml"]
    read = config.read(paths, config.overrides([], data=str(small_npz)))
    compared, _ = experiment.compare(read, out=folder / "out", seeds=2, report=Told(), workers=1)
    experiment.save(compared, folder / "out")
    return folder / "out"


@pytest.fixture
def out(finished, tmp_path) -> Path:
    """A copy of finished results to do with as the test likes."""
    shutil.copytree(finished, tmp_path / "out")
    return tmp_path / "out"


def folder_of(out: Path, name: str, seed: int) -> Path:
    (folder,) = (out / "runs").glob(f"{name}-*")
    return folder / f"seed-{seed}"


def reproducible_files(out: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(out)): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.name in ("epochs.csv", "steps.npz", "examples.npz")
    }


ALL_RUNS = ["falling 0", "falling 1", "steady 0", "steady 1"]


# --- training and reuse ---


def test_the_results_directory_is_that_of_the_design(finished):
    names = {path.name for path in finished.iterdir()}
    assert names == {"comparison.csv", "comparison.md", "comparison.json", "runs"}
    for name in ("steady", "falling"):
        for seed in (0, 1):
            files = {path.name for path in folder_of(finished, name, seed).iterdir()}
            assert files == {"run.json", "epochs.csv", "steps.npz", "examples.npz"}
    assert len(list((finished / "runs").iterdir())) == 2


def test_a_seed_of_every_experiment_comes_before_the_next_seed(compare):
    large = STEADY + "batch_size: 64\n"
    _, told = compare(texts={"a": STEADY, "large": large, "b": FALLING}, workers=1)
    assert told.finished_runs == [
        f"{name} {seed}: done" for seed in (0, 1) for name in ("a", "b", "large")
    ]


def test_run_json_tells_how_the_run_was_made(finished, small_npz):
    text = (folder_of(finished, "falling", 1) / "run.json").read_text()
    record = json.loads(text)
    assert (record["seed"], record["status"], record["steps_per_epoch"]) == (1, "done", 18)
    assert record["config"]["schedule"]["s"] == "1 epoch"
    assert record["data"]["name"] == "small.npz"
    made_in = record["environment"]
    assert set(summaries.ENVIRONMENT) <= made_in.keys()
    assert (made_in["threads_per_run"], made_in["onednn"]) == (1, False)
    assert (record["workers"], record["resumed_at"], record["earlier_environments"]) == (1, [], [])
    assert record["train_seconds"] > 0
    assert str(small_npz.parent) not in text


def test_workers_do_not_change_a_byte(finished, compare, tmp_path):
    compared, told = compare(workers=2)
    assert (told.trained, told.reused, told.workers) == (ALL_RUNS, 0, 2)
    assert sorted(told.finished_runs) == [f"{run}: done" for run in ALL_RUNS]
    files = reproducible_files(finished)
    assert len(files) == 12
    assert reproducible_files(tmp_path / "out") == files
    assert [e.status for e in compared.experiments] == ["done", "done"]


def test_seeds_and_schedules_do_differ(finished):
    files = reproducible_files(finished)
    curves = {text for path, text in files.items() if not path.endswith("examples.npz")}
    assert len(curves) == 8


def test_the_same_command_again_trains_nothing(out, compare):
    before = {path: path.stat().st_mtime_ns for path in out.rglob("run.json")}
    text = (out / "comparison.json").read_text()
    compared, told = compare()
    assert told.trained == told.finished_runs == told.warnings == []
    assert {path: path.stat().st_mtime_ns for path in out.rglob("run.json")} == before
    kept = json.loads((out / "comparison.json").read_text())
    # Times are rounded in run.json, the only file they are kept in.
    for found, first in zip(kept["experiments"], json.loads(text)["experiments"], strict=True):
        assert found | {"train_seconds": 0} == first | {"train_seconds": 0}
    assert comparison.read(out) == compared


def test_a_deleted_seed_alone_is_trained_anew(out, compare, finished):
    shutil.rmtree(folder_of(out, "steady", 1))
    _, told = compare()
    assert (told.trained, told.reused) == (["steady 1"], 3)
    assert reproducible_files(out) == reproducible_files(finished)


def test_one_more_seed_trains_that_seed_only(out, compare):
    compared, told = compare(seeds=3)
    assert (told.trained, told.reused) == (["falling 2", "steady 2"], 4)
    assert [e.seeds for e in compared.experiments] == [(0, 1, 2), (0, 1, 2)]


def test_fresh_trains_everything(out, compare, finished):
    stamps = {path: path.stat().st_mtime_ns for path in out.rglob("run.json")}
    _, told = compare(fresh=True)
    assert (told.trained, told.reused) == (ALL_RUNS, 0)
    assert all(path.stat().st_mtime_ns != stamp for path, stamp in stamps.items())
    assert reproducible_files(out) == reproducible_files(finished)


def test_a_changed_config_is_another_run(out, compare):
    before = {path.name for path in (out / "runs").iterdir()}
    _, told = compare(texts={"steady": STEADY.replace("0.005", "0.004")}, seeds=1)
    assert told.trained == ["steady 0"]
    after = {path.name for path in (out / "runs").iterdir()}
    assert before < after
    assert len(after) == 3


# --- what goes wrong with a run ---


@pytest.fixture(scope="module")
def flat_npz(tmp_path_factory) -> Path:
    """Data with two features and no test set."""
    rng = np.random.default_rng(0)
    y = np.arange(120) % 2
    x = rng.normal(size=(120, 2)) + 3 * y[:, None]
    path = tmp_path_factory.mktemp("flat") / "flat.npz"
    np.savez(path, x_train=x, y_train=y)
    return path


@pytest.mark.usefixtures("broken_cnn")
def test_a_failed_run_is_reported_and_tried_again(compare, tmp_path):
    texts = {"good": STEADY, "bad": STEADY + "model: cnn\n"}
    compared, told = compare(texts=texts, seeds=1)
    good, bad = compared.experiments
    assert (good.status, bad.status) == ("done", "failed")
    assert sorted(told.finished_runs) == ["bad 0: failed", "good 0: done"]
    reason = "ValueError: no such luck"
    assert bad.notes == (f"seed 0 failed: {reason}",)
    record = json.loads((folder_of(tmp_path / "out", "bad", 0) / "run.json").read_text())
    assert record["error"] == reason
    assert "Traceback" in record["traceback"]
    _, told = compare(texts=texts, seeds=1)
    assert (told.trained, told.reused) == (["bad 0"], 1)


def test_data_without_a_test_set(compare, flat_npz):
    compared, _ = compare(texts={"good": STEADY}, data=flat_npz, seeds=1)
    assert compared.experiments[0].final["test_accuracy"].values == (None,)
    assert compared.experiments[0].final["val_accuracy"].mean == 1.0


def test_a_diverged_run_is_a_result_and_is_kept(compare, tmp_path):
    texts = {"wild": WILD, "steady": STEADY + "optimizer: {type: sgd}\n"}
    compared, _ = compare(texts=texts, seeds=1)
    wild, steady = compared.experiments
    assert (wild.status, steady.status) == ("diverged", "done")
    folder = folder_of(tmp_path / "out", "wild", 0)
    record = json.loads((folder / "run.json").read_text())
    result = run_folder.read(folder).result
    assert result.diverged_at == record["diverged_at"]["step"] < 5
    assert record["diverged_at"]["lr"] == 1e6
    assert len(result.lr) == len(result.loss) == result.diverged_at + 1
    _, told = compare(texts=texts, seeds=1)
    assert told.trained == []


def test_a_collapsed_run_is_a_result_and_is_kept(compare, tmp_path):
    """Far too high a rate for a network of relu: it is dead, and gives one answer for all."""
    dead = "schedule: {type: constant, lr: 1}\nmodel: cnn\nepochs: 2\n"
    texts = {"dead": dead, "steady": STEADY}
    compared, _ = compare(texts=texts, seeds=2)
    dead, steady = compared.experiments
    assert (dead.statuses[1], steady.status) == ("collapsed", "done")
    assert dead.final["val_accuracy"].values[1] is None
    note = r"seed 1 collapsed: val accuracy 0\.\d{4}, (no|not clearly) better than guessing .*"
    assert re.fullmatch(note, dead.notes[1])
    record = json.loads((folder_of(tmp_path / "out", "dead", 1) / "run.json").read_text())
    assert (record["status"], record["diverged_at"]) == ("collapsed", None)
    accuracy = pytest.approx(16 / 61)
    guess = {"accuracy": accuracy, "loss": record["guess"]["loss"], "images": 61}
    assert record["guess"] == guess
    assert inspection.inspect(tmp_path / "out").findings == ()
    before = reproducible_files(tmp_path / "out")
    _, told = compare(texts=texts, seeds=2)
    assert told.trained == []
    assert reproducible_files(tmp_path / "out") == before


def test_it_is_the_same_whether_curves_are_held_or_read_again(compare, tmp_path, monkeypatch):
    texts = {"wild": WILD, "steady": STEADY}
    compare(texts=texts, seeds=2)
    whole, _ = compare(texts=texts, seeds=2)
    monkeypatch.setattr(running, "_MOST_HELD", 0)
    read_again, told = compare(texts=texts, seeds=2)
    assert told.trained == []
    assert read_again == whole
    assert "learning rate 1e+06" in read_again.experiments[0].notes[0]
    figures = comparison_figures.draw(
        read_again, comparison_figures.read_curves(tmp_path / "out", read_again)
    )
    assert len(figures["learning-rate"].axes[0].lines) >= 2


@pytest.mark.parametrize("file", ["steps.npz", "run.json"])
def test_a_damaged_run_is_set_aside_and_trained_anew(file, out, compare, finished):
    folder = folder_of(out, "falling", 0)
    aside = folder.with_name("seed-0.damaged")
    (folder / file).write_bytes(b"damaged")
    _, told = compare()
    (warning,) = told.warnings
    assert warning.startswith(f"`{folder / file}` is damaged: ")
    assert warning.endswith(f"; the run is kept as `{aside}` and retrained")
    assert (told.trained, told.reused) == (["falling 0"], 3)
    assert (aside / file).read_bytes() == b"damaged"
    shutil.rmtree(aside)
    assert reproducible_files(out) == reproducible_files(finished)


def test_a_run_damaged_twice_and_one_that_is_a_file_are_set_aside(out, compare, finished):
    first, second = folder_of(out, "falling", 0), folder_of(out, "steady", 1)
    first.with_name("seed-0.damaged").mkdir()
    (first / "run.json").write_text("{")
    shutil.rmtree(second)
    second.write_text("no folder")
    _, told = compare()
    assert told.trained == ["falling 0", "steady 1"]
    assert len(told.warnings) == 2
    assert second.with_name("seed-1.damaged").read_text() == "no folder"
    assert run_folder.read(first).result.status is Status.DONE
    assert run_folder.read(second).result.status is Status.DONE


def test_runs_that_were_made_elsewhere_are_reused_and_told(out, compare):
    path = folder_of(out, "falling", 0) / "run.json"
    record = json.loads(path.read_text())
    here = record["environment"]["tensorflow"]
    record["environment"]["tensorflow"] = "2.0.0"
    del record["signature"]
    path.write_text(records.sign(records.text(record)))
    compared, told = compare()
    assert told.trained == []
    assert compared.environments == (f"tensorflow {here} (3 runs), 2.0.0 (1 run)",)
    assert comparison.read(out) == compared


def test_files_without_a_run_are_set_aside_and_not_lost(out, compare):
    folder = folder_of(out, "falling", 0)
    (folder / "run.json").unlink()
    _, told = compare()
    (warning,) = told.warnings
    assert warning.startswith(f"`{folder}/run.json` is missing; the run is kept as ")
    assert told.trained == ["falling 0"]
    names = {path.name for path in folder.with_name("seed-0.damaged").iterdir()}
    assert names == {"epochs.csv", "steps.npz", "examples.npz"}


def test_a_run_laid_in_the_place_of_another_is_set_aside(out, compare, finished):
    first, second = folder_of(out, "falling", 0), folder_of(out, "falling", 1)
    shutil.rmtree(second)
    shutil.copytree(first, second)
    _, told = compare()
    (warning,) = told.warnings
    assert warning.startswith(f"`{second}/run.json` is of seed 0; the run is kept as ")
    assert told.trained == ["falling 1"]
    shutil.rmtree(second.with_name("seed-1.damaged"))
    assert reproducible_files(out) == reproducible_files(finished)


@pytest.mark.parametrize("place", ["runs", "runs/falling", "runs/falling/seed-0"])
def test_a_link_out_of_the_results_is_not_followed(place, out, compare, tmp_path):
    path = {
        "runs": out / "runs",
        "runs/falling": folder_of(out, "falling", 0).parent,
        "runs/falling/seed-0": folder_of(out, "falling", 0),
    }[place]
    elsewhere = tmp_path / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere, target_is_directory=True)
    before = {str(p): p.stat().st_mtime_ns for p in sorted(elsewhere.rglob("*"))}
    if path.name == "seed-0":
        _, told = compare()
        assert told.warnings[0].startswith(
            f"`{path}` is a symbolic link, not a run; the run is kept as "
        )
        assert told.trained == ["falling 0"]
    else:
        with pytest.raises(ResultsError, match="leads out of"):
            compare()
    assert {str(p): p.stat().st_mtime_ns for p in sorted(elsewhere.rglob("*"))} == before


def test_a_boundary_past_the_end_is_warned_of(compare):
    late = "schedule: {type: piecewise, values: [0.01, 0.001], boundaries: [40 steps]}\nepochs: 2\n"
    _, told = compare(texts={"late": late}, seeds=1)
    (warning,) = told.warnings
    assert "`40 steps` is past the end of the run (2 epochs, 36 steps)" in warning
    assert "late.yaml:1:" in warning


@pytest.mark.parametrize(
    ("options", "error"),
    [({"data": "/none.npz"}, DataError), ({"data_dir": Path("/none")}, DataError)],
)
def test_missing_data_ends_the_comparison_before_training(options, error, compare):
    told = Told()
    with pytest.raises(error):
        compare(told=told, **options)
    assert told.trained == []


def test_an_unwritable_folder_ends_the_comparison_before_training(compare, tmp_path):
    (tmp_path / "file").write_text("in the way")
    told = Told()
    with pytest.raises(ResultsError, match="cannot be written"):
        compare(tmp_path / "file", told=told)
    assert told.trained == []


# --- interruption ---


def interrupt():
    raise KeyboardInterrupt


def test_an_interrupted_comparison_says_what_is_kept(out, compare):
    shutil.rmtree(folder_of(out, "steady", 1))
    with pytest.raises(Interrupted) as caught:
        compare(told=Told(at_plan=interrupt))
    assert caught.value.message == "interrupted; 3 of 4 runs are finished and kept"
    assert caught.value.hint == "run the same command again to resume"


def test_ctrl_c_ends_a_real_comparison_within_a_moment(compare, write_config, small_npz, tmp_path):
    texts = {"quick": STEADY, "slow": STEADY.replace("epochs: 2", "epochs: 50000")}
    files = [str(write_config(text, f"{name}.yaml")) for name, text in texts.items()]
    command = [sys.executable, "-m", "lrlab", "compare", *files, "--seeds", "1"]
    command += ["--data", str(small_npz), "--out", str(tmp_path / "out"), "--workers", "1"]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        lines = []
        for line in process.stderr:
            lines.append(line)
            if line.startswith("quick seed 0: val accuracy"):
                break
        while not list((tmp_path / "out").rglob("slow-*/*.checkpoint.npz")):
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        sent = time.monotonic()
        stdout, rest = process.communicate(timeout=60)
        took = time.monotonic() - sent
    stderr = "".join(lines) + rest
    assert process.returncode == 130, stderr
    assert took < 20  # A moment, on a machine that may have much else to do; its epochs take hours.
    assert stdout == ""
    # To the letter: no traceback, and none of TensorFlow's chatter.
    assert re.fullmatch(
        r"training 2 runs\n"
        r"quick seed 0: val accuracy \d\.\d{4}, val loss \d\.\d{4}, \d+\.\d s\n"
        r"error: interrupted; 1 of 2 runs are finished and kept\n\n"
        r"hint: run the same command again to resume\n",
        stderr,
    ), stderr
    kept = {path.name: path.parent.name for path in (tmp_path / "out").rglob("seed-*")}
    assert {name: folder.split("-")[0] for name, folder in kept.items()} == {
        "seed-0": "quick",
        "seed-0.checkpoint.npz": "slow",
    }

    # The same command goes on with the slow run alone, and from where it was.
    told = Told(at_plan=interrupt)
    with pytest.raises(Interrupted):
        compare(texts=texts, seeds=1, told=told)
    assert (told.trained, told.reused, told.resumed) == (["slow 0"], 1, 1)


def test_nothing_is_left_running_after_an_error_in_a_callback(compare):
    class Broken(Told):
        def finished(self, run, result):
            raise RuntimeError("the report broke")

    before = threading.active_count()
    with pytest.raises(RuntimeError, match="the report broke"):
        compare(told=Broken(), seeds=1)
    assert threading.active_count() == before


@pytest.mark.parametrize("jobs", [1, 2, 1000])
def test_workers_are_never_more_than_runs_or_cores(jobs):
    assert 1 <= default_workers(jobs) <= min(jobs, os.cpu_count())


# --- the sweep ---


def find_lr(out: Path, small_npz: Path, **options):
    read = config.reference(config.overrides([], data=str(small_npz)))
    record = experiment.find_lr(read, out=out, seeds=2, report=Told(), **options)
    sweep_record.write(out, record)
    return record


def test_the_same_sweep_gives_the_same_files(tmp_path, small_npz):
    record = find_lr(tmp_path / "a", small_npz)
    find_lr(tmp_path / "b", small_npz)
    for name in ("sweep.json", "sweep.csv"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    about = json.loads((tmp_path / "a" / "sweep.json").read_text())
    assert sweep_record.read(tmp_path / "a").summary == record.summary
    assert about["verdict"] == "ok"
    assert 1e-6 < about["steady_lr"] <= about["max_lr"] < 10
    assert [one["seed"] for one in about["by_seed"]] == [0, 1]
    assert about["settings"]["steps"] == 200  # One epoch is 18 steps: the least holds.
    first, *rows = (tmp_path / "a" / "sweep.csv").read_text().splitlines()
    assert first == "seed,step,lr,loss,smoothed_loss"
    assert len(rows) == np.isfinite(record.losses).sum()


def test_a_sweep_has_the_steps_and_rates_asked_for(tmp_path, small_npz):
    record = find_lr(tmp_path, small_npz, stated=Stated(1e-5, 1e-3, 50))
    assert (len(record.lr), record.lr[0], record.lr[-1]) == (50, 1e-5, 1e-3)
    assert record.losses.shape == (2, 50)
    assert np.isfinite(record.losses).all()
    assert record.summary.stopped_by == "completed"


@pytest.mark.parametrize(("low", "high"), [(0.1, 0.1), (1.0, 0.1), (0.0, 1.0), (-1.0, 1.0)])
def test_a_sweep_must_go_upward(low, high, tmp_path, small_npz):
    with pytest.raises(UsageError) as caught:
        find_lr(tmp_path / "out", small_npz, stated=Stated(low, high))
    assert "must go upward" in caught.value.message
    assert "`--min-lr` below `--max-lr`" in caught.value.hint
    assert not (tmp_path / "out").exists()


def test_a_sweep_has_no_more_losses_than_its_files_may_hold(tmp_path, small_npz):
    with pytest.raises(UsageError, match="2 seeds of 3,000,000 steps are more than 5,000,000"):
        find_lr(tmp_path / "out", small_npz, stated=Stated(steps=3_000_000))
    assert not (tmp_path / "out").exists()


# --- the rates of a real run ---


@pytest.fixture(scope="module")
def trained_examples(tmp_path_factory, small_npz):
    """Every example of the guide trained for 4 epochs on the small data, and where."""
    folder = tmp_path_factory.mktemp("examples")
    for name, model in SCHEDULES.items():
        (folder / f"{name}.yaml").write_text(model.entry.example, encoding="utf-8")
    read = config.read(
        [folder / f"{name}.yaml" for name in SCHEDULES],
        config.overrides([], data=str(small_npz), epochs=4),
    )
    compared, _ = experiment.compare(read, out=folder / "out", seeds=1, report=Told())
    assert [e.status for e in compared.experiments] == ["done"] * len(SCHEDULES)
    return {one.experiment.name: one.experiment for one in read}, compared, folder / "out"


@pytest.mark.parametrize("name", SCHEDULES)
def test_steps_npz_holds_the_rates_of_the_config(trained_examples, name):
    stated = trained_examples[0][name]
    kept = run_folder.read(folder_of(trained_examples[2], name, 0))
    result = kept.result
    after = stated.schedule.epoch_rates(Length(kept.origin.steps_per_epoch, stated.epochs))
    expected = np.concatenate([after(result.epochs[:epoch]) for epoch in range(stated.epochs)])
    np.testing.assert_array_equal(result.lr, expected.astype(np.float32))


def test_the_figure_of_a_run_draws_the_rates_of_the_config(trained_examples):
    stated, compared, out = trained_examples
    curves = comparison_figures.read_curves(out, compared)
    ax = comparison_figures.draw(compared, curves)["learning-rate"].axes[0]
    by_name = {line.get_label(): line for line in ax.lines}
    for name, model in SCHEDULES.items():
        if issubclass(model, ClosedLoop):
            continue
        epoch, rates = by_name[name].get_data()
        expected = schedules.rates(stated[name].schedule, Length(18, 4)).astype(np.float32)
        np.testing.assert_array_equal(rates, expected)
        np.testing.assert_array_equal(epoch, np.arange(72) / 18)


def is_valid(values):
    try:
        SCHEDULES[values["type"]].model_validate(values)
    except ValidationError:
        return False
    return True


@settings(max_examples=2, suppress_health_check=list(HealthCheck))
@given(drawn=st.lists(ANY.filter(is_valid), min_size=8, max_size=8))
def test_steps_npz_holds_the_rates_whatever_the_schedule(drawn, tmp_path_factory, small_npz):
    folder = tmp_path_factory.mktemp("drawn")
    for index, values in enumerate(drawn):
        text = json.dumps({"schedule": values, "epochs": 2, "data": str(small_npz)})
        (folder / f"x{index}.yaml").write_text(text)
    read = config.read(sorted(folder.glob("*.yaml")))
    compared, _ = experiment.compare(read, out=folder / "out", seeds=1, report=Told())
    assert len(compared.experiments) == len(drawn)
    for one, summary in zip(read, compared.experiments, strict=True):
        result = run_folder.read(folder / "out" / summary.runs[0]).result
        expected = schedules.rates(one.experiment.schedule, Length(18, 2)).astype(np.float32)
        # A run that diverges ends early; many rates that are drawn are far too high.
        assert len(result.lr) == 36 or result.status is Status.DIVERGED
        assert len(result.lr) > 0
        np.testing.assert_array_equal(result.lr, expected[: len(result.lr)])
