"""What ten thousand runs cost: the driver that keeps them, the commands that read them, threads.

    python benchmarks/scale.py driver --keep DIR [--shape 20x500]
    python benchmarks/scale.py commands --keep DIR [--shape 20x500]
    python benchmarks/scale.py threads

`driver` lets `compare` carry out runs whose training is simulated: results, checkpoints and
progress come as from a cluster, as fast as the driver takes them, and are written as always. It
says what each event costs. `commands` runs `compare`, which finds every run finished, `check`,
`merge` of two halves, and `show` and `report` where there are such commands, each as a process of
its own: 60 s and 1 GB at most. `threads` says how many workers one process can have.
"""

import sys

sys.path.append(sys.path.pop(0))  # `statistics` is Python's, and not the benchmark beside this one.

import argparse
import os
import shutil
import subprocess
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import many_runs
import numpy as np

from lrlab import config, experiment, schedules
from lrlab.experiment.executors.executor import Executor, MakeEngine, OnEvent
from lrlab.reporter import Reporter
from lrlab.results.checkpoint import Checkpoint
from lrlab.results.run import EpochResult, RunResult, Status
from lrlab.training.jobs import Event, Job, Progress, Result

MOST_SECONDS, MOST_MB = 60, 1_000
PROGRESS_PER_RUN = 40
RUNS_PER_CHECKPOINT = 10
WEIGHTS = (784 * 300, 300, 300 * 100, 100, 100 * 10, 10)


