"""How good the suggestions of `find-lr` are: points of accuracy lost against the best rate.

    python benchmarks/finder.py [--train | --verify] [--data-dir DIR]

The regret of a rate is the best validation accuracy on a task's grid of rates less the accuracy
at that rate, interpolated over its logarithm. Development tasks are the shared ones, on which
lrlab's method was made: a file named by LRLAB_FINDER_TASKS, or `../shared/finder/tasks.json`
beside the checkout. The tasks held out are in `finder_tasks.json`; no rule was tuned on them.
Nothing is trained, but that `--train` makes missing tasks of that file, and `--verify` makes the
missing short runs of `find-lr --verify` in `finder_verified.json`.
"""

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import finder_training
import numpy as np
from peer_rules import RULES, Floats

from lrlab.experiment import verifying
from lrlab.finder import verification
from lrlab.finder.suggestion import Suggestion, suggest

HERE = Path(__file__).parent
TASKS = HERE / "finder_tasks.json"
VERIFIED = HERE / "finder_verified.json"

INTRODUCTION = """# How good the suggested learning rates are

Made by `python benchmarks/finder.py > benchmarks/finder.md`; that script says how.

Regret: the best validation accuracy on a task's grid of 12 rates less the accuracy at the
suggested rate, in percentage points, mean / largest. The truth is 2 epochs at each rate with one
seed, so that differences under 0.3 points are noise. `constant` judges `steady_lr`, `1cycle peak`
judges `max_lr`; the other libraries give one number for both. They see the same sweeps, of 200 to
500 steps from 1e-6 to 10, one seed at a time, and smooth, stop and cut them as they define it;
their own defaults are 100 steps and other ranges, which matters most to `slide` and to Lightning's
slope over the rate. Where the sweep runs into divergence a rule may answer with a rate at which
training collapses, which costs up to 80 points.

`--verify` is judged by runs whose seed neither the sweep nor the truth has used. Its reach, and
that it reads the loss and not the accuracy, were chosen on 7 of the development tasks. No rule was
tuned on the tasks held out; they were chosen before any of them was trained, and each was run
once.
"""

TITLES = {"development": "of development", "held out": "held out"}

Pair = tuple[float | None, float | None]
"""A suggestion for a constant rate and one for the peak of 1cycle; None: it gives no number."""


class Task(NamedTuple):
    """A task with its sweeps, its truth, and what lrlab says of it."""

    name: str
    lr: Floats
    losses: Floats
    truth: dict[str, Any]
    found: Suggestion
    verified: Pair


def main() -> None:
    """Train what is asked for and missing; print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--train", action="store_true", help="train missing held-out tasks")
    parser.add_argument("--verify", action="store_true", help="train missing short runs")
    folder = os.environ.get("LRLAB_DATA_DIR")
    parser.add_argument("--data-dir", type=Path, default=Path(folder) if folder else None)
    arguments = parser.parse_args()
    if arguments.train:
        finder_training.train_all(TASKS, arguments.data_dir)
    groups = {"development": shared_tasks(), "held out": json.loads(TASKS.read_text())}
    if arguments.verify:
        stored = [task for group in groups.values() for task in group]
        finder_training.verify_all(VERIFIED, stored, arguments.data_dir)
    verified = json.loads(VERIFIED.read_text()) if VERIFIED.is_file() else {}
    tasks = {
        title: [read(one, verified) for one in stored] for title, stored in groups.items() if stored
    }
    print(INTRODUCTION)
    print(targets([task for group in tasks.values() for task in group]))
    for title, group in tasks.items():
        print(gain(title, group))
    for missing in sorted(chosen() - {task.name for group in tasks.values() for task in group}):
        print(f"Chosen to be held out, but not trained yet: {missing}.")
    for title, group in tasks.items():
        print(f"\n## {len(group)} tasks, {title}\n\n{regrets(group)}\n\n{each(group)}")


def chosen() -> set[str]:
    """Return the names of the tasks that were chosen to be held out."""
    return {task.name for task in finder_training.HELD_OUT}


def shared_tasks() -> list[dict[str, Any]]:
    """Return the shared tasks, none where there is no such file."""
    beside = HERE.parents[1] / "shared" / "finder" / "tasks.json"
    path = Path(os.environ.get("LRLAB_FINDER_TASKS", beside))
    path = path / "tasks.json" if path.is_dir() else path
    if not path.is_file():
        print(f"no shared tasks at `{path}`; name them with LRLAB_FINDER_TASKS")
        return []
    return [finder_training.named(task) for task in json.loads(path.read_text())]


def read(stored: dict[str, Any], verified: dict[str, Any]) -> Task:
    """Return a stored task as arrays, with lrlab's suggestions as `find-lr` makes them."""
    lr = np.array(stored["lr"])
    losses = np.array(stored["loss_by_seed"], np.float64)
    truth = {
        kind: 100 * np.array([run["val_accuracy"] for run in stored[kind]])
        for kind in ("constant", "one_cycle")
    }
    truth["grid"] = np.log(stored["grid"])
    found = suggest(lr, losses, chance=np.log(10))
    runs = [verification.ShortRun(**run) for run in verified.get(stored["name"], [])]
    highest = found.highest_stable_lr or 0.0
    checked = tuple(verifying.refined(runs, kind, highest) for kind in ("constant", "one_cycle"))
    return Task(stored["name"], lr, losses, truth, found, (checked[0], checked[1]))


