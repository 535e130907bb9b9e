"""Carry out the runs of a plan: reuse what is finished, train the rest side by side, keep each."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Protocol

from lrlab.config import Config
from lrlab.errors import Interrupted, ResultsError
from lrlab.experiment import environment, pool, resuming
from lrlab.experiment.preparation import prepare
from lrlab.experiment.resuming import Resumption
from lrlab.io import atomic
from lrlab.results import checkpoints, runs
from lrlab.results.runs import RunResult, Status
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
        return runs.identity(self.config.experiment, self.source.fingerprint)


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
        first = runs.folder(out, each.experiment, source.fingerprint, 0)
        for seed in range(seeds):
            plan.append(Run(each, source, seed, first.with_name(f"seed-{seed}")))
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
        try:
            found = _own(run)
        except ResultsError as error:
            aside = atomic.set_aside(run.folder)
            report.warn(f"{error.message}; it is kept as `{aside}` and trained anew")
            continue
        if found is None or found[0].status is Status.FAILED:
            continue
        if not keep_weights or runs.WEIGHTS in found[1]["sha256"]:
            results[run] = found[0]
    return results


def _own(run: Run) -> tuple[RunResult, dict[str, Any]] | None:
    """Return what the folder of a run holds, None without it.

    Raises:
        ResultsError: If it is damaged, or another run than its name says.
    """
    if run.folder.is_symlink():
        raise ResultsError(f"`{run.folder}` is a symbolic link")
    found = runs.read(run.folder)
    if found is None and run.folder.is_dir() and any(run.folder.iterdir()):
        raise ResultsError(f"`{run.folder}` holds files but no `run.json`")
    if found is not None:
        # Older versions did not state the identity.
        stated = (found[1].get("identity", run.identity), found[1].get("seed"))
        if stated != (run.identity, run.seed):
            raise ResultsError(f"`{run.folder}` holds another run: {stated[0]}, seed {stated[1]}")
    return found


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
    origin = {"environment": made_in, "command": command, "workers": count}
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
    resumed = sum(checkpoints.path_of(run.folder).exists() for run in to_train)
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
    history: dict[str, Any]


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
    history = {
        "resumed_at": resumption.resumed_at,
        "earlier_environments": resumption.earlier_environments,
    }
    return _Trained(result, history)


def _kept(run: Run, outcome: _Trained | pool.Failure, origin: dict[str, Any]) -> RunResult:
    """Write what a run gave and return it as it reads back, so that a repeat shows the same.

    Where it cannot be written, the run has failed; its last checkpoint stays.
    """
    about: dict[str, Any] = {
        "identity": run.identity,
        "seed": run.seed,
        "config": run.config.experiment.model_dump(mode="json", exclude={"data"}),
        "data": {"name": run.source.name, "fingerprint": run.source.fingerprint},
        "steps_per_epoch": run.steps_per_epoch,
        **origin,
    }
    if isinstance(outcome, pool.Failure):
        about["traceback"] = outcome.trace
        result = RunResult(Status.FAILED, error=outcome.error)
    else:
        about |= outcome.history
        result = outcome.result
    try:
        runs.write(run.folder, result, about)
        kept = runs.read(run.folder)
        if result.status is not Status.FAILED:
            resuming.remove(run)
    except ResultsError as error:
        return RunResult(Status.FAILED, error=error.message)
    return result if kept is None else kept[0]
