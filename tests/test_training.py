"""The engine against Keras itself: equal weights, losses and metrics; then its own promises."""

import random
import time
from dataclasses import replace
from threading import Event

import keras
import numpy as np
import pytest
from engines import LinearEngine, data_set, engine_for, setup_of, train
from hypothesis import given
from hypothesis import strategies as st

import lrlab
from lrlab.config import Experiment, parse
from lrlab.finder import sweep
from lrlab.results.run import Status
from lrlab.schedules import SCHEDULES, ClosedLoop, Length
from lrlab.tasks import data, models
from lrlab.tasks.data import DataSet
from lrlab.tasks.parts import Part
from lrlab.training import course
from lrlab.training.chunks import USUAL, Pace, Stopped
from lrlab.training.engines.tensorflow import TensorFlowEngine
from lrlab.training.jobs import SweepJob
from lrlab.training.orders import sample_order
from lrlab.training.sweeping import sweep_seed

WITH_A_SMALLER_LAST_BATCH, WHOLE_BATCHES = 32, 50
DECAY = {"type": "exponential", "initial_lr": 0.05, "s": "30 steps"}
GENTLE_DECAY = DECAY | {"initial_lr": 0.002}

OPTIMIZERS = {
    "sgd": ({"type": "sgd"}, DECAY, lambda: keras.optimizers.SGD()),
    "momentum": (
        {"type": "sgd", "momentum": 0.9},
        GENTLE_DECAY,
        lambda: keras.optimizers.SGD(momentum=0.9),
    ),
    "nesterov": (
        {"type": "sgd", "momentum": 0.9, "nesterov": True},
        GENTLE_DECAY,
        lambda: keras.optimizers.SGD(momentum=0.9, nesterov=True),
    ),
    "adam": ({"type": "adam"}, GENTLE_DECAY, lambda: keras.optimizers.Adam()),
    "adamw": (
        {"type": "adamw", "weight_decay": 0.01},
        GENTLE_DECAY,
        lambda: keras.optimizers.AdamW(weight_decay=0.01),
    ),
    "nadam": (
        {"type": "nadam", "beta_1": 0.8},
        GENTLE_DECAY,
        lambda: keras.optimizers.Nadam(beta_1=0.8),
    ),
}


def experiment(**keys) -> Experiment:
    optimizer = keys.pop("optimizer", {"type": "sgd", "momentum": 0.9})
    keys = {"schedule": {"type": "constant", "lr": 0.005}, "epochs": 2} | keys
    return Experiment.model_validate({"optimizer": optimizer, **keys})


def outcome(result):
    """What a run gave, times apart, in a form that compares bit for bit."""
    return replace(result, lr=result.lr.tobytes(), loss=result.loss.tobytes(), train_seconds=0)


@pytest.fixture(scope="module")
def small(small_npz) -> DataSet:
    return data.load(data.resolve(str(small_npz)))


@pytest.fixture(scope="module")
def trainer_for(small):
    """Trainers by what they are made for: tracing is slow, and reuse is what lrlab does."""
    made: dict[object, TensorFlowEngine] = {}

    def get(what: Experiment) -> TensorFlowEngine:
        setup = setup_of(what, small)
        if setup not in made:
            made[setup] = engine_for(what, small)
        return made[setup]

    return get


# --- equal to Keras ---


class PerBatchRate(keras.callbacks.Callback):
    """Assigns the next learning rate before every batch, as a user of Keras would."""

    def __init__(self, rates) -> None:
        super().__init__()
        self.rates = iter(rates)

    def on_train_batch_begin(self, batch, logs=None):
        self.model.optimizer.learning_rate.assign(next(self.rates))


def keras_model(what: Experiment, tensors: DataSet, seed: int, optimizer, metrics=()):
    model = models.build(what.model, tensors.x_train.shape[1:], tensors.task.outputs, seed)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=metrics, jit_compile=False)
    return model


