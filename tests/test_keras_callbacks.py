"""Closed loops and cycled momentum in Keras' own `fit`: the rates and weights of lrlab."""

from __future__ import annotations

from types import SimpleNamespace

import keras
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import lrlab
from lrlab import schedules
from lrlab.config import parse
from lrlab.schedules import Length
from lrlab.schedules.performance import Performance

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


@st.composite
def tying_histories(draw):
    """Results that lie whole numbers of `min_delta` apart, but for their last bits."""
    delta = draw(st.sampled_from([0.0, 1e-4, 0.01, 0.05, 0.1, 0.3]))
    exact, history = draw(st.booleans()), []
    for moves in draw(st.lists(st.integers(-8, 8), min_size=2, max_size=25)):
        result = 0.85 + delta * moves
        result += draw(st.sampled_from([0.0, 1e-17, -1e-16, 2e-16, 3e-8, -3e-8]))
        history.append(result if exact else float(np.float32(result)))
    return delta, history


@settings(max_examples=300)
@given(tied=tying_histories(), mode=st.sampled_from(["min", "max"]), cooldown=st.integers(0, 2),
       patience=st.integers(1, 2))  # fmt: skip
@example(tied=(0.1, [0.4, 0.3, 0.3]), mode="min", cooldown=0, patience=1)
@example(tied=(1e-4, [0.85, 0.8501, 0.8502]), mode="max", cooldown=0, patience=1)
def test_plateau_falls_after_the_same_epochs_as_keras_own_where_results_tie(
    tied, mode, cooldown, patience
):
    delta, history = tied
    shared = {"factor": 0.5, "patience": patience, "cooldown": cooldown, "min_delta": delta}
    theirs = keras.callbacks.ReduceLROnPlateau("it", mode=mode, **shared)
    optimizer = keras.optimizers.SGD(0.5)
    theirs.set_model(SimpleNamespace(optimizer=optimizer))
    theirs.on_train_begin()
    monitor = {"min": "val_loss", "max": "val_accuracy"}[mode]
    ours = Performance(type="performance", initial_lr=0.5, monitor=monitor, **shared)
    for epoch, result in enumerate(history):
        theirs.on_epoch_end(epoch, {"it": result})
        # Halving is exact, so the rates are too.
        assert ours.replay(history[: epoch + 1]).lr == float(optimizer.learning_rate)


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
    warming = lrlab.KerasLoop(schedule(LOOPS["greedy after a warm-up"]), STEPS, EPOCHS)
    with pytest.raises(lrlab.LrlabError, match="does several steps") as refused:
        fit(model("sgd", steps_per_execution=2), warming)
    assert "or leave out `warmup`" in refused.value.hint


def test_second_fit_goes_on_where_the_loop_stands():
    config = schedule(LOOPS["greedy after a warm-up"])
    whole, parts = Recorder(), Recorder()
    fit(model("sgd"), lrlab.KerasLoop(config, STEPS, EPOCHS), whole)
    loop, made = lrlab.KerasLoop(config, STEPS, EPOCHS), model("sgd")
    for part in ({"epochs": 2}, {"epochs": 1}, {"initial_epoch": 1, "epochs": EPOCHS - 2}):
        fit(made, loop, parts, **part)
    assert parts.rates == whole.rates
    assert len(loop.history) == EPOCHS


def test_initial_epoch_drops_what_came_later():
    config = schedule(LOOPS["performance"])
    loop, made = lrlab.KerasLoop(config, STEPS, EPOCHS), model("sgd")
    fit(made, loop)
    first = loop.history[:2]
    fit(made, loop, initial_epoch=2, epochs=3)
    assert loop.history[:2] == first
    assert len(loop.history) == 3


