"""The sweep of any compiled Keras model: what it finds, and that it leaves everything as it was."""

import dataclasses
import inspect
import os
import random
import re
import subprocess
import sys
import textwrap

import keras
import numpy as np
import pytest
import tensorflow as tf

import lrlab
from lrlab.finder.suggestion import Verdict, suggest
from lrlab.integrations.keras import preservation
from lrlab.training.orders import sweep_order

CLASSES = 4
SAMPLES = 640


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(3)
    centres = rng.normal(size=(CLASSES, 12))
    y = rng.integers(0, CLASSES, SAMPLES)
    return (centres[y] + 0.5 * rng.normal(size=(SAMPLES, 12))).astype(np.float32), y


def dense():
    return keras.Sequential(
        [
            keras.Input((12,)),
            keras.layers.Dense(16, "relu"),
            keras.layers.Dense(CLASSES, "softmax"),
        ]
    )


def everything():
    """Preprocessing with a random layer and one of global randomness, moving statistics, masks."""
    return keras.Sequential(
        [
            keras.Input((12,)),
            keras.layers.Reshape((3, 4, 1)),
            keras.layers.Rescaling(0.5),
            keras.layers.RandomFlip(),
            keras.layers.Flatten(),
            keras.layers.Lambda(lambda x: x + 0.01 * keras.random.normal(keras.ops.shape(x))),
            keras.layers.Dense(16, "relu", kernel_regularizer="l2"),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(CLASSES, "softmax"),
        ]
    )


def sgd():
    return keras.optimizers.SGD(0.05, momentum=0.9)


def decaying():
    return keras.optimizers.SGD(
        keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9), momentum=0.9, nesterov=True
    )


def scaled():
    return keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.01))


CASES = {
    "momentum": (dense, sgd),
    "adam": (dense, lambda: keras.optimizers.Adam(0.003, clipnorm=1.0)),
    "adamw with an average": (dense, lambda: keras.optimizers.AdamW(0.003, use_ema=True)),
    "schedule": (dense, decaying),
    "loss scale": (dense, scaled),
    "statistics, masks, preprocessing": (everything, lambda: keras.optimizers.Adam(0.003)),
}


def compiled(build, optimizer, data):
    """Return a model that has been trained a little, so that all its state is in use."""
    keras.utils.set_random_seed(1)
    tf.random.set_global_generator(tf.random.Generator.from_seed(1))
    model = build()
    loss = "sparse_categorical_crossentropy"
    # Eager, since tracing would take longer than this training.
    model.compile(optimizer(), loss, metrics=["accuracy"], run_eagerly=True)
    train(model, data)
    return model


def train(model, data):
    x, y = data
    return [
        model.train_on_batch(x[at : at + 64], y[at : at + 64], return_dict=True)
        for at in (0, 64, 128)
    ]


def state(model):
    """Return every bit that a sweep may not change, as bytes by name."""
    variables = {
        f"{kind} {number} {variable.path}": variable.numpy().tobytes()
        for kind, group in (
            ("model", model.variables),
            ("optimizer", model.optimizer.variables),
            ("metric", [v for metric in model.metrics for v in metric.variables]),
        )
        for number, variable in enumerate(group)
    }
    rate = keras.ops.convert_to_numpy(model.optimizer.learning_rate)
    return variables | {
        "rate": rate.tobytes(),
        "config": repr(model.optimizer.get_config()),
        "python": random.getstate(),
        "numpy": repr(np.random.get_state()),  # noqa: NPY002
        "tensorflow": tf.random.get_global_generator().state.numpy().tobytes(),
    }


def drawn():
    """Return the next numbers of every global generator."""
    return [
        random.random(),
        np.random.rand(),  # noqa: NPY002
        tf.random.uniform(()).numpy(),
        tf.random.get_global_generator().uniform(()).numpy(),
        keras.ops.convert_to_numpy(keras.random.uniform(())),
    ]


# The others go ways that these go too.
QUICK = {"momentum", "statistics, masks, preprocessing"}


