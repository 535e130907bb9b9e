"""Trains the short runs that verify lrlab's suggestions for the tasks of `finder.py`.

The older tasks are trained by lrlab itself, as `find-lr --verify` does; those of other families
by the benchmark's own loop, which lrlab's search drives. What is stored of a run: doublings of the
suggestion, which of two seeds, validation loss and accuracy (null where it broke down). With them
is stored what whole runs give at the suggested and at the verified rate, with the truth's seeds.
"""

import functools
import json
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import finder_families
import finder_loop
import finder_sets
import finder_training
import numpy as np

from lrlab.finder import verification
from lrlab.finder.suggestion import Suggestion, suggest
from lrlab.finder.trials import Trial

KINDS = {"constant": "steady_lr", "one_cycle": "max_lr"}
SEED = 200

Run = list[Any]


def guess_of(stored: dict[str, Any]) -> float:
    """Return the accuracy of guessing in a task, 0 in a regression."""
    if stored["data"] in finder_sets.REGRESSION:
        return 0.0
    guess: float = stored.get("guess", 1 / {"tabular": 5, "tokens": 8}.get(stored["data"], 10))
    return guess


def found_in(stored: dict[str, Any]) -> Suggestion:
    """Return what lrlab suggests from a task's sweep."""
    losses = np.array(stored["loss_by_seed"], np.float64)
    perfect = None if stored["data"] in finder_sets.REGRESSION else 0.0
    chance = stored.get("chance", math.log(10))
    return suggest(stored["lr"], losses, chance=chance, perfect=perfect)


def results_of(stored: dict[str, Any], runs: Sequence[Run]) -> dict[Trial, float | None]:
    """Return stored runs as lrlab's search takes them, in a regression by the loss alone.

    A run has survived if it is better than a guess: by 1.1 times its accuracy, as validation sets
    are small; in a regression by its loss.
    """
    regression = stored["data"] in finder_sets.REGRESSION

    def error(loss: float | None, accuracy: float | None) -> float | None:
        if loss is None or accuracy is None:
            return None
        if regression:
            return loss if loss < stored["chance"] else None
        if accuracy <= 1.1 * guess_of(stored):
            return None
        return verification.error_of(loss, accuracy)

    return {Trial(step, seed): error(loss, accuracy) for step, seed, loss, accuracy in runs}


def verified_rate(stored: dict[str, Any], suggested: float, runs: Sequence[Run]) -> float | None:
    """Return the rate that stored runs lead to."""
    factor = verification.refined(results_of(stored, runs))
    return None if factor is None else rounded(suggested * factor)


def rounded(rate: float) -> float:
    """Return a rate as lrlab states it."""
    return float(f"{rate:.3g}")


def verify_all(
    path: Path, stored: Sequence[dict[str, Any]], data_dir: Path | None, workers: int
) -> None:
    """Train what the file lacks or has for another suggestion: short runs, then whole ones."""
    done = json.loads(path.read_text()) if path.is_file() else {}
    for task in stored:
        found = found_in(task)
        if found.steady_lr is None or found.max_lr is None:
            continue
        start = {kind: float(f"{getattr(found, name):.5g}") for kind, name in KINDS.items()}
        before = done.get(task["name"], {})
        known = before if before.get("start") == start else {}
        began = time.perf_counter()
        make = functools.partial(trainer, task, data_dir, workers)
        runs, trained = searched(task, start, make, known)
        seconds = round(time.perf_counter() - began) if trained else before.get("seconds", 0)
        truth, measured = truth_of(task, start, runs, known.get("truth", {}), data_dir, workers)
        done[task["name"]] = {"start": start, "seconds": seconds, **runs, "truth": truth}
        text = ",\n".join(f"{json.dumps(name)}:{json.dumps(of)}" for name, of in done.items())
        path.write_text("{" + text + "}\n")
        if trained + measured:
            print(f"{task['name']}: {trained} + {measured} runs, {seconds} s", flush=True)


Truth = dict[str, dict[str, list[Run]]]
"""For each schedule, at rates in words, validation loss and accuracy of whole runs."""


def truth_of(
    task: dict[str, Any],
    start: dict[str, float],
    runs: dict[str, list[Run]],
    known: Truth,
    data_dir: Path | None,
    workers: int,
) -> tuple[Truth, int]:
    """Return what whole runs give at the suggested and verified rates, and how many were new."""
    wanted = [
        (kind, lr)
        for kind in KINDS
        for lr in (rounded(start[kind]), verified_rate(task, start[kind], runs[kind]))
        if lr is not None
    ]
    missing = [(kind, lr) for kind, lr in wanted if f"{lr:.3g}" not in known.get(kind, {})]
    found = {(kind, lr): known[kind][f"{lr:.3g}"] for kind, lr in {*wanted} - {*missing}}
    if missing:
        found |= whole_runs(task, list(dict.fromkeys(missing)), data_dir, workers)
    of_kind = {kind: [lr for of, lr in wanted if of == kind] for kind in KINDS}
    truth = {
        kind: {f"{lr:.3g}": found[kind, lr] for lr in rates} for kind, rates in of_kind.items()
    }
    return truth, len(missing)