def float32_rates(what: Experiment, tensors: DataSet) -> np.ndarray:
    length = Length.of(len(tensors.x_train), what.batch_size, what.epochs)
    return lrlab.rates(what.schedule, length.steps_per_epoch, what.epochs).astype(np.float32)


def fit_with_keras(what: Experiment, tensors: DataSet, seed: int, optimizer):
    model = keras_model(what, tensors, seed, optimizer)
    x, y = tensors.x_train, tensors.train.y
    rates = PerBatchRate(float32_rates(what, tensors))
    for epoch in range(what.epochs):
        order = sample_order(len(x), seed, epoch)
        model.fit(x[order], y[order], what.batch_size, shuffle=False, verbose=0, callbacks=[rates])
    assert next(rates.rates, None) is None
    return model


def largest_difference(model, other) -> float:
    pairs = zip(model.get_weights(), other.get_weights(), strict=True)
    return max(float(np.abs(a - b).max()) for a, b in pairs)


CASES = [
    ("mlp", "sgd", WITH_A_SMALLER_LAST_BATCH),
    ("mlp", "momentum", WHOLE_BATCHES),
    ("mlp", "nesterov", WITH_A_SMALLER_LAST_BATCH),
    ("mlp", "adam", WHOLE_BATCHES),
    ("mlp", "adamw", WITH_A_SMALLER_LAST_BATCH),
    ("mlp", "nadam", WITH_A_SMALLER_LAST_BATCH),
    ("cnn", "nesterov", WITH_A_SMALLER_LAST_BATCH),
    ("cnn", "adam", WHOLE_BATCHES),
]


@pytest.mark.parametrize(("model", "name", "batch_size"), CASES)
def test_weights_after_two_epochs_are_those_of_keras_fit(
    model, name, batch_size, small, trainer_for
):
    optimizer, schedule, keras_optimizer = OPTIMIZERS[name]
    what = experiment(model=model, optimizer=optimizer, batch_size=batch_size, schedule=schedule)
    assert (len(small.x_train) % batch_size == 0) == (batch_size == WHOLE_BATCHES)
    trainer = trainer_for(what)
    result = train(trainer, what, seed=3)
    fitted = fit_with_keras(what, small, 3, keras_optimizer())
    untrained = models.build(model, small.x_train.shape[1:], small.task.outputs, 3)
    assert result.status is Status.DONE
    assert largest_difference(untrained, fitted) > 1e-3
    assert largest_difference(trainer.model, fitted) == 0.0


def test_weights_are_those_of_keras_fit_on_fashion_mnist(fashion_dir):
    optimizer, schedule, keras_optimizer = OPTIMIZERS["nesterov"]
    what = experiment(optimizer=optimizer, schedule=schedule)
    x, y, *_ = data.fashion_mnist.read(fashion_dir)
    x, y = x[:2_500].astype(np.float32) / 255, y[:2_500].astype(np.int32)
    part = data_set(x[500:], y[500:], x[:500], y[:500])
    trainer = engine_for(what, part)
    result = train(trainer, what)
    assert result.epochs[-1].val_score > 0.5
    assert result.test_score is None
    assert largest_difference(trainer.model, fit_with_keras(what, part, 0, keras_optimizer())) == 0


