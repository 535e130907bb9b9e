"""Data that are not arrays in memory: streams and memory maps, against the same data as arrays."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from threading import Event

import keras
import numpy as np
import pytest
import tensorflow as tf
from typer.testing import CliRunner

from lrlab.cli import app
from lrlab.config import Experiment
from lrlab.errors import DataError
from lrlab.tasks import data
from lrlab.tasks.parts import Given, Part
from lrlab.tasks.picked import Picked, is_on_disk
from lrlab.tasks.scale import Scale
from lrlab.tasks.stream_source import resolve_streams
from lrlab.tasks.streamed import Streams, stream
from lrlab.training.course import train_run
from lrlab.training.engines.tensorflow import Engines
from lrlab.training.jobs import RunJob
from lrlab.training.orders import sample_order

BATCH, EPOCHS = 16, 2


def numbers(rows=90):
    x = np.random.default_rng(0).normal(size=(rows, 4)).astype(np.float32)
    return x, np.argmax(x[:, :3], axis=1)


def build(shape, outputs, seed):
    keras.utils.set_random_seed(seed)
    return keras.Sequential(
        [
            keras.Input(shape),
            keras.layers.Dense(8, "relu"),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(outputs, "softmax"),
        ]
    )


def trained(source, seed=3, engine=None, epochs=EPOCHS):
    schedule = {"type": "exponential", "initial_lr": 0.05, "s": "5 steps"}
    what = Experiment.model_validate({"schedule": schedule, "batch_size": BATCH})
    setup = replace(what.setup(source), model=build)
    loaded = {source: source.streamed or data.load(source)}
    engine = engine or Engines(loaded)(setup)
    told = []
    job = RunJob(setup, what.schedule, epochs, seed, keep_checkpoints=True)
    return engine, train_run(engine, job, stop=Event(), tell=told.append), told


def weights(engine):
    return b"".join(each.numpy().tobytes() for each in engine.model.variables)


def outcome(result):
    return replace(result, lr=result.lr.tobytes(), loss=result.loss.tobytes(), train_seconds=0)


# --- streams ---


def shuffled(seed):
    """Two streams whose order is that of lrlab's own runs, so that arrays give the same."""
    x, y = numbers()
    epochs = iter(range(100))

    def rows():
        order = sample_order(60, seed, next(epochs))
        yield from zip(x[:60][order], y[:60][order], strict=True)

    kinds = (tf.TensorSpec([4], tf.float32), tf.TensorSpec([], tf.int64))
    train = tf.data.Dataset.from_generator(rows, output_signature=kinds).batch(BATCH)
    held = tf.data.Dataset.from_tensor_slices((x[60:], y[60:])).batch(7)
    return Streams(stream(train, "train"), stream(held, "held"))


class Batches(keras.utils.PyDataset):
    """The same as a `PyDataset`."""

    def __init__(self, seed):
        super().__init__()
        self.seed, self.epoch = seed, 0

    def __len__(self):
        return 4

    def __getitem__(self, index):
        x, y = numbers()
        picked = sample_order(60, self.seed, self.epoch)[index * BATCH : (index + 1) * BATCH]
        return x[picked], y[picked]

    def on_epoch_end(self):
        self.epoch += 1


def batches(seed):
    x, y = numbers()
    return Streams(stream(Batches(seed), "train"), Part(x[60:], y[60:]))


def arrays():
    x, y = numbers()
    return data.resolve_given("arrays", Given(Part(x[:60], y[:60]), Part(x[60:], y[60:])))


@pytest.mark.parametrize("make", [shuffled, batches])
def test_a_stream_trains_as_its_arrays_do(make):
    source = resolve_streams("stream", make)
    engine, result, _ = trained(source)
    same, expected, _ = trained(arrays())
    assert (source.train_images, source.steps, source.task) == (60, 4, arrays().task)
    assert result.loss.tobytes() == expected.loss.tobytes()
    assert weights(engine) == weights(same)
    for ours, theirs in zip(result.epochs, expected.epochs, strict=True):
        assert (ours.loss, ours.score) == (theirs.loss, theirs.score)
        assert ours.val_score == theirs.val_score
        assert ours.val_loss == pytest.approx(theirs.val_loss, rel=1e-6)


