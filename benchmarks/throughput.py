"""How fast the engine trains, as a ratio to plain Keras `fit` in the same minutes.

    python benchmarks/throughput.py [--repeats 5] [--data sketches] [--base CHECKOUT]

Two processes take turns, so that a noisy machine disturbs both alike: one trains with
`keras.Model.fit` as it comes (default threads, oneDNN as TensorFlow has it, XLA as Keras chooses,
one run after another), the other with lrlab's engine (as many runs side by side as there are cores,
oneDNN as lrlab chooses for the model). One epoch is trained before anything is timed. Validation is
left out on both sides. On a machine that others use as well, the ratio of processor time is the one
to trust: whoever starts more threads gets more of the cores. With `--base`, the engine of another
checkout of lrlab takes its turns as well, for a change that must cost nothing.
"""

import argparse
import functools
import json
import math
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from lrlab.tasks.onednn import VARIABLE, convolves

OWN = Path(__file__).with_name("throughput_models.py")
CASES = {
    "mlp, batch 32, sgd": ({"optimizer": {"type": "sgd"}}, 55_000, 6.0),
    "mlp, batch 32, momentum": ({}, 55_000, None),
    "mlp, batch 32, nadam": ({"optimizer": {"type": "nadam"}}, 55_000, 3.5),
    "mlp, batch 32, adam": ({"optimizer": {"type": "adam"}}, 55_000, None),
    "mlp, batch 128, sgd": ({"optimizer": {"type": "sgd"}, "batch_size": 128}, 55_000, 3.5),
    "cnn, batch 32, sgd": ({"optimizer": {"type": "sgd"}, "model": "cnn"}, 13_750, 3.0),
    "own mlp with BatchNorm and Dropout, batch 32": ({"model": f"{OWN}:normed"}, 55_000, 3.0),
    "own lenet, batch 32": ({"model": f"{OWN}:lenet"}, 13_750, 2.0),
    "own resnet8, batch 32": ({"model": f"{OWN}:resnet8"}, 5_500, 2.0),
}
"""Name: (experiment, images an epoch, the ratio to reach)."""


def main() -> None:
    """Time all cases and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeats", type=int, default=5, help="timed epochs of each side")
    parser.add_argument("--data", default="auto", help="the data set to train on")
    parser.add_argument("--case", help="only cases with this text in their name")
    parser.add_argument("--share", type=float, default=1.0, help="train on a part of the images")
    parser.add_argument("--base", type=Path, help="another checkout, timed as well")
    parser.add_argument("--side", choices=["keras", "lrlab"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side:
        serve(arguments.side, arguments.data)
        return
    places = {"keras": None, "lrlab": None} | ({"base": arguments.base} if arguments.base else {})

    @functools.cache
    def asked(side: str, onednn: str | None) -> Side:
        kind = "keras" if side == "keras" else "lrlab"
        return Side(kind, arguments.data, places[side], onednn)

    peak = asked("lrlab", "0").ask({"peak": True})
    print(f"matrix-product peak: {peak['gflops']:.0f} GFLOP/s on {peak['workers']} threads\n")
    print(
        "| case | Keras fit, s | lrlab, s | ratio (least to most) | processor time, ratio | wanted "
        "| share of peak |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name, (settings, images, wanted) in CASES.items():
        if arguments.case and arguments.case not in name:
            continue
        task = {"settings": settings, "images": int(images * arguments.share)}
        own = str(settings.get("model", "")).startswith(str(OWN))
        onednn = "1" if convolves(settings.get("model", "mlp")) else "0"
        sides = {side: asked(side, None if side == "keras" else onednn) for side in places}
        times: dict[str, list[float]] = {side: [] for side in sides if not (own and side == "base")}
        flops, used = 0.0, {side: [] for side in times}
        for turn in range(arguments.repeats + 1):
            for side, seconds in times.items():
                answer = sides[side].ask(task)
                flops = answer["flops"] or flops
                if turn > 0:
                    seconds.append(answer["seconds"])
                    used[side].append(answer.get("processor", math.nan))
        print(row(name, times, used, wanted, flops / peak["gflops"] / 1e9), flush=True)
        if "base" in times:
            print(against_base(times), flush=True)


def row(
    name: str,
    times: dict[str, list[float]],
    used: dict[str, list[float]],
    wanted: float | None,
    at_peak: float,
) -> str:
    """Return a case's line of the table; ratios are taken turn by turn."""
    processor = np.median([a / b for a, b in zip(used["keras"], used["lrlab"], strict=True)])
    ratios = [a / b for a, b in zip(times["keras"], times["lrlab"], strict=True)]
    keras, lrlab = (np.median(times[side]) for side in ("keras", "lrlab"))
    target = f">= {wanted:g}" if wanted else ""
    return (
        f"| {name} | {keras:.2f} | {lrlab:.2f} | **{np.median(ratios):.1f}** "
        f"({min(ratios):.1f} to {max(ratios):.1f}) | {processor:.1f} | {target} "
        f"| {at_peak / lrlab:.0%} |"
    )


