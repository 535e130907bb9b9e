"""Going on where a run was cut off: to the bit, in every kind of schedule, from every place."""

import json
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from engines import LinearEngine, engine_for, train
from told import Told

from lrlab import config, experiment
from lrlab.config import Experiment
from lrlab.experiment.planning import plan
from lrlab.experiment.resuming import Resumption
from lrlab.io import npz
from lrlab.results import checkpoint as checkpoints
from lrlab.results import run_folder
from lrlab.results.checkpoint import Checkpoint, CheckpointOrigin
from lrlab.results.run import CHECKPOINT, RunResult, Status
from lrlab.results.run_folder import RunOrigin
from lrlab.tasks import data, models
from lrlab.tasks.data import DataSet
from lrlab.training.chunks import Pace, Stopped
from lrlab.training.jobs import Refused

SGD = {"type": "sgd", "momentum": 0.9}
RUNS = {
    "momentum": ({"type": "power", "initial_lr": 0.01, "s": "20 steps"}, SGD),
    "nadam": ({"type": "exponential", "initial_lr": 0.001, "s": "1 epochs"}, {"type": "nadam"}),
    "cycled momentum": (
        {"type": "one_cycle", "max_lr": 0.01, "momentum": {"low": 0.8, "high": 0.9}},
        SGD,
    ),
    "performance": (
        {"type": "performance", "initial_lr": 0.02, "patience": 1, "warmup": {"for": "10 steps"}},
        SGD,
    ),
    "greedy": ({"type": "greedy", "initial_lr": 0.01, "patience": 0}, SGD),
}


def experiment_of(name: str, epochs: int = 4) -> Experiment:
    schedule, optimizer = RUNS[name]
    return Experiment.model_validate(
        {"schedule": schedule, "optimizer": optimizer, "epochs": epochs, "batch_size": 32}
    )


@pytest.fixture(scope="module")
def small(small_npz) -> DataSet:
    return data.load(data.resolve(str(small_npz)))


def same(first: RunResult, second: RunResult) -> bool:
    """Whether two results are equal to the bit, the time it took apart."""

    def bits(result):
        arrays = (result.lr, result.loss, result.momentum, *result.weights)
        plain = replace(result, lr=0, loss=0, momentum=0, weights=0, train_seconds=0)
        return plain, [None if a is None else a.tobytes() for a in arrays]

    return bits(first) == bits(second)


class Kept(list):
    """Keeps the checkpoints that a run gives; `tell` passes the other events on."""

    def tell(self, event) -> None:
        if isinstance(event, Checkpoint):
            self.append(event)


def trained(engine, what: Experiment, **options) -> RunResult:
    return train(engine, what, seed=1, keep_weights=True, **options)


def through_a_file(checkpoint: Checkpoint, path: Path) -> Checkpoint:
    origin = CheckpointOrigin(identity="", seed=0, environment={})
    checkpoints.write(path, checkpoint, origin)
    return checkpoints.read(path).state


@pytest.mark.parametrize("name", ["nadam", "cycled momentum", "performance", "greedy"])
def test_from_the_checkpoint_of_every_epoch(name, small, tmp_path):
    what, kept = experiment_of(name), Kept()
    always = Pace(training_per_checkpoint=0)
    whole = trained(
        engine_for(what, small), what, tell=kept.tell, keep_checkpoints=True, pace=always
    )
    assert [len(checkpoint.history) for checkpoint in kept] == [1, 2, 3]
    engine = engine_for(what, small)  # As in a new process; it has trained nothing.
    for checkpoint in reversed(kept):
        found = through_a_file(checkpoint, tmp_path / "c.npz")
        assert same(trained(engine, what, checkpoint=found), whole)


@pytest.mark.parametrize("name", ["momentum", "performance"])
def test_from_wherever_it_was_told_to_stop(name, small, tmp_path):
    what = experiment_of(name, epochs=3)
    engine = engine_for(what, small)
    whole = trained(engine, what)
    for after in (1, 18, 20, 51):
        stop, kept = Event(), Kept()

        def tell(event, after=after, stop=stop, kept=kept):
            kept.tell(event)
            if getattr(event, "step", 0) >= after:
                stop.set()

        with pytest.raises(Stopped):
            trained(
                engine,
                what,
                stop=stop,
                tell=tell,
                keep_checkpoints=True,
                pace=Pace(longest_chunk=3),
            )
        assert after <= len(kept[-1].loss) < after + 3
        found = through_a_file(kept[-1], tmp_path / "c.npz")
        assert same(trained(engine, what, checkpoint=found), whole)


# What the loop itself promises needs no TensorFlow.