def test_a_run_on_a_stream_is_a_function_of_its_seed_alone():
    source = resolve_streams("stream", shuffled)
    engine, first, _ = trained(source)
    trained(source, seed=4, engine=engine)
    _, again, _ = trained(source, engine=engine)
    assert outcome(again) == outcome(first)


def test_a_run_on_a_stream_keeps_no_checkpoint():
    def kinds(source):
        return {type(event).__name__ for event in trained(source)[2]}

    assert kinds(resolve_streams("stream", shuffled)) == {"Progress"}
    assert kinds(arrays()) == {"Progress", "Checkpoint"}


def test_the_fingerprint_of_a_stream_is_that_of_its_examples_whatever_their_order():
    def source(flipped=False, changed=0.0):
        x, y = numbers()
        x[5, 2] += changed
        rows = slice(None, None, -1 if flipped else 1)
        train = tf.data.Dataset.from_tensor_slices((x[rows], y[rows])).batch(8)
        held = Part(x[:9], y[:9])
        return resolve_streams("s", lambda _: Streams(stream(train, "t"), held))

    assert source().fingerprint == source(flipped=True).fingerprint
    assert source().fingerprint != source(changed=1e-3).fingerprint


def test_batches_of_any_length_and_size():
    def make(_):
        def rows():
            for size, length in ((3, 5), (3, 7), (2, 7), (4, 5)):
                yield np.ones((size, length, 2), np.float32), np.arange(size) % 2

        kinds = (tf.TensorSpec([None, None, 2], tf.float32), tf.TensorSpec([None], tf.int64))
        made = tf.data.Dataset.from_generator(rows, output_signature=kinds)
        return Streams(stream(made, "train"), stream(made, "held"))

    source = resolve_streams("s", make)
    assert (source.shape, source.train_images, source.steps) == ((None, 2), 12, 4)
    setup = replace(
        Experiment.model_validate({"schedule": {"type": "constant", "lr": 0.1}}).setup(source),
        model=lambda shape, outputs, seed: keras.Sequential(
            [keras.Input(shape), keras.layers.GRU(3), keras.layers.Dense(outputs, "softmax")]
        ),
    )
    engine = Engines({source: source.streamed})(setup)
    engine.start(0)
    assert engine.sizes().tolist() == [3, 3, 2, 4]
    losses = engine.train(np.arange(12, dtype=np.int32), np.full(4, 0.1, np.float32))
    assert np.isfinite(losses).all()
    assert losses.shape == (4,)


@pytest.mark.parametrize(("later", "found"), [(3, "only 3"), (5, "more")])
def test_a_stream_of_another_length_is_told(later, found):
    made = iter([4, later])

    def make(_):
        x, y = numbers()
        steps = next(made)
        train = tf.data.Dataset.from_tensor_slices((x, y)).batch(BATCH).take(steps)
        return Streams(stream(train, "t"), Part(x[:9], y[:9]))

    source = resolve_streams("s", make)
    with pytest.raises(ValueError, match=f"gave 4 batches when they were counted, and {found} now"):
        trained(source)


def test_targets_of_a_stream_are_held_against_those_of_arrays():
    x, y = numbers()
    one = tf.data.Dataset.from_tensor_slices((x, np.zeros(len(x), int))).batch(8)
    with pytest.raises(DataError) as caught:
        resolve_streams("s", lambda _: Streams(stream(one, "it"), Part(x, y)))
    assert caught.value.message == "it: `y_train` holds a single class, 0"


SETS = """
import numpy as np
import tensorflow as tf

def _part(first, last, **more):
    x = np.random.default_rng(0).normal(size=(200, 4)).astype("float32")
    y = np.argmax(x[:, :3], axis=1)
    return tf.data.Dataset.from_tensor_slices((x[first:last], y[first:last]))

def streams():
    return _part(0, 150).shuffle(150).batch(16), _part(150, 200).batch(50)
"""