def against_base(times: dict[str, list[float]]) -> str:
    """Return how the other checkout compares, turn by turn; above 1 this one is faster."""
    ratios = [a / b for a, b in zip(times["base"], times["lrlab"], strict=True)]
    least, most = min(ratios), max(ratios)
    return f"  base / lrlab: {np.median(ratios):.2f} ({least:.2f} to {most:.2f})"


class Side:
    """A process that trains on demand, in this checkout or in another one."""

    def __init__(
        self, side: str, data: str, checkout: Path | None = None, onednn: str | None = None
    ) -> None:
        script = Path(__file__) if checkout is None else checkout / "benchmarks" / "throughput.py"
        command = [sys.executable, str(script), "--side", side, "--data", data]
        self._process = subprocess.Popen(
            command,
            env=os.environ
            | {"PYTHONPATH": str(script.resolve().parent.parent)}
            | ({VARIABLE: onednn} if onednn else {}),
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


def _stated(task: dict[str, Any]) -> dict[str, Any]:
    return {"schedule": {"type": "constant", "lr": 0.01}, **task["settings"]}


def _experiment(task: dict[str, Any]) -> Any:
    from lrlab.config import Experiment

    return Experiment.model_validate(_stated(task))


def _source(data: str) -> Any:
    from lrlab.tasks import data as datasets

    folder = os.environ.get("LRLAB_DATA_DIR")
    return datasets.resolve(data, Path(folder) if folder else None)


class Keras:
    """Plain `fit`: default threads, default everything; it never imports the engine."""

    def __init__(self, data: str) -> None:
        self._source = _source(data)
        from lrlab.tasks import data as datasets

        self._data = datasets.load(self._source)
        self._x = self._data.x_train
        self._models: dict[str, Any] = {}

    def epoch(self, task: dict[str, Any]) -> dict[str, float]:
        """Train one epoch and return its seconds."""
        x = self._x[: task["images"]]
        y = self._data.train.y[: task["images"]]
        experiment = _experiment(task)
        key = experiment.model_dump_json()
        if key not in self._models:
            model = self._built(experiment)
            optimizer = experiment.optimizer.build()
            model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
            optimizer.learning_rate = 0.01
            self._models[key] = model
        began, used = time.perf_counter(), time.process_time()
        self._models[key].fit(x, y, batch_size=experiment.batch_size, epochs=1, verbose=0)
        seconds, processor = time.perf_counter() - began, time.process_time() - used
        return {"seconds": seconds, "processor": processor, "flops": 0.0}

    def _built(self, experiment: Any) -> Any:
        if (path := Path(str(experiment.model).rpartition(":")[0])) == OWN:
            sys.path.insert(0, str(path.parent))
            module = __import__(path.stem)
            return getattr(module, experiment.model.rpartition(":")[2])()
        return experiment.setup(self._source).build(0)


class Lrlab:
    """The engine: as many runs side by side as there are cores."""

    def __init__(self, data: str) -> None:
        from lrlab.experiment.executors.threads import default_workers
        from lrlab.tasks import data as datasets
        from lrlab.training.engines.tensorflow import Engines

        self._source = _source(data)
        self._make = Engines({self._source: datasets.load(self._source)})
        self._workers = default_workers(1_000)
        self._engines: dict[Any, list[Any]] = {}

    def epoch(self, task: dict[str, Any]) -> dict[str, float]:
        """Train one epoch of several runs and return the seconds per run."""
        setup = self._setup(task)
        if setup not in self._engines:
            made = [self._make(setup) for _ in range(self._workers)]
            self._engines[setup] = made
            for engine in made:
                engine.start(0)
        began, used = time.perf_counter(), time.process_time()
        with ThreadPoolExecutor(self._workers) as threads:
            list(
                threads.map(
                    lambda engine: self._train(engine, task["images"]), self._engines[setup]
                )
            )
        seconds = (time.perf_counter() - began) / self._workers
        processor = (time.process_time() - used) / self._workers
        flops = _flops(self._engines[setup][0].model) * task["images"]
        return {"seconds": seconds, "processor": processor, "flops": flops}

    def _setup(self, task: dict[str, Any]) -> Any:
        from lrlab import config
        from lrlab.experiment import own_code
        from lrlab.reporter import Reporter

        source = config.source.Source("benchmark", data=_stated(task))
        (loaded,) = own_code.loaded([config.checked(source, trusted={OWN})], Reporter())
        return loaded.experiment.setup(self._source)

    def _train(self, engine: Any, images: int) -> None:
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
        if not hasattr(layer, "kernel"):
            continue
        forward = 2 * positions * layer.kernel.numpy().size
        total += forward * (2 if number == 0 else 3)
    return total


if __name__ == "__main__":
    main()
