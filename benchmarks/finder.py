"""How good lrlab's learning rates are: what they lose against the best rate of a grid.

    python benchmarks/finder.py [--train | --verify [--only NAME]] [--data-dir DIR]

The regret of a rate is the best validation accuracy on a task's grid of rates less the accuracy at
that rate, in percentage points; in a regression by how many percent its loss is above the best
one's. What a rate gives is measured, or else interpolated over its logarithm. Development tasks are
a shared file, named by LRLAB_FINDER_TASKS or `../shared/finder/tasks.json` beside the checkout;
those of `finder_tasks.json`, held out until version 0.1; and those of `finder_families.json` but
for the tasks held out, on which no rule was tuned. Nothing is trained, but that `--train` makes
missing tasks of `finder_tasks.json` (`finder_families.py` makes the others), and `--verify` what is
missing in `finder_verified.json`: short runs, and whole ones at the rates that they lead to.
"""

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import finder_families
import finder_loop
import finder_sets
import finder_training
import finder_verifying
import numpy as np
from finder_verifying import KINDS
from peer_rules import RULES, Floats

from lrlab.finder.suggestion import Suggestion, suggest

HERE = Path(__file__).parent
TASKS = HERE / "finder_tasks.json"
FAMILIES = finder_families.STORED
VERIFIED = HERE / "finder_verified.json"

COLLAPSE = 0.5
"""Share of the way from a guess to the best rate; a rate that reaches less has collapsed."""

INTRODUCTION = """# How good the suggested learning rates are

Made by `python benchmarks/finder.py > benchmarks/finder.md`; that script says how.

Regret: the best validation accuracy on a task's grid of rates less the accuracy at the suggested
rate, in percentage points, mean / largest; in a regression the loss over the best one's, in
percent, in a table's last column and in no mean of points. A collapse is a rate at which training
reaches less than half of what lies between a guess and the best rate. `constant` judges
`steady_lr`, `1cycle peak` judges `max_lr`; the other libraries give one number for both. They see
the same sweeps, of 200 to 500 steps from 1e-6 to 10, one seed at a time, and smooth, stop and cut
them as they define it; their own defaults are 100 steps and other ranges, which matters most to
`slide` and to Lightning's slope over the rate.

The truth of the older 21 tasks is 2 epochs at each of 12 rates with one seed, a factor of 3.16
apart: differences under 0.3 points are noise. That of the 28 others is 5 or 20 epochs at each of 20
rates with two seeds, a factor of 2 apart; of those held out with four seeds near the best rate.
What a verified or a suggested rate gives is trained at that very rate, with the truth's seeds, and
interpolated over the logarithm of the rate only where that is missing. Since the best of many noisy
rates looks better than it is, a regret is rather too high.

Verified rates come from at most 14 runs of the task's own length, or of 4,000 steps, with seeds
that neither the sweep nor the truth has used; `find-lr --verify` does the same, and `auto` in a
config does it for the config's own schedule.

The tasks held out were chosen before any of them was trained. Rule and search were made with the
development tasks alone, among them 17 that were held out from earlier versions. The tasks held out
were then looked at once, and nothing was changed afterwards.

How to read the worst cases. On `mlp, spirals, 1024` a run has 180 steps and wants a rate that would
be too high for a long one; the sweep does not know that, the verification does. On `conv_bn,
fashion, 512, adamw` a run has 95 steps, in which the moving averages of BatchNorm do not settle:
the best rate of all reaches 47 %, and seeds differ by 10 points and more. In a regression the loss
goes on falling after the sweep has seen 95 % of the fall, so that the sweep's numbers are low: 26 %
more than the least loss on `mlp, friedman, 32` are 1.4 % of the variance.
"""


class Task(NamedTuple):
    """A task with its sweeps, its truth, and what lrlab says of it.

    `scores` are accuracies in points, of a regression -100 times the loss over the best loss, at
    each rate of the grid, for each kind of schedule; `measured` has those at other rates, in words;
    `guess` is a guess's score.
    """

    name: str
    regression: bool
    lr: Floats
    losses: Floats
    chance: float
    perfect: float | None
    grid: Floats
    scores: dict[str, Floats]
    guess: dict[str, float]
    found: Suggestion
    verified: dict[str, float | None]
    measured: dict[str, dict[str, float]]
    runs: int

    def suggested(self, kind: str) -> float | None:
        """Return the sweep's suggestion for a kind of schedule."""
        value: float | None = getattr(self.found, KINDS[kind])
        return value