def test_losses_and_metrics_are_those_of_keras(small, trainer_for):
    optimizer, schedule, keras_optimizer = OPTIMIZERS["momentum"]
    what = experiment(optimizer=optimizer, schedule=schedule, epochs=1)
    trainer = trainer_for(what)
    result = train(trainer, what, seed=1)

    model = keras_model(what, small, 1, keras_optimizer(), ["accuracy"])
    x, y = small.x_train, small.train.y
    order = sample_order(len(x), 1, 0)
    losses, correct = [], 0.0
    for step, rate in enumerate(float32_rates(what, small)):
        picked = order[step * what.batch_size : (step + 1) * what.batch_size]
        model.optimizer.learning_rate.assign(rate)
        model.reset_metrics()  # Keras reports the mean over all batches since the last reset.
        loss, accuracy = model.train_on_batch(x[picked], y[picked])
        losses.append(float(loss))
        correct += float(accuracy) * len(picked)
    np.testing.assert_allclose(result.loss, losses, rtol=1e-5)

    (epoch,) = result.epochs
    sizes = [min(what.batch_size, len(x) - at) for at in range(0, len(x), what.batch_size)]
    assert epoch.loss == pytest.approx(np.average(losses, weights=sizes), rel=1e-5)
    assert epoch.score == pytest.approx(correct / len(x), rel=1e-5)
    validated = model.evaluate(small.x_val, small.validation.y, verbose=0)
    assert [epoch.val_loss, epoch.val_score] == pytest.approx(validated, rel=1e-5)
    tested = model.evaluate(small.x_test, small.test.y, verbose=0)
    assert [result.test_loss, result.test_score] == pytest.approx(tested, rel=1e-5)
    assert trainer.evaluate("train")[:2] == pytest.approx(model.evaluate(x, y, verbose=0), rel=1e-5)


def test_evaluation_in_several_batches_is_the_mean_over_images(small):
    images, labels = np.tile(small.test.x, (21, 1, 1))[:2_450], np.tile(small.test.y, 21)[:2_450]
    larger = replace(small, test=Part(images, labels))
    trainer = engine_for(experiment(), larger)
    trainer.start(0)
    model = keras_model(experiment(), small, 0, "sgd", ["accuracy"])
    expected = model.evaluate(larger.x_test, labels, verbose=0)
    assert trainer.evaluate("test")[:2] == pytest.approx(expected, rel=1e-5)


# --- a function of the seed alone ---


def test_a_used_trainer_gives_the_run_of_a_new_one(small, trainer_for):
    what = experiment(optimizer={"type": "nadam", "beta_1": 0.8}, batch_size=32)
    used = trainer_for(what)
    train(used, experiment(optimizer={"type": "nadam", "beta_1": 0.8}, schedule=DECAY), seed=5)
    again = train(used, what)
    new = engine_for(what, small)
    assert outcome(again) == outcome(train(new, what))
    assert largest_difference(used.model, new.model) == 0.0


def test_a_trainer_that_met_nan_starts_afresh(trainer_for):
    trainer = trainer_for(experiment())
    before = train(trainer, experiment())
    exploded = train(trainer, experiment(schedule={"type": "constant", "lr": 1e30}))
    assert exploded.status is Status.DIVERGED
    assert outcome(train(trainer, experiment())) == outcome(before)


def test_the_seed_decides_weights_and_order(trainer_for):
    trainer = trainer_for(experiment())
    first, same, other = (train(trainer, experiment(), seed) for seed in (0, 0, 1))
    assert outcome(first) == outcome(same)
    assert (first.loss != other.loss).all()


def test_no_global_random_state_is_read_or_touched(trainer_for):
    trainer = trainer_for(experiment())
    keras.utils.set_random_seed(1)
    before = random.getstate(), np.random.get_state()  # noqa: NPY002
    first = train(trainer, experiment())
    after = random.getstate(), np.random.get_state()  # noqa: NPY002
    assert before[0] == after[0]
    assert all(np.array_equal(a, b) for a, b in zip(before[1], after[1], strict=True))
    keras.utils.set_random_seed(2)
    assert outcome(train(trainer, experiment())) == outcome(first)


@given(images=st.integers(1, 300), seed=st.integers(0, 2**32), epoch=st.integers(0, 10_000))
def test_sample_order_is_a_permutation_and_a_function_of_seed_and_epoch(images, seed, epoch):
    order = sample_order(images, seed, epoch)
    assert order.dtype == np.int32
    assert sorted(order) == list(range(images))
    assert np.array_equal(order, sample_order(images, seed, epoch))


@pytest.mark.parametrize(("seed", "epoch"), [(0, 1), (1, 0), (1, 1)])
def test_another_seed_or_epoch_is_another_order(seed, epoch):
    assert not np.array_equal(sample_order(500, 0, 0), sample_order(500, seed, epoch))


