"""Other libraries' schedules, step by step: Keras itself, and stored tables of the others.

The tables in `parity/` name the library's version and come from `parity/generate.py`.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from schedule_strategies import schedule

from lrlab import schedules
from lrlab.schedules import SCHEDULES, Length
from lrlab.schedules.cosine_restarts import cosine_restarts
from lrlab.schedules.greedy import Greedy
from lrlab.schedules.inverse_sqrt import inverse_sqrt
from lrlab.schedules.performance import Performance

TABLES = Path(__file__).parent / "parity"
RTOL = 1e-6
RUNS = ((7, 3), (10, 4), (13, 5))

# What the library does at the step after the end, where lrlab keeps the last value.
PAST_THE_END = {
    "OneCycleLR": "PyTorch goes on along the last cosine or line, even below 0",
    "TanhLRScheduler": "timm falls from tanh's last value to lr_min",
    "get_cosine_with_hard_restarts_schedule_with_warmup": "Hugging Face ends at 0, not restarted",
}


def rows(name):
    table = json.loads((TABLES / f"{name}.json").read_text())
    assert [tuple(run) for run in table["runs"]] == list(RUNS)
    return [pytest.param(row, id=f"{name}: {row['call']}") for row in table["cases"]]


def cases():
    return [case for name in ("torch", "optax", "timm", "transformers") for case in rows(name)]


def differs_past_the_end(row):
    return row["call"].split("(")[0] in PAST_THE_END


@pytest.mark.parametrize("row", cases())
def test_stored_table(row):
    for (steps_per_epoch, epochs), values in zip(RUNS, row["values"], strict=True):
        end = len(values) - differs_past_the_end(row)
        found = schedules.curve(
            schedule(row["schedule"]), np.arange(end), Length(steps_per_epoch, epochs)
        )
        np.testing.assert_allclose(found, values[:end], rtol=RTOL, atol=1e-15)


def test_tables_reach_from_the_first_step_to_one_past_the_end():
    for case in cases():
        lengths = [len(values) for values in case.values[0]["values"]]
        assert lengths == [spe * epochs + 1 for spe, epochs in RUNS]


@pytest.mark.parametrize("row", [c for c in cases() if differs_past_the_end(c.values[0])])
def test_past_the_end_lrlab_holds_and_the_library_does_not(row):
    spe, epochs = RUNS[0]
    steps = np.arange(spe * epochs, spe * epochs + 3)
    held = schedules.curve(schedule(row["schedule"]), steps, Length(spe, epochs))
    np.testing.assert_array_equal(held, held[0])
    assert abs(row["values"][0][-1] - held[0]) > 1e-5


# --- Keras, live ---

# Given in float64, Keras computes in it; in float32 its rounding is larger than the tolerance.
LR = np.float64(0.1)

KERAS = {
    "InverseTimeDecay": (
        "{type: power, initial_lr: 0.1, s: 5 steps}",
        lambda k, n: k.InverseTimeDecay(LR, 5, 1.0),
    ),
    "ExponentialDecay": (
        "{type: exponential, initial_lr: 0.1, s: 5 steps, factor: 0.7}",
        lambda k, n: k.ExponentialDecay(LR, 5, 0.7),
    ),
    "ExponentialDecay, staircase": (
        "{type: step, initial_lr: 0.1, every: 5 steps, factor: 0.7}",
        lambda k, n: k.ExponentialDecay(LR, 5, 0.7, staircase=True),
    ),
    "PolynomialDecay": (
        "{type: polynomial, initial_lr: 0.1, end_lr: 1e-4, power: 0.5, over: 80%}",
        lambda k, n: k.PolynomialDecay(LR, 0.8 * n, power=0.5),
    ),
    "PolynomialDecay, its defaults": (
        "{type: linear, initial_lr: 0.1, end_lr: 1e-4}",
        lambda k, n: k.PolynomialDecay(LR, n),
    ),
    "CosineDecay": (
        "{type: cosine, initial_lr: 0.1, end_lr: 0.005}",
        lambda k, n: k.CosineDecay(LR, n, alpha=0.05),
    ),
    "CosineDecay with warm-up, which its decay_steps exclude": (
        "{type: cosine, initial_lr: 0.1, warmup: {for: 4 steps, from: 0.01}}",
        lambda k, n: k.CosineDecay(LR / 10, n - 4, warmup_target=0.1, warmup_steps=4),
    ),
    "CosineDecayRestarts, its defaults": (
        "{type: cosine_restarts, initial_lr: 0.1, period: 5 steps}",
        lambda k, n: k.CosineDecayRestarts(LR, 5),
    ),
    "CosineDecayRestarts": (
        "{type: cosine_restarts, initial_lr: 0.1, period: 6 steps, growth: 1.5, decay: 0.8, "
        "min_lr: 0.01}",
        lambda k, n: k.CosineDecayRestarts(LR, 6, t_mul=1.5, m_mul=0.8, alpha=0.1),
    ),
    "CosineDecayRestarts, equal cycles": (
        "{type: cosine_restarts, initial_lr: 0.1, period: 5 steps, growth: 1.0, decay: 0.5}",
        lambda k, n: k.CosineDecayRestarts(LR, 5, t_mul=1.0, m_mul=0.5),
    ),
}


@pytest.fixture(scope="module")
def keras64():
    """Keras whose variables are float64, so that its optimizer's rate is not rounded."""
    from lrlab.training.engines.loaded import keras

    keras.config.set_floatx("float64")
    yield keras
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")  # Made from the float type when it was first needed.