class Killed(keras.callbacks.Callback):
    """Ends the training in the middle of an epoch, as a kill would."""

    def __init__(self, epoch):
        super().__init__()
        self.at, self.epoch = epoch, 0

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch) == (self.at, 2):
            raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("fits", "process"),
    [
        (1, "same"),
        (2, "new"),
        pytest.param(1, "new", marks=pytest.mark.slow),
        pytest.param(2, "same", marks=pytest.mark.slow),
    ],
)
def test_backup_and_restore_goes_on_where_the_loop_stood(process, fits, tmp_path):
    config = schedule(LOOPS["greedy after a warm-up"])

    def looped():
        return lrlab.KerasLoop(config, STEPS, EPOCHS, backup=tmp_path / "loop.json")

    def trained(made, loop, recorder, *more, **settings):
        fit(made, loop, keras.callbacks.BackupAndRestore(tmp_path / "backup"), recorder, *more,
            **settings)  # fmt: skip

    def before(made, loop):
        if fits == 2:
            fit(made, loop, epochs=2)

    whole, first, second = Recorder(), Recorder(), Recorder()
    epochs = EPOCHS - 2 * (fits - 1)
    made, loop = model("sgd"), lrlab.KerasLoop(config, STEPS, EPOCHS)
    before(made, loop)
    fit(made, loop, whole, epochs=epochs)

    made, loop = model("sgd"), looped()
    before(made, loop)
    with pytest.raises(KeyboardInterrupt):
        trained(made, loop, first, Killed(3), epochs=epochs)
    if process == "new":
        made, loop = model("sgd"), looped()
    trained(made, loop, second, epochs=epochs)
    assert first.rates[: 3 * STEPS] + second.rates == whole.rates


def test_resuming_without_a_backup_says_what_to_do(tmp_path):
    loop = lrlab.KerasLoop({"type": "greedy", "initial_lr": 0.1}, STEPS, EPOCHS)
    with pytest.raises(lrlab.LrlabError, match="begins at epoch 2") as refused:
        fit(model("sgd"), loop, initial_epoch=2)
    assert "`backup=`" in refused.value.hint
    for text in ("", "[]", '{"begun": 9, "history": []}', '{"begun": 0, "history": [3]}'):
        (tmp_path / "loop.json").write_text(text)
        loop = lrlab.KerasLoop(
            {"type": "greedy", "initial_lr": 0.1}, STEPS, EPOCHS, backup=tmp_path / "loop.json"
        )
        with pytest.raises(lrlab.LrlabError, match="backup of the loop"):
            fit(model("sgd"), loop, initial_epoch=2)


def test_epochs_without_validation_are_left_out_with_a_warning_as_in_keras():
    config, ours, theirs = schedule(LOOPS["performance"]), Recorder(), Recorder()
    loop = lrlab.KerasLoop(config, STEPS, EPOCHS)
    with pytest.warns(UserWarning, match="epoch 0 is left out .* no `val_loss`, only accuracy"):
        fit(model("sgd"), loop, ours, validation_freq=2)
    plateau = keras.callbacks.ReduceLROnPlateau(factor=0.5, patience=1, min_delta=0.05)
    with pytest.warns(UserWarning, match="conditioned on metric"):
        fit(model(keras.optimizers.SGD(0.5)), plateau, theirs, validation_freq=2)
    assert ours.rates == theirs.rates
    assert len(set(ours.rates)) > 1


@pytest.mark.parametrize(
    ("monitor", "mode"),
    [
        pytest.param("val_score", "max", marks=pytest.mark.slow),
        ("val_error", None),
        pytest.param("val_accuracy", "min", marks=pytest.mark.slow),
    ],
)
def test_any_metric_can_be_watched(monitor, mode):
    def made(optimizer):
        one = model(optimizer)
        metrics = [keras.metrics.SparseCategoricalCrossentropy(name="error"), "accuracy"]
        metrics.append(keras.metrics.SparseCategoricalAccuracy(name="auc"))
        one.compile(optimizer, "sparse_categorical_crossentropy", metrics=metrics)
        return one

    config, ours, theirs = schedule(LOOPS["performance"]), Recorder(), Recorder()
    fit(made("sgd"), lrlab.KerasLoop(config, STEPS, EPOCHS, monitor=monitor, mode=mode), ours)
    plateau = keras.callbacks.ReduceLROnPlateau(
        monitor, mode=mode or "min", factor=0.5, patience=1, min_delta=0.05
    )
    fit(made(keras.optimizers.SGD(0.5)), plateau, theirs)
    assert ours.rates == theirs.rates


