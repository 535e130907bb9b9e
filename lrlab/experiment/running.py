"""Carry out the runs of a plan: reuse what is finished, train the rest side by side, keep each.

Only the driver, the thread that calls `carry_out`, reads and writes the results directory.
"""

from collections.abc import Sequence
from itertools import chain
from typing import Any

from lrlab.errors import Interrupted, ResultsError
from lrlab.experiment import environment, resuming
from lrlab.experiment.executors.executor import MakeExecutor
from lrlab.experiment.executors.threads import Threads, default_workers
from lrlab.experiment.planning import Run
from lrlab.experiment.preparation import prepare
from lrlab.experiment.resuming import Resumption
from lrlab.io import atomic
from lrlab.reporter import Reporter
from lrlab.results import runs
from lrlab.results.checkpoints import Checkpoint
from lrlab.results.runs import RunResult, Status
from lrlab.tasks.setup import Setup
from lrlab.training.jobs import Event, Failure, Progress, Refused, Result, RunJob


def carry_out(
    plan: Sequence[Run],
    *,
    workers: int | None,
    fresh: bool,
    report: Reporter,
    keep_weights: bool = False,
    command: str | None = None,
    executor: MakeExecutor = Threads,
) -> dict[Run, RunResult]:
    """Return the result of every run of the plan, trained as far as that is not done yet.

    Only for who holds the lock of the results directory.

    Args:
        plan: The runs.
        workers: Runs side by side; None: one per core.
        fresh: Retrain what is finished, and start over what was cut off.
        report: Told what happens.
        keep_weights: Whether the final weights are kept; runs that lack them are retrained.
        command: The command line, for `run.json`.
        executor: Carries out the training.

    Raises:
        DataError: If a data set is damaged.
        ResultsError: If a damaged run cannot be set aside, or a folder leads out of the results'.
        Interrupted: On Ctrl-C; finished runs are kept, and the others go on where they were.
    """
    for parent in dict.fromkeys(run.folder.parent for run in plan):
        atomic.remove_parts(parent)
    results = {} if fresh else _finished(plan, keep_weights, report)
    to_train = _by_setup([run for run in plan if run not in results])
    for run in to_train if fresh else results:
        resuming.remove(run)
    if not to_train:
        return results
    count = min(workers or default_workers(len(to_train)), len(to_train))
    with report.waiting("Loading TensorFlow and the data"):
        engines = prepare(run.setup.data for run in to_train)
    training = _Training(to_train, report, keep_weights, command, count)
    try:
        with report.planned(to_train, len(results), training.resumed, count):
            executor(engines, count).carry_out(training.jobs, training.handle)
    except KeyboardInterrupt:
        kept = len(results) + len(training.results)
        raise Interrupted(
            f"interrupted; {kept} of {len(results) + len(to_train)} runs are finished and kept",
            "run the same command again to resume",
        ) from None
    return results | training.results


def _finished(plan: Sequence[Run], keep_weights: bool, report: Reporter) -> dict[Run, RunResult]:
    """Return the runs that need no training; damaged ones are set aside and retrained."""
    results = {}
    for run in plan:
        try:
            found = _own(run)
        except ResultsError as error:
            aside = atomic.set_aside(run.folder)
            report.warn(f"{error.message}; it is kept as `{aside}` and retrained")
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


def _by_setup(plan: Sequence[Run]) -> list[Run]:
    """Bring runs that can share an engine together, otherwise keep the order."""
    together: dict[Setup, list[Run]] = {}
    for run in plan:
        together.setdefault(run.setup, []).append(run)
    return list(chain.from_iterable(together.values()))


class _Training:
    """The training of some runs as the driver sees it: jobs go out, events come in.

    Attributes:
        jobs: A job for each run.
        resumed: How many of them go on from a checkpoint.
        results: What has come out so far.
    """

    def __init__(
        self,
        to_train: Sequence[Run],
        report: Reporter,
        keep_weights: bool,
        command: str | None,
        workers: int,
    ) -> None:
        self.results: dict[Run, RunResult] = {}
        self._runs = to_train
        self._report = report
        made_in = environment.record()
        self._origin = {"environment": made_in, "command": command, "workers": workers}
        self._resumptions = [Resumption(run, made_in, report) for run in to_train]
        self.resumed = sum(each.checkpoint is not None for each in self._resumptions)
        self.jobs = [
            RunJob(
                run.setup,
                run.experiment.schedule,
                run.experiment.epochs,
                run.seed,
                checkpoint=resumption.checkpoint,
                keep_checkpoints=True,
                keep_weights=keep_weights,
            )
            for run, resumption in zip(to_train, self._resumptions, strict=True)
        ]

    def handle(self, index: int, event: Event) -> None:
        """Write what a job gives, and report what it tells."""
        run, resumption = self._runs[index], self._resumptions[index]
        match event:
            case Progress():
                self._report.progress(run, event)
            case Checkpoint():
                resumption.keep(event)
            case Refused(reason):
                resumption.refuse(reason)
            case Result() | Failure():
                self.results[run] = _kept(run, event, self._origin, resumption)
                self._report.finished(run, self.results[run])


def _kept(
    run: Run, outcome: Result | Failure, origin: dict[str, Any], resumption: Resumption
) -> RunResult:
    """Write what a run gave and return it as it reads back, so that a repeat shows the same.

    Where it cannot be written, the run has failed; its last checkpoint stays.
    """
    data = run.setup.data
    about: dict[str, Any] = {
        "identity": run.identity,
        "seed": run.seed,
        "config": run.experiment.model_dump(mode="json", exclude={"data"}),
        "data": {"name": data.name, "fingerprint": data.fingerprint},
        "steps_per_epoch": run.length.steps_per_epoch,
        **origin,
    }
    if isinstance(outcome, Failure):
        about["traceback"] = outcome.trace
        result = RunResult(Status.FAILED, error=outcome.error)
    else:
        about |= resumption.history()
        result = outcome.value
    try:
        runs.write(run.folder, result, about)
        kept = runs.read(run.folder)
        if result.status is not Status.FAILED:
            resuming.remove(run)
    except ResultsError as error:
        return RunResult(Status.FAILED, error=error.message)
    return result if kept is None else kept[0]