@pytest.mark.parametrize("name", list(KERAS))
def test_keras(keras64, name):
    text, make = KERAS[name]
    for steps_per_epoch, epochs in RUNS:
        steps = np.arange(steps_per_epoch * epochs + 1)
        theirs = make(keras64.optimizers.schedules, steps_per_epoch * epochs)
        expected = [float(theirs(np.float64(step))) for step in steps]
        found = schedules.curve(schedule(text), steps, Length(steps_per_epoch, epochs))
        np.testing.assert_allclose(found, expected, rtol=RTOL, atol=1e-15)


def test_keras_piecewise_constant_keeps_the_old_value_one_step_longer(keras64):
    ours = schedule("{type: piecewise, values: [0.1, 0.05, 0.01], boundaries: [4 steps, 9 steps]}")
    theirs = keras64.optimizers.schedules.PiecewiseConstantDecay([4, 9], [0.1, 0.05, 0.01])
    expected = [float(theirs(step)) for step in range(1, 22)]
    found = schedules.curve(ours, np.arange(21), Length(7, 3))
    shifted = schedules.curve(ours, np.arange(20), Length(7, 3))
    np.testing.assert_allclose(shifted, expected[:20], rtol=RTOL)
    assert found[4] == 0.05 != float(theirs(4))


# --- closed loops ---

MODES = {"min": "val_loss", "max": "val_accuracy"}
THRESHOLDS = {"rel": "relative", "abs": "absolute"}


def plateau(keywords):
    return Performance.model_validate(
        {
            "type": "performance",
            "variant": "pytorch",
            "initial_lr": 0.1,
            "min_delta": keywords["threshold"],
            "threshold_mode": THRESHOLDS[keywords["threshold_mode"]],
            "monitor": MODES[keywords["mode"]],
            **{name: keywords[name] for name in ("factor", "patience", "cooldown", "min_lr")},
        }
    )


def greedy(keywords):
    return Greedy.model_validate(
        {
            **plateau(keywords).model_dump(exclude={"type", "variant", "warmup"}),
            "type": "greedy",
            "max_lr": keywords["max_lr"],
            "rise_cooldown": keywords["warmup"],
            "window": keywords["window_size"] if keywords["smooth"] else 1,
            "reset_after": keywords["reset_start"],
        }
    )


def loops():
    table = json.loads((TABLES / "plateau.json").read_text())
    assert {row["call"] for row in table["cases"]} == {"ReduceLROnPlateau", "GreedyLR"}
    return table["cases"]


@pytest.mark.parametrize("row", loops())
def test_closed_loop_equals_the_stored_one(row):
    make = plateau if row["call"] == "ReduceLROnPlateau" else greedy
    config, history = make(row["keywords"]), row["history"]
    found = [config.replay(history[: n + 1]).lr for n in range(len(history))]
    np.testing.assert_allclose(found, row["rates"], rtol=RTOL)


def test_most_stored_closed_loops_move():
    for call in ("ReduceLROnPlateau", "GreedyLR"):
        moved = [len(set(row["rates"])) > 1 for row in loops() if row["call"] == call]
        assert len(moved) == 20
        assert sum(moved) >= 12


def optax_plateaus():
    return json.loads((TABLES / "optax_plateau.json").read_text())["cases"]


def as_optax(keywords, cooldown):
    return Performance(
        type="performance", initial_lr=0.1, threshold_mode="relative", min_delta=keywords["rtol"],
        factor=keywords["factor"], patience=keywords["patience"], cooldown=cooldown,
        min_lr=0.1 * keywords["min_scale"],
    )  # fmt: skip


@pytest.mark.parametrize("row", optax_plateaus())
def test_performance_equals_optax_with_a_relative_threshold_and_a_longer_cooldown(row):
    theirs, history = row["keywords"]["cooldown"], row["history"]
    config = as_optax(row["keywords"], theirs + 1 if theirs else 0)
    found = [config.replay(history[: n + 1]).lr for n in range(len(history))]
    np.testing.assert_allclose(found, row["rates"], rtol=RTOL)


