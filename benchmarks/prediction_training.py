"""Trains what `prediction.py` looks at: every schedule at a grid of factors on every task.

The tasks, the schedules and the grid stand here as they were chosen, before anything was trained.
"""

import json
import math
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lrlab
from lrlab import config, experiment
from lrlab.config.set_values import overrides
from lrlab.reporter import Reporter
from lrlab.results import lock

SETS = Path(__file__).with_name("prediction_sets.py")
SEEDS = 3
FIRST = tuple(range(-2, 5))
"""Powers of 2 that are tried first, of the rate that the sweep suggests; then what lies beyond."""

MOST_BEYOND = 4
"""Powers beyond those on either side, until the best one has a worse one on both."""

REACH = 2.2
"""Powers above the best constant rate up to which every schedule is tried in any case."""


@dataclass(frozen=True)
class Task:
    """Something to train."""

    name: str
    model: str
    data: str
    optimizer: Mapping[str, Any]
    batch_size: int
    epochs: int


TASKS = (
    Task("linear, sketches, sgd", "linear", "sketches", {"type": "sgd"}, 64, 3),
    Task("mlp, sketches, mom", "mlp", "sketches", {"type": "sgd", "momentum": 0.9}, 64, 3),
    Task("mlp, cycling, adam", "mlp", "cycling", {"type": "adam"}, 64, 4),
    Task("attention, sentences, adam", "attention", "sentences", {"type": "adam"}, 128, 4),
)

SCHEDULES: Mapping[str, Mapping[str, Any]] = {
    "constant": {"type": "constant", "lr": 1.0},
    "multistep": {"type": "multistep", "initial_lr": 1.0, "boundaries": ["50%", "80%"],
                  "factor": 0.2},
    "piecewise": {"type": "piecewise", "values": [1.0, 0.3, 0.05], "boundaries": ["50%", "80%"]},
    "step": {"type": "step", "initial_lr": 1.0, "every": "30%", "factor": 0.33},
    "exponential": {"type": "exponential", "initial_lr": 1.0, "s": "100%"},
    "inverse_sqrt": {"type": "inverse_sqrt", "max_lr": 1.0, "s": "10%"},
    "power": {"type": "power", "initial_lr": 1.0, "s": "20%"},
    "cosine": {"type": "cosine", "initial_lr": 1.0},
    "linear": {"type": "linear", "initial_lr": 1.0},
    "linear_to_zero": {"type": "linear_to_zero", "max_lr": 1.0, "warmup": {"for": "5%"}},
    "polynomial": {"type": "polynomial", "initial_lr": 1.0, "power": 2.0},
    "rex": {"type": "rex", "initial_lr": 1.0},
    "tanh": {"type": "tanh", "initial_lr": 1.0},
    "wsd": {"type": "wsd", "max_lr": 1.0, "decay": "20%"},
    "cosine_restarts": {"type": "cosine_restarts", "initial_lr": 1.0, "period": "20%",
                        "growth": 4.0, "decay": 0.5},
    "cyclic": {"type": "cyclic", "min_lr": 0.05, "max_lr": 1.0, "up": "25%",
               "mode": "triangular2"},
    "one_cycle": {"type": "one_cycle", "max_lr": 1.0},
}  # fmt: skip
"""Every open-loop schedule but `formula`, at a peak of 1; the shapes are those of `configs/`."""


def train_all(path: Path) -> None:
    """Train what is missing and write every result into a file of JSON, round after round."""
    stored = json.loads(path.read_text()) if path.exists() else {}
    with tempfile.TemporaryDirectory() as folder:
        for number, task in enumerate(TASKS):
            out = Path(folder) / str(number)
            found = stored.setdefault(task.name, {})
            if not found:
                found |= {"steady_lr": _steady_lr(task, out / "sweep"), "metric": ""}
                found |= {"steps_per_epoch": 0, "epochs": task.epochs}
                found |= {"runs": {name: {} for name in SCHEDULES}}
            while wanted := _wanted(found):
                for powers in sorted(set(wanted.values())):
                    names = [name for name, of in wanted.items() if of == powers]
                    _compare(task, names, powers, out, found)
                path.write_text(_text(stored))


