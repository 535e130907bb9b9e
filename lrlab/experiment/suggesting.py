"""Carry out an LR sweep: every seed side by side, then the suggestion."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lrlab.config import Config, Experiment
from lrlab.errors import Interrupted, UsageError
from lrlab.experiment import admission, own_code, verifying
from lrlab.experiment.executors.executor import Executor, MakeExecutor
from lrlab.experiment.executors.threads import Threads, default_workers
from lrlab.experiment.preparation import prepare, resolve
from lrlab.experiment.verifying import Question
from lrlab.fields import AUTO, Purpose
from lrlab.finder import span, sweep, verification
from lrlab.finder.suggestion import Suggestion, suggest
from lrlab.reporter import Reporter
from lrlab.results import sweep_record
from lrlab.results.sweep_record import SweepRecord, SweepSettings, Verified
from lrlab.schedules.constant import Constant
from lrlab.schedules.one_cycle import OneCycle
from lrlab.tasks.data_source import DataSource
from lrlab.tasks.setup import Setup
from lrlab.training.jobs import Event, Progress, Result, SweepJob

if TYPE_CHECKING:
    from lrlab.training.engines.tensorflow import Engines

Load = Callable[[DataSource], "Engines"]
"""Gives the engines on a data set."""


def find_lr(
    config: Config,
    *,
    out: Path,
    seeds: int,
    report: Reporter,
    min_lr: float = span.MIN_LR,
    max_lr: float = span.MAX_LR,
    steps: int | None = None,
    verify: bool = False,
    data_dir: Path | None = None,
) -> SweepRecord:
    """Sweep the learning rate upward for each seed and suggest rates.

    Only for who holds the lock of the results directory.

    Args:
        config: The experiment; its schedule plays no part, its epochs only when verifying.
        out: Where `sweep_record.write` will write it.
        seeds: How many seeds: 0, 1, ... `seeds - 1`.
        report: Told what happens.
        min_lr: The first rate, > 0.
        max_lr: The last rate, > `min_lr`.
        steps: Steps of the sweep, >= 2; default one epoch, but at least 200 and at most 500.
        verify: Whether short real runs verify the suggestions, if there are any.
        data_dir: Where Fashion-MNIST is looked for first.

    Raises:
        UsageError: If `min_lr` is not below `max_lr`, one of them is no finite rate above 0, or
            there are more losses than a sweep's files may hold.
        ConfigError: If the model cannot take the data.
        DataError: If the data set cannot be had.
        ResultsError: If `out` cannot be written.
        Interrupted: On Ctrl-C.
    """
    if not 0 < min_lr < max_lr < math.inf:
        raise UsageError(
            f"the sweep must go upward from above 0, got {min_lr:g} to {max_lr:g}",
            "give a `--min-lr` below `--max-lr`",
        )
    if steps is not None and steps * seeds > sweep_record.MOST_LOSSES:
        raise UsageError(
            f"{seeds:,} seeds of {steps:,} steps are more than {sweep_record.MOST_LOSSES:,} losses",
            "a sweep needs a few hundred steps: lower `--steps` or `--seeds`",
        )
    (config,) = own_code.loaded([config], report)
    resolved = resolve([config], data_dir, report)
    (source,) = resolved.values()
    (config,) = own_code.settled([config], resolved)
    admission.admit([config], resolved, report, schedules=False)
    return sweep_experiment(
        config.experiment,
        source,
        seeds=seeds,
        report=report,
        min_lr=min_lr,
        max_lr=max_lr,
        steps=steps,
        verify=verify,
    )


def sweep_experiment(
    experiment: Experiment,
    source: DataSource,
    *,
    seeds: int,
    report: Reporter,
    min_lr: float = span.MIN_LR,
    max_lr: float = span.MAX_LR,
    steps: int | None = None,
    verify: bool = False,
    executor: MakeExecutor = Threads,
    load: Load | None = None,
) -> SweepRecord:
    """Return the sweep of an experiment on data that is found already; nothing is written.

    Arguments are those of `find_lr`; `executor` carries out the training, and `load` gives the
    engines on a data set, by default `prepare`.
    """
    setup = experiment.setup(source)
    steps = steps or span.default_steps(setup.length(1).steps_per_epoch)
    rates = sweep.rates(min_lr=min_lr, max_lr=max_lr, steps=steps)
    with interruptible():
        with report.waiting("Loading TensorFlow and the data"):
            engines = prepare([source]) if load is None else load(source)
        jobs = [SweepJob(setup, rates, seed) for seed in range(seeds)]
        with report.trying(f"Sweeping {len(rates)} steps with {seeds} seeds", seeds):
            workers = executor(engines, default_workers(len(jobs)))
            swept = workers.results(jobs, _Sweeps(report, steps).hear)
        losses = np.stack([one.losses for one in swept])
        found = suggest(rates, losses, chance=engines.guess(setup, "train").loss, perfect=0.0)
        verified = None
        if verify:
            side_by_side = executor(engines, default_workers(verification.MOST_RUNS))
            verified = _verified(setup, experiment.epochs, side_by_side, found, engines, report)
    settings = SweepSettings(
        experiment=experiment.name,
        model=experiment.model_name,
        optimizer=experiment.optimizer.model_dump(mode="json"),
        batch_size=experiment.batch_size,
        data=source.name,
        data_fingerprint=source.fingerprint,
        min_lr=min_lr,
        max_lr=max_lr,
        steps=steps,
        seeds=seeds,
        loss=setup.task.loss_name,
        setup=None if setup.is_plain else setup.identity(),
    )
    stopped_by = [one.stopped_by for one in swept]
    summary = sweep_record.summarise(found, stopped_by, settings, verified)
    return SweepRecord(rates, losses, summary)


class _Sweeps:
    """How far the sweeps of some seeds are.

    Args:
        report: Told of it.
        steps: Steps of each.
    """

    def __init__(self, report: Reporter, steps: int) -> None:
        self._report = report
        self._steps = steps
        self._done: dict[int, float] = {}

    def hear(self, index: int, event: Event) -> None:
        """Take note of what a sweep tells."""
        if isinstance(event, Progress):
            self._done[index] = event.step / self._steps
        elif isinstance(event, Result):
            self._done[index] = 1.0
        self._report.tried(sum(self._done.values()))


@contextmanager
def interruptible(what: str = "the sweep", hint: str | None = None) -> Iterator[None]:
    """Turn Ctrl-C into an error that says what was not finished, and what is to be done."""
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted; {what} was not finished", hint) from None


def _verified(
    setup: Setup,
    epochs: int,
    executor: Executor,
    found: Suggestion,
    engines: "Engines",
    report: Reporter,
) -> Verified | None:
    """Return the suggestions verified, None where there are none."""
    if found.steady_lr is None or found.max_lr is None:
        return None
    suggested: dict[Purpose, float] = {"steady_lr": found.steady_lr, "max_lr": found.max_lr}
    tried = (Constant(type="constant", lr=AUTO), OneCycle(type="one_cycle", max_lr=AUTO))
    questions = [Question(setup, schedule, epochs, suggested) for schedule in tried]
    most = verification.MOST_RUNS * len(questions)
    with report.trying("Verifying the suggestions by short runs", most):
        steady, peak = verifying.verify(questions, executor, engines.guess, report=report)
    return Verified(
        steady_lr=steady.rates["steady_lr"] if steady.rates else None,
        max_lr=peak.rates["max_lr"] if peak.rates else None,
        runs=steady.runs + peak.runs,
    )
