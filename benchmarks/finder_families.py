"""Tasks of other families than those that the finder was made on, and what each rate gives there.

    python benchmarks/finder_families.py --data-dir DIR

Convolutional networks with pooling and with BatchNorm, digits, tabular sets, regressions,
sequences with attention and with a recurrent layer; 5 and 20 epochs, batches of 8 to 1024, SGD,
momentum, Nesterov, Adam, AdamW, RMSprop. The truth of a task: at each rate of a grid with ratio 2
the validation loss and accuracy at the end of a run, for a constant rate and for 1cycle, two seeds
each; where the tasks held out now come near the best rate, four. A training loop of its own serves
all losses; digits come from scikit-learn (`pip install scikit-learn`).
"""

import argparse
import functools
import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import finder_loop
import numpy as np
from finder_loop import Loop
from finder_sets import REGRESSION, arrays

from lrlab.finder import sweep

HERE = Path(__file__).parent
STORED = HERE / "finder_families.json"
GRID = tuple(2.0**k for k in range(-17, 3))
SWEEP_SEEDS, TRUTH_SEEDS, CLOSE_SEEDS = 3, 2, 4
STEPS_SWEPT = (200, 500)

CLOSE_POINTS, CLOSE_LOSS = 2.0, 1.1
"""Points of accuracy below the best rate, and its loss over the best one's, that are near it."""

MOMENTUM = {"type": "sgd", "momentum": 0.9}
NESTEROV = {"type": "sgd", "momentum": 0.9, "nesterov": True}

KINDS = ("constant", "one_cycle")
FIRST_SEED = 100
"""Seed of the first run of the truth."""

Run = tuple[float | None, float | None]
"""Validation loss and accuracy after a run, None where it broke down."""


class Task(NamedTuple):
    """What is trained, and for how long."""

    model: str
    data: str
    batch_size: int
    optimizer: dict[str, Any]
    epochs: int

    @property
    def name(self) -> str:
        """What the tables call it."""
        o = self.optimizer
        kind = "nesterov" if o.get("nesterov") else "mom" if o.get("momentum") else o["type"]
        return f"{self.model}, {self.data}, {self.batch_size}, {kind}, {self.epochs} epochs"


DEVELOPMENT = (
    Task("conv_pool", "fashion", 32, MOMENTUM, 5),
    Task("conv_bn", "fashion", 64, {"type": "adam"}, 5),
    Task("mlp", "digits", 16, MOMENTUM, 20),
    Task("conv_pool", "digits", 32, {"type": "adam"}, 20),
    Task("mlp", "tabular", 128, {"type": "adamw"}, 5),
    Task("mlp", "friedman", 64, {"type": "adam"}, 5),
    Task("attention", "tokens", 64, {"type": "adam"}, 5),
    Task("mlp", "fashion", 8, {"type": "sgd"}, 5),
)
SEEN = (
    Task("conv_pool", "fashion", 128, {"type": "sgd"}, 5),
    Task("conv_bn", "sketches", 32, MOMENTUM, 5),
    Task("conv_pool", "digits", 16, NESTEROV, 20),
    Task("mlp", "digits", 128, {"type": "rmsprop"}, 20),
    Task("mlp", "tabular", 1024, MOMENTUM, 20),
    Task("mlp", "friedman", 32, MOMENTUM, 5),
    Task("recurrent", "tokens", 128, {"type": "rmsprop"}, 5),
    Task("conv_bn", "fashion", 512, {"type": "adamw"}, 5),
)
"""Held out until version 0.2: rule and search were changed after they had been looked at."""

HELD_OUT = (
    Task("mlp", "digits_half", 8, {"type": "sgd"}, 20),
    Task("mlp", "unequal", 256, {"type": "adamw"}, 5),
    Task("mlp", "spirals", 1024, MOMENTUM, 20),
    Task("mlp", "arm", 64, {"type": "adam"}, 20),
    Task("mlp", "friedman2", 16, {"type": "sgd"}, 5),
    Task("mlp", "unequal", 32, NESTEROV, 20),
    Task("recurrent", "waves", 64, {"type": "adam"}, 5),
    Task("conv_bn", "fashion14", 64, NESTEROV, 5),
    Task("conv_bn", "digits_half", 32, {"type": "rmsprop"}, 20),
    Task("attention", "counts", 32, {"type": "adamw"}, 5),
    Task("conv_pool", "fashion14", 128, {"type": "adam"}, 5),
    Task("conv_pool", "fashion14", 32, MOMENTUM, 5),
)
"""Chosen before any of them was trained; rule and search were fixed before their runs were seen."""