def test_streams_from_the_command_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("sets.py").write_text(SETS)
    Path("x.yaml").write_text(
        "schedule: {type: constant, lr: 0.05}\nmodel: linear\ndata: sets.py:streams\nepochs: 2\n"
    )

    def run(command, *more):
        return CliRunner().invoke(app, [command, "x.yaml", "--trust", "sets.py", *more])

    first = run("compare", "--seeds", "2")
    assert first.exit_code == 0, first.output
    again = run("compare", "--seeds", "2")
    assert "2 runs reused" in again.output or "training" not in again.output
    fresh = run("compare", "--seeds", "2", "--out", "other")
    kept = sorted(Path("results/runs").rglob("epochs.csv"))
    anew = sorted(Path("other/runs").rglob("epochs.csv"))
    assert len(kept) == 2
    assert fresh.exit_code == 0
    assert [p.read_bytes() for p in kept] == [p.read_bytes() for p in anew]
    assert run("find-lr", "--seeds", "1").exit_code in (0, 1)
    assert Path("results/find-lr/sweep.csv").stat().st_size > 1_000


# --- memory maps ---


@pytest.fixture
def folder(tmp_path):
    x, y = numbers(300)
    parts = {"train": slice(250), "test": slice(250, None)}
    for name, rows in parts.items():
        np.save(tmp_path / f"x_{name}.npy", x[rows])
        np.save(tmp_path / f"y_{name}.npy", y[rows])
    return tmp_path


def in_memory(given):
    def part(each):
        return each and Part(np.array(each.x), np.array(each.y))

    return replace(given, train=part(given.train), test=part(given.test))


def test_a_memory_map_trains_as_its_array_does(folder):
    given = data.named_arrays.read_npy_folder(folder)
    mapped = data.resolve_given("it", replace(given, standardise=False))
    loaded = data.load(mapped)
    assert is_on_disk(loaded.train.x)
    assert is_on_disk(loaded.validation.x)
    whole = data.resolve_given("it", replace(in_memory(given), standardise=False))
    assert not is_on_disk(data.load(whole).train.x)
    engine, result, _ = trained(mapped)
    same, expected, _ = trained(whole)
    assert mapped.fingerprint == whole.fingerprint
    assert outcome(result) == outcome(expected)
    assert weights(engine) == weights(same)


def test_the_scale_of_a_memory_map_is_found_in_blocks(folder):
    given = data.named_arrays.read_npy_folder(folder)
    x = given.train.x
    ours, expected = Scale.of(x), Scale.of(np.array(x))
    np.testing.assert_allclose(ours.shift, expected.shift, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(ours.factor, expected.factor, rtol=1e-5)


def test_picked_rows_are_read_when_they_are_asked_for(folder):
    x = data.named_arrays.read_npy_folder(folder).train.x
    picked = Part(x, np.zeros(len(x))).picked(np.array([7, 3, 5])).x
    assert isinstance(picked, Picked)
    assert np.array_equal(picked[1:], np.asarray(x)[[3, 5]])
    assert np.array_equal(picked[np.array([2, 0])], np.asarray(x)[[5, 7]])


ROOM = """
import re, sys
from pathlib import Path
import numpy as np
from lrlab.config import Experiment
from lrlab.tasks import data
from lrlab.training.engines.tensorflow import Engines

def held():
    return int(re.search(r"RssAnon:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024

constant = {"schedule": {"type": "constant", "lr": 0.01}, "model": "linear"}
before = held()
source = data.resolve_given("it", data.named_arrays.read_npy_folder(Path(sys.argv[1])))
engine = Engines({source: data.load(source)})(Experiment.model_validate(constant).setup(source))
engine.start(0)
order = np.random.default_rng(0).permutation(source.train_images).astype(np.int32)
for first in range(0, 6_400, 640):
    engine.train(order[first : first + 640], np.full(20, 0.01, np.float32))
print(before, held())
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux says what is held")
def test_a_memory_map_is_not_loaded_whole(tmp_path):
    x = np.lib.format.open_memmap(tmp_path / "x_train.npy", "w+", np.uint8, (40_000, 10_000))
    x[:, :10] = np.random.default_rng(0).integers(0, 255, (40_000, 10))
    x.flush()
    np.save(tmp_path / "y_train.npy", np.arange(40_000) % 3)
    done = subprocess.run(
        [sys.executable, "-c", ROOM, str(tmp_path)], capture_output=True, text=True, check=True
    )
    before, after = map(int, done.stdout.split())
    assert x.nbytes / 2**20 > 380
    assert after - before < 250  # As float32, which it is trained as, it would take 1,500.
