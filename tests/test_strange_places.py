"""Commands where the settings, the user and the folder are those of somebody else."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from test_schedules import CLOSED_LOOPS
from told import Told

from lrlab import config, experiment
from lrlab.errors import DataError, Interrupted
from lrlab.experiment import environment
from lrlab.experiment.executors import threads
from lrlab.schedules import SCHEDULES, Length
from lrlab.tasks import data, models

CONFIG = "schedule: {type: constant, lr: 0.005}\nepochs: 1\n"


@pytest.fixture
def lrlab(tmp_path, small_npz):
    """Return a function that runs a command in the test's folder, with a config `x.yaml` there."""
    (tmp_path / "x.yaml").write_text(f"{CONFIG}data: {small_npz}\n")

    def run(*words: str, **changes: str | None) -> subprocess.CompletedProcess[str]:
        variables = {k: v for k, v in (os.environ | changes).items() if v is not None}
        command = [sys.executable, "-m", "lrlab", *words]
        return subprocess.run(
            command, cwd=tmp_path, env=variables, capture_output=True, text=True, check=False
        )

    return run


def compared(done: subprocess.CompletedProcess[str], out: Path) -> dict[str, bytes]:
    """Return what a comparison that ended well has written, as far as it is reproducible."""
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    paths = [path for path in out.rglob("*") if path.name in ("steps.npz", "epochs.csv")]
    assert len(paths) == 2
    return {path.name: path.read_bytes() for path in paths}


COMPARE = ("compare", "x.yaml", "--seeds", "1", "--out")


@pytest.fixture
def usual(lrlab, tmp_path) -> dict[str, bytes]:
    return compared(lrlab(*COMPARE, "usual"), tmp_path / "usual")


@pytest.mark.slow
def test_other_settings_of_keras_change_nothing(lrlab, tmp_path, usual):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "keras.json").write_text(
        json.dumps(
            {
                "floatx": "float16",
                "epsilon": 0.1,
                "backend": "torch",
                "image_data_format": "channels_first",
            }
        )
    )
    for backend in ("jax", "torch", None):
        done = lrlab(
            *COMPARE, f"{backend}", KERAS_BACKEND=backend, KERAS_HOME=str(tmp_path / "home")
        )
        assert compared(done, tmp_path / f"{backend}") == usual