def regret(task: Task, kind: str, lr: float) -> float:
    """Return the points of accuracy lost at a rate."""
    accuracy = task.truth[kind]
    return float(accuracy.max() - np.interp(np.log(lr), task.truth["grid"], accuracy))


def alone(task: Task) -> list[Pair]:
    """Return what lrlab suggests from each seed alone."""
    found = [suggest(task.lr, losses, chance=np.log(10)) for losses in task.losses]
    return [(one.steady_lr, one.max_lr) for one in found]


def targets(tasks: Sequence[Task]) -> str:
    """Return the sentences that set the figures over all tasks against what was aimed at."""
    found = [[(task.found.steady_lr, task.found.max_lr)] for task in tasks]
    steady, peak = (cell(tasks, found, kind) for kind in (0, 1))
    checked = [task for task in tasks if task.verified[0] is not None]
    both = [cell(checked, [[task.verified] for task in checked], kind) for kind in (0, 1)]
    near = sum(task.found.spread is not None and task.found.spread <= 2 for task in tasks)
    return (
        f"Over all {len(tasks)} tasks: `steady_lr` {steady}, `max_lr` {peak} (aim: 0.4 / 1.0 "
        f"each).\nWith `--verify`, over {len(checked)} tasks: {both[0]} and {both[1]} (aim: mean "
        f"0.2).\nThe suggestions of single seeds lie within a factor of 2 on {near} of "
        f"{len(tasks)} tasks (aim: 9 of 10)."
    )


def gain(title: str, tasks: Sequence[Task]) -> str:
    """Return the sentence that says what `--verify` changed over the tasks of a group."""
    checked = [task for task in tasks if task.verified[0] is not None]
    changes = [
        np.mean([regret(task, name, task.verified[kind]) for task in checked])
        - np.mean([regret(task, name, (task.found.steady_lr, task.found.max_lr)[kind])
                   for task in checked])
        for kind, name in enumerate(("constant", "one_cycle"))
    ]  # fmt: skip
    return (
        f"`--verify` changed the mean regret of `steady_lr` by {changes[0]:+.2f} and of `max_lr` "
        f"by {changes[1]:+.2f} points on the tasks {TITLES[title]}."
    )


def regrets(tasks: Sequence[Task]) -> str:
    """Return the table of all rules: mean and largest regret, and how often there is no number."""
    rows: dict[str, list[list[Pair]]] = {
        "lrlab, 3 seeds": [[(task.found.steady_lr, task.found.max_lr)] for task in tasks],
        "lrlab, 3 seeds, `--verify`": [[task.verified] for task in tasks],
        "lrlab, each seed alone": [alone(task) for task in tasks],
    }
    for name, rule in RULES.items():
        said = [[rule(task.lr, losses) for losses in task.losses] for task in tasks]
        rows[name] = [[(lr, lr) for lr in of_task] for of_task in said]
    lines = ["| rule | constant | 1cycle peak | no number |", "|---|---:|---:|---:|"]
    for name, said in rows.items():
        cells = [cell(tasks, said, kind) for kind in (0, 1)]
        silent = sum(pair[0] is None for of_task in said for pair in of_task)
        count = sum(map(len, said))
        lines.append(f"| {name} | {' | '.join(cells)} | {silent} of {count} |")
    return "\n".join(lines)


def cell(tasks: Sequence[Task], said: Sequence[Sequence[Pair]], kind: int) -> str:
    """Return mean and largest regret where there are numbers."""
    name = ("constant", "one_cycle")[kind]
    values = [
        regret(task, name, lr)
        for task, of_task in zip(tasks, said, strict=True)
        for lr in (pair[kind] for pair in of_task)
        if lr is not None
    ]
    return f"{np.mean(values):.2f} / {np.max(values):.2f}" if values else "-"


def each(tasks: Sequence[Task]) -> str:
    """Return the table of lrlab's suggestions, a row a task."""
    lines = [
        "| task | verdict | spread | steady_lr | regret | verified | regret "
        "| max_lr | regret | verified | regret |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for task in tasks:
        found = task.found
        spread = "-" if found.spread is None else f"{found.spread:.2f}"
        cells = [task.name, found.verdict.value, spread]
        pairs = ((found.steady_lr, found.max_lr), task.verified)
        for kind, name in enumerate(("constant", "one_cycle")):
            for pair in pairs:
                lr = pair[kind]
                cells += (
                    ["-", "-"] if lr is None else [f"{lr:.2g}", f"{regret(task, name, lr):.2f}"]
                )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
