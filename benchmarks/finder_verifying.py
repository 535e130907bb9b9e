"""Trains the short runs that verify lrlab's suggestions for the tasks of `finder.py`.

The older tasks are trained by lrlab itself, as `find-lr --verify` does; those of other families
by the benchmark's own loop, which lrlab's search drives. What is stored of a run: doublings of the
suggestion, which of two seeds, validation loss and accuracy (null where it broke down).
"""

import functools
import json
import math
import queue
import threading
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
from lrlab.finder.verification import Trial

KINDS = {"constant": "steady_lr", "one_cycle": "max_lr"}
SEED = 200

Run = list[Any]


def guess_of(stored: dict[str, Any]) -> float:
    """Return the accuracy of guessing in a task, 0 in a regression."""
    if stored["data"] in finder_sets.REGRESSION:
        return 0.0
    return 1 / {"tabular": 5, "tokens": 8}.get(stored["data"], 10)


def found_in(stored: dict[str, Any]) -> Suggestion:
    """Return what lrlab suggests from a task's sweep."""
    losses = np.array(stored["loss_by_seed"], np.float64)
    return suggest(stored["lr"], losses, chance=stored.get("chance", math.log(10)))


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
    return None if factor is None else suggested * factor


def verify_all(path: Path, stored: Sequence[dict[str, Any]], data_dir: Path | None) -> None:
    """Train the short runs of all tasks that the file lacks or has for another suggestion."""
    done = json.loads(path.read_text()) if path.is_file() else {}
    for task in stored:
        found = found_in(task)
        if found.steady_lr is None or found.max_lr is None:
            continue
        start = {kind: float(f"{getattr(found, name):.5g}") for kind, name in KINDS.items()}
        before = done.get(task["name"], {})
        known = before if before.get("start") == start else {}
        began = time.perf_counter()
        runs, trained = searched(task, start, functools.partial(trainer, task, data_dir), known)
        seconds = round(time.perf_counter() - began) if trained else before.get("seconds", 0)
        done[task["name"]] = {"start": start, "seconds": seconds, **runs}
        text = ",\n".join(f"{json.dumps(name)}:{json.dumps(of)}" for name, of in done.items())
        path.write_text("{" + text + "}\n")
        if trained:
            print(f"{task['name']}: {trained} runs, {seconds} s", flush=True)


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


def trainer(task: dict[str, Any], data_dir: Path | None) -> Train:
    """Return what trains the short runs of a task."""
    if task.get("epochs") is not None:
        return family_trainer(task, data_dir)
    return own_trainer(task, data_dir)


def family_trainer(task: dict[str, Any], data_dir: Path | None) -> Train:
    """Return the training loop of the other families."""
    what = finder_families.Task(**{key: task[key] for key in finder_families.Task._fields})
    data = finder_sets.arrays(what.data, data_dir)
    steps = min(finder_loop.steps_of(what, data), verification.MOST_STEPS)
    loops = [finder_loop.Loop(what, data) for _ in range(2)]

    def train(jobs: list[tuple[str, float, int]]) -> list[tuple[float | None, float | None]]:
        waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
        for number in range(len(jobs)):
            waiting.put(number)
        given: dict[int, tuple[float | None, float | None]] = {}

        def work(loop: finder_loop.Loop) -> None:
            while True:
                try:
                    number = waiting.get_nowait()
                except queue.Empty:
                    return
                kind, lr, seed = jobs[number]
                given[number] = loop.run(finder_loop.run_rates(kind, lr, steps), SEED + seed)

        threads = [threading.Thread(target=work, args=(loop,)) for loop in loops]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return [given[number] for number in range(len(jobs))]

    return train


def own_trainer(task: dict[str, Any], data_dir: Path | None) -> Train:
    """Return lrlab's own training, of runs as long as those of the truth."""
    from lrlab.experiment.executors.threads import Threads, default_workers
    from lrlab.experiment.preparation import prepare
    from lrlab.schedules import Length, rates
    from lrlab.tasks import data
    from lrlab.training.jobs import ShortJob

    what = finder_training.Task(**{key: task[key] for key in finder_training.Task._fields})
    source = data.resolve(what.data, data_dir)
    setup = finder_training.setup(what, source)
    length = setup.length(finder_training.EPOCHS)
    length = Length(min(length.steps, verification.MOST_STEPS), 1)
    engines = _prepared(source, prepare)
    executor = Threads(engines, default_workers(verification.MOST_RUNS))

    def train(jobs: list[tuple[str, float, int]]) -> list[tuple[float | None, float | None]]:
        short = []
        for kind, lr, seed in jobs:
            key = {"constant": "lr", "one_cycle": "max_lr"}[kind]
            schedule = finder_training.schedule_of(kind, key, lr)
            short.append(ShortJob(setup, rates(schedule, length), SEED + seed))
        scores = executor.results(short)
        return [
            (round(score.loss, 5), round(score.score, 5)) if score else (None, None)
            for score in scores
        ]

    return train


_ENGINES: dict[Any, Any] = {}


def _prepared(source: Any, prepare: Callable[[Any], Any]) -> Any:
    if source not in _ENGINES:
        _ENGINES[source] = prepare([source])
    return _ENGINES[source]
