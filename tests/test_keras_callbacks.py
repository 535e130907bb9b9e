"""Closed loops and cycled momentum in Keras' own `fit`: the rates and weights of lrlab."""

from __future__ import annotations

from types import SimpleNamespace

import keras
import numpy as np
import pytest

import lrlab
from lrlab import schedules
from lrlab.config import parse
from lrlab.schedules import Length

STEPS, EPOCHS, BATCH = 5, 6, 8
RNG = np.random.default_rng(3)
X = RNG.normal(size=(BATCH * STEPS - 3, 4)).astype(np.float32)
Y = (X.sum(axis=1) > 0).astype(np.int32)
VALIDATION = (X[:20], RNG.integers(0, 2, 20))


def schedule(text):
    return parse(f"schedule: {text}").experiment.schedule


def model(optimizer, **settings):
    keras.utils.set_random_seed(1)
    made = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(8, "tanh"), keras.layers.Dense(2, "softmax")]
    )
    made.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"], **settings)
    return made


def fit(made, *callbacks, **settings):
    fitted = made.fit(
        X, Y, BATCH, validation_data=VALIDATION, callbacks=list(callbacks), shuffle=False,
        verbose=0, **{"epochs": EPOCHS, **settings},
    )  # fmt: skip
    return fitted.history


class Recorder(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.rates = []

    def on_train_batch_end(self, batch, logs=None):
        self.rates.append(float(self.model.optimizer.learning_rate))


# --- closed loops ---

LOOPS = {
    "performance": "{type: performance, initial_lr: 0.5, patience: 1, min_delta: 0.05}",
    "performance of PyTorch after a warm-up": "{type: performance, variant: pytorch, "
    "initial_lr: 0.5, patience: 0, min_delta: 0.1, warmup: {for: 7 steps}}",
    "performance on the accuracy": "{type: performance, initial_lr: 0.5, patience: 1, "
    "monitor: val_accuracy, cooldown: 1, min_lr: 0.1}",
    "greedy": "{type: greedy, initial_lr: 0.1, factor: 0.5, patience: 0}",
    "greedy after a warm-up": "{type: greedy, initial_lr: 0.1, factor: 0.5, patience: 0, "
    "monitor: val_loss, warmup: {for: 30%, shape: cosine}}",
}


@pytest.mark.parametrize("text", LOOPS.values(), ids=LOOPS.keys())
def test_rates_are_the_fold_over_the_history(text):
    config, recorder = schedule(text), Recorder()
    history = fit(model("sgd"), lrlab.KerasLoop(config, STEPS, EPOCHS), recorder)
    results = [
        SimpleNamespace(**{key: values[epoch] for key, values in history.items()})
        for epoch in range(EPOCHS)
    ]
    expected = np.concatenate(
        [config.epoch_rates(Length(STEPS, EPOCHS))(results[:e]) for e in range(EPOCHS)]
    )
    np.testing.assert_array_equal(np.float32(recorder.rates), expected.astype(np.float32))
    assert len(set(recorder.rates)) > 1
    assert history["learning_rate"] == recorder.rates[STEPS - 1 :: STEPS]


def test_plateau_equals_keras_own():
    config, ours, theirs = schedule(LOOPS["performance"]), Recorder(), Recorder()
    fit(model("sgd"), lrlab.KerasLoop(config, STEPS, EPOCHS), ours)
    plateau = keras.callbacks.ReduceLROnPlateau(factor=0.5, patience=1, min_delta=0.05)
    fit(model(keras.optimizers.SGD(0.5)), plateau, theirs)
    assert ours.rates == theirs.rates


def test_resumed_training_goes_on_as_if_it_had_not_stopped():
    config = schedule(LOOPS["greedy after a warm-up"])
    whole, first, second = Recorder(), Recorder(), Recorder()
    fit(model("sgd"), lrlab.KerasLoop(config, STEPS, EPOCHS), whole)
    loop, made = lrlab.KerasLoop(config, STEPS, EPOCHS), model("sgd")
    fit(made, loop, first, epochs=4)
    again = lrlab.KerasLoop(config, STEPS, EPOCHS, loop.history)
    fit(made, again, second, initial_epoch=4)
    assert first.rates + second.rates == whole.rates


def test_loop_refuses_what_it_cannot_do():
    with pytest.raises(lrlab.LrlabError, match="is not a closed loop"):
        lrlab.KerasLoop({"type": "constant", "lr": 0.1}, STEPS, EPOCHS)
    loop = lrlab.KerasLoop({"type": "greedy", "initial_lr": 0.1}, STEPS, EPOCHS)
    with pytest.raises(lrlab.LrlabError, match="with the logs of 0 before it"):
        fit(model("sgd"), loop, initial_epoch=2)
    fixed = keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.9))
    with pytest.raises(lrlab.LrlabError, match="schedule of its own"):
        fit(model(fixed), loop)
    plateau = lrlab.KerasLoop(schedule(LOOPS["performance"]), STEPS, EPOCHS)
    with pytest.raises(lrlab.LrlabError, match="no `val_loss`"):
        model("sgd").fit(X, Y, BATCH, callbacks=[plateau], verbose=0)
    warming = lrlab.KerasLoop(schedule(LOOPS["greedy after a warm-up"]), STEPS, EPOCHS)
    with pytest.raises(lrlab.LrlabError, match="does several at once"):
        fit(model("sgd", steps_per_execution=2), warming)


# --- momentum ---