@pytest.mark.parametrize(
    ("build", "optimizer"),
    [
        pytest.param(*case, id=name, marks=[pytest.mark.slow] * (name not in QUICK))
        for name, case in CASES.items()
    ],
)
def test_everything_is_as_it_was_bit_for_bit(build, optimizer, data):
    model = compiled(build, optimizer, data)
    before, parts = state(model), (model.optimizer, model.train_function)
    found = lrlab.find_lr(model, *data, batch_size=64, steps=60, seeds=2)
    assert np.isfinite(found.losses[:, :20]).all()
    assert np.ptp(found.losses[0, :20]) > 0
    assert state(model) == before
    assert (model.optimizer, model.train_function) == parts


@pytest.mark.parametrize("name", ["momentum", "statistics, masks, preprocessing"])
def test_training_goes_on_as_if_there_had_been_no_sweep(name, data):
    histories, draws, weights = [], [], []
    for sweeps in (0, 1):
        model = compiled(*CASES[name], data)
        if sweeps:
            lrlab.find_lr(model, *data, batch_size=64, steps=40, seeds=1)
        draws.append(drawn())
        histories.append(train(model, data))
        weights.append([v.numpy().tobytes() for v in model.variables])
    assert draws[0] == draws[1]
    assert histories[0] == histories[1]
    assert weights[0] == weights[1]


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
@pytest.mark.parametrize("name", ["momentum", "statistics, masks, preprocessing"])
def test_everything_is_as_it_was_after_an_exception_in_the_middle(name, error, data):
    class Breaks:
        """Inputs that cannot be read any more after some batches."""

        def __init__(self, x):
            self.x, self.reads = x, 0

        def __len__(self):
            return len(self.x)

        def __array__(self, dtype=None, copy=True):
            self.reads += 1
            if self.reads > 10:
                weights_then.append(model.get_weights())
                raise error
            return np.array(self.x, dtype)

    x, y = data
    model = compiled(*CASES[name], data)
    before, weights_then = state(model), []
    with pytest.raises(error):
        lrlab.find_lr(model, Breaks(x), y, batch_size=64, min_lr=0.01, max_lr=0.1, steps=60)
    assert state(model) == before
    assert not np.array_equal(weights_then[0][0], model.get_weights()[0])


def test_an_optimizer_that_was_never_used_stays_so(data):
    model = dense()
    model.compile(sgd(), "sparse_categorical_crossentropy")
    lrlab.find_lr(model, *data, batch_size=64, steps=20, seeds=1)
    assert not model.optimizer.built
    assert int(model.optimizer.iterations) == 0


def test_losses_are_the_true_batch_losses(data):
    """The oracle: Keras' own training on one batch after another, its metrics reset each time."""
    x, y = data
    keras.utils.set_random_seed(5)
    model = dense()
    model.compile(sgd(), "sparse_categorical_crossentropy")
    found = lrlab.find_lr(model, x, y, batch_size=64, min_lr=0.01, max_lr=1.0, steps=25, seeds=1)
    order = sweep_order(SAMPLES, 64, 25, 0)[: 25 * 64].reshape(25, 64)
    expected = []
    for lr, picked in zip(found.lr, order, strict=True):
        model.optimizer.learning_rate = float(lr)
        model.reset_metrics()
        expected.append(model.train_on_batch(x[picked], y[picked]))
    np.testing.assert_allclose(found.losses[0], expected, rtol=1e-6)


def test_the_result_is_what_suggest_says_and_each_seed_comes_again(data):
    model = built()
    options = {"batch_size": 64, "max_lr": 1e4, "steps": 260}
    first = lrlab.find_lr(model, *data, seed=3, chance=np.log(CLASSES), **options)
    again = lrlab.find_lr(model, *data, seed=4, seeds=1, **options)
    expected = suggest(first.lr, first.losses, chance=np.log(CLASSES))
    assert first.verdict is Verdict.OK
    assert (first.steady_lr, first.max_lr) == (expected.steady_lr, expected.max_lr)
    assert first.lowest_useful_lr < first.steady_lr <= first.max_lr <= first.highest_stable_lr
    np.testing.assert_array_equal(again.losses[0], first.losses[1])
    assert len(first.stopped_by) == len(first.by_seed) == 3


