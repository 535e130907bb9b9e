"""How well theory predicts each schedule's best rate: `python benchmarks/prediction.py`.

It prints `prediction.md` from `prediction_runs.json`; with `--train` it first trains what is
missing there, in about 20 minutes of one core. `prediction_training.py` says what that is.
"""

import argparse
import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import prediction_training  # First: it says where Python's own modules are.

import finder  # isort: skip
import numpy as np
import numpy.typing as npt

import lrlab

RUNS = Path(__file__).with_name("prediction_runs.json")

TELL_APART = {"points": 0.5, "percent": 5.0}
"""Rates this close to the best one in score are as good as it, as in `lrlab tune`."""

Floats = npt.NDArray[np.float64]


class Curve(NamedTuple):
    """What a schedule gave at each power of 2 on the rate that the sweep suggests.

    `behind` is what the mean score is behind the schedule's best, in points of accuracy or percent
    of the error; a factor at which a run did not end well is as far behind as the worst at which
    all did. `best` is the power of the rate of the lowest loss.
    """

    powers: Floats
    behind: Floats
    best: float

    def as_good(self, tolerance: float) -> tuple[float, float]:
        """Return the lowest and the highest power that cannot be told from the best."""
        good = self.powers[self.behind <= tolerance]
        return float(good.min()), float(good.max())

    def regret(self, power: float) -> float:
        """Return what a factor loses against the best of the grid."""
        return float(np.interp(power, self.powers, self.behind))


class Task(NamedTuple):
    """A task, its curves by schedule, and the predicted powers relative to a constant rate."""

    name: str
    unit: str
    curves: Mapping[str, Curve]
    predicted: Mapping[str, float]

    def measured(self, name: str) -> float:
        """Return the power of a schedule's best rate over that of the constant one."""
        return self.curves[name].best - self.curves["constant"].best


RULES: Mapping[str, Callable[[Task, str], float]] = {
    "predicted": lambda task, name: task.predicted[name],
    "the same peak": lambda task, name: 0.0,
    "4x for `one_cycle`": lambda task, name: 2.0 if name == "one_cycle" else 0.0,
    "2x": lambda task, name: 1.0,
    "4x": lambda task, name: 2.0,
}
"""The power of a peak over that of a constant rate; the third is what `auto` starts from."""


def read(name: str, stored: Mapping[str, Any]) -> Task:
    """Return a stored task as arrays."""
    accuracy = stored["metric"] == "accuracy"
    curves = {
        schedule: _curve(runs, accuracy=accuracy) for schedule, runs in stored["runs"].items()
    }
    of_steps = (stored["steps_per_epoch"], stored["epochs"])
    scales = {
        schedule: lrlab.predicted_scale(lrlab.rates(given, *of_steps))
        for schedule, given in prediction_training.SCHEDULES.items()
    }
    predicted = {key: math.log2(scale / scales["constant"]) for key, scale in scales.items()}
    return Task(name, "points" if accuracy else "percent", curves, predicted)


def _curve(runs: Mapping[str, Any], *, accuracy: bool) -> Curve:
    powers = sorted(runs, key=int)
    ended = [[run for run in runs[power] if run is not None] for power in powers]
    whole = np.array([len(of) == len(runs[power]) for of, power in zip(ended, powers, strict=True)])
    score = np.array([np.mean([run[1] for run in of]) if of else np.nan for of in ended])
    best = score[whole].max() if accuracy else score[whole].min()
    behind = 100 * (best - score) if accuracy else 100 * (score / best - 1)
    behind[~whole] = behind[whole].max()
    return Curve(np.array(powers, np.float64), behind, prediction_training.best_power(runs))


def others(task: Task) -> list[str]:
    """Return the schedules but the constant one."""
    return [name for name in task.curves if name != "constant"]


def off(task: Task) -> dict[str, float]:
    """Return by how many doublings the measured ratio of each schedule is above the predicted."""
    return {name: task.measured(name) - task.predicted[name] for name in others(task)}


def regrets(task: Task, rule: Callable[[Task, str], float]) -> list[float]:
    """Return what each schedule loses at the peak of a rule, from the constant's best rate."""
    start = task.curves["constant"].best
    return [task.curves[name].regret(start + rule(task, name)) for name in others(task)]


