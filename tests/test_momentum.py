"""Momentum step by step, warm-up and closed loops in real runs: what is recorded is the curve."""

from __future__ import annotations

from functools import partial

import keras
import numpy as np
import pytest
from engines import engine_for
from engines import train as run

from lrlab import schedules
from lrlab.config import Experiment
from lrlab.metric import ACCURACY
from lrlab.results import run_folder
from lrlab.results.run import value_of
from lrlab.results.run_folder import RunOrigin
from lrlab.schedules import Length
from lrlab.schedules.one_cycle import MomentumCycle
from lrlab.tasks import data, models
from lrlab.tasks.data import DataSet
from lrlab.training.engines.tensorflow import TensorFlowEngine
from lrlab.training.orders import sample_order

CYCLE = {"type": "one_cycle", "max_lr": 0.02, "momentum": {"low": 0.7, "high": 0.95}}
SGD = {"type": "sgd", "momentum": 0.9}

# With the momentum, or beta_1, that each has of its own.
OPTIMIZERS = {
    "momentum": SGD,
    "nesterov": {**SGD, "nesterov": True},
    "adam": {"type": "adam"},
    "adamw": {"type": "adamw"},
    "nadam": {"type": "nadam"},
    "rmsprop": {"type": "rmsprop", "momentum": 0.9},
}


def experiment(schedule, optimizer=SGD, epochs=3) -> Experiment:
    return Experiment.model_validate(
        {"schedule": schedule, "optimizer": optimizer, "epochs": epochs}
    )


@pytest.fixture(scope="module")
def small(small_npz) -> DataSet:
    return data.load(data.resolve(str(small_npz)))


@pytest.fixture(scope="module")
def trainer(small) -> TensorFlowEngine:
    return engine_for(experiment(CYCLE), small)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_constant_momentum_equals_the_plain_optimizer_bit_for_bit(name, small):
    trainer = engine_for(experiment(CYCLE, OPTIMIZERS[name]), small)
    order, rates = np.arange(200, dtype=np.int32), np.full(7, 0.003, np.float32)

    def weights(momenta):
        trainer.start(1)
        losses = trainer.train(order, rates, momenta)
        return [losses, *[variable.numpy() for variable in trainer.model.variables]]

    plain, constant = weights(None), weights(np.full(7, 0.9))
    for ours, theirs in zip(constant, plain, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    cycled = weights(np.linspace(0.5, 0.95, 7))
    assert not np.array_equal(cycled[-1], plain[-1])
    for again, theirs in zip(weights(None), plain, strict=True):
        np.testing.assert_array_equal(again, theirs)


def test_cycled_momentum_equals_keras_given_it_by_hand(small, trainer):
    what = experiment(CYCLE, epochs=1)
    images = len(small.x_train)
    steps = Length.of(images, what.batch_size, 1).steps
    order = sample_order(images, 0, 0)
    rates = schedules.rates(what.schedule, Length(steps, 1)).astype(np.float32)
    momenta = schedules.momenta(what.schedule, Length(steps, 1))
    trainer.start(0)
    losses = trainer.train(order, rates, momenta)

    model = models.build("mlp", small.x_train.shape[1:], small.task.outputs, 0)
    model.compile(keras.optimizers.SGD(momentum=0.9), "sparse_categorical_crossentropy",
                  jit_compile=False, run_eagerly=True)  # fmt: skip
    x, y, expected = small.x_train, small.train.y, []
    for i, (rate, momentum) in enumerate(zip(rates, momenta, strict=True)):
        picked = order[i * what.batch_size : (i + 1) * what.batch_size]
        model.optimizer.learning_rate.assign(rate)
        model.optimizer.momentum = float(momentum)
        expected.append(model.train_on_batch(x[picked], y[picked]))
    # Keras reports the running mean of the losses.
    mean = np.asarray(expected)
    np.testing.assert_allclose(mean[0], losses[0], rtol=1e-6)
    for ours, theirs in zip(trainer.model.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


def test_momentum_is_recorded_where_it_was_cycled(trainer, tmp_path):
    for schedule, cycled in ((CYCLE, True), ({**CYCLE, "momentum": None}, False)):
        what = experiment(schedule)
        result = run(trainer, what)
        steps = len(result.lr) // what.epochs
        curve = schedules.rates(what.schedule, Length(steps, what.epochs))
        np.testing.assert_array_equal(result.lr, curve.astype(np.float32))
        run_folder.write(tmp_path / str(cycled), result, RunOrigin())
        with np.load(tmp_path / str(cycled) / "steps.npz") as kept:
            assert set(kept) == {"lr", "loss", *(["momentum"] if cycled else [])}
        found = run_folder.read(tmp_path / str(cycled)).result
        if cycled:
            momenta = schedules.momenta(what.schedule, Length(steps, what.epochs))
            np.testing.assert_array_equal(found.momentum, momenta.astype(np.float32))
        else:
            assert found.momentum is None


def test_cycled_runs_are_reproducible_and_leave_plain_ones_alone(trainer):
    plain = experiment({"type": "constant", "lr": 0.005})
    first, cycled = run(trainer, plain), run(trainer, experiment(CYCLE))
    again, once_more = run(trainer, plain), run(trainer, experiment(CYCLE))
    np.testing.assert_array_equal(first.loss, again.loss)
    np.testing.assert_array_equal(cycled.loss, once_more.loss)
    assert trainer.optimizer.momentum == 0.9


def test_constant_cycle_is_the_run_without_one(trainer):
    constant = MomentumCycle(low=0.9, high=0.9)
    what = experiment({**CYCLE, "momentum": None})
    same = replace_schedule(what, momentum=constant)
    np.testing.assert_array_equal(run(trainer, what).loss, run(trainer, same).loss)


def replace_schedule(what, **fields):
    return what.model_copy(update={"schedule": what.schedule.model_copy(update=fields)})


LOOPS = {
    "greedy": {"type": "greedy", "initial_lr": 0.002, "factor": 0.5, "patience": 0},
    "greedy on the validation accuracy": {
        "type": "greedy", "initial_lr": 0.002, "factor": 0.5, "patience": 0,
        "monitor": "val_accuracy",
    },
    "greedy after a warm-up": {
        "type": "greedy", "initial_lr": 0.002, "factor": 0.5, "patience": 0,
        "warmup": {"for": "1.5 epochs"},
    },
    "PyTorch's plateau after a warm-up": {
        "type": "performance", "variant": "pytorch", "initial_lr": 0.02, "patience": 0,
        "min_delta": 0.1, "warmup": {"for": "10%", "shape": "cosine"},
    },
}  # fmt: skip


@pytest.mark.parametrize("schedule", LOOPS.values(), ids=LOOPS.keys())
def test_rates_of_a_closed_loop_are_the_replay_of_its_history(schedule, trainer):
    what = experiment(schedule, epochs=6)
    result = run(trainer, what)
    steps = len(result.lr) // what.epochs
    read = partial(value_of, quantity=what.schedule.monitor, metric=ACCURACY)
    expected = [
        what.schedule.epoch_rates(Length(steps, what.epochs), read)(result.epochs[:epoch])
        for epoch in range(what.epochs)
    ]
    np.testing.assert_array_equal(result.lr, np.concatenate(expected).astype(np.float32))
    assert len(set(result.lr[3 * steps :].tolist())) > 1
    assert result.momentum is None


def test_recorded_momentum_ends_where_a_run_diverged(trainer):
    what = experiment({**CYCLE, "max_lr": 1e6})
    result = run(trainer, what)
    assert result.diverged_at is not None
    assert len(result.momentum) == len(result.lr) == len(result.loss)