def main() -> None:
    """Train what is asked for and missing; print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--train", action="store_true", help="train missing older tasks")
    parser.add_argument("--verify", action="store_true", help="train missing short runs")
    parser.add_argument("--only", default="", help="with --verify: tasks whose name contains it")
    parser.add_argument("--workers", type=int, default=2, help="runs of a family side by side")
    folder = os.environ.get("LRLAB_DATA_DIR")
    parser.add_argument("--data-dir", type=Path, default=Path(folder) if folder else None)
    arguments = parser.parse_args()
    if arguments.train:
        finder_training.train_all(TASKS, arguments.data_dir)
    groups = stored_tasks()
    if arguments.verify:
        finder_loop.prepare()
        stored = [task for of in groups.values() for task in of if arguments.only in task["name"]]
        finder_verifying.verify_all(VERIFIED, stored, arguments.data_dir, arguments.workers)
    verified = json.loads(VERIFIED.read_text()) if VERIFIED.is_file() else {}
    tasks = {title: [read(one, verified) for one in of] for title, of in groups.items()}
    print(INTRODUCTION)
    for title, group in tasks.items():
        print(summary(title, group))
    for title, group in tasks.items():
        print(f"\n## {len(group)} tasks, {title}\n\n{regrets(group)}\n\n{each(group)}")


def stored_tasks() -> dict[str, list[dict[str, Any]]]:
    """Return the stored tasks: those held out, those of development."""
    families = json.loads(FAMILIES.read_text())
    held_out = {task.name for task in finder_families.HELD_OUT}
    return {
        "held out": [one for one in families if one["name"] in held_out],
        "development": [
            *shared_tasks(),
            *json.loads(TASKS.read_text()),
            *(one for one in families if one["name"] not in held_out),
        ],
    }


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
    of_task = verified.get(stored["name"], {})
    if "truth" not in of_task:  # Runs of an earlier search, which this one may go on from.
        of_task = {}
    at = of_task.get("truth", {kind: {} for kind in KINDS})
    truth = {kind: np.array([score(stored, runs) for runs in stored[kind]]) for kind in KINDS}
    measured = {kind: {lr: score(stored, runs) for lr, runs in at[kind].items()} for kind in KINDS}
    regression = stored["data"] in finder_sets.REGRESSION
    guess = dict.fromkeys(KINDS, 100 * finder_verifying.guess_of(stored))
    chance = stored.get("chance", float(np.log(10)))
    if regression:
        for kind in KINDS:
            percent = 100 / -truth[kind].max()
            truth[kind] = percent * truth[kind]
            measured[kind] = {lr: percent * value for lr, value in measured[kind].items()}
            guess[kind] = -percent * chance
    return Task(
        name=stored["name"],
        regression=regression,
        lr=np.array(stored["lr"]),
        losses=np.array(stored["loss_by_seed"], np.float64),
        chance=chance,
        perfect=None if regression else 0.0,
        grid=np.log(stored["grid"]),
        scores=truth,
        guess=guess,
        found=finder_verifying.found_in(stored),
        verified={
            kind: finder_verifying.verified_rate(stored, of_task["start"][kind], of_task[kind])
            if of_task
            else None
            for kind in KINDS
        },
        measured=measured,
        runs=max((len(of_task[kind]) for kind in KINDS if of_task), default=0),
    )


def score(stored: dict[str, Any], runs: Any) -> float:
    """Return the score at a rate, the mean over its runs, a guess's where one broke down."""
    if isinstance(runs, dict):
        runs = [[runs["val_loss"], runs["val_accuracy"]]]
    if stored["data"] in finder_sets.REGRESSION:
        return float(np.mean([-(stored["chance"] if run[0] is None else run[0]) for run in runs]))
    guess = finder_verifying.guess_of(stored)
    return float(np.mean([100 * (guess if run[1] is None else run[1]) for run in runs]))


def regret(task: Task, kind: str, lr: float) -> float:
    """Return what is lost at a rate, in points of accuracy or percent of the loss.

    That of a rate that was measured is not interpolated; one above the grid's best loses nothing.
    """
    scores = task.scores[kind]
    at = task.measured[kind].get(f"{lr:.3g}")
    if at is None:
        at = float(np.interp(np.log(lr), task.grid, scores))
    return max(float(scores.max()) - at, 0.0)


def collapsed(task: Task, kind: str, lr: float) -> bool:
    """Return whether training at a rate reaches little more than a guess."""
    best = task.scores[kind].max()
    return regret(task, kind, lr) > COLLAPSE * (best - task.guess[kind])


Said = Sequence[Sequence[float | None]]
"""For each task the rates that a rule gives; None: it gives no number."""