# --- chunks, progress, stop ---


def chunk_lengths(seconds, trainer):
    told = []
    result = train(trainer, experiment(), tell=told.append, pace=Pace(chunk_seconds=seconds))
    return result, np.diff([0, *(progress.step for progress in told)]).tolist()


def test_results_do_not_depend_on_the_size_of_chunks(trainer_for):
    trainer = trainer_for(experiment())
    short, ones = chunk_lengths(1e-9, trainer)
    long, whole = chunk_lengths(1e9, trainer)
    assert (ones[-18:], whole) == ([1] * 18, [18, 18])
    assert outcome(short) == outcome(long)


def test_progress_tells_where_the_run_stands(trainer_for):
    told = []
    result = train(trainer_for(experiment()), experiment(), tell=told.append)
    for at in told:
        assert (at.lr, at.loss) == (result.lr[at.step - 1], result.loss[at.step - 1])
    accuracies = [at.val_score for at in told if at.step in (18, 36)]
    assert accuracies == [None, result.epochs[0].val_score]


def test_a_stop_before_the_run_trains_no_step(trainer_for):
    stop, told = Event(), []
    stop.set()
    with pytest.raises(Stopped):
        train(trainer_for(experiment()), experiment(), stop=stop, tell=told.append)
    assert told == []


def test_a_stop_during_the_run_ends_it_after_that_chunk(trainer_for):
    stop, told = Event(), []

    def stop_at_once(event):
        told.append(event)
        stop.set()

    with pytest.raises(Stopped):
        train(trainer_for(experiment()), experiment(epochs=1_000), stop=stop, tell=stop_at_once)
    assert len(told) == 1


# --- rates ---

OPEN_LOOPS = [n for n, model in SCHEDULES.items() if not issubclass(model, ClosedLoop)]


@pytest.mark.parametrize("kind", OPEN_LOOPS)
def test_recorded_rates_are_the_schedule_in_float32(kind, small, trainer_for):
    stated = parse(SCHEDULES[kind].entry.example).experiment.schedule
    what = experiment(schedule=stated.model_dump(mode="json"))
    result = train(trainer_for(what), what)
    rates = float32_rates(what, small)
    assert result.lr.dtype == np.float32
    assert result.lr.tobytes() == rates.tobytes()
    assert [epoch.lr for epoch in result.epochs] == [rates[17], rates[35]]


@pytest.mark.parametrize("monitor", ["val_loss", "val_accuracy"])
def test_performance_rates_are_the_replay_of_the_history(monitor, trainer_for):
    schedule = {"type": "performance", "initial_lr": 0.02, "patience": 1, "min_delta": 0.02}
    what = experiment(schedule=schedule | {"monitor": monitor}, epochs=8)
    result = train(trainer_for(what), what)
    history = result.after_epochs(monitor)
    expected = [what.schedule.replay(history[:epoch]).lr for epoch in range(8)]
    assert len(set(expected)) > 1
    assert np.array_equal(result.lr, np.repeat(np.float32(expected), 18))


# --- divergence ---


@pytest.mark.parametrize("image", [17, 400])
def test_a_nan_loss_ends_the_run_at_its_step(image, small):
    x = small.train.x.astype(np.float32)
    x[image] = np.nan
    what = experiment(schedule=DECAY, epochs=3)
    result = train(engine_for(what, replace(small, train=Part(x, small.train.y))), what)
    step = int(np.flatnonzero(sample_order(550, 0, 0) == image)[0]) // what.batch_size
    assert (result.status, result.diverged_at) == (Status.DIVERGED, step)
    assert np.array_equal(result.lr, float32_rates(what, small)[: step + 1])
    assert np.isfinite(result.loss[:-1]).all()
    assert np.isnan(result.loss[-1])
    assert (result.epochs, result.test_loss, result.test_score) == ((), None, None)


