"""How fast the engine trains, as a ratio to plain Keras `fit` in the same minutes.

    python benchmarks/throughput.py [--repeats 5] [--data sketches]

Two processes are started: one trains with `keras.Model.fit` as it comes (default threads, XLA as
Keras chooses, one run after another), the other with lrlab's engine (as many runs side by side
as there are cores). They take turns, so that a noisy machine disturbs both alike. One epoch is
trained before anything is timed. Validation is left out on both sides.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

CASES = {
    "mlp, batch 32, sgd": ({"optimizer": {"type": "sgd"}}, 55_000, 6.0),
    "mlp, batch 32, momentum": ({}, 55_000, None),
    "mlp, batch 32, nadam": ({"optimizer": {"type": "nadam"}}, 55_000, 3.5),
    "mlp, batch 32, adam": ({"optimizer": {"type": "adam"}}, 55_000, None),
    "mlp, batch 128, sgd": ({"optimizer": {"type": "sgd"}, "batch_size": 128}, 55_000, 3.5),
    "cnn, batch 32, sgd": ({"optimizer": {"type": "sgd"}, "model": "cnn"}, 13_750, 3.0),
}
"""Name: (experiment, images an epoch, the ratio to reach)."""


def main() -> None:
    """Time all cases and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeats", type=int, default=5, help="timed epochs of each side")
    parser.add_argument("--data", default="auto", help="the data set to train on")
    parser.add_argument("--case", help="only cases with this text in their name")
    parser.add_argument("--side", choices=["keras", "lrlab"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side:
        serve(arguments.side, arguments.data)
        return
    sides = {side: Side(side, arguments.data) for side in ("keras", "lrlab")}
    peak = sides["lrlab"].ask({"peak": True})
    print(f"matrix-product peak: {peak['gflops']:.0f} GFLOP/s on {peak['workers']} threads\n")
    print("| case | Keras fit, s | lrlab, s | ratio (least to most) | wanted | share of peak |")
    print("|---|---:|---:|---:|---:|---:|")
    for name, (settings, images, wanted) in CASES.items():
        if arguments.case and arguments.case not in name:
            continue
        task = {"settings": settings, "images": images}
        times: dict[str, list[float]] = {"keras": [], "lrlab": []}
        for turn in range(arguments.repeats + 1):
            for side, seconds in times.items():
                answer = sides[side].ask(task)
                if turn > 0:
                    seconds.append(answer["seconds"])
        print(row(name, times, wanted, answer["flops"] / peak["gflops"] / 1e9), flush=True)


def row(name: str, times: dict[str, list[float]], wanted: float | None, at_peak: float) -> str:
    """Return a case's line of the table; ratios are taken turn by turn."""
    ratios = [a / b for a, b in zip(times["keras"], times["lrlab"], strict=True)]
    keras, lrlab = (statistics.median(times[side]) for side in ("keras", "lrlab"))
    target = f">= {wanted:g}" if wanted else ""
    return (
        f"| {name} | {keras:.2f} | {lrlab:.2f} | **{statistics.median(ratios):.1f}** "
        f"({min(ratios):.1f} to {max(ratios):.1f}) | {target} | {at_peak / lrlab:.0%} |"
    )


class Side:
    """A process that trains on demand."""

    def __init__(self, side: str, data: str) -> None:
        command = [sys.executable, __file__, "--side", side, "--data", data]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def ask(self, task: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to a task; wait for it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(task) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


def serve(side: str, data: str) -> None:
    """Answer tasks from stdin until it is closed."""
    answers = sys.stdout
    sys.stdout = sys.stderr  # Keras prints there.
    worker = Keras(data) if side == "keras" else Lrlab(data)
    for line in sys.stdin:
        task = json.loads(line)
        answer = worker.peak() if "peak" in task else worker.epoch(task)
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _experiment(task: dict[str, Any]) -> Any:
    from lrlab.config import Experiment

    return Experiment.model_validate(
        {"schedule": {"type": "constant", "lr": 0.01}, **task["settings"]}
    )


class Keras:
    """Plain `fit`: default threads, default everything; it never imports the engine."""

    def __init__(self, data: str) -> None:
        import os

        from lrlab.tasks import data as datasets

        folder = os.environ.get("LRLAB_DATA_DIR")
        from pathlib import Path

        self._data = datasets.load(datasets.resolve(data, Path(folder) if folder else None))
        self._models: dict[str, Any] = {}

    def epoch(self, task: dict[str, Any]) -> dict[str, float]:
        """Train one epoch and return its seconds."""
        from lrlab.tasks import models

        x = self._data.x_train[: task["images"]]
        y = self._data.y_train[: task["images"]]
        experiment = _experiment(task)
        key = experiment.model_dump_json()
        if key not in self._models:
            model = models.build(experiment.model, x.shape[1:], self._data.classes, 0)
            optimizer = experiment.optimizer.build()
            model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
            optimizer.learning_rate = 0.01
            self._models[key] = model
        began = time.perf_counter()
        self._models[key].fit(x, y, batch_size=experiment.batch_size, epochs=1, verbose=0)
        return {"seconds": time.perf_counter() - began, "flops": 0.0}


class Lrlab:
    """The engine: as many runs side by side as there are cores."""

    def __init__(self, data: str) -> None:
        import os
        from pathlib import Path

        from lrlab.experiment.executors.threads import default_workers
        from lrlab.tasks import data as datasets
        from lrlab.training.engines.tensorflow import Engines

        folder = os.environ.get("LRLAB_DATA_DIR")
        self._source = datasets.resolve(data, Path(folder) if folder else None)
        self._make = Engines({self._source: datasets.load(self._source)})
        self._workers = default_workers(1_000)
        self._engines: dict[Any, list[Any]] = {}

    def epoch(self, task: dict[str, Any]) -> dict[str, float]:
        """Train one epoch of several runs and return the seconds per run."""
        setup = _experiment(task).setup(self._source)
        if setup not in self._engines:
            made = [self._make(setup) for _ in range(self._workers)]
            self._engines[setup] = made
            for engine in made:
                engine.start(0)
        began = time.perf_counter()
        with ThreadPoolExecutor(self._workers) as threads:
            list(
                threads.map(
                    lambda engine: self._train(engine, task["images"]), self._engines[setup]
                )
            )
        seconds = (time.perf_counter() - began) / self._workers
        flops = _flops(self._engines[setup][0].model) * task["images"]
        return {"seconds": seconds, "flops": flops}

    def _train(self, engine: Any, images: int) -> None:
        import numpy as np

        from lrlab.schedules import Length
        from lrlab.training.orders import sample_order

        order = sample_order(images, 0, 0)
        chunk = 200 * engine.batch_size
        for first in range(0, images, chunk):
            picked = order[first : first + chunk]
            steps = Length.of(len(picked), engine.batch_size, 1).steps
            engine.train(picked, np.full(steps, 0.01, np.float32))

    def peak(self) -> dict[str, float]:
        """Return the matrix-product rate of all workers together, in GFLOP/s."""
        from lrlab.training.engines.loaded import tf

        size, count = 1_024, 20
        a = tf.random.normal((size, size))

        @tf.function
        def products(x: Any) -> Any:
            for _ in range(count):
                x = tf.matmul(a, x) * 1e-3
            return x

        products(a).numpy()
        best = 0.0
        for _ in range(5):
            began = time.perf_counter()
            with ThreadPoolExecutor(self._workers) as threads:
                list(threads.map(lambda _: products(a).numpy(), range(self._workers)))
            seconds = time.perf_counter() - began
            best = max(best, self._workers * count * 2 * size**3 / seconds / 1e9)
        return {"gflops": best, "workers": self._workers}


def _flops(model: Any) -> float:
    """Return the floating-point operations of the products and convolutions for one image.

    Forward, gradient of the weights, and gradient of the inputs except for the first layer.
    """
    total = 0.0
    trained = [layer for layer in model.layers if layer.trainable_variables]
    for number, layer in enumerate(trained):
        positions = 1
        for size in layer.output.shape[1:-1]:
            positions *= size
        forward = 2 * positions * layer.kernel.numpy().size
        total += forward * (2 if number == 0 else 3)
    return total


if __name__ == "__main__":
    main()
