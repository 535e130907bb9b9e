"""A user's own models against Keras' `fit`, bit for bit; then what is refused, and how."""

import math
from pathlib import Path
from threading import Event
from types import MappingProxyType
from typing import Any, NamedTuple

import keras
import numpy as np
import own_nets as nets
import pytest

from lrlab import config
from lrlab.experiment import own_code, preparation
from lrlab.reporter import Reporter
from lrlab.tasks import data, stated_task
from lrlab.tasks.own_model import variables_of
from lrlab.training.course import train_run
from lrlab.training.engines.tensorflow import Engines
from lrlab.training.jobs import RunJob
from lrlab.training.orders import sample_order

NETS = Path(nets.__file__)
SEED, EPOCHS, BATCH = 3, 2, 16
DECAY = {"type": "exponential", "initial_lr": 0.02, "s": "5 steps"}


class Case(NamedTuple):
    """A model of a user's, the data, and what the config states besides."""

    data: str = "classes"
    loss: Any = "sparse_categorical_crossentropy"
    keys: Any = MappingProxyType({})
    optimizer: Any = lambda: keras.optimizers.SGD(momentum=0.9)
    own_optimizer: bool = False


LOGITS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
BINARY_LOGITS = keras.losses.BinaryCrossentropy(from_logits=True)
NAMED_LOSSES = {"kind": "sparse_categorical_crossentropy", "size": "mean_squared_error"}
COMPILED = Case(own_optimizer=True)

CASES = {
    "sequential": Case(),
    "unbuilt": Case(),
    "compiled": COMPILED,
    "normed_and_dropped": Case(),
    "dropped_by_seed": Case(),
    "two_inputs": Case("pairs"),
    "inputs_in_order": Case("ordered_pairs"),
    "two_outputs": Case("two_targets", list(NAMED_LOSSES.values())),
    "two_named_outputs": Case("kinds_and_sizes", NAMED_LOSSES),
    "weighted_outputs": COMPILED._replace(data="kinds_and_sizes"),
    "weighted_list": COMPILED._replace(data="two_targets"),
    "subclassed": Case(),
    "subclassed_compiled": COMPILED,
    "plain": Case(),
    "own_compute_loss": COMPILED,
    "add_loss": Case(),
    "regularised": Case(),
    "frozen": Case(),
    "bfloat16": Case(),
    "float16": Case(),
    "float16_compiled": COMPILED,
    "float16_layers": Case(),
    "logits": Case(loss=LOGITS),
    "sigmoid": Case("halves", "binary_crossentropy"),
    "sigmoid_logit": Case("halves", BINARY_LOGITS),
    "several": Case("several_amounts", "mean_squared_error"),
    "linear": Case("amounts", "mean_squared_error"),
    "gru": Case("tokens"),
    "lstm": Case("tokens"),
    "masked": Case("tokens"),
    "per_position": Case("next_tokens"),
    "attention": Case("tokens"),
    "stateful": Case("sequences"),
    "counting": Case(),
    "convolutional": Case("images"),
    # Of what the config states besides.
    "sequential on doubles": Case("doubles"),
    "sequential, one-hot": Case("one_hot", "categorical_crossentropy"),
    "several, labels": Case("labels", BINARY_LOGITS),
    "sequential, weighted": Case("weighted"),
    "normed_and_dropped, class weights": Case(keys={"class_weight": {0: 3.0, 2: 0.5}}),
    "sigmoid, class weights": Case(
        "halves", "binary_crossentropy", keys={"class_weight": {1: 3.0}}
    ),
    "sequential, one-hot, class weights": Case(
        "one_hot", "categorical_crossentropy", keys={"class_weight": {1: 3.0}}
    ),
    "linear, own loss": Case("amounts", nets.own_loss, {"loss": f"{NETS}:own_loss"}),
    "linear, named loss": Case("amounts", "huber", {"loss": "huber"}),
    "sequential, own optimizer": Case(
        keys={"optimizer": {"type": f"{NETS}:clipped"}}, optimizer=lambda: nets.clipped(0.1)
    ),
    "sequential, own class of optimizer": Case(
        keys={"optimizer": {"type": f"{NETS}:halved"}}, optimizer=nets.halved
    ),
    "compiled, stated optimizer": Case(
        keys={"optimizer": {"type": "nadam"}}, optimizer=lambda: keras.optimizers.Nadam()
    ),
    "float16, clipped": Case(
        keys={"optimizer": {"type": f"{NETS}:clipped"}}, optimizer=lambda: nets.clipped(0.1)
    ),
}


def saved(folder, weights):
    """A file with a model that has been trained a little, and how the config names it."""
    keras.utils.set_random_seed(9)
    model = nets.normed_and_dropped()
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(*nets.classes()["train"], verbose=0)
    path = folder / "net.keras"
    model.save(path)
    return path, {"build": str(path), "weights": weights}


def settled(model, keys, trusted=frozenset({NETS})):
    """The config of an own model with its code loaded, and the source of its data."""
    stated = {"schedule": DECAY, "epochs": EPOCHS, "batch_size": BATCH, "model": model} | keys
    source = config.source.Source("own.yaml", data=stated)
    read = own_code.loaded([config.checked(source, trusted=trusted)], Reporter())
    resolved = preparation.resolve(read, None, Reporter())
    (found,) = own_code.settled(read, resolved)
    return found.experiment, resolved[found.experiment.wanted]