def _wanted(found: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """Return the powers that each schedule is tried at next; schedules without any are left out."""
    runs = found["runs"]
    if not all(runs.values()):
        return {name: FIRST for name, of in runs.items() if not of}
    more = {name: tuple(_beyond(of)) for name, of in runs.items()}
    if not any(more.values()):  # What any rule may ask for, from the best constant rate.
        highest = math.ceil(best_power(runs["constant"]) + REACH)
        more = {name: tuple(range(max(map(int, of)) + 1, highest + 1)) for name, of in runs.items()}
    return {name: powers for name, powers in more.items() if powers}


def _compare(
    task: Task, names: list[str], powers: tuple[int, ...], out: Path, found: dict[str, Any]
) -> None:
    """Train schedules at factors; put loss and score of each seed into `found`.

    Both are those on the validation set after the last epoch, None where a run did not end well.
    """
    compared = lrlab.compare(
        {name: SCHEDULES[name] for name in names},
        grid={"schedule.scale": [found["steady_lr"] * 2.0**power for power in powers]},
        model=task.model, data=f"{SETS}:{task.data}", optimizer=dict(task.optimizer),
        batch_size=task.batch_size, epochs=task.epochs, seeds=SEEDS, workers=1, out=out,
        trust=[str(SETS)],
    )  # fmt: skip
    metric = compared._comparison.metric
    found["metric"] = metric.key
    for number, e in enumerate(compared._comparison.experiments):
        found["steps_per_epoch"] = e.steps_per_epoch
        name, power = names[number // len(powers)], powers[number % len(powers)]
        scores = e.final[metric.on("val").key].values
        ends = zip(e.final["val_loss"].values, scores, strict=True)
        found["runs"][name][str(power)] = [
            None if loss is None else [_short(loss), _short(score)] for loss, score in ends
        ]


def _beyond(runs: Mapping[str, Any]) -> Iterator[int]:
    """Yield the powers beside the best one where that lies at the end of those tried."""
    powers = sorted(map(int, runs))
    best = min(powers, key=lambda power: mean_loss(runs[str(power)]))
    if best == powers[0] and FIRST[0] - powers[0] < MOST_BEYOND:
        yield powers[0] - 1
    if best == powers[-1] and powers[-1] - FIRST[-1] < MOST_BEYOND:
        yield powers[-1] + 1


def mean_loss(runs: Any) -> float:
    """Return the mean final loss at a factor, infinite where a run did not end well."""
    return sum(math.inf if run is None else run[0] for run in runs) / len(runs)


def best_power(runs: Mapping[str, Any]) -> float:
    """Return the power of the best rate: a parabola through the lowest logarithm of the loss."""
    powers = sorted(map(int, runs))
    losses = [mean_loss(runs[str(power)]) for power in powers]
    at = losses.index(min(losses))
    around = losses[max(at - 1, 0) : at + 2]
    if len(around) < 3 or math.inf in around:
        return float(powers[at])
    low, middle, high = map(math.log, around)
    bend = low - 2 * middle + high
    return powers[at] + (0.5 * (low - high) / bend if bend > 0 else 0.0)


def _steady_lr(task: Task, out: Path) -> float:
    """Return what a sweep suggests for the task, 0.01 or 0.001 where it suggests nothing."""
    given = overrides(
        [f"optimizer={json.dumps(dict(task.optimizer))}", f"batch_size={task.batch_size}"],
        model=task.model, data=f"{SETS}:{task.data}",
    )  # fmt: skip
    read = config.reference(given, config.consents(given, []))
    with lock.hold(out, report=Reporter()):
        record = experiment.find_lr(read, out=out, seeds=3, report=Reporter())
    usual = 0.01 if task.optimizer["type"] == "sgd" else 0.001
    return float(f"{record.summary.steady_lr or usual:.3g}")


def _short(value: float) -> float:
    return float(f"{value:.5g}")


def _text(stored: Any) -> str:
    """Return JSON with a line per schedule and factor."""
    text = json.dumps(stored, separators=(",", ":"))
    return text.replace('"},', '"},\n').replace("]],", "]],\n").replace("},", "},\n") + "\n"


if __name__ == "__main__":
    os.nice(10)
    train_all(Path(__file__).with_name("prediction_runs.json"))