def test_between_epochs_there_is_a_checkpoint_when_it_takes_long():
    what, kept, engine = experiment_of("momentum", epochs=1), Kept(), LinearEngine()
    pace = Pace(checkpoint_seconds=0.0, longest_chunk=1)
    whole = trained(engine, what, tell=kept.tell, keep_checkpoints=True, pace=pace)
    assert [len(checkpoint.loss) for checkpoint in kept] == [1, 2, 3, 4]
    assert {len(checkpoint.history) for checkpoint in kept} == {0}
    for checkpoint in kept:
        assert same(trained(engine, what, checkpoint=checkpoint), whole)


def test_checkpoints_take_a_tenth_of_the_time_at_most():
    what, kept = experiment_of("momentum", epochs=200), Kept()

    def slow(event):
        kept.tell(event)
        if isinstance(event, Checkpoint):
            time.sleep(0.02)

    began = time.monotonic()
    trained(LinearEngine(), what, tell=slow, keep_checkpoints=True)
    took = time.monotonic() - began
    assert kept
    assert 0.02 * (len(kept) - 1) <= 0.1 * took


def test_there_is_no_checkpoint_unless_it_is_wanted():
    kept = Kept()
    trained(LinearEngine(), experiment_of("momentum"), tell=kept.tell)
    assert kept == []


def test_a_checkpoint_of_another_model_is_refused_and_the_run_starts_over():
    what, kept, told = experiment_of("momentum"), Kept(), []
    whole = trained(LinearEngine(), what, tell=kept.tell, keep_checkpoints=True)
    other = replace(kept[0], model=(np.zeros((2, 2), np.float32),))
    assert same(trained(LinearEngine(), what, checkpoint=other, tell=told.append), whole)
    assert told[0] == Refused("it is of another model or optimizer")


def test_time_before_the_cut_counts():
    what, kept, engine = experiment_of("momentum"), Kept(), LinearEngine()
    trained(engine, what, tell=kept.tell, keep_checkpoints=True)
    late = replace(kept[0], train_seconds=1000.0)
    assert 1000 < trained(engine, what, checkpoint=late).train_seconds < 1100


# --- through the command ---

SLOW = "schedule: {type: performance, initial_lr: 0.02, patience: 2}\nepochs: 80\n"
PLACE = ("epochs.csv", "steps.npz", "examples.npz", "weights.npz")


def compare(folder: Path, *options: str) -> list[str]:
    files = sorted(str(path) for path in folder.glob("*.yaml"))
    command = [sys.executable, "-m", "lrlab", "compare", *files, "--out", str(folder / "out")]
    return [*command, "--seeds", "1", "--workers", "1", "--keep-weights", *options]


def checkpoint_of(folder: Path) -> Path | None:
    return next((folder / "out" / "runs").glob(f"*/*{CHECKPOINT}"), None)


@pytest.fixture(scope="module")
def cut_off(tmp_path_factory, small_npz) -> Path:
    """A folder with a config, and results whose one run was killed in the middle."""
    folder = tmp_path_factory.mktemp("cut_off")
    (folder / "slow.yaml").write_text(f"{SLOW}data: {small_npz}\n")
    with subprocess.Popen(compare(folder), stdout=subprocess.DEVNULL) as process:
        while (path := checkpoint_of(folder)) is None:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert path.exists()
    return folder


def carry_on(folder: Path, out: Path, **options) -> tuple[Path, Told]:
    """Compare in this process; return the run's folder and what was told."""
    told = Told()
    read = config.read([folder / "slow.yaml"])
    experiment.compare(read, out=out, seeds=1, report=told, keep_weights=True, **options)
    (run,) = (out / "runs").glob("*/seed-0")
    assert run_folder.read(run).result.status is Status.DONE
    return run, told


@pytest.fixture(scope="module")
def undisturbed(cut_off, tmp_path_factory) -> Path:
    run, told = carry_on(cut_off, tmp_path_factory.mktemp("undisturbed") / "out")
    assert (told.resumed, told.warnings) == (0, [])
    return run


@pytest.fixture
def results(cut_off, tmp_path) -> Path:
    shutil.copytree(cut_off / "out", tmp_path / "out")
    return tmp_path / "out"


def assert_same_files(run: Path, undisturbed: Path) -> None:
    for name in PLACE:
        assert (run / name).read_bytes() == (undisturbed / name).read_bytes(), name


def test_a_killed_run_goes_on_and_ends_as_if_nothing_had_happened(cut_off, results, undisturbed):
    steps = len(checkpoints.read(checkpoint_of(results.parent)).state.loss)
    run, told = carry_on(cut_off, results)
    assert (told.resumed, told.warnings) == (1, [])
    assert told.first_step > steps
    assert_same_files(run, undisturbed)
    origin = run_folder.read(run).origin
    assert origin.resumed_at == (steps,)
    assert origin.earlier_environments == ()
    assert {path.name for path in run.parent.iterdir()} == {"seed-0"}
    assert {path.name for path in run.iterdir()} == {*PLACE, "run.json"}
    assert not list(results.rglob("*.part"))


