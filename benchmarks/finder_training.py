"""Trains the tasks of `finder.py`: for each a sweep, and what every rate of a grid really gives.

A task is stored as those of the shared file are: the losses of a whole sweep, whatever the stop
rule says, for three seeds; validation loss and accuracy after 2 epochs at each constant rate of
the grid, and of 1cycle with that peak.
"""

import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lrlab.config import Experiment
from lrlab.experiment.executors.threads import Threads, default_workers
from lrlab.experiment.preparation import prepare
from lrlab.finder import span, sweep
from lrlab.results.run import RunResult
from lrlab.tasks import data, models
from lrlab.tasks.setup import Setup
from lrlab.training.jobs import RunJob
from lrlab.training.orders import sweep_order

GRID = tuple(float(f"{10 ** (k / 2):.5g}") for k in range(-10, 2))
SEEDS = 3
EPOCHS = 2
RATE_KEYS = {"constant": "lr", "one_cycle": "max_lr"}

SGD = {"type": "sgd"}
MOMENTUM = {"type": "sgd", "momentum": 0.9}
ADAM = {"type": "adam"}


class Task(NamedTuple):
    """What is trained; `model` is one of lrlab's or of `MODELS`."""

    model: str
    data: str
    batch_size: int
    optimizer: dict[str, Any]

    @property
    def name(self) -> str:
        """What the tables call it."""
        kind = "mom" if self.optimizer.get("momentum") else self.optimizer["type"]
        return f"{self.model}, {self.data}, {self.batch_size}, {kind}"


HELD_OUT = (
    Task("mlp", "fashion-mnist", 512, MOMENTUM),
    Task("mlp", "fashion-mnist", 32, {"type": "adamw"}),
    Task("mlp", "fashion-mnist", 64, {"type": "nadam"}),
    Task("deep", "fashion-mnist", 64, SGD),
    Task("deep", "fashion-mnist", 128, ADAM),
    Task("mlp", "sketches", 32, MOMENTUM),
    Task("mlp", "sketches", 256, {"type": "rmsprop"}),
    Task("cnn", "fashion-mnist", 32, MOMENTUM),
    Task("cnn", "fashion-mnist", 512, ADAM),
    Task("cnn", "sketches", 128, SGD),
)
"""Chosen before any of them was trained; no rule and no factor was fitted to them."""


def _deep(shape: tuple[int, ...], classes: int, seeds: Iterator[int]) -> Any:
    from keras import Input, Sequential, layers
    from keras.initializers import HeNormal

    hidden = [layers.Dense(100, "relu", kernel_initializer=HeNormal(next(seeds))) for _ in range(8)]
    last = layers.Dense(classes, "softmax", kernel_initializer=HeNormal(next(seeds)))
    return Sequential([Input(shape), layers.Flatten(), *hidden, last])


def _bn(shape: tuple[int, ...], classes: int, seeds: Iterator[int]) -> Any:
    from keras import Input, Sequential, layers
    from keras.initializers import GlorotUniform, HeNormal

    return Sequential(
        [
            Input(shape),
            layers.Flatten(),
            layers.Dense(300, use_bias=False, kernel_initializer=HeNormal(next(seeds))),
            layers.BatchNormalization(),
            layers.Activation("relu"),
            layers.Dropout(0.2, seed=next(seeds)),
            layers.Dense(100, "relu", kernel_initializer=HeNormal(next(seeds))),
            layers.Dense(classes, "softmax", kernel_initializer=GlorotUniform(next(seeds))),
        ]
    )


def _seeded(layers: Callable[..., Any], shape: Any, classes: int, seed: int) -> Any:
    return layers(tuple(shape), classes, count(1_000 * seed))


MODELS: dict[str, models.Build] = {
    "deep": partial(_seeded, _deep),
    "bn": partial(_seeded, _bn),
}
"""Models that only the benchmark trains: 8 hidden layers of relu; the `bn` of the shared tasks."""