def test_performance_with_the_cooldown_of_optax_itself_differs():
    differ = []
    for row in optax_plateaus():
        if row["keywords"]["cooldown"]:
            config = as_optax(row["keywords"], row["keywords"]["cooldown"])
            history = row["history"]
            found = [config.replay(history[: n + 1]).lr for n in range(len(history))]
            differ.append(not np.allclose(found, row["rates"], rtol=RTOL))
    assert len(differ) == 15
    assert sum(differ) >= 5


@pytest.mark.parametrize("seed", range(12))
def test_performance_equals_keras(keras64, seed):
    keras = keras64
    rng = np.random.default_rng(seed)
    monitor, mode = [("val_loss", "min"), ("val_accuracy", "max")][seed % 2]
    settings = {
        "factor": float(rng.choice([0.5, 0.8])),
        "patience": int(rng.choice([1, 2, 4])),
        "cooldown": int(rng.choice([0, 1, 3])),
        "min_delta": float(rng.choice([0.0, 1e-4, 0.05])),
        "min_lr": float(rng.choice([0.0, 0.01])),
    }
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    callback = keras.callbacks.ReduceLROnPlateau(monitor=monitor, mode=mode, **settings)
    callback.set_model(model)
    callback.on_train_begin()
    config = Performance(type="performance", initial_lr=0.1, monitor=monitor, **settings)
    history = (2 * 0.97 ** np.arange(40) + rng.normal(0, 0.1, 40)).tolist()
    for epoch, result in enumerate(history):
        callback.on_epoch_end(epoch, {monitor: result})
        found = config.replay(history[: epoch + 1]).lr
        np.testing.assert_allclose(found, float(model.optimizer.learning_rate), rtol=RTOL)
    assert found < 0.1


def test_keras_and_pytorch_differ_in_patience_and_threshold():
    bad, slow = [1.0, 1.0, 1.0, 1.0], [100.0, 99.998, 99.996, 99.994]

    def fallen(history, **settings):
        config = Performance(type="performance", initial_lr=0.1, patience=2, **settings)
        return [config.replay(history[: n + 1]).lr < 0.1 for n in range(len(history))]

    assert fallen(bad, variant="keras") == [False, False, True, True]
    assert fallen(bad, variant="pytorch") == [False, False, False, True]
    assert fallen(slow, variant="keras") == [False] * 4
    assert fallen(slow, variant="pytorch") == [False, False, False, True]
    assert fallen(slow, variant="pytorch", threshold_mode="absolute") == [False] * 4


# --- momentum ---


@pytest.mark.parametrize("row", rows("momentum"))
def test_momentum_of_one_cycle_equals_pytorch(row):
    for (steps_per_epoch, epochs), values in zip(RUNS, row["values"], strict=True):
        found = schedules.momenta(schedule(row["schedule"]), Length(steps_per_epoch, epochs))
        np.testing.assert_allclose(found, values, rtol=RTOL)


# --- definitions without a library at hand ---


def test_noam_counts_its_steps_from_1():
    found = inverse_sqrt(np.arange(1, 31), max_lr=(512 * 8) ** -0.5, s=8)
    n = np.arange(1, 31)
    np.testing.assert_allclose(found, 512**-0.5 * np.minimum(n**-0.5, n * 8**-1.5), rtol=1e-12)


def test_timm_lowers_the_whole_peak_and_lrlab_its_height_above_the_floor():
    found = cosine_restarts(5, initial_lr=0.1, period=5, decay=0.5, min_lr=0.02)
    assert found == pytest.approx(0.02 + (0.1 - 0.02) * 0.5)
    assert found != pytest.approx(0.1 * 0.5)


def test_every_schedule_that_a_library_has_is_compared_with_one():
    text = Path(__file__).read_text() + "".join(f.read_text() for f in TABLES.glob("*.json"))
    named = re.findall(r'type: (\w+)|"type": "(\w+)"|type="(\w+)"', text)
    compared = {name for groups in named for name in groups}
    for name, model in SCHEDULES.items():
        libraries = {given.library for given in model.entry.names} - {"papers"}
        assert (name in compared) == bool(libraries), name


def test_keras_has_what_the_guide_calls_it_by(keras64):
    places = (keras64.optimizers.schedules, keras64.callbacks, keras64.optimizers)
    names = [n.name.split("(")[0] for s in SCHEDULES.values() for n in s.entry.names
             if n.library == "Keras"]  # fmt: skip
    assert len(names) > 8
    assert [name for name in names if not any(hasattr(place, name) for place in places)] == []
    theirs = {n for n in dir(keras64.optimizers.schedules) if "Decay" in n}
    assert theirs <= set(names)
