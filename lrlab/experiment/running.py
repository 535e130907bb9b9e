"""Carry out the runs of a plan: reuse what is finished, train the rest side by side, keep each."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Protocol

from lrlab.config import Config
from lrlab.errors import Interrupted, ResultsError
from lrlab.experiment import environment, pool, resuming
from lrlab.experiment.preparation import prepare
from lrlab.experiment.resuming import Resumption
from lrlab.io import atomic
from lrlab.results import run as run_results
from lrlab.results import run_folder, standing
from lrlab.results.run import RunPlace, RunResult, Status, checkpoint_of
from lrlab.results.run_folder import RunData, RunOrigin
from lrlab.tasks.data import DataSource


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

    @cached_property
    def identity(self) -> str:
        """Hash of all that can change its result, the seed apart."""
        return run_results.identity(self.config.experiment, self.source.fingerprint)


class Report(Protocol):
    """What a comparison tells while it goes on; all calls come from one thread."""

    def warn(self, text: str) -> None:
        """Something that the user should know."""

    def note(self, text: str) -> None:
        """Something worth a line."""

    def waiting(self, text: str) -> Any:
        """Return a context manager around a wait."""

    def planned(self, to_train: Sequence[Run], reused: int, resumed: int, workers: int) -> Any:
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
        identity = run_results.identity(each.experiment, source.fingerprint)
        for seed in range(seeds):
            place = RunPlace(each.experiment.name, identity, seed)
            plan.append(Run(each, source, seed, place.folder(out)))
    return plan


def carry_out(
    plan: Sequence[Run],
    *,
    workers: int | None,
    fresh: bool,
    report: Report,
    keep_weights: bool = False,
    command: str | None = None,
) -> dict[Run, RunResult]:
    """Return the result of every run of the plan, trained as far as that is not done yet.

    Only for who holds the lock of the results directory.

    Args:
        plan: The runs.
        workers: Runs side by side; None: one a core.
        fresh: Train anew what is finished already, and from the start what was cut off.
        report: Told what happens.
        keep_weights: Whether the final weights are kept; runs that lack them are trained anew.
        command: The command line, for `run.json`.

    Raises:
        DataError: If a data set is damaged.
        ResultsError: If a damaged run cannot be set aside, or a folder leads out of the results'.
        Interrupted: On Ctrl-C; finished runs are kept, and the others go on where they were.
    """
    for parent in dict.fromkeys(run.folder.parent for run in plan):
        atomic.remove_parts(parent)
    results = {} if fresh else _finished(plan, keep_weights, report)
    to_train = sorted((run for run in plan if run not in results), key=_trace_order)
    for run in to_train if fresh else results:
        resuming.remove(run)
    if to_train:
        results |= _train(to_train, len(results), workers, report, keep_weights, command)
    return results


def _finished(plan: Sequence[Run], keep_weights: bool, report: Report) -> dict[Run, RunResult]:
    """Return the runs that need no training; damaged ones are set aside and trained anew."""
    results = {}
    for run in plan:
        stands = standing.verify(run.folder, RunPlace(run.name, run.identity, run.seed))
        if stands.damage:
            aside = atomic.set_aside(run.folder)
            reason = stands.damage[0].message
            report.warn(f"{reason}; the run is kept as `{aside}` and retrained")
        kept = stands.run
        if kept is None or kept.result.status is Status.FAILED:
            continue
        if kept.has_weights or not keep_weights:
            results[run] = kept.result
    return results


def _trace_order(run: Run) -> str:
    """Bring runs that can share a compiled trainer together, otherwise keep the order."""
    e = run.config.experiment
    return repr((run.source.fingerprint, e.model, e.optimizer, e.batch_size))


def _train(
    to_train: Sequence[Run],
    reused: int,
    workers: int | None,
    report: Report,
    keep_weights: bool,
    command: str | None,
) -> dict[Run, RunResult]:
    count = min(workers or pool.default_workers(len(to_train)), len(to_train))
    with report.waiting("Loading TensorFlow and the data"):
        tensors = prepare(run.source for run in to_train)
    made_in = environment.record()
    origin = RunOrigin(environment=made_in, command=command, workers=count)
    results: dict[Run, RunResult] = {}

    def done(index: int, outcome: Any) -> None:
        run = to_train[index]
        result = _kept(run, outcome, origin)
        results[run] = result
        report.finished(run, result)

    jobs = [
        pool.Job(run.config.experiment, run.source, partial(_work, run, made_in, keep_weights))
        for run in to_train
    ]
    resumed = sum(checkpoint_of(run.folder).exists() for run in to_train)
    try:
        with report.planned(to_train, reused, resumed, count):
            pool.carry_out(
                jobs,
                tensors,
                workers=count,
                on_progress=lambda p: report.progress(to_train[p.job], p),
                on_done=done,
                on_warning=lambda warned: report.warn(warned.text),
            )
    except KeyboardInterrupt:
        kept = reused + len(results)
        raise Interrupted(
            f"interrupted; {kept} of {reused + len(to_train)} runs are finished and kept",
            "the same command goes on where it was",
        ) from None
    return results


@dataclass(frozen=True)
class _Trained:
    """What a run gave, and how it came about, for `run.json`."""

    result: RunResult
    resumed_at: tuple[int, ...]
    earlier_environments: tuple[dict[str, Any], ...]


def _work(
    run: Run, made_in: dict[str, Any], keep_weights: bool, trainer: Any, stop: Any, told: pool.Told
) -> _Trained:
    from lrlab import training

    resumption = Resumption(run, made_in, told.warn)
    result = training.train_run(
        trainer,
        run.config.experiment,
        run.seed,
        stop=stop,
        on_progress=told.progress,
        checkpoint=resumption.find(lambda found: trainer.check(found.model, found.optimizer)),
        keep=resumption.keep,
        keep_weights=keep_weights,
    )
    return _Trained(result, tuple(resumption.resumed_at), tuple(resumption.earlier_environments))


def _kept(run: Run, outcome: _Trained | pool.Failure, origin: RunOrigin) -> RunResult:
    """Write what a run gave and return it as it reads back, so that a repeat shows the same.

    Where it cannot be written, the run has failed; its last checkpoint stays.
    """
    origin = replace(
        origin,
        identity=run.identity,
        seed=run.seed,
        config=run.config.experiment.model_dump(mode="json", exclude={"data"}),
        data=RunData(run.source.name, run.source.fingerprint),
        steps_per_epoch=run.steps_per_epoch,
    )
    if isinstance(outcome, pool.Failure):
        origin = replace(origin, traceback=outcome.trace)
        result = RunResult(Status.FAILED, error=outcome.error)
    else:
        origin = replace(
            origin,
            resumed_at=outcome.resumed_at,
            earlier_environments=outcome.earlier_environments,
        )
        result = outcome.result
    try:
        run_folder.write(run.folder, result, origin)
        kept = run_folder.read(run.folder)
        if result.status is not Status.FAILED:
            resuming.remove(run)
    except ResultsError as error:
        return RunResult(Status.FAILED, error=error.message)
    return result if kept is None else kept.result
