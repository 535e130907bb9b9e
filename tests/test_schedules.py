"""Every formula and composition: invariants over random valid configs, and tables of values."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import PydanticUndefined
from schedule_strategies import ANY, OPEN_LOOPS, RUN, configs, schedule, valid

from lrlab import schedules
from lrlab.config import parse
from lrlab.errors import ConfigError
from lrlab.schedules import SCHEDULES, ClosedLoop, Length, OpenLoop


def rates(text, steps_per_epoch=10, epochs=2):
    return schedules.rates(schedule(text), Length(steps_per_epoch, epochs))


# --- the registry ---


@pytest.mark.parametrize("name", OPEN_LOOPS)
def test_formula_and_config_have_the_same_names_and_defaults(name):
    model = SCHEDULES[name]
    first, *parameters = inspect.signature(model.formula).parameters.values()
    used = {"type", "update", "warmup", "scale", "momentum", "for_"}  # How a formula is used.
    fields = {key: field for key, field in model.model_fields.items() if key not in used}
    assert first.name == "step"
    assert {parameter.kind for parameter in parameters} == {inspect.Parameter.KEYWORD_ONLY}
    assert {parameter.name for parameter in parameters} == set(fields)
    for parameter in parameters:
        if parameter.default is not inspect.Parameter.empty:
            assert fields[parameter.name].default is not PydanticUndefined
            assert fields[parameter.name].default == parameter.default


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_field_is_described(name):
    for key, field in SCHEDULES[name].model_fields.items():
        assert field.description or key == "type"


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_room_is_named_after_its_schedule(name):
    assert SCHEDULES[name].__module__ == f"lrlab.schedules.{name}"


# --- invariants, over random valid parameters ---


@settings(max_examples=400)
@given(values=ANY, run=RUN)
def test_invariants(values, run):
    config, (steps_per_epoch, epochs) = valid(values), run
    steps = steps_per_epoch * epochs
    whole = schedules.rates(config, Length(steps_per_epoch, epochs))
    assert whole.dtype == np.float64
    assert whole.shape == (steps,)
    assert np.isfinite(whole).all()
    assert (whole >= 0).all()
    np.testing.assert_array_equal(whole, schedules.rates(config, Length(steps_per_epoch, epochs)))
    for part in (slice(1, None, 3), slice(steps // 2, None), slice(None, None, -1)):
        found = schedules.curve(config, np.arange(steps)[part], Length(steps_per_epoch, epochs))
        np.testing.assert_array_equal(found, whole[part])
    shaped = schedules.curve(
        config, np.arange(steps).reshape(epochs, -1), Length(steps_per_epoch, epochs)
    )
    np.testing.assert_array_equal(shaped, whole.reshape(epochs, -1))
    momenta = schedules.momenta(config, Length(steps_per_epoch, epochs))
    assert (momenta is None) == (values.get("momentum") is None)
    if momenta is not None:
        assert momenta.shape == (steps,)
        assert (momenta >= 0.5 - 1e-12).all()
        assert (momenta <= 0.9 + 1e-12).all()


@settings(max_examples=200)
@given(values=ANY, run=RUN, factor=st.floats(0.01, 100))
def test_scale_is_a_factor_on_the_whole_curve(values, run, factor):
    plain, scaled = valid(values | {"scale": 1.0}), valid(values | {"scale": factor})
    length = Length(*run)
    step = np.arange(2 * length.steps)
    expected = factor * schedules.curve(plain, step, length)
    # A phase's factor and that of the sequence are multiplied first.
    np.testing.assert_allclose(schedules.curve(scaled, step, length), expected, rtol=1e-15)
    np.testing.assert_array_equal(
        schedules.momenta(scaled, length), schedules.momenta(plain, length)
    )


@settings(max_examples=200)
@given(data=st.data(), name=st.sampled_from(OPEN_LOOPS))
def test_formulas_keep_any_shape_and_slices_equal_the_whole(data, name):
    config = valid(data.draw(configs(name)))
    formula, arguments = SCHEDULES[name].formula, config.arguments(Length(10, 4))
    step = np.arange(24)
    whole = formula(step, **arguments)
    assert np.shape(formula(3, **arguments)) == ()
    assert formula(3, **arguments) == whole[3]
    assert formula([], **arguments).shape == (0,)
    np.testing.assert_array_equal(formula(step.reshape(2, 3, 4), **arguments).ravel(), whole)
    np.testing.assert_array_equal(formula(step[::5], **arguments), whole[::5])
    np.testing.assert_array_equal(formula(step.reshape(4, 6).T, **arguments).T.ravel(), whole)


HAVE_AN_END = sorted(
    name for name, model in SCHEDULES.items() if "over" in model.model_fields and name != "formula"
)


@settings(max_examples=100)
@given(data=st.data(), name=st.sampled_from([*HAVE_AN_END, "formula", "piecewise", "multistep"]))
def test_past_the_end_the_last_value_holds(data, name):
    config = valid(data.draw(configs(name, over=st.just("100%")) if "over" in
                             SCHEDULES[name].model_fields else configs(name)))  # fmt: skip
    late = schedules.curve(config, [40, 41, 1000], Length(10, 4))
    np.testing.assert_array_equal(late, late[0])


@settings(max_examples=100)
@given(values=ANY)
def test_configs_survive_being_written_and_read(values):
    config = valid(values)
    for dumped in (config.model_dump(mode="json"), config.identity()):
        assert type(config).model_validate(dumped) == config


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_scale_of_1_is_in_no_file(name):
    config = parse(SCHEDULES[name].entry.example).experiment.schedule
    stated = type(config).model_validate(config.model_dump(mode="json") | {"scale": 1.0})
    assert stated == config
    assert "scale" not in config.model_dump(mode="json")
    assert "scale" not in config.identity()
    scaled = config.model_copy(update={"scale": 2.0})
    assert scaled.model_dump(mode="json") == config.model_dump(mode="json") | {"scale": 2.0}
    assert scaled.identity() == config.identity() | {"scale": 2.0}


# --- composition ---

COMPOSED = {
    "warm-up in front": (
        "{type: constant, lr: 1, warmup: {for: 4 steps}}",
        [0, 0.25, 0.5, 0.75, 1, 1, 1, 1],
    ),
    "warm-up from a rate, along a cosine": (
        "{type: constant, lr: 1, warmup: {for: 2 steps, from: 0.5, shape: cosine}}",
        [0.5, 0.75, 1, 1, 1, 1, 1, 1],
    ),
    "the schedule's clock and horizon begin after the warm-up": (
        "{type: linear_to_zero, max_lr: 1, warmup: {for: 50%}}",
        [0, 0.25, 0.5, 0.75, 1, 0.75, 0.5, 0.25],
    ),
    "half a step is rounded up": (
        "{type: constant, lr: 1, warmup: {for: 1.5 steps}}",
        [0, 0.5, 1, 1, 1, 1, 1, 1],
    ),
    "warm-up longer than the run": (
        "{type: constant, lr: 1, warmup: {for: 16 steps}}",
        np.arange(8) / 16,
    ),
    "update by epoch stays on the epochs of the run": (
        "{type: linear_to_zero, max_lr: 1, update: epoch, warmup: {for: 2 steps}, over: 10 steps}",
        [0, 0.5, 1, 1, 0.8, 0.8, 0.8, 0.8],
    ),
    "phases, durations relative to them": (
        "{type: sequence, phases: [{for: 4 steps, type: linear_to_zero, max_lr: 1}, "
        "{for: rest, type: piecewise, values: [3, 2], boundaries: [50%]}]}",
        [1, 0.75, 0.5, 0.25, 3, 3, 2, 2],
    ),
    "a phase with a warm-up of its own": (
        "{type: sequence, phases: [{for: 1 epoch, type: constant, lr: 2}, "
        "{type: constant, lr: 1, warmup: {for: 50%}}]}",
        [2, 2, 2, 2, 0, 0.5, 1, 1],
    ),
    "cycles of a part and the rest": (
        "{type: sequence, cycles: 2, phases: [{for: 25%, type: constant, lr: 2}, "
        "{type: linear_to_zero, max_lr: 3}]}",
        [2, 3, 2, 1, 2, 3, 2, 1],
    ),
    "cycles of fixed lengths, then the last value holds": (
        "{type: sequence, cycles: 2, phases: [{for: 1 step, type: constant, lr: 5}, "
        "{for: 2 steps, type: linear, initial_lr: 4, end_lr: 0}]}",
        [5, 4, 2, 5, 4, 2, 0, 0],
    ),
    "phases that are never reached": (
        "{type: sequence, phases: [{for: 3 epochs, type: constant, lr: 1}, "
        "{type: cosine, initial_lr: 2}]}",
        [1] * 8,
    ),
    "a warm-up longer than its phase": (
        "{type: sequence, phases: [{for: 2 steps, type: constant, lr: 1, warmup: {for: 1 epoch}}, "
        "{type: constant, lr: 2}]}",
        [0, 0.25, 2, 2, 2, 2, 2, 2],
    ),
    "a warm-up before a sequence": (
        "{type: sequence, warmup: {for: 2 steps}, phases: [{for: 50%, type: constant, lr: 2}, "
        "{type: constant, lr: 1}]}",
        [0, 1, 2, 2, 2, 1, 1, 1],
    ),
    "a formula in a phase counts from the phase": (
        "{type: sequence, phases: [{for: 4 steps, type: constant, lr: 1}, "
        "{type: formula, expression: 'step + 10 * progress + 100 * epochs'}]}",
        [1, 1, 1, 1, 100, 103.5, 107, 110.5],
    ),
}


@pytest.mark.parametrize(("text", "expected"), COMPOSED.values(), ids=COMPOSED.keys())
def test_composition(text, expected):
    np.testing.assert_allclose(rates(text, 4, 2), expected, rtol=1e-12)


def test_momentum_waits_high_during_a_warmup():
    config = schedule(
        "{type: one_cycle, max_lr: 1, momentum: {low: 0.8, high: 0.9}, warmup: {for: 10 steps}}"
    )
    momenta = schedules.momenta(config, Length(10, 5))
    assert momenta.tolist()[:11] == [0.9] * 11
    assert momenta.min() == 0.8
    assert momenta.argmin() == schedules.rates(config, Length(10, 5)).argmax()


@pytest.mark.parametrize("variant", ["book", "fastai", "pytorch"])
def test_momentum_is_low_where_the_rate_is_high(variant):
    config = schedule(f"{{type: one_cycle, variant: {variant}, max_lr: 1, momentum: {{}}}}")
    momenta, curve = (
        schedules.momenta(config, Length(100, 3)),
        schedules.rates(config, Length(100, 3)),
    )
    assert momenta.argmin() == curve.argmax()
    assert momenta[0] == 0.95
    rising = slice(0, curve.argmax() + 1)
    assert (np.diff(momenta[rising]) <= 0).all()


# --- closed loops ---

CLOSED_LOOPS = sorted(n for n, model in SCHEDULES.items() if issubclass(model, ClosedLoop))

JUDGED = {
    "from the first epoch": (None, [1, 2, 3], 0.5),
    "not during a warm-up": ({"for": "1 epoch"}, [1, 2, 0.5], 1.0),
    "from the first epoch that was whole": ({"for": "5 steps"}, [1, 2, 3, 4, 5], 0.5),
}


class Result:
    def __init__(self, loss):
        self.loss = self.val_loss = self.val_accuracy = loss


@pytest.mark.parametrize(("warmup", "results", "expected"), JUDGED.values(), ids=JUDGED.keys())
def test_closed_loop_is_judged(warmup, results, expected):
    config = SCHEDULES["performance"].model_validate(
        {"type": "performance", "initial_lr": 1, "patience": 2, "warmup": warmup}
    )
    found = config.epoch_rates(Length(4, 10))([Result(loss) for loss in results])
    np.testing.assert_array_equal(found, [expected] * 4)


@pytest.mark.parametrize("name", CLOSED_LOOPS)
def test_closed_loop_warms_up(name):
    config = SCHEDULES[name].model_validate(
        {"type": name, "initial_lr": 1, "warmup": {"for": "6 steps"}}
    )
    first = config.epoch_rates(Length(4, 10))([])
    second = config.epoch_rates(Length(4, 10))([Result(1)])
    np.testing.assert_allclose([*first, *second], [*np.arange(6) / 6, 1, 1], rtol=1e-12)
    undisturbed, note = config.drawn(Length(4, 10))
    assert config.monitor in note
    np.testing.assert_array_equal(undisturbed, [*first, *second, *[1.0] * 32])


@pytest.mark.parametrize("variant", ["keras", "pytorch"])
def test_scale_of_a_closed_loop_is_a_factor_on_all_that_it_gives(variant):
    stated = {"type": "performance", "variant": variant, "initial_lr": 0.4, "factor": 0.5,
              "patience": 1, "min_lr": 0.15, "warmup": {"for": "3 steps", "from": 0.1}}  # fmt: skip
    plain = SCHEDULES["performance"].model_validate(stated)
    scaled = SCHEDULES["performance"].model_validate(stated | {"scale": 2.5})
    length, worse = Length(2, 10), [Result(loss) for loss in range(9)]
    for epochs in range(10):
        expected = 2.5 * plain.epoch_rates(length)(worse[:epochs])
        np.testing.assert_array_equal(scaled.epoch_rates(length)(worse[:epochs]), expected)
    assert scaled.epoch_rates(length)(worse)[-1] == 2.5 * 0.15
    np.testing.assert_array_equal(scaled.drawn(length)[0], 2.5 * plain.drawn(length)[0])
    assert scaled.peak(length) == 2.5 * plain.peak(length) == 1.0


def test_scale_reaches_beyond_the_range_of_greedy():
    config = SCHEDULES["greedy"].model_validate(
        {"type": "greedy", "initial_lr": 0.5, "factor": 0.5, "patience": 0, "max_lr": 1.0}
    )
    better = [Result(3), Result(2), Result(1)]
    found = config.times(8).epoch_rates(Length(1, 9))
    assert [found(better[:n])[0] for n in range(4)] == [4, 8, 8, 8]


def test_factors_multiply():
    config = schedule("{type: constant, lr: 0.1, scale: 3}")
    assert config.times(2).scale == 6
    assert config.times(2).unscaled.scale == 1
    assert config.times(2).peak(Length(2, 1)) == pytest.approx(0.6)
    phases = "[{for: 1 steps, type: constant, lr: 1, scale: 2}, {type: constant, lr: 1}]"
    found = rates(f"{{type: sequence, scale: 5, phases: {phases}, warmup: {{for: 2 steps}}}}", 4, 1)
    np.testing.assert_array_equal(found, [0, 5, 10, 5])


def test_closed_loop_has_no_rates_before_training():
    with pytest.raises(ValueError, match="known only while training"):
        rates("{type: greedy, initial_lr: 0.1}")


# --- formula ---

EXPRESSIONS = {
    "lr0 * 0.1 ** (epoch / 20)": lambda t: 0.1 ** (t / 10 / 20),
    "lr0 if step < 5 else lr0 / 2": lambda t: np.where(t < 5, 1.0, 0.5),
    "min(lr0, (step + 1) / 4)": lambda t: np.minimum(1, (t + 1) / 4),
    "where(step % 2 == 0 and step // 4 > 0, 1, 2)": lambda t: np.where(
        (t % 2 == 0) & (t // 4 > 0), 1, 2
    ),
    "clip(steps - step, 0, 5) + epochs": lambda t: np.clip(20 - t, 0, 5) + 2,
    "0.5 * (1 + cos(pi * progress))": lambda t: (1 + np.cos(np.pi * t / 20)) / 2,
    "2 < step <= 4 or step == 7": lambda t: ((t > 2) & (t <= 4)) | (t == 7),
}


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_formula(expression):
    found = rates(f"{{type: formula, expression: '{expression}', parameters: {{lr0: 1.0}}}}")
    np.testing.assert_allclose(found, EXPRESSIONS[expression](np.arange(20)), rtol=1e-12)


HOSTILE = {
    "numpy's own name": ("np.cos(step)", "`np.cos` is not available; use `cos`"),
    "attribute": ("step.real", "`step.real` is not available"),
    "dunder": ("().__class__.__bases__", "is not available"),
    "dunder name": ("__builtins__", "unknown name `__builtins__`"),
    "import": ('__import__("os").system("touch x")', "is not available"),
    "open": ('open("config.yaml")', "unknown function `open`"),
    "eval": ('eval("1")', "unknown function `eval`"),
    "call of a call": ("exp(exp)(1)", "is not available"),
    "keyword": ("clip(1, 2, a_max=3)", "unknown function `clip`"),
    "starred": ("max(*step)", "takes 2 arguments"),
    "subscript": ("step[0]", "is not arithmetic"),
    "lambda": ("(lambda: 1)()", "is not available"),
    "walrus": ("(x := 1)", "is not arithmetic"),
    "comprehension bomb": ("[[0 for a in range(9 ** 9)] for b in step]", "is not arithmetic"),
    "generator": ("sum(1 for _ in step)", "unknown function `sum`"),
    "list": ("[1] * 10 ** 9", "is not arithmetic"),
    "text": ('"a" * 10 ** 9', "which is not a number"),
    "format": ('f"{step:>999999999}"', "is not arithmetic"),
    "power tower": ("9 ** 9 ** 9", "gives inf"),
    "taller power tower": ("9 ** 9 ** 9 ** 9 ** 9 ** 9", "gives inf"),
    "shift": ("1 << 10 ** 9", "is not arithmetic"),
    "factor of big numbers": (" * ".join(["9e307"] * 9), "gives inf"),
    "huge whole number": ("9" * 900, "above 1e308"),
    # Far longer a config file cannot be: it is refused before it is parsed.
    "very long text": ("1 + " * 3_000 + "1", "at most 1,000 characters"),
    "deep parentheses": ("(" * 450 + "1" + ")" * 450, "is not an expression"),
    "deep signs": ("-" * 900 + "1", "nested more than 40"),
    "deep calls": ("abs(" * 190 + "1" + ")" * 190, "nested more than 40"),
    "deep sums": ("1" + "+1" * 450, "nested more than 40"),
    "two lines": ("1\\nimport os", "is not an expression"),
    "null byte": ("1\\0", "is not an expression"),
    "statement": ("import os", "is not an expression"),
    "await": ("await step", "is not arithmetic"),
    "yield": ("(yield 1)", "is not arithmetic"),
    "complex": ("1j", "which is not a number"),
    "truth": ("True", "which is not a number"),
    "ellipsis": ("...", "is not arithmetic"),
    "negative": ("-1", "gives -1 at step 0"),
    "not a number": ("0 / 0", "gives nan at step 0"),
    "empty": ("", "is not an expression"),
    "unknown": ("lr0", "unknown name `lr0`; known: epoch, epochs, pi, progress, step, steps"),
}


def quoted(expression):
    escaped = expression.replace('"', '\\"')
    return f'schedule: {{type: formula, expression: "{escaped}"}}'


@pytest.mark.parametrize(("expression", "message"), HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_expression_is_a_config_error(expression, message):
    with pytest.raises(ConfigError) as caught:
        parse(quoted(expression))
    assert "schedule.expression: " in str(caught.value)
    assert message in str(caught.value)


def test_hostile_expressions_take_neither_time_nor_memory():
    """All of them in one process, which may not use a second each nor 200 MB in all."""
    pytest.importorskip("resource", reason="the limits are set with POSIX' setrlimit")
    code = """