def whole_runs(
    task: dict[str, Any], asked: list[tuple[str, float]], data_dir: Path | None, workers: int
) -> dict[tuple[str, float], list[Run]]:
    """Return what the truth's runs give at other rates than those of its grid."""
    if task.get("epochs") is not None:
        seeds = range(max(len(runs) for kind in KINDS for runs in task[kind]))
        return finder_families.trained(_loops(task, data_dir, workers), asked, seeds)
    setup, engines = _own(task, data_dir)
    ends = finder_training.ended(setup, engines, asked)
    return {
        each: [[end["val_loss"], end["val_accuracy"]]]
        for each, end in zip(asked, ends, strict=True)
    }


Train = Callable[[list[tuple[str, float, int]]], list[tuple[float | None, float | None]]]
"""Trains (schedule, rate, seed) side by side; gives validation loss and accuracy."""


def searched(
    task: dict[str, Any],
    start: dict[str, float],
    make: Callable[[], Train],
    known: dict[str, list[Run]],
) -> tuple[dict[str, list[Run]], int]:
    """Return the runs that the search asks for, and how many had to be trained.

    Both schedules are searched side by side; runs that are known are not trained again.
    """
    runs: dict[str, list[Run]] = {kind: [] for kind in KINDS}
    before = {(kind, *run[:2]): run[2:] for kind in KINDS for run in known.get(kind, [])}
    train, trained = None, 0
    while asked := [
        (kind, trial)
        for kind in KINDS
        for trial in verification.proposals(results_of(task, runs[kind]))
    ]:
        missing = [(kind, trial) for kind, trial in asked if (kind, *trial) not in before]
        if missing:
            train = train or make()
            trained += len(missing)
            given = train([(kind, start[kind] * t.factor, t.seed) for kind, t in missing])
            for (kind, trial), result in zip(missing, given, strict=True):
                before[kind, *trial] = list(result)
        for kind, trial in asked:
            runs[kind].append([*trial, *before[kind, *trial]])
    return runs, trained


def trainer(task: dict[str, Any], data_dir: Path | None, workers: int) -> Train:
    """Return what trains the short runs of a task."""
    if task.get("epochs") is not None:
        return family_trainer(task, data_dir, workers)
    return own_trainer(task, data_dir)


def family_trainer(task: dict[str, Any], data_dir: Path | None, workers: int) -> Train:
    """Return the training loop of the other families."""
    loops = _loops(task, data_dir, workers)
    steps = min(finder_loop.steps_of(loops[0].task, loops[0].data), verification.MOST_STEPS)

    def run(job: tuple[str, float, int], loop: finder_loop.Loop) -> Any:
        kind, lr, seed = job
        return loop.run(finder_loop.run_rates(kind, lr, steps), SEED + seed)

    def train(jobs: list[tuple[str, float, int]]) -> list[tuple[float | None, float | None]]:
        asked = {job: functools.partial(run, job) for job in jobs}
        found = finder_loop.side_by_side(loops, asked)
        return [found[job] for job in jobs]

    return train


def _loops(task: dict[str, Any], data_dir: Path | None, workers: int) -> list[finder_loop.Loop]:
    what = finder_families.Task(**{key: task[key] for key in finder_families.Task._fields})
    data = finder_sets.arrays(what.data, data_dir)
    return [finder_loop.Loop(what, data) for _ in range(workers)]


def own_trainer(task: dict[str, Any], data_dir: Path | None) -> Train:
    """Return lrlab's own training, of runs as long as those of the truth."""
    from lrlab.experiment.executors.threads import Threads, default_workers
    from lrlab.schedules import Length, rates
    from lrlab.training.jobs import ShortJob

    setup, engines = _own(task, data_dir)
    length = setup.length(finder_training.EPOCHS)
    length = Length(min(length.steps, verification.MOST_STEPS), 1)
    executor = Threads(engines, default_workers(verification.MOST_RUNS))

    def train(jobs: list[tuple[str, float, int]]) -> list[tuple[float | None, float | None]]:
        short = []
        for kind, lr, seed in jobs:
            schedule = finder_training.schedule_of(kind, lr)
            short.append(ShortJob(setup, rates(schedule, length), SEED + seed))
        scores = executor.results(short)
        return [
            (round(score.loss, 5), round(score.score, 5)) if score else (None, None)
            for score in scores
        ]

    return train


def _own(task: dict[str, Any], data_dir: Path | None) -> tuple[Any, Any]:
    """Return an older task as lrlab trains it, and the engines on its data."""
    from lrlab.tasks import data

    what = finder_training.Task(**{key: task[key] for key in finder_training.Task._fields})
    source = data.resolve(what.data, data_dir)
    return finder_training.setup(what, source), _engines(source)


@functools.cache
def _engines(source: Any) -> Any:
    from lrlab.experiment.preparation import prepare

    return prepare([source])