def setup(task: Task, source: data.DataSource) -> Setup:
    """Return what is trained."""
    reference = Experiment.model_validate(
        {"optimizer": task.optimizer, "schedule": {"type": "constant", "lr": 0.1}}
    )
    model = MODELS.get(task.model, task.model)
    return Setup(source, model, reference.optimizer, task.batch_size)


def train_all(path: Path, data_dir: Path | None) -> None:
    """Train the tasks that the file does not hold yet, and write it after each."""
    done = json.loads(path.read_text()) if path.is_file() else []
    sources = {name: data.resolve(name, data_dir) for name in {task.data for task in HELD_OUT}}
    engines = prepare(sources.values())
    for task in HELD_OUT:
        if task.name in [stored["name"] for stored in done]:
            continue
        began = time.perf_counter()
        done.append(measured(task, setup(task, sources[task.data]), engines))
        path.write_text(json.dumps(done, separators=(",", ":")).replace('},{"name"', '},\n{"name"'))
        print(f"{task.name}: {time.perf_counter() - began:.0f} s", flush=True)


def named(shared: dict[str, Any]) -> dict[str, Any]:
    """Return a task of the shared file with its name and settings as those of `HELD_OUT`."""
    optimizer = {"sgd": SGD, "mom": MOMENTUM, "adam": ADAM}[shared["optimizer"]]
    task = Task(shared["model"], "fashion-mnist", shared["batch_size"], optimizer)
    return {**shared, "name": task.name, **task._asdict()}


def measured(task: Task, what: Setup, engines: Any) -> dict[str, Any]:
    """Return a task with its sweeps and its truth."""
    steps = span.default_steps(what.length(1).steps_per_epoch)
    lr = sweep.rates(min_lr=span.MIN_LR, max_lr=span.MAX_LR, steps=steps)
    truth = ended(what, engines, [(kind, rate) for kind in RATE_KEYS for rate in GRID])
    engine = engines(what)
    return {
        "name": task.name,
        **task._asdict(),
        "lr": [float(f"{rate:.6g}") for rate in lr],
        "loss_by_seed": [_whole_sweep(engine, lr, seed) for seed in range(SEEDS)],
        "grid": list(GRID),
        "constant": truth[: len(GRID)],
        "one_cycle": truth[len(GRID) :],
    }


def ended(what: Setup, engines: Any, asked: Sequence[tuple[str, float]]) -> list[dict[str, Any]]:
    """Return what a whole run with each (schedule, rate) gives."""
    jobs = [RunJob(what, schedule_of(kind, rate), EPOCHS, seed=0) for kind, rate in asked]
    runs = Threads(engines, default_workers(len(jobs))).results(jobs)
    return [_truth(run, engines.classes(what.data)) for run in runs]


def schedule_of(kind: str, rate: float) -> Any:
    """Return the schedule of a type with its rate."""
    return Experiment.model_validate({"schedule": {"type": kind, RATE_KEYS[kind]: rate}}).schedule


def _whole_sweep(engine: Any, lr: sweep.Floats, seed: int) -> list[float | None]:
    """Return every batch loss of a sweep: other rules end it elsewhere than lrlab does."""
    engine.start(seed)
    order = sweep_order(engine.images, engine.batch_size, len(lr), seed)
    losses, _correct = engine.train(order, lr.astype(np.float32))
    return [float(f"{loss:.5g}") if math.isfinite(loss) else None for loss in losses]


def _truth(run: RunResult, classes: int) -> dict[str, Any]:
    """Return validation loss and accuracy at the end; of a run that broke down, a guess's."""
    if len(run.epochs) < EPOCHS or not math.isfinite(run.epochs[-1].val_loss):
        return {"val_loss": None, "val_accuracy": round(1 / classes, 4)}
    last = run.epochs[-1]
    return {"val_loss": round(last.val_loss, 4), "val_accuracy": round(last.val_score, 4)}
