"""Exported code: without lrlab it gives the rates that lrlab trains with."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from schedule_strategies import ANY, RUN, valid
from typer.testing import CliRunner

import lrlab
from lrlab import schedules
from lrlab.cli import app
from lrlab.config import Experiment, parse
from lrlab.export.snippets import snippet
from lrlab.schedules import Length

TEXTS = {
    "constant": "{type: constant, lr: 0.01}",
    "power": "{type: power, initial_lr: 0.1, s: 2 epochs}",
    "power of another exponent": "{type: power, initial_lr: 0.1, s: 2 epochs, c: 0.7}",
    "exponential": "{type: exponential, initial_lr: 0.1, s: 2 epochs}",
    "exponential, very steep": "{type: exponential, initial_lr: 0.1, s: 1.5 steps}",
    "piecewise": "{type: piecewise, values: [0.1, 0.05, 0.2], boundaries: [1 epoch, 10.5 steps]}",
    "piecewise, in disorder": "{type: piecewise, values: [0.1, 0.05, 0.2], "
    "boundaries: [2 epochs, 3 steps]}",
    "1cycle": "{type: one_cycle, max_lr: 0.1, variant: pytorch, momentum: {}}",
    "scaled": "{type: exponential, initial_lr: 0.1, s: 2 epochs, scale: 3}",
    "scaled twice": "{type: sequence, scale: 2, warmup: {for: 3 steps}, phases: ["
    "{for: 9 steps, type: constant, lr: 0.2, scale: 0.3}, {type: formula, expression: 1 - progress}"
    "]}",
    "step": "{type: step, initial_lr: 0.1, every: 5 steps}",
    "by epoch, after a warm-up": "{type: cosine, initial_lr: 0.1, update: epoch, "
    "warmup: {for: 5 steps, from: 0.01, shape: cosine}}",
    "restarts": "{type: cosine_restarts, initial_lr: 0.1, period: 5 steps, growth: 1.5}",
    "formula": "{type: formula, expression: 'a * 0.1 ** (epoch / 2)', parameters: {a: 0.1}}",
    "two formulas": "{type: sequence, phases: [{for: 1 epoch, type: formula, expression: '0.1'}, "
    "{type: formula, expression: '0.1 - progress / 20'}]}",
    "one phase that ends early": "{type: sequence, phases: "
    "[{for: 9 steps, type: inverse_sqrt, max_lr: 0.1, s: 2 steps}]}",
    "equal cycles": "{type: sequence, cycles: 3, warmup: {for: 3 steps}, phases: ["
    "{for: 2 steps, type: constant, lr: 0.2}, {for: 4 steps, type: linear_to_zero, max_lr: 0.1}]}",
    "unequal cycles": "{type: sequence, cycles: 3, phases: [{for: 30%, type: constant, lr: 0.2}, "
    "{type: wsd, max_lr: 0.1, warmup: null}]}",
}
STEPS, EPOCHS = 7, 4


def experiment(text) -> Experiment:
    return parse(f"schedule: {text}\nepochs: {EPOCHS}", "x.yaml").experiment


def run(code):
    namespace = {"__name__": "exported"}
    exec(compile(code, "exported", "exec"), namespace)
    return namespace


# --- python ---


@settings(max_examples=200)
@given(values=ANY, run_of=RUN)
def test_python_equals_rates(values, run_of):
    (steps_per_epoch, epochs), config = run_of, valid(values)
    what = Experiment(schedule=config, epochs=epochs)
    found = run(snippet(what, "python", steps_per_epoch))
    step = np.arange(2 * steps_per_epoch * epochs)
    expected = schedules.curve(config, step, Length(steps_per_epoch, epochs))
    np.testing.assert_allclose(found["learning_rate"](step), expected, rtol=1e-12)
    np.testing.assert_allclose(found["learning_rate"](step[-1]), expected[-1], rtol=1e-12)
    momenta = schedules.momenta(config, Length(steps_per_epoch, epochs))
    assert ("momentum" in found) == (momenta is not None)
    if momenta is not None:
        np.testing.assert_allclose(found["momentum"](step)[: len(momenta)], momenta, rtol=1e-12)


EXPRESSIONS = [
    "min(1, 1 / (2 - 2))",
    "min(1, 9 ** 9 ** 9)",
    "min(0.5, 2 ** -1 + 7 // 2 % 3)",
    "where((0 - 8) ** (1 / 3) == 1, 1, 2)",
    "(step < 3) + (step < 5) + 2 * (1 < 2 < 3)",
    "0.1 if step > 2 and epochs else 0.2",
    "where(not_used + step % 2, a, 0.3 ** steps)",
    "where(1 < step <= 4 or progress == 0.5, log(pi * 2), -(-a))",
    "clip(abs(sin(step)), floor(a), ceil(a)) // 0.25 * 0.25",
]


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_expressions_mean_the_same(text):
    values = {"type": "formula", "expression": text, "parameters": {"a": 0.4, "not_used": 0.0}}
    what = Experiment.model_validate({"schedule": values, "epochs": EPOCHS})
    expected = lrlab.rates(what.schedule, STEPS, EPOCHS)
    found = run(snippet(what, "python", STEPS))["learning_rate"](np.arange(STEPS * EPOCHS))
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_comment_of_an_expression_stays_out_of_the_code():
    text = 'a # """; raise SystemExit; """'
    values = {"type": "formula", "expression": text, "parameters": {"a": 0.4}}
    what = Experiment.model_validate({"schedule": values})
    code = snippet(what, "python", STEPS)
    assert "SystemExit" not in code
    assert run(code)["learning_rate"](0) == 0.4


RUNNER = """
import json, sys
sys.path.append(sys.argv[1])
sys.modules["lrlab"] = None
import numpy
found = {}
for name, code in json.load(sys.stdin).items():
    namespace = {}
    exec(code, namespace)
    found[name] = namespace["learning_rate"](numpy.arange(28)).tolist()