def measured(task: Task, data_dir: Path | None, workers: int) -> dict[str, Any]:
    """Return a task with its sweeps and its truth."""
    data = arrays(task.data, data_dir)
    per_epoch = len(data.x) // task.batch_size
    swept = sweep.rates(min_lr=1e-6, max_lr=10.0,
                        steps=min(max(per_epoch, STEPS_SWEPT[0]), STEPS_SWEPT[1]))  # fmt: skip
    jobs: dict[Any, Callable[[Loop], Any]] = {}
    for seed in range(SWEEP_SEEDS):
        jobs["sweep", seed] = functools.partial(_sweep, swept, seed)
    loops = [Loop(task, data) for _ in range(workers)]
    found = finder_loop.side_by_side(loops, jobs)
    asked = [(schedule, lr) for schedule in KINDS for lr in GRID]
    truth = trained(loops, asked, range(TRUTH_SEEDS))
    if task in HELD_OUT:
        close = [(kind, lr) for kind in KINDS for lr in near_best(task, truth, kind)]
        more = trained(loops, close, range(TRUTH_SEEDS, CLOSE_SEEDS))
        truth |= {each: [*truth[each], *runs] for each, runs in more.items()}
    return {
        "name": task.name,
        **task._asdict(),
        "chance": data.chance,
        "guess": data.guess,
        "lr": [float(f"{rate:.6g}") for rate in swept],
        "loss_by_seed": [found["sweep", seed] for seed in range(SWEEP_SEEDS)],
        "grid": list(GRID),
        **{kind: [truth[kind, lr] for lr in GRID] for kind in KINDS},
    }


def trained(
    loops: Sequence[Loop], asked: Sequence[tuple[str, float]], seeds: Sequence[int]
) -> dict[tuple[str, float], list[Run]]:
    """Return what whole runs give for each (schedule, rate), one run a seed of the truth."""
    steps = finder_loop.steps_of(loops[0].task, loops[0].data)
    jobs = {
        (kind, lr, seed): functools.partial(
            _run, finder_loop.run_rates(kind, lr, steps), FIRST_SEED + seed
        )
        for kind, lr in asked
        for seed in seeds
    }
    found = finder_loop.side_by_side(loops, jobs)
    return {(kind, lr): [found[kind, lr, seed] for seed in seeds] for kind, lr in asked}


def near_best(task: Task, truth: dict[tuple[str, float], list[Run]], kind: str) -> list[float]:
    """Return the rates of the grid near the best one; more seeds decide among them."""
    whole = {lr: truth[kind, lr] for lr in GRID if (None, None) not in truth[kind, lr]}
    means = {lr: np.mean(np.array(runs), axis=0) for lr, runs in whole.items()}
    if task.data in REGRESSION:
        lowest = min(loss for loss, _ in means.values())
        return [lr for lr, (loss, _) in means.items() if loss <= CLOSE_LOSS * lowest]
    best = max(accuracy for _, accuracy in means.values())
    return [lr for lr, (_, accuracy) in means.items() if accuracy >= best - CLOSE_POINTS / 100]


def _sweep(rates: Any, seed: int, loop: Loop) -> list[float | None]:
    return loop.sweep(rates, seed)


def _run(rates: Any, seed: int, loop: Loop) -> Run:
    return loop.run(rates, seed)


def main() -> None:
    """Train the tasks that the file does not hold yet, and write it after each."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    folder = os.environ.get("LRLAB_DATA_DIR")
    parser.add_argument("--data-dir", type=Path, default=Path(folder) if folder else None)
    parser.add_argument("--to", type=Path, default=STORED)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    finder_loop.prepare()
    done = json.loads(arguments.to.read_text()) if arguments.to.is_file() else []
    for task in (*DEVELOPMENT, *SEEN, *HELD_OUT):
        if task.name in [stored["name"] for stored in done]:
            continue
        began = time.perf_counter()
        done.append(measured(task, arguments.data_dir, arguments.workers))
        text = json.dumps(done, separators=(",", ":")).replace('},{"name"', '},\n{"name"')
        arguments.to.write_text(text + "\n")
        print(f"{task.name}: {time.perf_counter() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
