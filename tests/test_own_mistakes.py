"""Mistakes in a user's own models and data: one clear error, before anything is trained or written.

Each case goes through the command line; what it must say is compared word for word.
"""

# ruff: noqa: E501 - long lines are those that are told
import re
from typing import NamedTuple

import pytest
from typer.testing import CliRunner

from lrlab.cli import app
from lrlab.results import lock

ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")

NETS = """
import keras
import numpy as np
from keras import layers, ops

def good(outputs=3):
    return keras.Sequential([keras.Input((4,)), layers.Dense(outputs, "softmax")])

def nothing():
    good()

def fails(width=3):
    return _inner(width)

def _inner(width):
    raise ValueError(f"no such width: {width}")

def wide():
    return keras.Sequential([keras.Input((7,)), layers.Dense(3, "softmax")])

def narrow():
    return keras.Sequential([keras.Input((4,)), layers.Dense(2, "softmax")])

class Late(keras.Model):
    def call(self, x):
        return ops.reshape(x, (-1, 5)) @ self.missing

def late():
    return Late()

count = 0

def another():
    global count
    count += 1
    return keras.Sequential([keras.Input((4,)), layers.Dense(2 + count), layers.Dense(3)])

def other_weights():
    global count
    count += 1
    start = keras.initializers.Constant(count)
    return keras.Sequential([keras.Input((4,)), layers.Dense(3, kernel_initializer=start)])

class Noisy(layers.Layer):
    def call(self, x):
        return x + keras.random.normal((4,))

def noisy():
    return keras.Sequential([keras.Input((4,)), Noisy(), layers.Dense(3, "softmax")])

def frozen():
    model = good()
    model.trainable = False
    return model

class Stepping(keras.Model):
    def train_step(self, data):
        return super().train_step(data)

def stepping():
    x = keras.Input((4,))
    return Stepping(x, layers.Dense(3, "softmax")(x))

def scheduled():
    model = good()
    model.compile(keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.1, 100)), "mse")
    return model

def averaging():
    return keras.optimizers.SGD(use_ema=True)

def batches_of_seven():
    x = keras.Input(batch_shape=(7, 4))
    return keras.Model(x, layers.Dense(3, "softmax")(x))

def score(y, predicted):
    return ops.mean(predicted)

model = good
broken = 3
"""

SETS = """
import keras
import numpy as np
import tensorflow as tf

def _numbers(n=60):
    x = np.random.default_rng(0).normal(size=(n, 4)).astype("float32")
    return x, np.argmax(x[:, :3], axis=1)

def good():
    return _numbers()

def amounts():
    x, y = _numbers()
    return x, x.sum(axis=1)

def nothing():
    _numbers()

def fails(path="nowhere"):
    raise FileNotFoundError(f"no {path}")

def unequal():
    x, y = _numbers()
    return x, y[:-1]

def holes():
    x, y = _numbers()
    x[[7, 9], 2] = np.nan
    return x, y

def text():
    x, y = _numbers()
    return x, y.astype(str)

def sentence():
    return "x and y"

def generator():
    yield _numbers()

def stream():
    x, y = _numbers()
    return tf.data.Dataset.from_tensor_slices((x, y)).batch(8)

def endless():
    return stream().repeat(), stream()

def stream_of_holes():
    x, y = holes()
    return tf.data.Dataset.from_tensor_slices((x, y)).batch(8), stream()

def streams():
    return stream(), stream()

def empty_stream():
    return stream().take(0), stream()
"""


class Case(NamedTuple):
    """What a config says, what must be told, the options, and further configs."""

    keys: str
    told: str
    options: tuple[str, ...] = ("--trust", "nets.py", "--trust", "sets.py")
    exit_code: int = 2
    schedule: str = "{type: constant, lr: 0.01}"
    more: tuple[str, ...] = ()