def test_modules_in_the_working_directory_are_not_run(lrlab, tmp_path):
    for name in ("numpy", "typer", "yaml", "json"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('a stranger ran')\n")
    done = lrlab("schedules", "cosine")
    assert (done.returncode, done.stderr) == (0, "")


NOBODY = """
import os, pwd, sys
def getpwuid(number):
    raise KeyError(f"getpwuid(): uid not found: {number}")
pwd.getpwuid = getpwuid
sys.argv[0] = "lrlab"
from lrlab.cli import main
main()
"""


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["compare", "x.yaml", "--seeds", "1"], marks=pytest.mark.slow),
        ["find-lr"],
        ["plot"],
    ],
)
def test_without_a_home(words, tmp_path, small_npz):
    """As in a container whose user is in no file; replaced inside, since root is in one."""
    text = CONFIG if words[0] == "compare" else ""
    (tmp_path / "x.yaml").write_text(f"{text}data: {small_npz if text else 'fashion-mnist'}\n")
    variables = {k: v for k, v in os.environ.items() if k not in ("HOME", "KERAS_HOME")}
    variables["LRLAB_FASHION_MNIST_ORIGIN"] = "http://127.0.0.1:9/"
    done = subprocess.run(
        [sys.executable, "-c", NOBODY, *words],
        cwd=tmp_path, env=variables, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert done.returncode == (3 if words == ["plot"] else 0), done.stderr


@pytest.mark.parametrize(
    "words",
    [
        "schedules cosine",
        "schedules",
        "schedules --json",
        "--help",
        "compare --help",
        pytest.param("plot x.yaml", marks=pytest.mark.slow),
    ],
)
def test_without_docstrings_all_texts_are_the_same(words, lrlab):
    done = lrlab(*words.split(), PYTHONOPTIMIZE="2")
    usual = lrlab(*words.split())
    assert (done.returncode, done.stdout, done.stderr) == (0, usual.stdout, "")


# --- what can change a result is recorded ---


def test_what_changes_the_last_digits_is_recorded(lrlab, tmp_path):
    lrlab(*COMPARE, "a")
    flags = {"TF_XLA_FLAGS": "--tf_xla_auto_jit=2", "ONEDNN_MAX_CPU_ISA": "AVX2"}
    done = lrlab(*COMPARE, "a", "--seeds", "2", TF_ENABLE_ONEDNN_OPTS="true", **flags)
    records = [json.loads(p.read_text()) for p in sorted(tmp_path.glob("a/runs/*/*/run.json"))]
    usual, other = (record["environment"] for record in records)
    assert (usual["onednn"], other["onednn"]) == (False, True)
    assert usual["variables"] == ""
    assert other["variables"] == "TF_XLA_FLAGS=--tf_xla_auto_jit=2 ONEDNN_MAX_CPU_ISA=AVX2"
    assert usual["device"]
    assert "variables  (1 run), TF_XLA_FLAGS" in done.stdout


def test_processors_of_one_name_are_told_apart(monkeypatch, tmp_path):
    flags = {"avx512f": "flags\t\t: fpu avx avx2 fma avx512f\n", "avx2": "flags\t: fpu avx avx2\n"}
    found = {}
    for name, line in flags.items():
        (tmp_path / name).write_text(f"processor : 0\nmodel name\t: AMD EPYC\n{line}")
        opened = (tmp_path / name).open
        monkeypatch.setattr("builtins.open", lambda *_, opened=opened, **__: opened())
        found[name] = (environment._processor(), environment._instructions())
    assert found == {
        "avx512f": ("AMD EPYC", "avx avx2 avx512f fma"),
        "avx2": ("AMD EPYC", "avx avx2"),
    }


# --- what a command would need is known before it is taken ---


@pytest.mark.parametrize("model", ["mlp", "cnn"])
def test_a_model_that_would_fill_the_memory_is_refused(model):
    for shape, classes in (((1_000, 1_000), 4), ((4, 4), 2_000_000)):
        with pytest.raises(ValueError, match=r"would have .* parameters .* more than 100,000,000"):
            models.build(model, shape, classes, 0)


# --- closed loops ---


@pytest.mark.parametrize("name", CLOSED_LOOPS)
def test_a_closed_loop_does_not_replay_its_history_every_epoch(name, monkeypatch):
    schedule = SCHEDULES[name].model_validate({"type": name, "initial_lr": 0.1})
    folded = []
    after_epoch = type(schedule).after_epoch
    monkeypatch.setattr(
        type(schedule), "after_epoch", lambda *args: folded.append(1) or after_epoch(*args)
    )
    rates, history = schedule.epoch_rates(Length(2, 500)), []
    for epoch in range(500):
        rates(history)
        history.append(Result(1 / (1 + epoch % 7)))
    assert len(folded) == 499
    # Resuming is replaying, and another history is another one.
    for part in (history, history[:250], history[100:400], history[::-1]):
        replayed = schedule.epoch_rates(Length(2, 500))(part)
        assert rates(part).tolist() == replayed.tolist()


class Result:
    def __init__(self, value: float) -> None:
        self.loss = self.val_loss = self.val_accuracy = value


# --- data ---


@pytest.mark.parametrize("factor", [1e-36, 1e-30, 1e-24, 1e-22, 1.0, 1e15])
def test_data_of_any_size_are_standardised(factor, tmp_path):
    x = np.random.default_rng(0).normal(3, 1, size=(36, 3, 3))
    x[:, 1, 1] = 0.1
    path = tmp_path / "x.npz"
    np.savez(path, x_train=x * factor, y_train=np.arange(36) % 3)
    found = data.load(data.resolve(str(path))).x_train
    varying = np.ones((3, 3), bool)
    varying[1, 1] = False
    np.testing.assert_allclose(found[:, varying].std(axis=0), 1, rtol=1e-5)
    np.testing.assert_allclose(1 + found[:, varying].mean(axis=0), 1, rtol=1e-5)
    assert not found[:, 1, 1].any()


@pytest.mark.parametrize("factor", [1e-44, 1e-40, 1e38])
def test_data_that_float32_cannot_hold_are_refused(factor, tmp_path):
    x = np.random.default_rng(0).normal(3, 1, size=(36, 3, 3)) * factor
    np.savez(tmp_path / "x.npz", x_train=x, y_train=np.arange(36) % 3)
    with pytest.raises(DataError, match=r"standardised|NaN|infinite|finite|float32"):
        data.load(data.resolve(str(tmp_path / "x.npz")))


def test_workers_are_as_many_as_the_machine_can_take(tmp_path, small_npz):
    (tmp_path / "x.yaml").write_text(f"{CONFIG}data: {small_npz}\n")
    most, told = threads.most_workers(), Told(at_plan=interrupt)
    with pytest.raises(Interrupted):
        experiment.compare(
            config.read([tmp_path / "x.yaml"]), out=tmp_path / "out", seeds=2 * most, report=told,
            workers=500,
        )  # fmt: skip
    assert told.workers == most
    assert told.warnings == [
        f"{2 * most} workers are too many for this machine: {most} train side by side"
    ]


def interrupt():
    raise KeyboardInterrupt
