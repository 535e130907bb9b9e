"""The kill test: SIGKILL at random moments of a comparison; what comes out is as if nothing was.

Slow, so it runs only when asked for: `pytest -m slow`, or longer with `make chaos`. The commands
that are killed are forks of a process that has imported TensorFlow; what they are compared with
comes from commands of their own.
"""

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from forked import Forking

from lrlab.results import run_folder
from lrlab.results.run import CHECKPOINT, Status

KILLS = int(os.environ.get("LRLAB_CHAOS_KILLS", "30"))
SEED = int(os.environ.get("LRLAB_CHAOS_SEED", "1"))

EPOCHS = 120
CONFIGS = {
    "cycle": "{type: one_cycle, max_lr: 0.01, momentum: {low: 0.8, high: 0.9}}",
    "plateau": "{type: performance, initial_lr: 0.01, patience: 3, warmup: {for: 2 epochs}}",
    "power": "{type: power, initial_lr: 0.005, s: 10 epochs}",
}
FIGURES = ("learning-rate.png", "loss.png", "accuracy.png")

MOST_IN_A_ROUND = 10
"""Kills after which a comparison may end."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def configs(tmp_path_factory, small_npz) -> list[str]:
    folder = tmp_path_factory.mktemp("configs")
    for name, schedule in CONFIGS.items():
        text = f"schedule: {schedule}\nepochs: {EPOCHS}\ndata: {small_npz}\n"
        (folder / f"{name}.yaml").write_text(text)
    return sorted(str(path) for path in folder.iterdir())


def words(configs: list[str], out: Path, *more: str) -> list[str]:
    options = ["--seeds", "2", "--workers", "2", "--out", str(out)]
    return ["compare", *configs, *options, *more]


def results(out: Path) -> dict[str, object]:
    """Return the content of everything that must not depend on accidents."""
    found: dict[str, object] = {}
    for path in sorted(path for path in out.rglob("*") if path.is_file()):
        name = str(path.relative_to(out))
        if path.name in ("epochs.csv", "steps.npz", "examples.npz", "weights.npz", *FIGURES):
            found[name] = path.read_bytes()
        elif path.name in ("run.json", "comparison.json"):
            found[name] = timeless(json.loads(path.read_text()))
        else:
            found[name] = None
    return found


def timeless(value):
    """Return JSON without what tells times and accidents."""
    if isinstance(value, list):
        return [timeless(item) for item in value]
    if not isinstance(value, dict):
        return value
    gone = ("train_seconds", "resumed_at", "command", "workers", "sha256", "signature")
    return {key: timeless(item) for key, item in value.items() if key not in gone}


def undisturbed(configs: list[str], out: Path, *more: str) -> Path:
    """Run a comparison to its end, in a process of its own."""
    command = [sys.executable, "-m", "lrlab", *words(configs, out, *more)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="module")
def reference(configs, tmp_path_factory) -> Path:
    """The results of an undisturbed comparison."""
    return undisturbed(configs, tmp_path_factory.mktemp("reference") / "out", "--keep-weights")


@pytest.fixture(scope="module")
def without_weights(configs, tmp_path_factory) -> Path:
    """The results of a comparison that kept no weights."""
    return undisturbed(configs, tmp_path_factory.mktemp("without_weights") / "out")


@pytest.fixture(scope="module")
def forking() -> Iterator[Forking]:
    with contextlib.closing(Forking()) as made:
        yield made


def finished(out: Path) -> set[str]:
    """Return the runs that are finished and sound."""
    return {
        str(folder.relative_to(out))
        for folder in out.glob("runs/*/seed-?")
        if (run := run_folder.read(folder)) and run.result.status is Status.DONE
    }


def begun(out: Path) -> set[str]:
    """Return the runs whose first epoch is over and that are not finished."""
    found = out.glob(f"runs/*/*{CHECKPOINT}")
    names = {str(path).removesuffix(CHECKPOINT) for path in found}
    return {name for name in names if not Path(name).exists()}


BEGINNINGS = ("nothing", "fresh", "weights")
"""From nothing; retraining all with `--fresh`; retraining all for the weights that they lack."""


def run_or_kill(forking: Forking, command: list[str], seconds: float) -> tuple[int, str]:
    """Run a command, and kill it if it has not ended after so many seconds."""
    child = forking.start(command)
    if not forking.ends_within(seconds):
        with contextlib.suppress(ProcessLookupError):  # It has just ended.
            os.kill(child, signal.SIGKILL)
    return forking.wait()


def test_killed_at_random_moments_nothing_is_lost(
    configs, reference, without_weights, forking, tmp_path
):
    expected = results(reference)
    began = time.monotonic()
    assert run_or_kill(forking, words(configs, tmp_path / "forked", "--keep-weights"), 600)[0] == 0
    seconds = time.monotonic() - began
    assert results(tmp_path / "forked") == expected
    chance = random.Random(SEED)
    kills, rounds = 0, 0
    while kills < KILLS or rounds < len(BEGINNINGS):
        out, cut = tmp_path / "out", set()
        beginning = BEGINNINGS[rounds % len(BEGINNINGS)]
        rounds += 1
        options = ["--keep-weights"]
        if beginning == "fresh":
            shutil.copytree(reference, out)
            options.append("--fresh")
        elif beginning == "weights":
            shutil.copytree(without_weights, out)
        before = finished(out)
        assert len(before) == (0 if beginning == "nothing" else 6)
        code, killed = -signal.SIGKILL, 0
        while code:
            command = words(configs, out, *options)
            alive = chance.uniform(0, seconds / 2) if killed < MOST_IN_A_ROUND else 600
            code, said = run_or_kill(forking, command, alive)
            assert finished(out) >= before, "a finished run is gone"
            assert code in (0, -signal.SIGKILL), said
            killed += code != 0
            cut |= begun(out)
        kills += killed
        sys.stderr.write(f"{kills} kills, {beginning}; {len(cut)} runs went on inside\n")
        assert results(out) == expected
        for name in cut:
            record = json.loads((Path(name) / "run.json").read_text())
            assert record["resumed_at"], f"{name} was trained from the start twice"
            assert record["resumed_at"][0] >= record["steps_per_epoch"]
        shutil.rmtree(out)