def trained(experiment, source, epochs=EPOCHS):
    setup = experiment.setup(source)
    engine = Engines({source: data.load(source)})(setup)
    job = RunJob(setup, experiment.schedule, epochs, SEED)
    return engine, train_run(engine, job, stop=Event(), tell=lambda _: None)


class PerBatchRate(keras.callbacks.Callback):
    def __init__(self, rates):
        super().__init__()
        self.rates = iter(rates)

    def on_train_batch_begin(self, batch, logs=None):
        self.model.optimizer.learning_rate.assign(next(self.rates))


def fitted(build, case, found, rates, **compiling):
    """What a user of Keras would get: a seed, the model, `fit` with a rate for every batch."""
    keras.utils.set_random_seed(SEED)
    model = build()
    if not case.own_optimizer:
        model.compile(case.optimizer(), case.loss)
    model.jit_compile = False
    per_batch = PerBatchRate(rates)
    weights = () if found.train.weight is None else (found.train.weight,)
    for epoch in range(EPOCHS):
        order = sample_order(len(found.train), SEED, epoch)
        x, y, *weight = keras.tree.map_structure(
            lambda array, order=order: array[order], (found.x_train, found.train.y, *weights)
        )
        if isinstance(y, tuple):
            y = list(y)
        model.fit(
            x, y, BATCH, shuffle=False, verbose=0, callbacks=[per_batch],
            sample_weight=weight[0] if weight else None,
            class_weight=case.keys.get("class_weight"),
        )  # fmt: skip
    assert next(per_batch.rates, None) is None
    return model


def differing(engine, model):
    """Variables, random seeds and states included, that are not equal bit for bit."""
    pairs = zip(variables_of(engine.model), variables_of(model), strict=True)
    return [a.path for a, b in pairs if a.numpy().tobytes() != b.numpy().tobytes()]


def changed(model, build):
    keras.utils.set_random_seed(SEED)
    before = build()
    return not before.built or any(
        np.abs(a.numpy() - b.numpy()).max() > 1e-4
        for a, b in zip(before.trainable_variables, model.trainable_variables, strict=True)
    )


SLOW = (
    "weighted_list", "subclassed_compiled", "float16_compiled", "float16_layers", "lstm", "masked",
    "float16, clipped", "sequential, one-hot, class weights", "linear, named loss",
    "sequential, own class of optimizer", "gru", "per_position", "weighted_outputs", "two_outputs",
    "float16", "compiled, stated optimizer",
)  # fmt: skip
"""Cases that are run by `-m slow`: each has a neighbour that is always run."""


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.slow] * (n in SLOW)) for n in CASES]
)
def test_weights_are_those_of_fit(name):
    case, function = CASES[name], name.replace(" ", ",").split(",")[0]
    keys = {"data": f"{NETS}:{case.data}", **case.keys}
    experiment, source = settled(f"{NETS}:{function}", keys)
    engine, result = trained(experiment, source)

    given = {"seed": SEED} if function == "dropped_by_seed" else {}
    if function == "several":
        given = {"outputs": source.task.outputs}
    found = data.load(source)

    def build():
        policy = keras.config.dtype_policy()
        try:
            return getattr(nets, function)(**given)
        finally:
            keras.config.set_dtype_policy(policy)

    model = fitted(build, case, found, result.lr)
    assert len(result.lr) == EPOCHS * math.ceil(len(found.train) / BATCH)
    assert np.isfinite(result.loss).all()
    assert changed(model, build)
    assert differing(engine, model) == []


@pytest.mark.parametrize("weights", ["fresh", "file"])
def test_a_saved_model_is_trained_afresh_or_further(weights, tmp_path):
    path, stated = saved(tmp_path, weights)
    # Its optimizer is part of the file, and its state is left behind.
    keys = {"data": f"{NETS}:classes", "optimizer": {"type": "sgd", "momentum": 0.9}}
    experiment, source = settled(stated, keys, frozenset({NETS, path}))
    engine, result = trained(experiment, source)

    def build():
        loaded = keras.models.load_model(path)
        return loaded if weights == "file" else type(loaded).from_config(loaded.get_config())

    model = fitted(build, Case(), data.load(source), result.lr)
    assert changed(model, build)
    assert differing(engine, model) == []


def test_validation_leaves_no_trace_in_a_model_that_counts():
    experiment, source = settled(f"{NETS}:counting", {"data": f"{NETS}:classes"})
    engine, _ = trained(experiment, source, epochs=1)
    before = [each.numpy().tobytes() for each in engine.model.variables]
    assert engine.evaluate("validation")[:2] == engine.evaluate("validation")[:2]
    assert [each.numpy().tobytes() for each in engine.model.variables] == before


def test_a_stateful_model_begins_every_run_with_fresh_states():
    experiment, source = settled(f"{NETS}:stateful", {"data": f"{NETS}:sequences"})
    engine, first = trained(experiment, source)
    job = RunJob(experiment.setup(source), experiment.schedule, EPOCHS, SEED)
    again = train_run(engine, job, stop=Event(), tell=lambda _: None)
    assert again.loss.tobytes() == first.loss.tobytes()


def test_losses_and_metrics_have_names_that_keras_knows():
    for name in stated_task.LOSSES:
        assert callable(keras.losses.get(name)), name
    for name in set(stated_task.METRICS) - {"acc"}:  # `compile` alone knows that one.
        found = keras.metrics.get(name)
        assert callable(found() if isinstance(found, type) else found), name