def test_weights_are_those_of_the_model(undisturbed, small):
    kept = run_folder.read(undisturbed)
    result = kept.result
    assert kept.has_weights
    model = models.build("mlp", (8, 8), 4, seed=99)
    with np.load(undisturbed / run_folder.WEIGHTS, allow_pickle=False) as weights:
        model.set_weights([weights[name] for name in weights.files])
    found = model.predict(small.x_test, verbose=0).argmax(axis=1)
    assert np.mean(found == small.test.y) == result.test_score


def damage(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def of_another_seed(path: Path) -> None:
    kept = checkpoints.read(path)
    checkpoints.write(path, kept.state, replace(kept.origin, seed=7))


def of_another_model(path: Path) -> None:
    kept = checkpoints.read(path)
    checkpoints.write(path, replace(kept.state, model=kept.state.model[1:]), kept.origin)


def of_another_length(path: Path) -> None:
    kept = checkpoints.read(path)
    shorter = replace(kept.state, lr=kept.state.lr[1:], loss=kept.state.loss[1:])
    checkpoints.write(path, shorter, kept.origin)


def without_origin(path: Path) -> None:
    arrays = npz.unpack(path.read_bytes())
    about = json.loads(arrays["about"].tobytes())
    del about["environment"]
    arrays["about"] = np.frombuffer(json.dumps(about).encode(), np.uint8)
    path.write_bytes(checkpoints.sign(npz.pack(arrays)))


UNUSABLE = {
    "damaged": (damage, "its checksum is not that of its content"),
    "of another seed": (of_another_seed, "it is the checkpoint of another run"),
    "of another length": (of_another_length, "epochs do not fit this run"),
    "without its origin": (without_origin, "`environment` is missing"),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_an_unusable_checkpoint_is_set_aside(name, cut_off, results):
    change, reason = UNUSABLE[name]
    path = checkpoint_of(results.parent)
    change(path)
    bad, told = path.read_bytes(), Told()
    (read,) = config.read([cut_off / "slow.yaml"])
    (run,) = plan(read.experiment, data.resolve(read.experiment.data), (0,), results)
    assert run.folder == path.with_name("seed-0")
    assert Resumption(run, {}, told).checkpoint is None
    warnings = told.warnings
    (warning,) = warnings
    assert warning.startswith(f"`{path}`")
    assert reason in warning
    aside = "seed-0.checkpoint.npz.damaged"
    assert warning.endswith(f"it is kept as `{aside}` and slow seed 0 starts over")
    assert path.with_name(aside).read_bytes() == bad
    assert not path.exists()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (damage, "its checksum is not that of its content"),
        (of_another_model, "it is of another model or optimizer"),
    ],
)
def test_a_run_whose_checkpoint_is_of_no_use_starts_over(
    change, reason, cut_off, results, undisturbed
):
    path = checkpoint_of(results.parent)
    change(path)
    run, told = carry_on(cut_off, results)
    (warning,) = told.warnings
    assert warning.startswith(f"`{path}`")
    assert reason in warning
    assert warning.endswith(
        "it is kept as `seed-0.checkpoint.npz.damaged` and slow seed 0 starts over"
    )
    assert_same_files(run, undisturbed)
    assert run_folder.read(run).origin.resumed_at == ()


def test_fresh_begins_at_the_beginning(cut_off, results, undisturbed):
    run, told = carry_on(cut_off, results, fresh=True)
    assert (told.resumed, told.warnings) == (0, [])
    assert run_folder.read(run).origin.resumed_at == ()
    assert_same_files(run, undisturbed)


def test_a_part_made_elsewhere_is_told(cut_off, results):
    path = checkpoint_of(results.parent)
    kept = checkpoints.read(path)
    here = kept.origin.environment
    elsewhere = here | {"tensorflow": "2.99.0"}
    checkpoints.write(path, kept.state, replace(kept.origin, environment=elsewhere))
    run, _ = carry_on(cut_off, results)
    kept = run_folder.read(run)
    assert kept.origin.earlier_environments == (elsewhere,)
    made_in = [environment["tensorflow"] for environment in kept.result.environments]
    assert made_in == ["2.99.0", here["tensorflow"]]


def test_a_finished_run_without_weights_is_trained_anew_for_them(undisturbed, cut_off, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(undisturbed.parents[2], out)
    (run,) = (out / "runs").glob("*/seed-0")
    kept = run_folder.read(run)
    origin = RunOrigin(identity=kept.origin.identity, seed=kept.origin.seed)
    run_folder.write(run, kept.result, origin)
    assert run_folder.WEIGHTS not in {path.name for path in run.iterdir()}
    run, _ = carry_on(cut_off, out)
    assert_same_files(run, undisturbed)
    _, told = carry_on(cut_off, out)
    assert told.first_step is None