def test_a_finite_explosion_is_diverged_too(trainer_for):
    what = experiment(
        optimizer={"type": "adam"}, schedule={"type": "constant", "lr": 1e6}, epochs=3
    )
    result = train(trainer_for(what), what)
    assert result.status is Status.DIVERGED
    assert np.isfinite(result.loss).all()
    assert len(result.epochs) == 3
    assert (result.loss[result.diverged_at :] > result.loss[0]).all()


def test_a_network_that_its_last_step_breaks_is_diverged(trainer_for):
    last = {"type": "piecewise", "values": [0.005, 1e30], "boundaries": ["35 steps"]}
    result = train(trainer_for(experiment()), experiment(schedule=last))
    assert np.isfinite(result.loss).all()
    assert not np.isfinite(result.epochs[-1].val_loss)
    assert (result.status, result.diverged_at) == (Status.DIVERGED, 35)
    assert (result.test_loss, result.test_score) == (None, None)


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        ([2.0, 1.5, 1.0, 0.5], None),
        ([2.0, 2.0, 2.0, 2.0], None),
        ([2.0, 9.0, 1.0, 1.0], None),
        ([2.0, 9.0, 3.0, 2.9], None),
        ([2.0, 1.0, 3.0, 4.0], 3),
        ([2.0, 9.0, 9.0, 9.0], 1),
        ([2.0, 9.0, 1.0, 9.0], 1),
        ([2.0, float("inf"), 1.0, 1.0], 1),
        ([float("nan")], 0),
        ([2.0, 1.0, float("nan")], 2),
    ],
)
def test_where_a_run_diverged(loss, expected):
    assert course._diverged_at(np.float32(loss), 2) == expected


def test_single_leaps_are_no_divergence():
    assert course._diverged_at(np.float32([2.0, 1.0, 900.0, 1.0]), 4) is None


# --- the sweep is the same training ---


def swept(trainer, rates, seed=0, stop=None):
    job = SweepJob(setup=None, rates=np.asarray(rates), seed=seed)
    return sweep_seed(trainer, job, stop=stop or Event(), tell=lambda _: None, pace=USUAL)


def test_a_sweep_trains_the_steps_of_a_run(trainer_for):
    result = train(trainer_for(experiment()), experiment(epochs=1), seed=2)
    found = swept(trainer_for(experiment()), np.full(17, 0.005), 2)
    assert found.stopped_by is sweep.StoppedBy.COMPLETED
    assert np.array_equal(found.losses, result.loss[:17])


def test_a_sweep_ends_by_its_stop_rule_and_pads_with_nan(trainer_for):
    found = swept(trainer_for(experiment()), sweep.rates(min_lr=1e-5, max_lr=1e6, steps=300))
    end = int(np.isfinite(found.losses).sum())
    assert found.losses.shape == (300,)
    assert found.stopped_by is not sweep.StoppedBy.COMPLETED
    assert 10 < end < 300
    assert np.isnan(found.losses[end:]).all()
    assert sweep.stop(found.losses[:end]) is None


def test_a_sweep_stops_when_told(trainer_for):
    stop = Event()
    stop.set()
    with pytest.raises(Stopped):
        swept(trainer_for(experiment()), np.full(20, 0.01), stop=stop)


class SlowToTrace(LinearEngine):
    """An engine that needs a second to compile what a run needs."""

    def trace(self, *, cycled):
        time.sleep(1.0)


def test_the_time_of_a_run_leaves_out_tracing():
    result = train(SlowToTrace(), experiment(epochs=1))
    assert result.status is not Status.FAILED
    assert 0 < result.train_seconds < 1.0


def test_nothing_is_traced_while_the_time_of_a_run_counts(small):
    engine = engine_for(experiment(), small)
    engine.trace(cycled=True)
    traced = engine._evaluate, engine._train_cycled
    assert None not in traced
    train(engine, experiment(epochs=1))
    assert (engine._evaluate, engine._train_cycled) == traced
