"""Carry out the runs of a plan: reuse what is finished, train the rest side by side, keep each.

Only the driver, the thread that calls `carry_out`, reads and writes the results directory.
"""

from collections.abc import Sequence
from dataclasses import replace

from lrlab.errors import Interrupted, ResultsError, UnreadableError
from lrlab.experiment import environment, resuming
from lrlab.experiment.executors.executor import MakeExecutor
from lrlab.experiment.executors.threads import Threads
from lrlab.experiment.planning import Run
from lrlab.experiment.preparation import prepare
from lrlab.experiment.resuming import Resumption
from lrlab.experiment.retraining import Old
from lrlab.io import atomic
from lrlab.reporter import Reporter
from lrlab.results import run_folder, standing
from lrlab.results.checkpoint import Checkpoint
from lrlab.results.run import RunResult, Status, checkpoint_of
from lrlab.results.run_folder import RunData, RunOrigin
from lrlab.training.jobs import Began, Event, Failure, Lost, Progress, Refused, Result, RunJob

_MOST_HELD = 20_000_000
"""Steps of finished runs whose curves are held for the figures; those of others are read again."""


def carry_out(
    plan: Sequence[Run],
    *,
    workers: int | None,
    report: Reporter,
    old: Old | None = None,
    keep_weights: bool = False,
    command: str | None = None,
    executor: MakeExecutor = Threads,
) -> dict[Run, RunResult]:
    """Return the result of every run of the plan, trained as far as that is not done yet.

    Only for who holds the lock of the results directory.

    Args:
        plan: The runs.
        workers: Runs side by side; None: one per core.
        report: Told what happens.
        old: What is retrained although it is finished, or started over although it was cut off.
        keep_weights: Whether the final weights are kept; runs that lack them are retrained.
        command: The command line, for `run.json`.
        executor: Carries out the training.

    Raises:
        DataError: If a data set is damaged.
        ResultsError: If a damaged run cannot be set aside.
        Interrupted: On Ctrl-C; finished runs are kept, and the others go on where they were.
    """
    for parent in dict.fromkeys(run.folder.parent for run in plan):
        atomic.recover(parent)
    renewed = [run for run in plan if old and run.folder / run_folder.RECORD in old]
    results = _finished([run for run in plan if run not in renewed], keep_weights, report)
    to_train = _in_turn([run for run in plan if run not in results])
    for run in plan:
        done = run in results and results[run].status is not Status.FAILED
        if done or (old and checkpoint_of(run.folder) in old):
            resuming.remove(run)
    if not to_train:
        return results
    count = min(workers or executor.default_workers(len(to_train)), len(to_train))
    if count > (most := executor.most_workers()):
        report.warn(f"{count} workers are too many for this machine: {most} train side by side")
        count = most
    with report.waiting("Loading TensorFlow and the data"):
        engines = prepare(run.setup.data for run in to_train)
    training = _Training(to_train, report, old, keep_weights, command, count)
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
    """Return the runs that need no training; damaged ones are set aside and retrained.

    One that cannot be read has failed for now: nobody knows whether it is sound.
    """
    results = {}
    room = _MOST_HELD
    for run in plan:
        try:
            stands = standing.verify(run.folder, run.place)
        except UnreadableError as error:
            report.warn(f"{error.message}; {run} is left as it is")
            results[run] = RunResult(Status.FAILED, error=error.message)
            continue
        if stands.damage:
            aside = atomic.set_aside(run.folder)
            reason = stands.damage[0].message
            report.warn(f"{reason}; the run is kept as `{aside}` and retrained")
        kept = stands.run
        if kept is None or kept.result.status is Status.FAILED:
            continue
        if kept.has_weights or not keep_weights:
            room -= len(kept.result.lr)
            results[run] = kept.result if room >= 0 else kept.result.without_curves()
    return results


def _in_turn(runs: Sequence[Run]) -> list[Run]:
    """Bring the runs of a seed together, so that a comparison that is cut off is already fair.

    Among those of a seed, runs that can share an engine come together.
    """
    setups = {setup: number for number, setup in enumerate(dict.fromkeys(r.setup for r in runs))}
    return sorted(runs, key=lambda run: (run.seed, setups[run.setup]))


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
        old: Old | None,
        keep_weights: bool,
        command: str | None,
        workers: int,
    ) -> None:
        self.results: dict[Run, RunResult] = {}
        self._runs: list[Run] = []
        self._report = report
        self._old = old
        self._room = _MOST_HELD
        made_in = environment.record()
        self._origin = RunOrigin(command=command, workers=workers)
        self._resumptions: list[Resumption] = []
        for run in to_train:
            try:
                self._resumptions.append(Resumption(run, made_in, report))
                self._runs.append(run)
            except UnreadableError as error:  # What it would go on from may be sound.
                report.warn(f"{error.message}; {run} is left as it is")
                self.results[run] = RunResult(Status.FAILED, error=error.message)
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
            for run, resumption in zip(self._runs, self._resumptions, strict=True)
        ]

    def handle(self, index: int, event: Event) -> None:
        """Write what a job gives, and report what it tells."""
        run, resumption = self._runs[index], self._resumptions[index]
        match event:
            case Progress():
                self._report.progress(run, event)
            case Began(made_in):
                resumption.environment = dict(made_in)
            case Lost(reason, step):
                resumption.lose(reason, step)
            case Checkpoint():
                resumption.keep(event)
            case Refused(reason):
                resumption.refuse(reason)
            case Result() | Failure():
                result = _kept(run, event, self._origin, resumption)
                self._room -= 0 if result.lr is None else len(result.lr)
                self.results[run] = result if self._room >= 0 else result.without_curves()
                if self._old and self.results[run].status is not Status.FAILED:
                    self._old.made_again(run.folder / run_folder.RECORD)
                self._report.finished(run, self.results[run])


def _kept(
    run: Run, outcome: Result | Failure, origin: RunOrigin, resumption: Resumption
) -> RunResult:
    """Write what a run gave and return it as it reads back, so that a repeat shows the same.

    Where it cannot be written, the run has failed; its last checkpoint stays. A run that has failed
    does not take the place of one that had not.
    """
    origin = replace(
        origin,
        identity=run.place.identity,
        seed=run.seed,
        config=run.experiment.model_dump(mode="json", exclude={"data"}),
        data=RunData(run.setup.data.name, run.setup.data.fingerprint),
        environment=resumption.environment,
        steps_per_epoch=run.length.steps_per_epoch,
        code=run.experiment.code,
    )
    if isinstance(outcome, Failure):
        origin = replace(origin, traceback=outcome.trace)
        result = RunResult(Status.FAILED, error=outcome.error)
    else:
        origin = replace(
            origin,
            resumed_at=tuple(resumption.resumed_at),
            earlier_environments=tuple(resumption.earlier_environments),
        )
        result = outcome.value
    try:
        if result.status is Status.FAILED and _has_finished(run):
            return replace(result, error=f"{result.error}; the run from before is kept")
        run_folder.write(run.folder, result, origin)
        kept = run_folder.read(run.folder)
        if result.status is not Status.FAILED:
            resuming.remove(run)
    except ResultsError as error:
        return RunResult(Status.FAILED, error=error.message)
    return result if kept is None else kept.result


def _has_finished(run: Run) -> bool:
    """Return whether there is a sound run that had not failed."""
    kept = standing.verify(run.folder, run.place).run
    return kept is not None and kept.result.status is not Status.FAILED