def each(task: Task) -> str:
    """Return the table of a task, a row per schedule."""
    tolerance = TELL_APART[task.unit]
    start = task.curves["constant"].best
    lines = [
        f"| schedule | predicted | measured | as good as the best | off by | regret, {task.unit} "
        "| at the same peak |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, wrong in off(task).items():
        curve = task.curves[name]
        low, high = (2 ** (power - start) for power in curve.as_good(tolerance))
        lines.append(
            f"| {name} | {2 ** task.predicted[name]:.1f} | {2 ** task.measured(name):.1f} "
            f"| {low:.2g} to {high:.2g} | x{2 ** abs(wrong):.1f}{' up' if wrong > 0 else ' down'} "
            f"| {curve.regret(start + task.predicted[name]):.2f} | {curve.regret(start):.2f} |"
        )
    return "\n".join(lines)


def overview(tasks: Sequence[Task]) -> str:
    """Return how far off the prediction is on each task, and what following each rule costs."""
    lines = [
        "| task | best constant rate | off by, median | at worst | correlation | predicted as good "
        "as the best |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for task in tasks:
        wrong = off(task)
        worst = max(wrong, key=lambda name: abs(wrong[name]))
        typical = float(np.median(np.abs(list(wrong.values()))))
        pairs = [(task.predicted[name], task.measured(name)) for name in others(task)]
        told = float(np.corrcoef(np.array(pairs).T)[0, 1])
        start, tolerance = task.curves["constant"].best, TELL_APART[task.unit]
        inside = sum(
            task.curves[name].regret(start + task.predicted[name]) <= tolerance
            for name in others(task)
        )
        lines.append(
            f"| {task.name} | {2**start:.1f} times the suggested | x{2**typical:.1f} "
            f"| x{2 ** abs(wrong[worst]):.1f} ({worst}) | {told:.2f} "
            f"| {inside} of {len(wrong)} |"
        )
    return "\n".join(lines)


def rules(tasks: Sequence[Task]) -> str:
    """Return the table of what each rule loses, from the constant's best rate: mean and worst."""
    lines = [f"| peak | {' | '.join(f'{task.name}, {task.unit}' for task in tasks)} |"]
    lines.append("|---|" + "---:|" * len(tasks))
    for name, rule in RULES.items():
        cells = [regrets(task, rule) for task in tasks]
        shown = (f"{np.mean(cell):.2f} / {np.max(cell):.2f}" for cell in cells)
        lines.append(f"| {name} | {' | '.join(shown)} |")
    return "\n".join(lines)


def suggested(tasks: Sequence[Task]) -> str:
    """Return the same from the rate that the sweep suggests, and how far its search is."""
    lines = [f"| start | {' | '.join(f'{task.name}, {task.unit}' for task in tasks)} |"]
    lines.append("|---|" + "---:|" * len(tasks))
    for name in ("4x for `one_cycle`", "predicted", "4x"):
        shown = []
        for task in tasks:
            powers = {each_: RULES[name](task, each_) for each_ in others(task)}
            lost = [task.curves[each_].regret(power) for each_, power in powers.items()]
            far = [abs(task.curves[each_].best - power) for each_, power in powers.items()]
            shown.append(f"{np.mean(lost):.2f} / {np.max(lost):.2f}, {np.mean(far):.1f} doublings")
        lines.append(f"| {name} | {' | '.join(shown)} |")
    return "\n".join(lines)


ONE_CYCLE_STEPS = 1_000
"""The predicted ratio grows with the logarithm of the steps only: 2.6 for 500, 2.8 for 2,000."""


def recorded() -> str:
    """Return what the prediction would change for `one_cycle` on the finder's recorded tasks."""
    rates = lrlab.rates({"type": "one_cycle", "max_lr": 1.0}, ONE_CYCLE_STEPS, 1)
    ratio = lrlab.predicted_scale(rates) / lrlab.predicted_scale(np.ones(ONE_CYCLE_STEPS))
    lines = [
        "| tasks | measured ratio, median | half of them | `max_lr` (4x), points "
        f"| {ratio:.1f}x, points | regression, % |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    groups = finder.stored_tasks()
    for title in ("development", "held out"):
        tasks = [finder.read(one, {}) for one in groups[title]]
        of_best = [
            np.exp(task.grid[np.argmax(task.scores["one_cycle"])]
                   - task.grid[np.argmax(task.scores["constant"])])
            for task in tasks
        ]  # fmt: skip
        low, middle, high = np.percentile(of_best, [25, 50, 75])
        cells = []
        for regression in (False, True):
            lost = [_one_cycle(tasks, factor, regression=regression) for factor in (4.0, ratio)]
            cells.append([f"{np.mean(each_):.2f} / {np.max(each_):.2f}" for each_ in lost])
        lines.append(
            f"| {len(tasks)}, {title} | {middle:.1f} | {low:.1f} to {high:.1f} | {cells[0][0]} "
            f"| {cells[0][1]} | {' and '.join(cells[1])} |"
        )
    return "\n".join(lines)


def _one_cycle(tasks: Sequence[Any], factor: float, *, regression: bool) -> list[float]:
    return [
        finder.regret(task, "one_cycle", factor * task.found.steady_lr)
        for task in tasks
        if task.found.steady_lr is not None and task.regression == regression
    ]


def main() -> None:
    """Train what is asked for and missing; print the page."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--train", action="store_true", help="train what is missing")
    if parser.parse_args().train:
        os.nice(10)
        prediction_training.train_all(RUNS)
    stored = json.loads(RUNS.read_text())
    tasks = [read(name, of) for name, of in stored.items()]
    page = Path(__file__).with_name("prediction_page.txt").read_text()
    tables = {
        "overview": overview(tasks), "rules": rules(tasks), "suggested": suggested(tasks),
        "recorded": recorded(),
        "each": "\n\n".join(f"**{task.name}**\n\n{each(task)}" for task in tasks),
    }  # fmt: skip
    print(page.format(**tables).rstrip())


if __name__ == "__main__":
    main()
