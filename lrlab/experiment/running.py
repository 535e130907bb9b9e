"""Carry out the runs of a plan: reuse what is finished, train the rest side by side, keep each."""

import functools
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from lrlab import files, runs
from lrlab.config import Config
from lrlab.data import DataSource
from lrlab.errors import Interrupted, ResultsError
from lrlab.experiment import environment, pool
from lrlab.experiment.preparation import prepare
from lrlab.runs import RunResult, Status


@dataclass(frozen=True, eq=False)
class Run:
    """One run of the plan: an experiment with a seed, and where it is kept."""

    config: Config
    source: DataSource
    seed: int
    folder: Path

    @property
    def name(self) -> str:
        """Name of the experiment."""
        return self.config.experiment.name

    @property
    def epochs(self) -> int:
        """Epochs of the run."""
        return self.config.experiment.epochs

    @property
    def steps_per_epoch(self) -> int:
        """Steps an epoch; the last batch may be smaller."""
        return self.source.steps_per_epoch(self.config.experiment.batch_size)

    @property
    def steps(self) -> int:
        """Steps of the whole run."""
        return self.steps_per_epoch * self.epochs


class Report(Protocol):
    """What a comparison tells while it goes on; all calls come from one thread."""

    def warn(self, text: str) -> None:
        """Something that the user should know."""

    def note(self, text: str) -> None:
        """Something worth a line."""

    def waiting(self, text: str) -> Any:
        """Return a context manager around a wait."""

    def planned(self, to_train: Sequence[Run], reused: int, workers: int) -> Any:
        """Return a context manager around the training of these runs."""

    def progress(self, run: Run, progress: pool.Progress) -> None:
        """A run has gone on."""

    def finished(self, run: Run, result: RunResult) -> None:
        """A run has ended."""


def plan_runs(
    configs: Sequence[Config], resolved: dict[str, DataSource], seeds: int, out: Path
) -> list[Run]:
    """Return every run: each experiment with each seed."""
    plan = []
    for each in configs:
        source = resolved[each.experiment.data]
        for seed in range(seeds):
            folder = runs.folder(out, each.experiment, source.fingerprint, seed)
            plan.append(Run(each, source, seed, folder))
    return plan


def carry_out(
    plan: Sequence[Run], *, workers: int | None, fresh: bool, report: Report
) -> dict[Run, RunResult]:
    """Return the result of every run of the plan, trained as far as that is not done yet.

    Args:
        plan: The runs.
        workers: Runs side by side; None: one a core.
        fresh: Train anew what is finished already.
        report: Told what happens.

    Raises:
        DataError: If a data set is damaged.
        ResultsError: If a damaged run cannot be set aside.
        Interrupted: On Ctrl-C; finished runs are kept.
    """
    results = {} if fresh else _finished(plan, report)
    to_train = sorted((run for run in plan if run not in results), key=_trace_order)
    if to_train:
        results |= _train(to_train, len(results), workers, report)
    return results


def _finished(plan: Sequence[Run], report: Report) -> dict[Run, RunResult]:
    """Return the runs that need no training; damaged ones are set aside and trained anew."""
    results = {}
    for run in plan:
        try:
            found = runs.read(run.folder)
        except ResultsError as error:
            aside = _set_aside(run.folder)
            report.warn(f"{error.message}; it is kept as `{aside}` and trained anew")
            continue
        if found is not None and found[0].status is not Status.FAILED:
            results[run] = found[0]
    return results


def _set_aside(folder: Path) -> Path:
    """Move a damaged run out of the way, where its owner can still look at it."""
    aside = folder.with_name(f"{folder.name}.damaged")
    try:
        shutil.rmtree(aside, ignore_errors=True)
        folder.replace(aside)
    except OSError as error:
        raise files.unwritable(folder, error) from error
    return aside


def _trace_order(run: Run) -> str:
    """Bring runs that can share a compiled trainer together, otherwise keep the order."""
    e = run.config.experiment
    return repr((run.source.fingerprint, e.model, e.optimizer, e.batch_size))


def _train(
    to_train: Sequence[Run], reused: int, workers: int | None, report: Report
) -> dict[Run, RunResult]:
    count = min(workers or pool.default_workers(len(to_train)), len(to_train))
    with report.waiting("Loading TensorFlow and the data"):
        tensors = prepare(run.source for run in to_train)
    made_in = environment.record()
    results: dict[Run, RunResult] = {}

    def done(index: int, outcome: Any) -> None:
        run = to_train[index]
        result = _kept(run, outcome, made_in)
        results[run] = result
        report.finished(run, result)

    jobs = [
        pool.Job(run.config.experiment, run.source, functools.partial(_work, run))
        for run in to_train
    ]
    try:
        with report.planned(to_train, reused, count):
            pool.carry_out(
                jobs,
                tensors,
                workers=count,
                on_progress=lambda p: report.progress(to_train[p.job], p),
                on_done=done,
            )
    except KeyboardInterrupt:
        kept = reused + len(results)
        raise Interrupted(
            f"interrupted; {kept} of {reused + len(to_train)} runs are finished and kept",
            "the same command goes on with the others",
        ) from None
    return results


def _work(run: Run, trainer: Any, stop: Any, progress: Callable[..., None]) -> RunResult:
    from lrlab import training

    return training.train_run(
        trainer, run.config.experiment, run.seed, stop=stop, on_progress=progress
    )


def _kept(run: Run, outcome: RunResult | pool.Failure, made_in: dict[str, Any]) -> RunResult:
    """Write what a run gave and return it as it reads back, so that a repeat shows the same.

    Where it cannot be written, the run has failed.
    """
    about: dict[str, Any] = {
        "seed": run.seed,
        "config": run.config.experiment.model_dump(mode="json", exclude={"data"}),
        "data": {"name": run.source.name, "fingerprint": run.source.fingerprint},
        "steps_per_epoch": run.steps_per_epoch,
        "environment": made_in,
    }
    if isinstance(outcome, pool.Failure):
        about["traceback"] = outcome.trace
        outcome = RunResult(Status.FAILED, error=outcome.error)
    try:
        runs.write(run.folder, outcome, about)
        kept = runs.read(run.folder)
    except ResultsError as error:
        return RunResult(Status.FAILED, error=error.message)
    return outcome if kept is None else kept[0]