def said_by(tasks: Sequence[Task], kind: str) -> dict[str, Said]:
    """Return what every rule says for a kind of schedule."""
    said: dict[str, Said] = {
        "lrlab, verified": [[task.verified[kind]] for task in tasks],
        "lrlab, 3 seeds": [[task.suggested(kind)] for task in tasks],
        "lrlab, each seed alone": [
            [
                getattr(
                    suggest(task.lr, losses, chance=task.chance, perfect=task.perfect), KINDS[kind]
                )
                for losses in task.losses
            ]
            for task in tasks
        ],
    }
    for name, rule in RULES.items():
        said[name] = [[rule(task.lr, losses) for losses in task.losses] for task in tasks]
    return said


def lost(tasks: Sequence[Task], said: Said, kind: str, *, regression: bool) -> list[float]:
    """Return the regrets of all numbers, of regressions or of the others."""
    return [
        regret(task, kind, lr)
        for task, rates in zip(tasks, said, strict=True)
        for lr in rates
        if lr is not None and task.regression == regression
    ]


def summary(title: str, tasks: Sequence[Task]) -> str:
    """Return what came out over a group of tasks, in sentences, the worst case named."""
    lines = [f"**{len(tasks)} tasks, {title}.**"]
    for name, aim, of in (
        ("Verified", "0.3 and 1.0", lambda task, kind: task.verified[kind]),
        ("Not verified", "0.6, no collapse", lambda task, kind: task.suggested(kind)),
    ):
        found = [
            (regret(task, kind, lr), task, kind, lr)
            for task in tasks
            for kind in KINDS
            if not task.regression and (lr := of(task, kind)) is not None
        ]
        if not found:
            continue
        worst, task, kind, _ = max(found, key=lambda each: each[0])
        points = [each[0] for each in found]
        fallen = sum(collapsed(task, kind, lr) for _, task, kind, lr in found)
        lines.append(
            f"{name}: {worst:.2f} points at worst (`{KINDS[kind]}` on {task.name}), "
            f"{np.mean(points):.2f} on average, {np.median(points):.2f} in the median of "
            f"{len(points)} numbers; collapses: {fallen} (aim: mean {aim})."
        )
    silent = [task.name for task in tasks if task.found.steady_lr is None]
    if silent:
        lines.append(f"No number: {'; '.join(silent)}.")
    spreads = [task.found.spread for task in tasks if task.found.spread is not None]
    near = sum(spread <= 2 for spread in spreads)
    lines.append(f"Single seeds agree within a factor of 2 on {near} of {len(spreads)} tasks.")
    return "\n".join(lines) + "\n"


def regrets(tasks: Sequence[Task]) -> str:
    """Return the table of all rules: mean and largest regret, collapses, silence."""
    said = {kind: said_by(tasks, kind) for kind in KINDS}
    lines = [
        "| rule | constant | collapses | 1cycle peak | collapses | no number | regression, % |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name in said["constant"]:
        cells = []
        for kind in KINDS:
            cells.append(cell(lost(tasks, said[kind][name], kind, regression=False)))
            fallen = [
                collapsed(task, kind, lr)
                for task, rates in zip(tasks, said[kind][name], strict=True)
                for lr in rates
                if lr is not None
            ]
            cells.append(f"{sum(fallen)} of {len(fallen)}")
        both = [rates for of in said.values() for rates in of[name]]
        silent = sum(lr is None for rates in said["constant"][name] for lr in rates)
        cells.append(f"{silent} of {sum(map(len, both)) // len(KINDS)}")
        percent = [lost(tasks, of[name], kind, regression=True) for kind, of in said.items()]
        cells.append(cell(percent[0] + percent[1]))
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def cell(values: Sequence[float]) -> str:
    """Return mean and largest regret."""
    return f"{np.mean(values):.2f} / {np.max(values):.2f}" if values else "-"


def each(tasks: Sequence[Task]) -> str:
    """Return the table of lrlab's suggestions, a row a task."""
    lines = [
        "| task | verdict | spread | steady_lr | regret | verified | regret "
        "| max_lr | regret | verified | regret | runs |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for task in tasks:
        spread = "-" if task.found.spread is None else f"{task.found.spread:.2f}"
        cells = [task.name, task.found.verdict.value, spread]
        for kind in KINDS:
            for lr in (task.suggested(kind), task.verified[kind]):
                percent = " %" if task.regression else ""
                cells += (
                    ["-", "-"]
                    if lr is None
                    else [f"{lr:.2g}", f"{regret(task, kind, lr):.2f}{percent}"]
                )
        lines.append(f"| {' | '.join([*cells, str(task.runs or '-')])} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