class Simulated(Executor):
    """Gives what jobs would give, without doing them, and measures how long the driver takes."""

    seconds: ClassVar[defaultdict[str, list[float]]] = defaultdict(list)

    def __init__(self, make: MakeEngine, workers: int) -> None:
        self._rng = np.random.default_rng(0)

    def carry_out(self, jobs: Sequence[Job], on_event: OnEvent) -> None:
        """Tell the events of all jobs."""
        for index, job in enumerate(jobs):
            result = self._result(job)
            told: list[Event] = [
                Progress(step + 1, float(result.lr[step]), float(result.loss[step]), None)
                for step in np.linspace(0, len(result.lr) - 1, PROGRESS_PER_RUN).astype(int)
            ]
            if index % RUNS_PER_CHECKPOINT == 0:
                told.append(self._checkpoint(result))
            for event in [*told, Result(result)]:
                began = time.perf_counter()
                on_event(index, event)
                self.seconds[type(event).__name__].append(time.perf_counter() - began)

    def _result(self, job: Any) -> RunResult:
        length = job.setup.length(job.epochs)
        lr = schedules.rates(job.schedule, length)
        at = np.arange(len(lr)) / len(lr)
        loss = (0.3 + np.exp(-8 * at)) * self._rng.lognormal(0, 0.2, len(lr))
        epochs = []
        for epoch in range(job.epochs):
            last = (epoch + 1) * length.steps_per_epoch
            mean, shift = float(loss[last - 100 : last].mean()), float(self._rng.normal(0, 0.002))
            rate = float(np.float32(lr[last - 1]))
            epochs.append(EpochResult(epoch, rate, mean, 0.9, mean + shift, 0.88 + shift))
        return RunResult(
            Status.DONE,
            tuple(epochs),
            lr.astype(np.float32),
            loss.astype(np.float32),
            test_loss=0.4,
            test_score=0.87,
            train_seconds=20.0,
        )

    def _checkpoint(self, result: RunResult) -> Checkpoint:
        weights = tuple(self._rng.normal(size=size).astype(np.float32) for size in WEIGHTS)
        half = len(result.lr) // 2
        tally = (np.array(0, np.int32),)
        epochs = result.epochs[: len(result.epochs) // 2]
        return Checkpoint(
            weights, weights, epochs, result.lr[:half], result.loss[:half], tally, 9.0
        )


class Lines(Reporter):
    """Says how far it is."""

    def __init__(self) -> None:
        self._finished = 0

    def finished(self, run: Any, result: Any) -> None:
        """Count."""
        self._finished += 1
        if self._finished % 1_000 == 0:
            print(f"{self._finished:,} runs", file=sys.stderr, flush=True)


def write_configs(folder: Path, experiments: int) -> list[Path]:
    """Write configs and a small data set of as many images as Fashion-MNIST has."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 255, (many_runs.IMAGES, 2, 2), np.uint8)
    np.savez(folder / "small.npz", x_train=pixels, y_train=np.arange(many_runs.IMAGES) % 10)
    paths = []
    kinds = [kind for kind in many_runs.SCHEDULES if kind != "performance"]
    for index in range(experiments):
        kind = kinds[index % len(kinds)]
        stated = many_runs.SCHEDULES[kind].format(lr=f"{0.02 + 0.0001 * index:.4f}")
        paths.append(folder / f"{kind}-{index:03}.yaml")
        paths[-1].write_text(f"schedule: {{{stated}}}\ndata: {folder / 'small.npz'}\n")
    return paths


def driver(folder: Path, experiments: int, seeds: int) -> None:
    """Let the driver carry out simulated runs; print what its events cost."""
    read = config.read(write_configs(folder, experiments))
    began = time.perf_counter()
    compared, _ = experiment.compare(
        read, out=folder / "out", seeds=seeds, report=Lines(), executor=Simulated
    )
    experiment.save(compared, folder / "out")
    total = time.perf_counter() - began
    print(f"{experiments * seeds:,} runs in {total:,.0f} s")
    print("| event | number | mean, ms | 99 % below, ms | a second at most |")
    print("|---|---:|---:|---:|---:|")
    for name, seconds in Simulated.seconds.items():
        mean, most = np.mean(seconds), np.quantile(seconds, 0.99)
        row = f"{len(seconds):,} | {1e3 * mean:.2f} | {1e3 * most:.2f} | {1 / mean:,.0f}"
        print(f"| {name} | {row} |")
    sizes = [path.stat().st_size for path in (folder / "out").rglob("*") if path.is_file()]
    print(f"{len(sizes):,} files, {sum(sizes) / 1e9:.2f} GB")


def halves(out: Path) -> list[Path]:
    """Return two directories with half of the runs each, as links to the same files."""
    made = [out.with_name("half-1"), out.with_name("half-2")]
    for half in made:
        shutil.rmtree(half, ignore_errors=True)
    for number, run in enumerate(sorted(out.glob("runs/*/seed-*"))):
        shutil.copytree(run, made[number % 2] / run.relative_to(out), copy_function=os.link)
    return made


def commands(folder: Path, experiments: int, seeds: int) -> None:
    """Measure the commands that read all runs."""
    paths = [str(path) for path in write_configs(folder, experiments)]
    out, merged = folder / "out", folder / "merged"
    wanted = {
        "compare": ["compare", *paths, "--out", str(out), "--seeds", str(seeds)],
        "check": ["check", str(out)],
        "merge": ["merge", *map(str, halves(out)), "--out", str(merged)],
        "show": ["show", str(out)],
        "report": ["report", str(out)],
    }
    print("| command | seconds | processor, s | memory, MB | |")
    print("|---|---:|---:|---:|---|")
    for name, command in wanted.items():
        shutil.rmtree(merged, ignore_errors=True)
        began = time.perf_counter()
        words = [sys.executable, "-c", many_runs.PROCESS, *command]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - began
        if "no such command" in done.stderr.lower():
            continue
        if done.returncode:
            raise SystemExit(f"{name} ended with {done.returncode}: {done.stderr[-2000:]}")
        spent, peak, _ = map(float, done.stderr.split()[-3:])
        fits = seconds <= MOST_SECONDS and peak <= MOST_MB
        print(
            f"| `{name}` | {seconds:.1f} | {spent:.1f} | {peak:.0f} | {'' if fits else '**!**'} |"
        )


def threads() -> None:
    """Measure what a chunk costs Python, and how many workers one process can have for that."""
    held = chunk_overhead()
    print(f"Python's part of a chunk: {1e3 * held:.2f} ms")
    print("| workers | chunks a second | of the ideal |")
    print("|---:|---:|---:|")
    for workers in (1, 2, 4, 8, 16, 32, 64, 128, 256):
        rate = chunks_a_second(workers, held)
        ideal = workers / (held + CHUNK_SECONDS)
        print(f"| {workers} | {rate:.1f} | {rate / ideal:.0%} |")


CHUNK_SECONDS = 0.15
_MEASURED_SECONDS = 4.0


def chunk_overhead() -> float:
    """Return the seconds of a chunk that has next to nothing to compute: all of it is Python's."""
    from lrlab.experiment.preparation import prepare
    from lrlab.tasks import data

    given = {"schedule": {"type": "constant", "lr": 0.1}, "model": "linear", "batch_size": 1}
    source = data.resolve("cycling")
    engine = prepare([source])(config.Experiment.model_validate(given).setup(source))
    engine.start(0)
    order, rates = np.zeros(1, np.int32), np.zeros(1, np.float32)
    seconds = []
    for _ in range(2_000):
        began = time.perf_counter()
        engine.train(order, rates)
        seconds.append(time.perf_counter() - began)
    return float(np.median(seconds))


def chunks_a_second(workers: int, held: float) -> float:
    """Return how many chunks threads do that hold the interpreter so long and compute the rest."""
    done, stop = [0] * workers, threading.Event()

    def work(number: int) -> None:
        while not stop.is_set():
            until = time.thread_time() + held
            while time.thread_time() < until:
                pass
            time.sleep(CHUNK_SECONDS)  # As TensorFlow computes: without the interpreter.
            done[number] += 1

    all_ = [threading.Thread(target=work, args=(n,), daemon=True) for n in range(workers)]
    began = time.perf_counter()
    for thread in all_:
        thread.start()
    time.sleep(_MEASURED_SECONDS)
    stop.set()
    for thread in all_:
        thread.join()
    return sum(done) / (time.perf_counter() - began)


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=("driver", "commands", "threads"))
    parser.add_argument("--shape", default="20x500", help="experiments x seeds")
    parser.add_argument("--keep", type=Path, help="where the results are")
    arguments = parser.parse_args()
    if arguments.what == "threads":
        threads()
        return
    if arguments.keep is None:
        parser.error("--keep DIR is needed")
    experiments, seeds = map(int, arguments.shape.split("x"))
    measure = driver if arguments.what == "driver" else commands
    measure(arguments.keep.resolve(), experiments, seeds)


if __name__ == "__main__":
    main()
