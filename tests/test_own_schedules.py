"""Schedules that are functions of the user's own: trusted, checked, drawn, exported, identified."""

import functools
import json
from pathlib import Path

import keras
import numpy as np
import pytest
from typer.testing import CliRunner

import lrlab
from lrlab import config
from lrlab.cli import app
from lrlab.config import own_rates
from lrlab.errors import CodeError, ConfigError, LrlabError
from lrlab.fields import filled
from lrlab.schedules import Length, own_schedule

WARP = """\
import numpy as np

PEAK = 0.05


def bump(x, height=PEAK):
    return height * np.exp(-8 * (x - 0.3) ** 2)


def warp(step, steps, sharp=1.0):
    return bump(step / steps) ** sharp + 1e-4
"""
PHASES = """\
schedule:
  type: sequence
  warmup: {for: 10%}
  phases:
    - {type: mine.py:warp, for: 50%}
    - {type: cosine, initial_lr: 0.02}
epochs: 4
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def write(here):
    def written(name, text):
        (here / name).parent.mkdir(exist_ok=True, parents=True)
        (here / name).write_text(text, encoding="utf-8")
        return here / name

    return written


def expected(steps, sharp=1.0):
    at = np.arange(steps) / steps
    return (0.05 * np.exp(-8 * (at - 0.3) ** 2)) ** sharp + 1e-4


def run(*words):
    return CliRunner().invoke(app, list(map(str, words)))


def loaded(path, *trusted):
    (read,) = config.read([path], (), set(trusted))
    return own_rates.loaded(read).experiment


# --- consent ---


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("schedule: {type: mine.py:warp}\nepochs: 4\n", "1:18: schedule.type: "),
        (PHASES, "5:14: schedule.phases.0.type: "),
    ],
    ids=["alone", "phase"],
)
@pytest.mark.parametrize(
    "command",
    ["compare", "find-lr", "plot --terminal", "export --steps-per-epoch 10"],
    ids=lambda command: command.split()[0],
)
def test_no_function_runs_unless_the_command_names_its_file(text, place, command, write, here):
    write("mine.py", f"open('ran', 'w').close()\n{WARP}")
    path = write("a.yaml", text)
    done = run(*command.split(), path)
    assert done.exit_code == 2
    assert f"{place}`" in done.stderr
    assert "is code, and code runs only if the command line names it" in done.stderr
    assert "--trust mine.py" in done.stderr
    assert not (here / "ran").exists()
    assert sorted(each.name for each in here.iterdir()) == ["a.yaml", "mine.py"]


def test_another_file_of_the_same_name_is_not_trusted_with_it(write):
    write("mine.py", WARP)
    write("other/mine.py", "open('ran', 'w').close()\n")
    path = write("other/a.yaml", "schedule: {type: mine.py:warp}\n")
    done = run("plot", "--terminal", path, "--trust", "mine.py")
    assert done.exit_code == 2
    assert "--trust other/mine.py" in done.stderr
    assert not Path("ran").exists()


def test_plot_and_export_need_no_consent_for_a_model(write, here):
    write("nets.py", "open('ran', 'w').close()\n")
    path = write("a.yaml", "schedule: {type: constant, lr: 0.1}\nmodel: nets.py:build\n")
    assert run("plot", "--terminal", path).exit_code == 0
    assert run("export", path).exit_code == 0
    assert not (here / "ran").exists()


def test_a_config_that_is_read_from_python_runs_nothing(write, here):
    write("mine.py", f"open('ran', 'w').close()\n{WARP}")
    path = write("a.yaml", "schedule: {type: mine.py:warp}\n")
    for given in (path, lrlab.load(path), {"type": "mine.py:warp"}):
        with pytest.raises(LrlabError, match="no code has been loaded"):
            lrlab.rates(given, 10, 2)
    assert not (here / "ran").exists()


# --- the curve ---


def test_the_function_gets_what_its_signature_names(write, here):
    source = (
        "import numpy as np\n"
        "def rates(at, epochs, steps_per_epoch, steps, *, height):\n"
        "    assert at.dtype == np.float64\n"
        "    return height + 0 * at + 0.1 * epochs + 0.01 * steps_per_epoch + 0.001 * steps\n"
    )
    write("mine.py", source)
    path = write("a.yaml", "schedule: {type: mine.py:rates, args: {height: 2.0}}\nepochs: 3\n")
    experiment = loaded(path, here / "mine.py")
    np.testing.assert_allclose(lrlab.rates(experiment, 5, 3), np.full(15, 2.365))


def test_it_may_be_warmed_up_held_for_an_epoch_and_be_a_phase(write, here):
    write("mine.py", WARP)
    steps, epochs = 50, 4
    stated = "schedule: {type: mine.py:warp, update: epoch, warmup: {for: 1 epoch}}\nepochs: 4\n"
    rates = lrlab.rates(loaded(write("a.yaml", stated), here / "mine.py"), steps, epochs)
    whole = expected(150)
    np.testing.assert_allclose(rates[50:], np.repeat(whole[::50], 50))
    np.testing.assert_allclose(rates[:50], whole[0] * np.arange(50) / 50)
    rates = lrlab.rates(loaded(write("b.yaml", PHASES), here / "mine.py"), steps, epochs)
    np.testing.assert_allclose(rates[20:110], expected(90))
    assert rates[110] == pytest.approx(0.02)


def test_past_the_end_its_last_rate_holds(write, here):
    write("mine.py", "def f(step):\n    assert step.max() < 20\n    return 1 / (1 + step)\n")
    experiment = loaded(write("a.yaml", "schedule: {type: mine.py:f}\n"), here / "mine.py")
    found = own_schedule_curve(experiment.schedule, [18, 19, 20, 1000], Length(10, 2))
    np.testing.assert_allclose(found, [1 / 19, 1 / 20, 1 / 20, 1 / 20])


def own_schedule_curve(schedule, step, length):
    from lrlab.schedules import curve

    return curve(schedule, step, length)


def test_filling_in_auto_keeps_the_code(write, here):
    write("mine.py", WARP)
    text = PHASES.replace("initial_lr: 0.02", "initial_lr: auto")
    experiment = loaded(write("a.yaml", text), here / "mine.py")
    schedule = filled(experiment.schedule, {"steady_lr": 0.02, "max_lr": 1.0})
    np.testing.assert_allclose(lrlab.rates(schedule, 50, 4)[20:110], expected(90))


# --- mistakes ---

STATEFUL = """\
calls = []
def f(step):
    calls.append(1)
    return step * 0 + 0.1 * len(calls)