WRONG_LOOPS = {
    "name that does not tell": ({"monitor": "val_score"}, "does not tell whether"),
    "mode": ({"monitor": "val_score", "mode": "auto"}, "`mode` must be `min` or `max`"),
    "no name": ({"monitor": 3}, "`monitor` must be the name"),
    "history of fit": ({"history": {"loss": [1.0]}}, "`history` must hold the logs of each epoch"),
    "history of numbers": ({"history": [0.3]}, "one mapping per epoch"),
    "text as history": ({"history": "loss"}, "`history` must hold"),
    "backup": ({"backup": 3}, "`backup` must be the path"),
}


@pytest.mark.parametrize("case", WRONG_LOOPS)
def test_loop_refuses_wrong_arguments(case):
    arguments, message = WRONG_LOOPS[case]
    with pytest.raises(lrlab.LrlabError, match=message):
        lrlab.KerasLoop({"type": "greedy", "initial_lr": 0.1}, STEPS, EPOCHS, **arguments)


WRONG_COUNTS = (0, -3, 2.0, "2", None, True, np.float64(3), np.True_, [2], 10**30)


@pytest.mark.parametrize("count", WRONG_COUNTS, ids=repr)
@pytest.mark.parametrize("name", ["rates", "KerasSchedule", "KerasLoop", "KerasMomentum"])
def test_wrong_counts_are_told_in_words(name, count):
    given_schedule = {"type": "greedy", "initial_lr": 0.1} if name == "KerasLoop" else CYCLE
    for counts in ((count, 2), (2, count)):
        with pytest.raises(
            lrlab.LrlabError, match=r"must be (a whole number|at least 1)|more than"
        ):
            getattr(lrlab, name)(given_schedule, *counts)
    assert getattr(lrlab, name)(given_schedule, np.int64(2), np.uint8(3)) is not None


@pytest.mark.parametrize("wrong", [None, 3, 0.1, ["constant"], {"type": "no"}, {}, "no.yaml", b"x"])
@pytest.mark.parametrize("name", ["rates", "KerasSchedule", "KerasLoop", "KerasMomentum"])
def test_what_is_no_schedule_is_told_in_words(name, wrong):
    with pytest.raises(lrlab.LrlabError):
        getattr(lrlab, name)(wrong, 2, 3)


def test_steps_per_epoch_are_those_of_fit():
    loop = lrlab.KerasLoop({"type": "greedy", "initial_lr": 0.1}, STEPS + 1, EPOCHS)
    momentum = lrlab.KerasMomentum(CYCLE, STEPS + 1, EPOCHS)
    for callback in (loop, momentum):
        with pytest.raises(lrlab.LrlabError, match="`fit` runs 5 steps per epoch") as refused:
            fit(model(keras.optimizers.SGD(0.1, momentum=0.9)), callback)
        assert "`steps_per_epoch=5`" in refused.value.hint

    def batches():
        for start in range(0, len(X), BATCH):
            yield X[start : start + BATCH], Y[start : start + BATCH]

    made, unknown = model("sgd"), lrlab.KerasLoop(loop.schedule, STEPS + 1, EPOCHS)
    with pytest.raises(lrlab.LrlabError, match="`fit` runs 5 steps per epoch"):
        made.fit(batches(), callbacks=[unknown], verbose=0)