import json, resource, sys, tracemalloc
from lrlab.config import parse
from lrlab.errors import ConfigError
parse("schedule: {type: formula, expression: '1'}")
tracemalloc.start()
for text in json.load(sys.stdin):
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime) + 2
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.RLIM_INFINITY))
    try:
        parse(text)
    except ConfigError:
        continue
    raise SystemExit(text)
print(tracemalloc.get_traced_memory()[1])
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps([quoted(expression) for expression, _ in HOSTILE.values()]),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 200e6


PARAMETERS = {
    "shadows a variable": ("{step: 1}", "must not have the name of something that lrlab provides"),
    "shadows a function": ("{cos: 1}", "must not have the name of something that lrlab provides"),
    "dunder": ("{__class__: 1}", "must be a name"),
    "no name": ("{a b: 1}", "must be a name"),
    "no number": ("{a: [1]}", "must be a number"),
}


@pytest.mark.parametrize(("parameters", "message"), PARAMETERS.values(), ids=PARAMETERS.keys())
def test_bad_parameter(parameters, message):
    with pytest.raises(ConfigError, match=message):
        parse(f"schedule: {{type: formula, expression: '1', parameters: {parameters}}}")


# --- what configs refuse ---

REFUSED = {
    "linear that is 0": ("{type: linear, initial_lr: 0}", "must not both be 0"),
    "rex upward": ("{type: rex, initial_lr: 1, end_lr: 2}", "end_lr must not be above initial_lr"),
    "tanh reversed": ("{type: tanh, initial_lr: 1, lower: 4.0}", "lower must be less than upper"),
    "wsd upward": ("{type: wsd, max_lr: 1, end_lr: 2}", "end_lr must not be above max_lr"),
    "wsd that decays for longer than it lasts": (
        "{type: wsd, max_lr: 1, over: 50%, decay: 60%}",
        "decay must not be longer than over",
    ),
    "cyclic reversed": ("{type: cyclic, min_lr: 2, max_lr: 1}", "min_lr must not be above max_lr"),
    "gamma without exp_range": (
        "{type: cyclic, min_lr: 0, max_lr: 1, gamma: 0.9}",
        "gamma is only for mode exp_range",
    ),
    "restarts below the floor": (
        "{type: cosine_restarts, initial_lr: 1, min_lr: 2, period: 1 epoch}",
        "min_lr must not be above initial_lr",
    ),
    "pct_start of the book": (
        "{type: one_cycle, max_lr: 1, pct_start: 0.3}",
        "the book's is the middle",
    ),
    "three phases of fastai": (
        "{type: one_cycle, max_lr: 1, variant: fastai, three_phase: true}",
        "three_phase is only for variant pytorch",
    ),
    "momentum reversed": (
        "{type: one_cycle, max_lr: 1, momentum: {low: 0.9, high: 0.8}}",
        "low must not be above high",
    ),
    "greedy outside its bounds": (
        "{type: greedy, initial_lr: 1e-4}",
        "initial_lr must lie between min_lr",
    ),
    "patience of Keras": (
        "{type: performance, initial_lr: 1, patience: 0}",
        "patience: must be greater than 0, got 0",
    ),
    "`for` outside a sequence": (
        "{type: cosine, initial_lr: 1, for: 5 epochs}",
        "did you mean `over`?",
    ),
    "phase without `for`": (
        "{type: sequence, phases: [{type: constant, lr: 1}, {type: constant, lr: 2}]}",
        "phase 0 needs `for`",
    ),
    "the rest before the last": (
        "{type: sequence, phases: [{for: rest, type: constant, lr: 1}, {type: constant, lr: 2}]}",
        "phase 0 needs `for`",
    ),
    "no phases": ("{type: sequence, phases: []}", "must hold 1 to 100 phases, got 0"),
    "momentum in a phase": (
        "{type: sequence, phases: [{type: one_cycle, max_lr: 1, momentum: {}}]}",
        "phase 0 cycles the momentum",
    ),
    "unknown key of a warm-up": (
        "{type: constant, lr: 1, warmup: {for: 5%, form: 0.1}}",
        "schedule.warmup.form: unknown key; did you mean `for",
    ),
    "unknown key of a phase": (
        "{type: sequence, phases: [{type: cosine, initial_lr: 1, ower: 5%}]}",
        "schedule.phases.0.ower: unknown key; did you mean `over`",
    ),
    "unknown type of a phase": (
        "{type: sequence, phases: [{type: cosin, initial_lr: 1}]}",
        "schedule.phases.0.type: unknown type `cosin`; did you mean `cosine`",
    ),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(text, message):
    with pytest.raises(ConfigError) as caught:
        schedule(text)
    assert message in str(caught.value)


def test_momentum_needs_an_optimizer_that_has_one():
    cycled = "schedule: {type: one_cycle, max_lr: 1, momentum: {}}\n"
    with pytest.raises(ConfigError, match="optimizer: needs a `momentum` above 0"):
        parse(cycled + "optimizer: {type: sgd}")
    for good in ("{type: sgd, momentum: 0.5}", "{type: adam}"):
        assert parse(cycled + f"optimizer: {good}").experiment.optimizer.type in good
    assert issubclass(SCHEDULES["one_cycle"], OpenLoop)


def test_rex_is_the_formula_of_its_paper():
    z = np.arange(15) / 15
    expected = 0.3 * (1 - z) / (1 / 2 + 1 / 2 * (1 - z))
    np.testing.assert_allclose(rates("{type: rex, initial_lr: 0.3}", 5, 3), expected, rtol=1e-12)