"""
MISTAKES = {
    "one number": ("def f(step):\n    return 0.1\n", "an array of 40 rates", "np.full(step.shape"),
    "nothing": ("def f(step):\n    step * 2\n", "got None", "does it end with `return`?"),
    "another shape": ("def f(step):\n    return step[:-1]\n", "got ndarray of shape (39,)", ""),
    "text": ("def f(step):\n    return ['a'] * len(step)\n", "got list of 40", ""),
    "ragged": ("def f(step):\n    return [[1], [1, 2]] * 20\n", "got list of 40", ""),
    "complex": ("def f(step):\n    return step + 1j\n", "as real numbers, got ndarray", ""),
    "negative": ("def f(step):\n    return 0.3 - step\n", "no rate at 39 of 40 steps", "step 1"),
    "infinite": ("def f(step):\n    return 1 / step\n", "first inf at step 0", "at least 0"),
    "chance": (
        "import random\ndef f(step):\n    return step * 0 + random.random()\n",
        "gives other rates each time: at step 0",
        "without chance",
    ),
    "numpy's chance": (
        "import numpy as np\ndef f(step):\n    return np.random.default_rng().random(len(step))\n",
        "gives other rates each time",
        "without chance",
    ),
    "memory": (STATEFUL, "gives other rates each time: at step 0 0.1, then 0.2", "memory"),
    "not of its own step": (
        "def f(step):\n    return step / len(step)\n", "among all steps, and", "parameter `steps`"
    ),
    "an if": (
        "def f(step):\n    return 0.1 if step < 9 else 0.01\n", "raised ValueError", "np.where"
    ),
    "math": (
        "import math\ndef f(step):\n    return math.cos(step)\n", "raised TypeError", "np.cos"
    ),
    "an exception": (
        "def g(step):\n    raise KeyError('no')\ndef f(step):\n    return g(step)\n",
        "mine.py:f` raised KeyError: 'no'", "  mine.py:2, in g",
    ),
    "no parameter": ("def f():\n    return 0.1\n", "no parameter for the steps", "def warp("),
    "a missing argument": ("def f(step, width):\n    return step\n", "needs `width`", "`epochs`"),
    "no such function": ("def g(step):\n    return step\n", "has no `f`", ""),
    "not a function": ("f = 3\n", "is not a function, it is int", ""),
}  # fmt: skip


@pytest.mark.parametrize(("source", "said", "more"), MISTAKES.values(), ids=MISTAKES)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_a_mistake_is_told_before_anything_is_trained(source, said, more, write, small_npz, here):
    write("mine.py", source)
    schedule = "schedule: {type: mine.py:f}\nepochs: 4\nbatch_size: 64\n"
    path = write("a.yaml", f"{schedule}data: {small_npz}\n")
    shown = run("export", path, "--steps-per-epoch", "10", "--trust", "mine.py")
    assert shown.exit_code == 2
    assert said in shown.stderr
    assert more in shown.stderr
    assert "Traceback" not in shown.stderr
    assert "lrlab/" not in shown.stderr


def test_compare_refuses_it_and_writes_nothing(write, small_npz, here):
    write("mine.py", "def f(step):\n    return 0.3 - step\n")
    path = write("a.yaml", f"schedule: {{type: mine.py:f}}\ndata: {small_npz}\n")
    done = run("compare", path, "--out", "out", "--trust", "mine.py")
    assert done.exit_code == 2
    assert "`" in done.stderr
    assert "gives no rate at" in done.stderr
    assert [
        each for each in (here / "out").rglob("*") if each.is_file() and each.stat().st_size
    ] == []


@pytest.mark.parametrize(
    ("args", "said"),
    [("{shrap: 2}", "no parameter `shrap`; did you mean `sharp`?"), ("[1]", "must be a mapping")],
)
def test_args_that_do_not_fit(args, said, write):
    write("mine.py", WARP)
    path = write("a.yaml", f"schedule: {{type: mine.py:warp, args: {args}}}\n")
    done = run("plot", "--terminal", path, "--trust", "mine.py")
    assert done.exit_code == 2
    assert said in done.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{type: mine.py}", "names no function"),
        ("{type: 'mine.py:a b'}", "is not the name of a function"),
        ("{type: net.keras}", "is a saved model"),
        ("{type: 'a:b:c'}", "schedule: must be FILE.py:FUNCTION"),
        ("{type: mine.py:f, agrs: {}}", "schedule.agrs: unknown key; did you mean `args`?"),
        ("{type: mine.py:f, update: week}", "schedule.update: must be step or epoch, got `week`"),
        ("{type: mine.py:f, lr: 1}", "schedule.lr: unknown key"),
        ("{type: sequence, phases: [{type: mine.py:f, x: 1}]}", "schedule.phases.0.x: unknown key"),
    ],
)
def test_what_a_config_cannot_mean(text, said, write):
    write("mine.py", "def f(step):\n    return step\n")
    write("net.keras", "")
    path = write("a.yaml", f"schedule: {text}\n")
    done = run("plot", "--terminal", path, "--trust", "mine.py", "--trust", "net.keras")
    assert done.exit_code == 2
    assert said in done.stderr


# --- another library's name ---


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("CosineDecay", "what Keras calls so is `cosine`; see `lrlab schedules CosineDecay`"),
        ("StepLR", "what PyTorch calls so is `step`"),
        ("ReduceLROnPlateau", "what Keras and PyTorch and fastai call so is `performance`"),
        ("One_Cycle", "did you mean `one_cycle`?"),
        ("cosin", "did you mean `cosine`?"),
        ("quasar", "known types: constant, "),
    ],
)
def test_another_librarys_name_is_answered_with_ours(kind, said):
    with pytest.raises(ConfigError) as raised:
        config.parse(f"schedule: {{type: {kind}}}")
    assert f"1:18: schedule.type: unknown type `{kind}`; {said}" in str(raised.value)


# --- identity ---


def test_its_identity_is_its_code_its_args_and_the_rest_of_the_schedule(write, here):
    write("mine.py", WARP)
    kept = loaded(write("a.yaml", PHASES), here / "mine.py")
    phase = kept.code["schedule"]["phases"][0]
    assert phase["type"]["import"] == "mine.py:warp"
    assert list(phase["type"]["sha256"]) == ["mine.py"]
    write("b/mine.py", WARP)
    assert loaded(write("b/a.yaml", PHASES), here / "b/mine.py").code == kept.code
    others = [
        PHASES.replace("10%", "20%"),
        PHASES.replace("mine.py:warp", "mine.py:warp, args: {sharp: 2.0}"),
        PHASES.replace("0.02", "0.03"),
    ]
    codes = [loaded(write("a.yaml", text), here / "mine.py").code for text in others]
    write("mine.py", WARP.replace("0.05", "0.06"))
    codes.append(loaded(write("a.yaml", PHASES), here / "mine.py").code)
    texts = {json.dumps(code, sort_keys=True) for code in [kept.code, *codes]}
    assert len(texts) == 5


def test_runs_are_reused_and_retrained_when_the_code_changes(write, small_npz, here):
    write("mine.py", WARP)
    path = write("a.yaml", f"schedule: {{type: mine.py:warp}}\nepochs: 2\ndata: {small_npz}\n")
    words = ("compare", path, "--out", "out", "--seeds", "1", "--trust", "mine.py")
    first = run(*words)
    assert first.exit_code == 0, first.stderr
    (folder,) = (here / "out" / "runs").iterdir()
    with np.load(folder / "seed-0" / "steps.npz") as steps:
        np.testing.assert_array_equal(steps["lr"], expected(len(steps["lr"])).astype(np.float32))
    assert "warp" in (here / "out" / "comparison.md").read_text()
    run(*words)
    assert len(list((here / "out" / "runs").iterdir())) == 1
    # Neither `plot` nor `check` needs the code, nor runs it.
    write("mine.py", "raise SystemExit('ran')\n")
    for command in (["plot", "out"], ["check", "out"]):
        done = run(*command)
        assert done.exit_code == 0, done.stderr
        assert "ran" not in done.output
    (here / "mine.py").unlink()
    assert run("check", "out").exit_code == 0
    write("mine.py", WARP.replace("0.05", "0.06"))
    assert run(*words).exit_code == 0
    assert len(list((here / "out" / "runs").iterdir())) == 2


# --- export ---


def exported(*words):
    done = run("export", *words, "--steps-per-epoch", "50", "--trust", "mine.py")
    assert done.exit_code == 0, done.stderr
    scope: dict = {}
    exec(done.stdout, scope)
    return scope, done.stdout


@pytest.mark.parametrize("text", ["schedule: {type: mine.py:warp}\nepochs: 4\n", PHASES])
def test_exported_code_gives_the_same_rates_to_the_bit(text, write, here):
    write("mine.py", WARP)
    path = write("a.yaml", text)
    scope, code = exported(path)
    assert "lrlab" not in code.partition("\n")[2]
    rates = lrlab.rates(loaded(path, here / "mine.py"), 50, 4)
    np.testing.assert_array_equal(scope["learning_rate"](np.arange(200)), rates)
    assert scope["learning_rate"](7) == rates[7]
    assert scope["learning_rate"]([[3], [500]]).shape == (2, 1)


def test_exported_keras_code_gives_the_same_rates(write, here):
    write("mine.py", WARP)
    path = write("a.yaml", "schedule: {type: mine.py:warp}\nepochs: 4\n")
    scope, _ = exported(path, "--to", "keras")
    given = [float(scope["LearningRate"]()(step)) for step in (0, 60, 199, 300)]
    rates = lrlab.rates(loaded(path, here / "mine.py"), 50, 4).astype(np.float32)
    assert given == [rates[0], rates[60], rates[199], rates[199]]


def test_what_a_function_uses_is_exported_with_it(write):
    source = (
        "import math\nimport numpy as numbers\nfrom numpy import minimum as least, clip\n"
        "TABLE = [(0, 0.1), (5, 0.01)]\n\n\n"
        "def f(step, top=TABLE[0][1]):\n"
        "    low = sum(lr for _, lr in TABLE) * math.pi\n"
        "    return numbers.full(len(step), top) + low * clip(step, 0, 1)\n"
    )
    write("mine.py", source)
    scope, code = exported(write("a.yaml", "schedule: {type: mine.py:f}\n"))
    assert "import numpy as numbers\n" in code
    assert scope["learning_rate"](0) == 0.1


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import keras\ndef f(s):\n    return s * keras.backend.epsilon()\n", "it needs `keras`"),
        ("f = lambda s: s * 0.1\n", "not a plain function"),
        ("class A:\n    def __call__(self, s):\n        return s * 0.1\nf = A()\n", "not a plain"),
        ("import functools\n@functools.cache\ndef g(x):\n    return x\ndef f(s):\n"
         "    return s * g(0.1)\n", "it uses `g`"),
        ("T = object()\ndef f(s):\n    return s + (T is None)\n", "it uses `T`, which is object"),
        ("def learning_rate(s):\n    return s\nf = learning_rate\n", "`learning_rate` is a name"),
        ("def ramp(s):\n    return s\ndef f(s):\n    return ramp(s)\n", "`ramp` is a name"),
    ],
)  # fmt: skip
def test_what_needs_more_than_numpy_is_refused_in_words(source, said, write):
    write("mine.py", source)
    path = write("a.yaml", "schedule: {type: mine.py:f}\n")
    done = run("export", path, "--steps-per-epoch", "10", "--trust", "mine.py")
    assert done.exit_code == 2
    assert "`mine.py:f` cannot be exported" in done.stderr or "mine.py:f` cannot" in done.stderr
    assert said in done.stderr


# --- from Python ---


def test_rates_and_keras_take_a_function():
    def halved(step, steps_per_epoch):
        return 0.4 * 0.5 ** (step // steps_per_epoch)

    np.testing.assert_array_equal(lrlab.rates(halved, 3, 2), [0.4, 0.4, 0.4, 0.2, 0.2, 0.2])
    schedule = lrlab.KerasSchedule(halved, 3, 2)
    assert [round(float(schedule(step)), 6) for step in (0, 3, 99)] == [0.4, 0.2, 0.2]


def test_a_saved_model_holds_the_rates_and_no_code(tmp_path):
    def slope(step, steps):
        return 0.1 * (1 - step / steps)

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(lrlab.KerasSchedule(slope, 5, 2)), "mse")
    model.save(tmp_path / "a.keras")
    again = keras.saving.load_model(tmp_path / "a.keras").optimizer._learning_rate
    assert isinstance(again, lrlab.KerasSchedule)
    expected = [float(lrlab.KerasSchedule(slope, 5, 2)(step)) for step in (0, 4, 9, 50)]
    assert [float(again(step)) for step in (0, 4, 9, 50)] == expected
    assert again.get_config() == lrlab.KerasSchedule(slope, 5, 2).get_config()


def test_functions_may_stand_where_a_config_has_names():
    def slope(step, steps, top=0.1):
        return top * (1 - step / steps)

    given = {
        "type": "sequence",
        "phases": [
            {"type": "constant", "lr": 0.3, "for": "4 steps"},
            {"type": slope, "args": {"top": 0.2}, "for": "2 steps"},
            {"type": functools.partial(slope, top=0.4)},
        ],
    }
    expected = [0.3, 0.3, 0.3, 0.3, 0.2, 0.1, 0.4, 0.2]
    np.testing.assert_allclose(lrlab.rates(given, 4, 2), expected)
    np.testing.assert_allclose(lrlab.rates({"type": slope}, 2, 1), [0.1, 0.05])
    assert given["phases"][1]["type"] is slope


def test_compare_takes_functions_of_the_step_and_tells_them_apart(tmp_path):
    def slope(step, steps, top=0.05):
        return top * (1 - step / steps)

    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 4))
    data = (x, (x[:, 0] > 0).astype(int))
    given = {
        "slope": slope,
        "steeper": {"type": slope, "args": {"top": 0.1}},
        "flat": constant(0.1),
    }
    options = {"model": "linear", "data": data, "epochs": 2, "seeds": 1, "out": tmp_path}
    compared = lrlab.compare(given, **options)
    assert compared.experiments == ("slope", "steeper", "flat")
    kept = json.loads((tmp_path / "comparison.json").read_text())["experiments"]
    assert [e["schedule"] for e in kept] == ["python:slope", "python:slope", "constant"]
    runs = sorted(path.name for path in (tmp_path / "runs").iterdir())
    lrlab.compare(given, **options)
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == runs
    lrlab.compare([lambda step: 0.1 + 0 * step], **options)
    assert len(list((tmp_path / "runs").iterdir())) == 4
    with np.load(next((tmp_path / "runs").glob("steeper-*")) / "seed-0" / "steps.npz") as steps:
        np.testing.assert_allclose(steps["lr"], lrlab.rates(given["steeper"], 6, 2), rtol=1e-6)


def constant(lr):
    return {"type": "constant", "lr": lr}


def test_a_users_exception_from_python_is_theirs():
    def broken(step):
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        lrlab.rates(broken, 3, 2)


def test_a_function_without_sound_rates_is_refused_from_python():
    with pytest.raises(CodeError, match="gives no rate at 2 of 6 steps"):
        lrlab.rates(lambda step: 3.5 - step, 3, 2)
    with pytest.raises(LrlabError, match="a schedule is needed, got int"):
        lrlab.rates(3, 3, 2)


def test_identity_of_a_function_from_python():
    from lrlab.config.given import schedule_of

    def made(top):
        def flat(step):
            return np.full(step.shape, top)

        return flat

    first, same, other = [
        own_schedule.code_identity(schedule_of(made(top))) for top in (0.1, 0.1, 0.2)
    ]
    assert first == same != other
    assert first["type"]["import"] == "python:flat"