CYCLE = {"type": "one_cycle", "max_lr": 0.1, "momentum": {"low": 0.3, "high": 0.95}}
OPTIMIZERS = {
    "sgd": (keras.optimizers.SGD, {"momentum": 0.9}, {}),
    "sgd, several steps at once": (
        keras.optimizers.SGD, {"momentum": 0.9}, {"steps_per_execution": 3},
    ),
    "nesterov under jit_compile": (
        keras.optimizers.SGD, {"momentum": 0.9, "nesterov": True}, {"jit_compile": True},
    ),
    "rmsprop": (keras.optimizers.RMSprop, {"momentum": 0.9}, {}),
    "adam": (keras.optimizers.Adam, {}, {}),
    "nadam": (keras.optimizers.Nadam, {}, {}),
}  # fmt: skip


def by_hand(make, own, rates, momenta):
    """Return the weights after eager steps, each with a momentum that is set by hand."""
    made = model(make(rates, **own), run_eagerly=True)
    name = "momentum" if "momentum" in own else "beta_1"
    for step, momentum in enumerate(momenta):
        setattr(made.optimizer, name, float(momentum))
        picked = slice(step % STEPS * BATCH, (step % STEPS + 1) * BATCH)
        made.train_on_batch(X[picked], Y[picked])
    return made.get_weights()


# The others go ways that these go too.
QUICK = {"sgd, several steps at once", "nesterov under jit_compile", "adam"}


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in OPTIMIZERS],
)
def test_momentum_in_fit_equals_momentum_set_by_hand(name):
    make, own, settings = OPTIMIZERS[name]
    rates = lrlab.KerasSchedule({**CYCLE, "max_lr": 0.02}, STEPS, 3)
    momentum = lrlab.KerasMomentum(CYCLE, STEPS, 3)
    made = model(make(rates, **own), **settings)
    attribute = "momentum" if own else "beta_1"
    fit(made, momentum, epochs=3)
    assert getattr(made.optimizer, attribute) == 0.9
    momenta = schedules.momenta(schedule("{type: one_cycle, max_lr: 0.1, momentum: "
                                         "{low: 0.3, high: 0.95}}"), Length(STEPS, 3))  # fmt: skip
    expected = by_hand(make, own, rates, momenta)
    for ours, theirs in zip(made.get_weights(), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3)
    plain = by_hand(make, own, rates, [0.9] * 3 * STEPS)
    assert not np.allclose(plain[0], expected[0], rtol=1e-2)


def test_constant_momentum_changes_nothing_bit_for_bit():
    def weights(*callbacks):
        made = model(keras.optimizers.SGD(0.05, momentum=0.9))
        fit(made, *callbacks, epochs=2)
        return made.get_weights()

    same = {**CYCLE, "momentum": {"low": 0.9, "high": 0.9}}
    for ours, theirs in zip(weights(lrlab.KerasMomentum(same, STEPS, 2)), weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.slow
def test_model_that_was_trained_before_is_cycled_saved_and_then_plain_again(tmp_path):
    def trained(*callbacks):
        made = model(keras.optimizers.SGD(0.05, momentum=0.9))
        fit(made, epochs=1)
        fit(made, *callbacks, epochs=1)
        after = made.get_weights()
        made.optimizer.iterations.assign(0)
        fit(made, epochs=1)
        return made, after

    path = tmp_path / "model.keras"
    kept = keras.callbacks.ModelCheckpoint(path)
    made, after = trained(lrlab.KerasMomentum(CYCLE, STEPS, 2), kept)
    _, plain = trained()
    assert not np.allclose(after[0], plain[0], rtol=1e-3)
    loaded = keras.models.load_model(path)
    assert loaded.optimizer.momentum == 0.9
    made.set_weights(loaded.get_weights())
    for ours, theirs in zip(made.optimizer.variables, loaded.optimizer.variables, strict=True):
        ours.assign(theirs)
    for one in (made, loaded):
        fit(one, epochs=1)
    np.testing.assert_allclose(made.get_weights()[0], loaded.get_weights()[0], rtol=1e-5)


class Interrupted(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        raise KeyboardInterrupt


def test_momentum_after_an_interrupted_fit_is_that_of_the_new_callback():
    def weights(*before):
        made = model(keras.optimizers.SGD(0.05, momentum=0.9))
        start = made.get_weights()
        for first in before:
            with pytest.raises(KeyboardInterrupt):
                fit(made, first, Interrupted())
            assert made.optimizer.momentum == 0.9
            made.set_weights(start)
            for variable in made.optimizer.variables:
                if variable is not made.optimizer.learning_rate:
                    variable.assign(np.zeros(variable.shape))
        fit(made, lrlab.KerasMomentum(CYCLE, STEPS, 2), epochs=2)
        return made.get_weights()

    other = lrlab.KerasMomentum({**CYCLE, "momentum": {"low": 0.1, "high": 0.2}}, STEPS, 2)
    for ours, theirs in zip(weights(other), weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_momentum_refuses_what_it_cannot_do():
    with pytest.raises(lrlab.LrlabError, match="cycles no momentum"):
        lrlab.KerasMomentum({"type": "constant", "lr": 0.1}, STEPS, 3)
    momentum = lrlab.KerasMomentum(CYCLE, STEPS, 3)
    for without in (keras.optimizers.SGD(0.1), keras.optimizers.Adagrad(0.1)):
        with pytest.raises(lrlab.LrlabError, match="has no momentum that could be cycled"):
            fit(model(without), momentum)
