"""How long commands take in a results directory with 2,000 finished runs.

    python benchmarks/many_runs.py [--shape 20x100] [--keep DIR]

The runs are written, not trained: 10 epochs of 1,719 steps each, as the reference experiment has,
with noise in the losses. Then `compare`, which finds every run finished, `plot` and `check` run
as processes of their own. Each is to end within 10 s and must not load TensorFlow.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from lrlab import config, schedules
from lrlab.config import Config
from lrlab.results import run_folder
from lrlab.results.run import EpochResult, RunPlace, RunResult, Status, identity
from lrlab.results.run_folder import RunData, RunOrigin
from lrlab.schedules import Length
from lrlab.tasks import data
from lrlab.tasks.data_source import DataSource

SHAPES = ("20x100", "500x4")
IMAGES = 60_000
SCHEDULES = {
    "constant": "type: constant, lr: {lr}",
    "power": "type: power, initial_lr: {lr}, s: 2 epochs",
    "exponential": "type: exponential, initial_lr: {lr}, s: 5 epochs",
    "one_cycle": "type: one_cycle, max_lr: {lr}",
    "cosine": "type: cosine, initial_lr: {lr}",
    "cyclic": "type: cyclic, min_lr: 0.0001, max_lr: {lr}, up: 500 steps",
    "performance": "type: performance, initial_lr: {lr}",
}
PROCESS = """
import resource, sys
from lrlab import cli
try:
    cli.main()
finally:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    spent, peak = usage.ru_utime + usage.ru_stime, usage.ru_maxrss // 1024
    loaded = "tensorflow" in sys.modules or "keras" in sys.modules
    print(f"\\n{spent} {peak} {int(loaded)}", file=sys.stderr)
"""


def main() -> None:
    """Time the commands for each shape and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--shape", action="append", help="experiments x seeds, as 20x100")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--keep", type=Path, help="where the directories are made, and kept")
    arguments = parser.parse_args()
    os.fsync = lambda _: None  # Nothing is lost if the machine vanishes now.
    print("| experiments x seeds | command | seconds (least to most) | processor, s | memory, MB |")
    print("|---|---|---:|---:|---:|")
    for shape in arguments.shape or SHAPES:
        experiments, seeds = map(int, shape.split("x"))
        with tempfile.TemporaryDirectory() as made:
            folder = (arguments.keep or Path(made)) / shape
            if not folder.exists():
                make(folder, experiments, seeds)
            for row in measured(folder, seeds, arguments.repeats):
                print(f"| {experiments} x {seeds} | {row} |", flush=True)


def make(folder: Path, experiments: int, seeds: int, images: int = IMAGES) -> None:
    """Write configs, a small data set and the runs of all experiments."""
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True)
    pixels, labels = rng.integers(0, 255, (images, 2, 2), np.uint8), np.arange(images) % 10
    np.savez(folder / "small.npz", x_train=pixels, y_train=labels)
    for index in range(experiments):
        kind = list(SCHEDULES)[index % len(SCHEDULES)]
        stated = SCHEDULES[kind].format(lr=f"{0.02 + 0.0001 * index:.4f}")
        path = folder / f"{kind}-{index:03}.yaml"
        path.write_text(f"schedule: {{{stated}}}\ndata: small.npz\n")
    source = data.resolve(str(folder / "small.npz"))
    for read in config.read(sorted(folder.glob("*.yaml"))):
        for seed in range(seeds):
            write(folder / "out", read, source, seed, rng)


def write(out: Path, read: Config, source: DataSource, seed: int, rng: np.random.Generator) -> None:
    """Write one run that looks as if it had been trained."""
    e = read.experiment
    steps_per_epoch = e.setup(source).length(e.epochs).steps_per_epoch
    if e.schedule.type == "performance":
        falls = np.arange(e.epochs) > rng.integers(2, 9)
        lr = np.repeat(e.schedule.initial_lr * 0.5**falls, steps_per_epoch)
    else:
        lr = schedules.rates(e.schedule, Length(steps_per_epoch, e.epochs))
    at = np.arange(len(lr)) / len(lr)
    loss = (0.3 + np.exp(-8 * at) + 20 * lr.mean()) * rng.lognormal(0, 0.2, len(lr))
    epochs = []
    for epoch in range(e.epochs):
        last = (epoch + 1) * steps_per_epoch
        mean = float(loss[last - steps_per_epoch : last].mean())
        shift = float(rng.normal(0, 0.002))
        rate = float(np.float32(lr[last - 1]))
        epochs.append(EpochResult(epoch, rate, mean, 1 - mean / 3, mean + shift, 0.98 - mean / 3))
    result = RunResult(
        Status.DONE,
        tuple(epochs),
        lr.astype(np.float32),
        loss.astype(np.float32),
        test_score=epochs[-1].val_score,
        train_seconds=20.0 + float(rng.normal()),
    )
    place = RunPlace(e.name, identity(e, source.fingerprint), seed)
    origin = RunOrigin(
        identity=place.identity,
        seed=seed,
        config=e.model_dump(mode="json", exclude={"data"}),
        data=RunData(source.name, source.fingerprint),
        steps_per_epoch=steps_per_epoch,
        environment={"lrlab": "0.2.0", "tensorflow": "2.21.0", "cores": 2},
    )
    run_folder.write(place.folder(out), result, origin)


def measured(folder: Path, seeds: int, repeats: int) -> list[str]:
    """Return a row for each command: its name, its time and its memory."""
    configs = [str(path) for path in sorted(folder.glob("*.yaml"))]
    out = str(folder / "out")
    commands = {
        "compare": ["compare", *configs, "--out", out, "--seeds", str(seeds)],
        "plot": ["plot", out],
        "check": ["check", out],
    }
    rows = []
    for name, command in commands.items():
        times, spent, peaks = [], [], []
        for _ in range(repeats):
            began = time.perf_counter()
            done = subprocess.run(
                [sys.executable, "-c", PROCESS, *command], capture_output=True, text=True
            )
            times.append(time.perf_counter() - began)
            if done.returncode:
                raise SystemExit(f"{name} ended with {done.returncode}: {done.stderr[-2000:]}")
            seconds, peak, loaded = map(float, done.stderr.split()[-3:])
            if loaded:
                raise SystemExit(f"{name} has loaded TensorFlow")
            spent.append(seconds)
            peaks.append(peak)
        wall = f"**{np.median(times):.1f}** ({min(times):.1f} to {max(times):.1f})"
        rows.append(f"`{name}` | {wall} | {np.median(spent):.1f} | {max(peaks):.0f}")
    return rows


if __name__ == "__main__":
    main()