assert not {"keras", "tensorflow", "pydantic", "yaml"} & set(sys.modules)
json.dump(found, sys.stdout)
"""


def test_python_needs_numpy_alone():
    codes = {name: snippet(experiment(text), "python", STEPS) for name, text in TEXTS.items()}
    packages = str(Path(np.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", RUNNER, packages],
        input=json.dumps(codes), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    for name, rates in json.loads(done.stdout).items():
        expected = lrlab.rates(experiment(TEXTS[name]).schedule, STEPS, EPOCHS)
        np.testing.assert_allclose(rates, expected, rtol=1e-12)


def test_equal_cycles_are_written_once():
    code = snippet(experiment(TEXTS["equal cycles"]), "python", STEPS)
    # The definition, the example in its docstring, and one call.
    assert code.count("linear_to_zero(") == 3


def test_code_is_the_formula_as_it_stands_in_its_room():
    code = snippet(experiment("{type: exponential, initial_lr: 0.1, s: 5 epochs}"), "python", 100)
    head, formula, main = code.split("\n\n\n")
    assert head == (
        "# The learning rate of `x`: 4 epochs of 100 steps. Made by `lrlab export`.\n"
        "import numpy as np\n"
        "import numpy.typing as npt"
    )
    room = Path(lrlab.__file__).parent / "schedules" / "exponential.py"
    assert f"\n\n\n{formula}\n\n\n" in room.read_text(encoding="utf-8")
    assert main == (
        "def learning_rate(step):\n"
        '    """Return the learning rate of any steps, counted from 0."""\n'
        "    return exponential(step, initial_lr=0.1, s=500)"
    )


# --- the command ---


@pytest.mark.parametrize(
    ("options", "steps"), [([], 1719), (["--steps-per-epoch", "7"], 7)], ids=["data", "given"]
)
def test_command_prints_the_code_and_no_more(options, steps, write_config):
    path = write_config("schedule: {type: cosine, initial_lr: 0.1}\nepochs: 2\n")
    done = CliRunner().invoke(app, ["export", str(path), *options])
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == snippet(lrlab.load(path), "python", steps) + "\n"
    rates = run(done.stdout)["learning_rate"](np.arange(2 * steps))
    np.testing.assert_array_equal(rates, lrlab.rates(lrlab.load(path).schedule, steps, 2))


def test_command_refuses_a_formula_that_gives_no_rate_with_its_place(write_config):
    path = write_config("schedule: {type: formula, expression: 0.1 - step}\n")
    done = CliRunner().invoke(app, ["export", str(path), "--to", "keras"])
    assert done.exit_code == 2
    assert "x.yaml:1" in done.stderr
    assert done.stdout == ""


def test_command_refuses_an_unknown_target(write_config):
    path = write_config("schedule: {type: cosine, initial_lr: 0.1}\n")
    done = CliRunner().invoke(app, ["export", str(path), "--to", "c"])
    assert done.exit_code == 2
    assert done.stderr == (
        "error: unknown target `c`\n\nhint: use one of python, keras, pytorch, csv, latex, "
        "tensorboard, mlflow, dvc\n"
    )


@pytest.mark.parametrize("to", ["python", "keras"])
def test_the_guide_shows_what_the_command_prints(to):
    root = Path(__file__).parents[1]
    what = lrlab.load(root / "configs" / "exponential.yaml")
    page = (root / "docs" / "guides" / "keras.md").read_text(encoding="utf-8")
    assert f"\n{snippet(what, to, 1719)}\n" in page


# --- keras ---

OWN = {"constant", "power", "exponential", "piecewise", "scaled"}


def in_keras(text):
    found = run(snippet(experiment(text), "keras", STEPS))
    schedule = found["LearningRate"]() if "LearningRate" in found else found["learning_rate"]
    return schedule if callable(schedule) else keras.optimizers.schedules.PolynomialDecay(
        schedule, 1, schedule
    )  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_keras_equals_rates_in_eager_mode_and_compiled(name):
    schedule = in_keras(TEXTS[name])
    compiled = tf.function(lambda step: schedule(step), jit_compile=True)
    expected = lrlab.rates(experiment(TEXTS[name]).schedule, STEPS, EPOCHS).astype(np.float32)
    steps = [tf.constant(step, tf.int64) for step in range(STEPS * EPOCHS)]
    rtol = 1e-6 if name in OWN else 0
    for found in ([schedule(step) for step in steps], [compiled(step) for step in steps]):
        np.testing.assert_allclose(np.asarray(found, np.float32), expected, rtol=rtol)
    assert ("LearningRate" in type(schedule).__name__) == (name not in OWN)


@settings(max_examples=60)
@given(values=ANY, run_of=RUN)
def test_keras_equals_rates(values, run_of):
    (steps_per_epoch, epochs), config = run_of, valid(values)
    what = Experiment(schedule=config, epochs=epochs)
    found = run(snippet(what, "keras", steps_per_epoch))
    expected = lrlab.rates(config, steps_per_epoch, epochs).astype(np.float32)
    if "LearningRate" in found:
        rates = found["LearningRate"]()(np.arange(len(expected)))
        np.testing.assert_array_equal(rates, expected)
    elif callable(found["learning_rate"]):
        rates = [float(found["learning_rate"](step)) for step in range(len(expected))]
        np.testing.assert_allclose(rates, expected, rtol=2e-6)
    else:
        assert np.float32(found["learning_rate"]) == expected[0]


def test_two_exports_live_in_one_process(tmp_path):
    texts = (TEXTS["1cycle"], TEXTS["restarts"])
    for number, text in enumerate(texts):
        model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        model.compile(keras.optimizers.SGD(in_keras(text)), "mse")
        model.save(tmp_path / f"{number}.keras")
    for number, text in enumerate(texts):
        loaded = keras.models.load_model(tmp_path / f"{number}.keras")
        expected = lrlab.rates(experiment(text).schedule, STEPS, EPOCHS)[0]
        assert float(loaded.optimizer.learning_rate) == np.float32(expected)


def test_keras_survives_its_config():
    schedule = in_keras(TEXTS["1cycle"])
    made = keras.optimizers.schedules.serialize(schedule)
    again = keras.optimizers.schedules.deserialize(made)
    assert float(again(9)) == float(schedule(9))


# --- closed loops ---

PLATEAU = (
    "{type: performance, initial_lr: 0.1, patience: 2, monitor: val_accuracy, min_delta: 0.01}"
)


def test_plateau_is_keras_own_with_the_same_arguments():
    callback = run(snippet(experiment(PLATEAU), "keras", STEPS))["callback"]
    assert isinstance(callback, keras.callbacks.ReduceLROnPlateau)
    assert (callback.monitor, callback.mode, callback.factor) == ("val_accuracy", "max", 0.5)
    assert (callback.patience, callback.min_delta, callback.cooldown) == (2, 0.01, 0)


def test_plateau_is_scaled_with_its_floor():
    text = "{type: performance, initial_lr: 0.1, min_lr: 0.01, scale: 2}"
    code = snippet(experiment(text), "keras", STEPS)
    assert run(code)["callback"].min_lr == 0.02
    assert "begins with the learning rate 0.2." in code


REFUSED = {
    "python": (PLATEAU, "python", "known only while training"),
    "greedy": ("{type: greedy, initial_lr: 0.1}", "keras", "Keras has no GreedyLR"),
    "pytorch": (PLATEAU[:-1] + ", variant: pytorch}", "keras", "differently from PyTorch's"),
    "relative": (PLATEAU[:-1] + ", threshold_mode: relative}", "keras", "as a difference only"),
    "warm-up": (PLATEAU[:-1] + ", warmup: {for: 1 epoch}}", "keras", "no warm-up before it"),
}


@pytest.mark.parametrize(("text", "to", "why"), REFUSED.values(), ids=REFUSED.keys())
def test_closed_loop_without_an_equal_is_refused(text, to, why):
    with pytest.raises(lrlab.LrlabError, match=why) as caught:
        snippet(experiment(text), to, STEPS)
    assert "lrlab.KerasLoop" in caught.value.hint