def test_loop_refuses_several_optimizers_and_sets_the_one_within_a_loss_scale():
    loop = lrlab.KerasLoop({"type": "greedy", "initial_lr": 0.25}, STEPS, EPOCHS)
    several = SimpleNamespace(optimizer=SimpleNamespace(optimizers=[1, 2]), stop_training=False)
    loop.set_model(several)
    with pytest.raises(lrlab.LrlabError, match="several optimizers"):
        loop.on_epoch_begin(0)
    loop = lrlab.KerasLoop({"type": "greedy", "initial_lr": 0.25}, STEPS, EPOCHS)
    made = model(keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1)))
    fit(made, loop, epochs=1)
    assert float(made.optimizer.inner_optimizer.learning_rate) == 0.25


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
    "adamax": (keras.optimizers.Adamax, {}, {}),
    "lion": (keras.optimizers.Lion, {}, {}),
    "lamb": (keras.optimizers.Lamb, {}, {}),
    "muon": (keras.optimizers.Muon, {"momentum": 0.9}, {}),
    "accumulated gradients": (
        keras.optimizers.SGD, {"momentum": 0.9, "gradient_accumulation_steps": 2}, {},
    ),
    "adam, accumulated gradients": (
        keras.optimizers.Adam, {"gradient_accumulation_steps": 2}, {},
    ),
}  # fmt: skip


def attribute(own):
    return "momentum" if "momentum" in own else "beta_1"


def by_hand(make, own, rates, momenta):
    """Return the weights after eager steps, each with a momentum that is set by hand."""
    made = model(make(rates, **own), run_eagerly=True)
    name = attribute(own)
    for step, momentum in enumerate(momenta):
        setattr(made.optimizer, name, float(momentum))
        picked = slice(step % STEPS * BATCH, (step % STEPS + 1) * BATCH)
        made.train_on_batch(X[picked], Y[picked])
    return made.get_weights()


# The others go ways that these go too.
QUICK = {"sgd, several steps at once", "adam", "accumulated gradients"}


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in OPTIMIZERS],
)
def test_momentum_in_fit_equals_momentum_set_by_hand(name):
    make, own, settings = OPTIMIZERS[name]
    rates = lrlab.KerasSchedule({**CYCLE, "max_lr": 0.02}, STEPS, 3)
    momentum = lrlab.KerasMomentum(CYCLE, STEPS, 3)
    made = model(make(rates, **own), **settings)
    fit(made, momentum, epochs=3)
    assert getattr(made.optimizer, attribute(own)) == 0.9
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


def test_momentum_is_cycled_within_a_loss_scale():
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        made = model(keras.optimizers.SGD(0.05, momentum=0.9))
        assert isinstance(made.optimizer, keras.optimizers.LossScaleOptimizer)
        start, cycled = made.get_weights(), []
        for low, high in ((0.9, 0.9), (0.3, 0.95)):
            cycle = {**CYCLE, "momentum": {"low": low, "high": high}}
            made.set_weights(start)
            made.compile(keras.optimizers.SGD(0.05, momentum=0.9), made.loss)
            fit(made, lrlab.KerasMomentum(cycle, STEPS, 3), epochs=3)
            assert made.optimizer.inner_optimizer.momentum == 0.9
            assert "apply" not in vars(made.optimizer.inner_optimizer)
            cycled.append(made.get_weights())
        made.set_weights(start)
        made.compile(keras.optimizers.SGD(0.05, momentum=0.9), made.loss)
        fit(made, epochs=3)
    finally:
        keras.config.set_dtype_policy(policy)
    for constant, plain in zip(cycled[0], made.get_weights(), strict=True):
        np.testing.assert_array_equal(constant, plain)
    assert not np.allclose(cycled[1][0], cycled[0][0], rtol=1e-3)


def test_momentum_refuses_what_it_cannot_do():
    with pytest.raises(lrlab.LrlabError, match="cycles no momentum"):
        lrlab.KerasMomentum({"type": "constant", "lr": 0.1}, STEPS, 3)
    momentum = lrlab.KerasMomentum(CYCLE, STEPS, 3)
    averaging = keras.optimizers.ScheduleFreeAdamW(0.1)
    for without in (keras.optimizers.SGD(0.1), keras.optimizers.Adagrad(0.1), averaging):
        with pytest.raises(lrlab.LrlabError, match="has no momentum that could be cycled"):
            fit(model(without), momentum)