def test_several_inputs_and_outputs(data):
    x, y = data
    left, right = keras.Input((6,), name="left"), keras.Input((6,), name="right")
    joined = keras.layers.Concatenate()([left, right])
    kind = keras.layers.Dense(CLASSES, "softmax", name="kind")(joined)
    size = keras.layers.Dense(1, name="size")(joined)
    model = keras.Model([left, right], {"kind": kind, "size": size})
    model.compile("adam", {"kind": "sparse_categorical_crossentropy", "size": "mse"})
    weights = [v.numpy().tobytes() for v in model.variables]
    inputs = {"left": x[:, :6], "right": tf.constant(x[:, 6:])}
    targets = {"kind": y, "size": x.sum(axis=1, keepdims=True)}
    found = lrlab.find_lr(model, inputs, targets, batch_size=64, steps=30, seeds=1)
    assert np.isfinite(found.losses[0, :20]).all()
    assert [v.numpy().tobytes() for v in model.variables] == weights
    assert all(not v.numpy().any() for metric in model.metrics for v in metric.variables)


class Plain(keras.Model):
    """A model whose `call` knows nothing of `training`."""

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(CLASSES, "softmax")

    def call(self, inputs):
        return self.dense(inputs)


def test_a_model_class_without_training(data):
    model = Plain()
    model(data[0][:1])
    model.compile("sgd", "sparse_categorical_crossentropy")
    found = lrlab.find_lr(model, *data, batch_size=64, steps=20, seeds=1)
    assert found.verdict is Verdict.TOO_SHORT


def unbuilt():
    model = keras.Sequential([keras.layers.Dense(CLASSES)])
    model.compile("sgd", "mse")
    return model


def built(compile_it=True):
    model = dense()
    if compile_it:
        model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def frozen():
    model = built()
    model.trainable = False
    return model


REFUSED = {
    "unbuilt": (unbuilt, {}, "the model has no weights yet"),
    "uncompiled": (lambda: built(compile_it=False), {}, "no optimizer and loss yet"),
    "model": (lambda: "mlp", {}, "`model` must be a Keras model, got str"),
    "no model": (lambda: None, {}, "`model` must be a Keras model, got NoneType"),
    "text": (built, {"x": "train.npz"}, "`x` must be arrays, .* or a generator .*, got str"),
    "no targets": (built, {"y": None}, "`y` is missing, and the model's loss needs it"),
    "nothing": (built, {"x": None}, "`x` must be arrays, .*, got nothing"),
    "list of numbers": (built, {"y": [0, 1]}, "`y` must be arrays, .*, got list"),
    "targets beside a data set": (
        built,
        {"x": tf.data.Dataset.range(3)},
        "`y` cannot be given beside batches",
    ),
    "batch size of a data set": (
        built,
        {"x": tf.data.Dataset.range(3), "y": None, "batch_size": 8},
        "`batch_size` cannot be given beside batches",
    ),
    "an empty data set": (
        built,
        {"x": tf.data.Dataset.range(0), "y": None},
        "`x` has no batches",
    ),
    "both kinds of weights": (
        built,
        {"sample_weight": np.ones(SAMPLES), "class_weight": {0: 2.0}},
        "`class_weight` and `sample_weight` cannot both be given",
    ),
    "weights of other samples": (
        built,
        {"sample_weight": np.ones(7)},
        r"`x` and `y` and `sample_weight` must .*\[7, 640\]",
    ),
    "frozen": (lambda: frozen(), {}, "nothing to train"),
    "batch size of a float": (built, {"batch_size": 32.0}, "`batch_size` must be a whole number"),
    "seed": (built, {"seed": -1}, "`seed` must be at least 0, got -1"),
    "seeds of a text": (built, {"seeds": "3"}, "`seeds` must be a whole number, got '3'"),
    "rate": (built, {"max_lr": "auto"}, "`max_lr` must be a finite number, got 'auto'"),
    "rate in words": (built, {"min_lr": "low"}, "`min_lr` must be a finite number"),
    "negative rate": (built, {"min_lr": -1e-3}, "`min_lr` must be greater than 0"),
    "infinite rate": (built, {"max_lr": np.inf}, "`max_lr` must be a finite number"),
    "chance": (built, {"chance": "10"}, "`chance` must be a finite number"),
    "samples": (built, {"y": np.zeros(7)}, r"equally many samples, got \[7, 640\]"),
    "batch size": (built, {"batch_size": 0}, "`batch_size` must be at least 1, got 0"),
    "seeds": (built, {"seeds": 0}, "`seeds` must be at least 1, got 0"),
    "range": (built, {"min_lr": 1.0, "max_lr": 0.1}, "`max_lr` must be greater than `min_lr`"),
    "steps": (built, {"steps": 1}, "`steps` must be at least 2, got 1"),
}


