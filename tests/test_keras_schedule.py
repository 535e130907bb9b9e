"""The schedule outside lrlab: the same rates in Keras, compiled, saved and loaded."""

from __future__ import annotations

import subprocess
import sys

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from schedule_strategies import ANY, RUN, valid

import lrlab
from lrlab import schedules
from lrlab.config import parse
from lrlab.schedules import Length

TEXTS = [
    "{type: one_cycle, max_lr: 0.1}",
    "{type: cosine_restarts, initial_lr: 0.1, period: 5 steps, warmup: {for: 3 steps}}",
    "{type: formula, expression: 'a * 0.9 ** epoch', parameters: {a: 0.1}, update: epoch}",
    "{type: sequence, cycles: 2, phases: [{for: 3 steps, type: constant, lr: 0.1}, "
    "{for: rest, type: cosine, initial_lr: 0.1}]}",
]


def schedule(text):
    return parse(f"schedule: {text}").experiment.schedule


@pytest.mark.parametrize("text", TEXTS)
def test_equals_rates_and_survives_its_config(text):
    config = schedule(text)
    made = lrlab.KerasSchedule(config, 7, 3)
    again = keras.optimizers.schedules.deserialize(keras.optimizers.schedules.serialize(made))
    expected = lrlab.rates(config, 7, 3).astype(np.float32)
    for one in (made, again):
        np.testing.assert_array_equal([float(one(step)) for step in range(21)], expected)
    assert again.schedule == config
    assert float(made(10_000)) == float(made(21))


@settings(max_examples=100)
@given(values=ANY, run=RUN)
def test_equals_rates_whatever_the_schedule(values, run):
    config, (steps_per_epoch, epochs) = valid(values), run
    steps = np.arange(steps_per_epoch * epochs)
    made = lrlab.KerasSchedule(config, steps_per_epoch, epochs)
    expected = lrlab.rates(config, steps_per_epoch, epochs).astype(np.float32)
    np.testing.assert_array_equal(made(steps), expected)
    again = lrlab.KerasSchedule.from_config(made.get_config())
    np.testing.assert_array_equal(again(steps), expected)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_trains_compiled_and_survives_saving(jit_compile, tmp_path):
    config = schedule(TEXTS[0])
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    optimizer = keras.optimizers.SGD(lrlab.KerasSchedule(config, 4, 2))
    model.compile(optimizer, "mse", jit_compile=jit_compile)
    x, y = np.ones((16, 2), np.float32), np.zeros((16, 1), np.float32)
    model.fit(x, y, 4, epochs=1, verbose=0)
    expected = lrlab.rates(config, 4, 2).astype(np.float32)
    assert float(model.optimizer.learning_rate) == expected[4]
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert float(loaded.optimizer.learning_rate) == expected[4]
    for one in (model, loaded):
        one.fit(x, y, 4, epochs=1, shuffle=False, verbose=0)
    np.testing.assert_allclose(loaded.get_weights()[0], model.get_weights()[0], rtol=1e-6)


ORDERS = ("import keras, lrlab", "import lrlab, keras", "import lrlab\nimport tensorflow, keras")


def run_python(script, **settings):
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, **settings
    )


@pytest.mark.parametrize(
    "imports", [ORDERS[0], *(pytest.param(each, marks=pytest.mark.slow) for each in ORDERS[1:])]
)
def test_saved_model_is_loaded_where_lrlab_is_only_imported(imports, tmp_path):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(lrlab.KerasSchedule(schedule(TEXTS[0]), 4, 2)), "mse")
    model.save(tmp_path / "model.keras")
    loaded = "keras.models.load_model('model.keras')"
    script = f"{imports}\nprint(float({loaded}.optimizer.learning_rate))"
    done = run_python(script, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) == np.float32(lrlab.rates(schedule(TEXTS[0]), 4, 2)[0])


def test_importing_lrlab_loads_no_keras_and_leaves_other_imports_alone():
    done = run_python(
        "import sys\n"
        "import lrlab, importlib.util\n"
        "assert not {'keras', 'tensorflow', 'numpy', 'pydantic'} & set(sys.modules)\n"
        "assert importlib.util.find_spec('keras') and 'keras' not in sys.modules\n"
        "assert importlib.util.find_spec('no_such_package') is None\n"
        "import keras\n"
        "assert keras.saving.get_registered_object('lrlab>KerasSchedule') is lrlab.KerasSchedule\n"
        "assert not [finder for finder in sys.meta_path if 'lrlab' in type(finder).__module__]\n"
    )
    assert done.returncode == 0, done.stderr


def test_keras_that_cannot_be_imported_raises_its_own_error(tmp_path):
    (tmp_path / "keras.py").write_text("raise ImportError('broken on purpose')")
    script = (
        "import lrlab\n"
        "for _ in range(2):\n"
        "    try:\n"
        "        import keras\n"
        "    except ImportError as error:\n"
        "        print(error)\n"
    )
    done = run_python(script, cwd=tmp_path)
    assert done.stdout.splitlines() == ["broken on purpose"] * 2, done.stderr


def test_refuses_a_closed_loop_and_what_is_no_schedule():
    with pytest.raises(lrlab.LrlabError, match="known only while training"):
        lrlab.KerasSchedule(schedule("{type: greedy, initial_lr: 0.1}"), 4, 2)
    with pytest.raises(lrlab.LrlabError, match=r"schedule\.initial_lr: missing"):
        lrlab.KerasSchedule({"type": "cosine"}, 4, 2)
    with pytest.raises(lrlab.LrlabError, match="a schedule is needed, got int"):
        lrlab.KerasSchedule(3, 4, 2)
    with pytest.raises(lrlab.LrlabError, match="`epochs` must be a whole number"):
        lrlab.KerasSchedule({"type": "cosine", "initial_lr": 0.1}, 4, 2.5)


@pytest.mark.parametrize("kind", ["mapping", "path", "text", "experiment", "schedule"])
def test_a_schedule_may_be_given_in_any_form(kind, write_config):
    path = write_config("schedule: {type: cosine, initial_lr: 0.1}")
    given = {
        "mapping": {"type": "cosine", "initial_lr": 0.1},
        "path": path,
        "text": str(path),
        "experiment": lrlab.load(path),
        "schedule": lrlab.load(path).schedule,
    }[kind]
    expected = schedules.rates(lrlab.load(path).schedule, Length(4, 2))
    np.testing.assert_array_equal(lrlab.rates(given, 4, 2), expected)
    assert float(lrlab.KerasSchedule(given, 4, 2)(3)) == np.float32(expected[3])


@pytest.mark.parametrize("wrong", [None, 3, ["a.yaml"], {}])
def test_what_is_no_path_is_told_in_words(wrong):
    with pytest.raises(lrlab.LrlabError, match="`path` must be the path of a config"):
        lrlab.load(wrong)