CASES = {
    "code that is not trusted": Case(
        "model: nets.py:good\ndata: sets.py:good\n",
        """\
2 problems in `x.yaml`
x.yaml:3:8: model: `nets.py:good` is code, and code runs only if the command line names it; if you trust it, add `--trust nets.py`
  | model: nets.py:good
  |        ^
x.yaml:4:7: data: `sets.py:good` is code, and code runs only if the command line names it; if you trust it, add `--trust sets.py`
  | data: sets.py:good
  |       ^""",
        options=(),
    ),
    "a file that is not there": Case(
        "model: net.py:good\ndata: sets.py:good\n",
        """\
there is no file `HERE/net.py`

hint: paths in a config are relative to its folder, those on the command line to the current one""",
        options=("--trust", "net.py", "--trust", "sets.py"),
    ),
    "a module that is not there": Case(
        "model: netz.nets:good\ndata: sets.py:good\n",
        """\
there is no module `netz.nets`; did you mean `nets`?

hint: it was looked for in `HERE` and among the installed packages""",
        options=("--trust", "netz.nets", "--trust", "sets.py"),
    ),
    "a function that is not there": Case(
        "model: nets.py:god\ndata: sets.py:good\n",
        """\
`nets.py` has no `god`; did you mean `good`?""",
    ),
    "something that is no function": Case(
        "model: nets.py:broken\ndata: sets.py:good\n",
        """\
`nets.py:broken` is not a function, it is int""",
    ),
    "a model's exception": Case(
        "model: nets.py:fails\ndata: sets.py:good\n",
        """\
`nets.py:fails` raised ValueError: no such width: 3
  nets.py:13, in fails
    return _inner(width)
  nets.py:16, in _inner
    raise ValueError(f"no such width: {width}")""",
    ),
    "a model that is not returned": Case(
        "model: nets.py:nothing\ndata: sets.py:good\n",
        """\
`nets.py:nothing` must return a Keras model, got None

hint: does it end with `return`?""",
    ),
    "an argument that it does not take": Case(
        "model: {build: nets.py:fails, args: {widht: 3}}\ndata: sets.py:good\n",
        """\
`nets.py:fails` has no parameter `widht`; did you mean `width`?

hint: its parameters are `width`""",
    ),
    "inputs of another width": Case(
        "model: nets.py:wide\ndata: sets.py:good\n",
        """\
`nets.py:wide` cannot take the data, examples of shape (4,): Input 0 with name 'None' of layer 'dense' is incompatible with the layer: expected axis -1 of input shape to have value 7, but received input with shape (2, 4)""",
    ),
    "too few outputs": Case(
        "model: nets.py:narrow\ndata: sets.py:good\n",
        """\
`nets.py:narrow` gives 2 values per example; `sets.py:good` asks for 3 classes

hint: take the number of outputs from the parameter `outputs`""",
    ),
    "an exception in a layer": Case(
        "model: nets.py:late\ndata: sets.py:good\n",
        """\
`nets.py:late` cannot take the data, examples of shape (4,): Dimension size must be evenly divisible by 5 but is 8 for '{{node Reshape}} = Reshape[T=DT_FLOAT, Tshape=DT_INT32](Placeholder, Reshape/shape)' with input shapes: [2,4], [2] and with input tensors computed as partial shapes: input[1] = [?,5].
  nets.py:26, in call
    return ops.reshape(x, (-1, 5)) @ self.missing""",
    ),
    "another model each time": Case(
        "model: nets.py:another\ndata: sets.py:good\n",
        """\
`nets.py:another` is another model each time it is built

hint: its layers must not depend on chance or on what was built before""",
    ),
    "other weights each time": Case(
        "model: nets.py:other_weights\ndata: sets.py:good\n",
        """\
`nets.py:other_weights` begins with other weights (`sequential/dense/kernel`) each time it is built, although the seed is the same

hint: draw random numbers from `keras.random` or from the parameter `seed`""",
    ),
    "noise from a global seed": Case(
        "model: nets.py:noisy\ndata: sets.py:good\n",
        """\
`nets.py:noisy` draws random numbers from Keras' global seed while it is trained, so that no run could be repeated

hint: keep a `keras.random.SeedGenerator` in the layer, and pass it as the `seed`""",
    ),
    "nothing to train": Case(
        "model: nets.py:frozen\ndata: sets.py:good\n",
        """\
`nets.py:frozen` has nothing to train: all its weights are frozen""",
    ),
    "training steps of its own": Case(
        "model: nets.py:stepping\ndata: sets.py:good\n",
        """\
`nets.py:stepping` has a `train_step` of its own, which lrlab's loop would not call

hint: override `compute_loss` instead, or use `lrlab.KerasSchedule` with your own `fit`""",
    ),
    "a schedule of its own": Case(
        "model: nets.py:scheduled\ndata: sets.py:good\n",
        """\
the optimizer that `nets.py:scheduled` is compiled with has a schedule of its own, and lrlab sets the rate of every step

hint: give it a number as its learning rate, and state the schedule in the config""",
    ),
    "an optimizer that averages": Case(
        "model: nets.py:good\ndata: sets.py:good\noptimizer: {type: nets.py:averaging}\n",
        """\
the optimizer of `nets.py:averaging` averages the weights when `fit` ends (`use_ema`), which lrlab does not

hint: leave out `use_ema`""",
    ),
    "an optimizer that is none": Case(
        "model: nets.py:good\ndata: sets.py:good\noptimizer: {type: nets.py:good}\n",
        """\
`nets.py:good` must return a Keras optimizer, got Sequential""",
    ),
    "batches of another size": Case(
        "model: nets.py:batches_of_seven\ndata: sets.py:good\n",
        """\
3 problems in `x.yaml`
x.yaml:3:8: batch_size: `nets.py:batches_of_seven` takes batches of 7 only, got 32
  | model: nets.py:batches_of_seven
  |        ^
x.yaml:3:8: model: `nets.py:batches_of_seven` takes batches of 7 only, and the train data have 54 examples, which leave a smaller one
  | model: nets.py:batches_of_seven
  |        ^
x.yaml:3:8: model: `nets.py:batches_of_seven` takes batches of 7 only, and the validation data have 6 examples, which leave a smaller one
  | model: nets.py:batches_of_seven
  |        ^""",
    ),
    "data that are not returned": Case(
        "model: nets.py:good\ndata: sets.py:nothing\n",
        """\
`sets.py:nothing` must give `(x, y), (x_test, y_test)`, three pairs with validation in the middle, `(x, y)` alone, or a dict with `train`, `validation`, `test`; got None

hint: does it end with `return`?""",
    ),
    "an exception of the data": Case(
        "model: nets.py:good\ndata: sets.py:fails\n",
        """\
`sets.py:fails` raised FileNotFoundError: no nowhere
  sets.py:21, in fails
    raise FileNotFoundError(f"no {path}")""",
    ),
    "unequal lengths": Case(
        "model: nets.py:good\ndata: sets.py:unequal\n",
        """\
`sets.py:unequal`: `x_train` has 60 rows, `y_train` has 59

hint: each row of one belongs to the same row of the other""",
        exit_code=3,
    ),
    "values that are missing": Case(
        "model: nets.py:good\ndata: sets.py:holes\n",
        """\
`sets.py:holes`: `x_train` holds 2 values that are NaN or infinite; the first, nan, is at [7, 2]

hint: fill in or leave out what is missing, and scale what is too large""",
        exit_code=3,
    ),
    "labels as text": Case(
        "model: nets.py:good\ndata: sets.py:text\n",
        """\
`sets.py:text`: `y_train` holds text, not numbers

hint: turn it into numbers, as `names, values = np.unique(values, return_inverse=True)`""",
        exit_code=3,
    ),
    "data that are none": Case(
        "model: nets.py:good\ndata: sets.py:sentence\n",
        """\
`sets.py:sentence` must give `(x, y), (x_test, y_test)`, three pairs with validation in the middle, `(x, y)` alone, or a dict with `train`, `validation`, `test`; got str of 7""",
    ),
    "a generator": Case(
        "model: nets.py:good\ndata: sets.py:generator\n",
        """\
`sets.py:generator` must give `(x, y), (x_test, y_test)`, three pairs with validation in the middle, `(x, y)` alone, or a dict with `train`, `validation`, `test`; got generator

hint: a generator is read once only: return a `keras.utils.PyDataset` or arrays""",
    ),
    "a stream without validation": Case(
        "model: nets.py:good\ndata: sets.py:stream\n",
        """\
the train data of `sets.py:stream` cannot be split, since it is a stream

hint: return what to validate on beside it: `(train, validation)`""",
        exit_code=3,
    ),
    "a stream without end": Case(
        "model: nets.py:good\ndata: sets.py:endless\n",
        """\
the train data of `sets.py:endless` never ends, so nobody knows what an epoch of it is

hint: leave out `.repeat()`, or add `.take(BATCHES)`""",
        exit_code=3,
    ),
    "a stream with holes": Case(
        "model: nets.py:good\ndata: sets.py:stream_of_holes\n",
        """\
`x` in batch 0 of the train data of `sets.py:stream_of_holes` holds 1 value NaN or infinite

hint: fill in or leave out what is missing""",
        exit_code=3,
    ),
    "an empty stream": Case(
        "model: nets.py:good\ndata: sets.py:empty_stream\n",
        """\
the train data of `sets.py:empty_stream` has no batches

hint: look at how it is made""",
        exit_code=3,
    ),
    "a stream to be split": Case(
        "model: nets.py:good\ndata: sets.py:streams\nvalidation: 10%\n",
        """\
`sets.py:streams` gives streams, which lrlab neither splits nor scales

hint: leave out `validation` and `scale`, and do both in the function""",
        exit_code=3,
    ),
    "a stream with a batch size": Case(
        "model: nets.py:good\ndata: sets.py:streams\nbatch_size: 16\n",
        """\
1 problem in `x.yaml`
x.yaml:5:13: batch_size: the data are a stream, which makes its own batches
  | batch_size: 16
  |             ^""",
    ),
    "a metric without a direction": Case(
        "model: nets.py:good\ndata: sets.py:good\nmetric: nets.py:score\n",
        """\
1 problem in `x.yaml`
x.yaml:5:9: metric: `score` does not say whether high or low values are better; write `{name: ..., mode: max}`, or `mode: min`
  | metric: nets.py:score
  |         ^""",
    ),
    "an unknown metric": Case(
        "model: nets.py:good\ndata: sets.py:good\nmetric: acuracy\n",
        """\
1 problem in `x.yaml`
x.yaml:5:9: metric: must be a metric as Keras names it, as `mae`, or FILE.py:FUNCTION, got `acuracy`; did you mean `accuracy` or `binary_accuracy` or `auc`?
  | metric: acuracy
  |         ^""",
    ),
    "an unknown metric with a direction": Case(
        "model: nets.py:good\ndata: sets.py:good\nmetric: {name: foo, mode: max}\n",
        """\
1 problem in `x.yaml`
x.yaml:5:16: metric.name: must be a metric as Keras names it, as `mae`, or FILE.py:FUNCTION, got `foo`
  | metric: {name: foo, mode: max}
  |                ^""",
    ),
    "an unknown loss": Case(
        "model: nets.py:good\ndata: sets.py:good\nloss: mean_square_error\n",
        """\
1 problem in `x.yaml`
x.yaml:5:7: loss: must be a loss as Keras names it, as `mean_squared_error`, or FILE.py:FUNCTION, got `mean_square_error`; did you mean `mean_squared_error` or `mean_squared_logarithmic_error` or `mean_absolute_error`?
  | loss: mean_square_error
  |       ^""",
    ),
    "a loop that watches what is not there": Case(
        "model: nets.py:good\ndata: sets.py:good\n",
        """\
1 problem in `x.yaml`
x.yaml:1:57: schedule.monitor: must be one of loss, val_loss, accuracy, val_accuracy, got `val_mae`
  | schedule: {type: performance, initial_lr: 0.1, monitor: val_mae}
  |                                                         ^""",
        schedule="{type: performance, initial_lr: 0.1, monitor: val_mae}",
    ),
    "class weights without classes": Case(
        "model: nets.py:good\ndata: sets.py:amounts\nclass_weight: {0: 2.0}\n",
        """\
1 problem in `x.yaml`
x.yaml:5:15: class_weight: there are no classes in the targets (regression)
  | class_weight: {0: 2.0}
  |               ^""",
    ),
    "weights of a class that is not there": Case(
        "model: nets.py:good\ndata: sets.py:good\nclass_weight: {7: 2.0}\n",
        """\
1 problem in `x.yaml`
x.yaml:5:19: class_weight: there is no class 7, classes go up to 2
  | class_weight: {7: 2.0}
  |                   ^""",
    ),
    "a loss that does not fit": Case(
        "model: nets.py:good\ndata: sets.py:good\nloss: categorical_crossentropy\n",
        """\
1 problem in `x.yaml`
x.yaml:5:7: loss: `categorical_crossentropy` is of one-hot rows, and the targets ask for classification
  | loss: categorical_crossentropy
  |       ^""",
    ),
    "two metrics": Case(
        "model: nets.py:good\ndata: sets.py:good\n",
        """\
experiments are compared by one metric, and these have several: x by accuracy, y by mae

hint: state the same `metric:` in each, or compare them in separate `--out` directories""",
        more=("y.yaml",),
    ),
}


def run(command, here, case, *more):
    (here / "nets.py").write_text(NETS)
    (here / "sets.py").write_text(SETS)
    text = f"schedule: {case.schedule}\nepochs: 1\n{case.keys}"
    (here / "x.yaml").write_text(text)
    (here / "y.yaml").write_text(text + "metric: mae\n")
    arguments = [command, "x.yaml", *case.more, *more, "--out", "out", *case.options]
    return CliRunner().invoke(app, arguments)


def told(result, here):
    """What was printed from the error on, folder and numbers of layers apart."""
    text = ANSI.sub("", result.output).split("error: ", 1)[-1].replace(str(here), "HERE")
    return re.sub(r"\b(dense|sequential)_\d+", r"\1", text).strip()


def left(here):
    """What lies in the results directory."""
    folder = here / "out"
    return [path.name for path in folder.rglob("*") if path.name != lock.NAME]


@pytest.mark.parametrize("name", CASES)
def test_a_mistake_is_told_before_anything_is_trained(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    case = CASES[name]
    result = run("compare", tmp_path, case)
    assert told(result, tmp_path) == case.told
    assert (result.exit_code, left(tmp_path)) == (case.exit_code, [])