@pytest.mark.parametrize(("build", "options", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_refused(build, options, message, data):
    x, y = data
    with pytest.raises(lrlab.LrlabError, match=message):
        lrlab.find_lr(build(), **{"x": x, "y": y, **options})


def test_numbers_of_numpy_are_numbers(data):
    found = lrlab.find_lr(
        built(), *data, batch_size=np.int64(64), steps=np.uint16(20), seeds=np.int32(1),
        min_lr=np.float32(0.001), max_lr=1,
    )  # fmt: skip
    assert found.losses.shape == (1, 20)


# --- what it returns, to be read ---


@pytest.fixture(scope="module")
def found(data):
    """A real sweep; what it suggests is set, since that is tested elsewhere."""
    return dataclasses.replace(
        lrlab.find_lr(built(), *data, seeds=2, steps=200, min_lr=1e-6, max_lr=10),
        verdict=Verdict.OK, steady_lr=0.0123,
        max_lr=0.0456, lowest_useful_lr=0.001, highest_stable_lr=0.2, spread=1.1,
    )  # fmt: skip


def test_it_is_printed_on_a_few_lines(found):
    lines = repr(found).splitlines()
    assert [line.split()[0] for line in lines] == [
        "verdict", "steady_lr", "max_lr", "usable", "sweep",
    ]  # fmt: skip
    assert f"{found.steady_lr:.3g} " in lines[1]
    assert lines[-1].startswith("sweep      2 seeds of 200 steps, 1e-06 to 10; ")
    assert max(map(len, lines)) <= 100


def test_hints_name_the_arguments_of_python(data):
    found = lrlab.find_lr(built(), *data, steps=20, seeds=1)
    assert found.verdict is Verdict.TOO_SHORT
    assert "`steps=`" in repr(found)
    for verdict in Verdict:
        meaning = dataclasses.replace(found, verdict=verdict).meaning
        assert "--" not in meaning
        for name in re.findall("`(.*?)=`", meaning):
            assert name in inspect.signature(lrlab.find_lr).parameters
    assert "--steps" in Verdict.TOO_SHORT.sentence
    drawn = found.plot()
    assert any("`steps=`" in text.get_text() for text in drawn.texts)


def test_plot_draws_every_curve_and_rate_on_new_or_given_axes(found):
    from matplotlib.figure import Figure

    given = Figure().subplots()
    for ax in (found.plot(), found.plot(given)):
        labels = ax.get_legend_handles_labels()[1]
        assert any(label.startswith(f"steady_lr {found.steady_lr:.3g}") for label in labels)
        assert ax.get_ylabel() == "batch loss"
        assert ax.get_xscale() == "log"
        assert "2 seeds of 200 steps" in ax.get_title(loc="left") + ax.figure.get_suptitle()
    assert found.plot(given) is given
    assert found._repr_html_().startswith("<pre>verdict")
    assert "data:image/png;base64," in found._repr_html_()


# --- the process it is called in ---

NOTHING_CHANGES = """
    import os
    before = dict(os.environ)
    {first}
    import keras, numpy as np, tensorflow as tf

    def threads():
        of = tf.config.threading
        return of.get_intra_op_parallelism_threads(), of.get_inter_op_parallelism_threads()

    for name in ("KERAS_BACKEND", "TF_ENABLE_ONEDNN_OPTS", "TF_CPP_MIN_LOG_LEVEL"):
        assert os.environ.get(name) == before.get(name), name
    settled = dict(os.environ)  # TensorFlow sets some itself.
    assert threads() == (0, 0), threads()
    from lrlab import find_lr, KerasLoop, KerasMomentum, KerasSchedule

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    cycle = {{"type": "one_cycle", "max_lr": 0.1, "momentum": {{"low": 0.8, "high": 0.9}}}}
    model.compile(keras.optimizers.SGD(KerasSchedule(cycle, 2, 2), momentum=0.9), "mse")
    x, y = np.ones((64, 2)), np.ones((64, 1))
    find_lr(model, x, y, steps=20, seeds=1)
    model.fit(x, y, 32, epochs=2, callbacks=[KerasMomentum(cycle, 2, 2)], verbose=0)
    assert threads() == (0, 0), threads()
    assert dict(os.environ) == settled
"""


@pytest.mark.parametrize(
    "first",
    [
        "from lrlab import find_lr, KerasLoop",
        pytest.param("import tensorflow", marks=pytest.mark.slow),
    ],
)
def test_as_a_library_lrlab_sets_neither_environment_nor_threads(first):
    script = textwrap.dedent(NOTHING_CHANGES.format(first=first))
    hidden = ("KERAS_BACKEND", "TF_ENABLE_ONEDNN_OPTS", "TF_CPP_MIN_LOG_LEVEL")
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False,
        env={name: value for name, value in os.environ.items() if name not in hidden},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


# --- everything that `fit` takes ---


def arrays(data):
    x, y = data
    return {"x": x, "y": y, "batch_size": 64}


def data_set(data):
    return {"x": tf.data.Dataset.from_tensor_slices(data).batch(64)}


def endless(data):
    return {"x": tf.data.Dataset.from_tensor_slices(data).repeat().batch(64)}


class Own(keras.utils.PyDataset):
    def __init__(self, data):
        super().__init__()
        self.data, self.epochs = data, 0

    def __len__(self):
        return SAMPLES // 64

    def __getitem__(self, index):
        return tuple(part[64 * index : 64 * (index + 1)] for part in self.data)

    def on_epoch_end(self):
        self.epochs += 1


def generated(data):
    def batches():
        while True:
            for at in range(0, SAMPLES, 64):
                yield tuple(part[at : at + 64] for part in data)

    return {"x": batches()}


def weighted(data):
    return arrays(data) | {"sample_weight": np.linspace(0, 2, SAMPLES)}


def weighted_classes(data):
    return arrays(data) | {"class_weight": {0: 3.0, 1: 0.5}}


def weighted_batches(data):
    x, y = data
    triples = (x, y, np.linspace(0, 2, SAMPLES).astype(np.float32))
    return {"x": tf.data.Dataset.from_tensor_slices(triples).batch(64)}


def with_validation(data):
    return arrays(data) | {"validation_data": data}


SOURCES = {
    each.__name__: each
    for each in (
        data_set, endless, generated, weighted, weighted_classes, weighted_batches,
        with_validation,
    )
}  # fmt: skip
SOURCES["py_data_set"] = lambda data: {"x": Own(data)}
SOURCES["lists"] = lambda data: arrays(data) | {"x": [data[0]], "y": [data[1]]}


@pytest.mark.parametrize("given", SOURCES.values(), ids=SOURCES.keys())
def test_every_kind_of_data_that_fit_takes(given, data):
    model = compiled(dense, sgd, data)
    before = state(model)
    found = lrlab.find_lr(model, **given(data), steps=24, seeds=2)
    assert np.isfinite(found.losses[:, :15]).all()
    assert np.ptp(found.losses[0, :15]) > 0
    assert not np.array_equal(found.losses[0], found.losses[1])
    assert state(model) == before


def test_weights_are_those_of_keras(data):
    """The oracle: `train_on_batch` with the same weights, a class' as each sample's."""
    x, y = data
    model = built()
    by_class = lrlab.find_lr(model, **weighted_classes(data), steps=20, seeds=1)
    of_each = np.select([y == 0, y == 1], [3.0, 0.5], 1.0)
    by_sample = lrlab.find_lr(
        model, x, y, batch_size=64, sample_weight=of_each, steps=20, seeds=1
    )  # fmt: skip
    plain = lrlab.find_lr(model, x, y, batch_size=64, steps=20, seeds=1)
    np.testing.assert_allclose(by_class.losses, by_sample.losses, rtol=1e-6)
    assert not np.allclose(by_class.losses, plain.losses, rtol=1e-3)


def test_a_data_set_is_begun_again_until_there_are_steps_enough(data):
    source = Own(data)
    found = lrlab.find_lr(built(), source, steps=25, seeds=1, max_lr=1e-5)
    assert np.isfinite(found.losses).all()
    assert source.epochs == 2
    assert lrlab.find_lr(built(), Own(data), seeds=1).lr.size == 200
    assert lrlab.find_lr(built(), endless(data)["x"], seeds=1).lr.size == 200


def test_a_generator_that_ends_too_early_is_refused(data):
    model = built()
    before = [v.numpy().tobytes() for v in model.variables]
    few = (tuple(part[:64] for part in data) for _ in range(30))
    with pytest.raises(lrlab.LrlabError, match="ended after 30 batches; a sweep takes 20") as error:
        lrlab.find_lr(model, few, steps=20, seeds=2, max_lr=1e-5)
    assert "lower `steps=` or `seeds=`" in error.value.hint
    assert [v.numpy().tobytes() for v in model.variables] == before


class AddsItsLoss(keras.Model):
    """An autoencoder that knows its loss, so that it needs no targets."""

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(12)

    def call(self, inputs):
        outputs = self.dense(inputs)
        self.add_loss(keras.ops.mean((outputs - inputs) ** 2))
        return outputs


class ComputesItsLoss(Plain):
    """A model that overrides `compute_loss`."""

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return 7.0 + super().compute_loss(x, y, y_pred, sample_weight, training)


class TrainsItself(Plain):
    """A model with a `train_step` of its own."""

    name_of_loss = "loss"

    def train_step(self, data):
        x, y = data[:2]
        with tf.GradientTape() as tape:
            loss = 5.0 + self.compute_loss(x, y, self(x))
        weights = self.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        return {self.name_of_loss: loss}


def of_class(kind, data, loss="sparse_categorical_crossentropy", **options):
    model = kind()
    model(data[0][:1])
    model.compile("sgd", loss, **options)
    return model


def test_a_model_that_only_adds_losses(data):
    model = of_class(AddsItsLoss, data, None)
    weights = model.get_weights()
    found = lrlab.find_lr(model, data[0], batch_size=64, steps=40, seeds=1, max_lr=0.1)
    assert found.losses[0, -1] < found.losses[0, 0]
    np.testing.assert_array_equal(model.get_weights()[0], weights[0])


@pytest.mark.parametrize(("kind", "more"), [(ComputesItsLoss, 7.0), (TrainsItself, 5.0)])
def test_a_model_class_with_its_own_loss_or_step(kind, more, data):
    model = of_class(kind, data)
    plain = of_class(Plain, data)
    plain.set_weights(model.get_weights())
    options = {"batch_size": 64, "steps": 20, "seeds": 1, "max_lr": 0.1}
    found, expected = (lrlab.find_lr(each, *data, **options) for each in (model, plain))
    np.testing.assert_allclose(found.losses, expected.losses + more, rtol=1e-5)
    assert model.train_function is None


def test_a_training_step_that_reports_no_loss_is_refused(data, monkeypatch):
    monkeypatch.setattr(TrainsItself, "name_of_loss", "energy")
    with pytest.raises(lrlab.LrlabError, match="reports `energy`, and no `loss` to sweep by"):
        lrlab.find_lr(of_class(TrainsItself, data), *data)


def test_a_model_that_runs_eagerly(data):
    seen = []

    class Looks(Plain):
        def call(self, inputs):
            seen.append(tf.executing_eagerly() and hasattr(inputs, "numpy"))
            return super().call(inputs)

    model = of_class(Looks, data, run_eagerly=True)
    seen.clear()
    lrlab.find_lr(model, *data, batch_size=64, steps=10, seeds=1)
    assert len(seen) >= 10
    assert all(seen[-10:])


def several_optimizers(rates):
    head, first = rates
    return keras.optimizers.MultiOptimizer(
        keras.optimizers.OptimizerMap(
            keras.optimizers.SGD(head),
            {".*first.*": keras.optimizers.Adam(first)},
        )
    )


def two_layers():
    return keras.Sequential(
        [
            keras.Input((12,)),
            keras.layers.Dense(16, "relu", name="first"),
            keras.layers.Dense(CLASSES, "softmax", name="second"),
        ]
    )


@pytest.mark.skipif(not hasattr(keras.optimizers, "MultiOptimizer"), reason="a newer Keras")
def test_several_optimizers_in_one_keep_their_distance(data):
    model = compiled(two_layers, lambda: several_optimizers([0.1, 0.001]), data)
    before = [v.numpy().tobytes() for v in (*model.variables, *model.optimizer.variables)]
    found = lrlab.find_lr(model, *data, batch_size=64, steps=20, seeds=1)
    assert np.isfinite(found.losses[0, :15]).all()
    after = [v.numpy().tobytes() for v in (*model.variables, *model.optimizer.variables)]
    assert after == before
    fresh, set_rate = preservation.fresh_optimizer(model.optimizer)
    set_rate(0.5)
    rates = sorted(float(each.learning_rate) for each in fresh.optimizers)
    np.testing.assert_allclose(rates, [0.005, 0.5], rtol=1e-6)
    model.compile(keras.optimizers.MultiOptimizer(lambda variable: keras.optimizers.SGD()), "mse")
    with pytest.raises(lrlab.LrlabError, match="chooses by a function"):
        lrlab.find_lr(model, *data)


def test_an_optimizer_whose_rate_cannot_be_set_is_refused(data):
    class Stubborn(keras.optimizers.SGD):
        def __init__(self, learning_rate=0.1, **settings):
            super().__init__(keras.optimizers.schedules.CosineDecay(0.1, 10), **settings)

    model = built()
    model.compile(Stubborn(), "sparse_categorical_crossentropy")
    with pytest.raises(lrlab.LrlabError, match="the learning rate of `Stubborn` cannot be set"):
        lrlab.find_lr(model, *data)


STRATEGY = """
    import os
    import keras, numpy as np, tensorflow as tf
    from lrlab import find_lr

    (cpu,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    rng = np.random.default_rng(0)
    x = rng.normal(size=(640, 12)).astype("float32")
    y = x[:, :4].argmax(axis=1)

    def model():
        model = keras.Sequential([keras.Input((12,)), keras.layers.Dense(4, "softmax")])
        model.compile(keras.optimizers.SGD(0.1, momentum=0.9), "sparse_categorical_crossentropy")
        return model

    plain = model()
    with strategy.scope():
        mirrored = model()
    mirrored.set_weights(plain.get_weights())
    for weights in (None, {0: 2.0}):
        one, two = (
            find_lr(each, x, y, batch_size=64, steps=30, seeds=2, class_weight=weights)
            for each in (plain, mirrored)
        )
        np.testing.assert_allclose(two.losses, one.losses, rtol=1e-4)
    for each, before in zip(mirrored.variables, plain.variables):
        for local in strategy.experimental_local_results(each.value):
            assert local.numpy().tobytes() == before.numpy().tobytes()
    assert not mirrored.optimizer.built
"""


@pytest.mark.slow
def test_a_model_under_a_distribution_strategy_is_swept_like_a_plain_one():
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(STRATEGY)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
