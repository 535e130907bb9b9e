"""Carry out an LR sweep: every seed side by side, then the suggestion."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lrlab.config import Config, Experiment
from lrlab.errors import Interrupted, UsageError
from lrlab.experiment import admission, own_code, tips, verifying
from lrlab.experiment.executors.executor import Executor, MakeExecutor
from lrlab.experiment.executors.threads import Threads
from lrlab.experiment.preparation import prepare, resolve
from lrlab.experiment.verifying import Question
from lrlab.fields import AUTO, Purpose
from lrlab.finder import extending, sweep, verification
from lrlab.finder.extending import Span, Stated, Tried
from lrlab.finder.suggestion import Suggestion, Verdict, suggest
from lrlab.finder.sweep import StoppedBy
from lrlab.reporter import Reporter
from lrlab.results import sweep_record
from lrlab.results.sweep_record import SweepRecord, SweepSettings, SweptBefore, Verified
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
    stated: Stated = extending.NOTHING,
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
        stated: What is stated of the sweep: the first rate, > 0, the last one, above it, and steps,
            >= 2. Default: 1e-6 to 10 in one epoch, but at least 200 and at most 500 steps; where
            that gives no number, what `finder.extending` says.
        verify: Whether short real runs verify the suggestions, if there are any.
        data_dir: Where Fashion-MNIST is looked for first.

    Raises:
        UsageError: If the first rate is not below the last one, one of them is no finite rate above
            0, or there are more losses than a sweep's files may hold.
        ConfigError: If the model cannot take the data.
        DataError: If the data set cannot be had.
        ResultsError: If `out` cannot be written.
        Interrupted: On Ctrl-C.
    """
    first = stated.low, stated.high
    if not 0 < first[0] < first[1] < math.inf:
        raise UsageError(
            f"the sweep must go upward from above 0, got {first[0]:g} to {first[1]:g}",
            "give a `--min-lr` below `--max-lr`",
        )
    if stated.steps is not None and stated.steps * seeds > sweep_record.MOST_LOSSES:
        raise UsageError(
            f"{seeds:,} seeds of {stated.steps:,} steps are more than "
            f"{sweep_record.MOST_LOSSES:,} losses",
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
        stated=stated,
        verify=verify,
    )


def sweep_experiment(
    experiment: Experiment,
    source: DataSource,
    *,
    seeds: int,
    report: Reporter,
    stated: Stated = extending.NOTHING,
    verify: bool = False,
    executor: MakeExecutor = Threads,
    load: Load | None = None,
    known: SweepRecord | None = None,
) -> SweepRecord:
    """Return the sweep of an experiment on data that is found already; nothing is written.

    Arguments are those of `find_lr`; `executor` carries out the training, `load` gives the engines
    on a data set, by default `prepare`, and `known` is a sweep that gave no number, after which
    another one follows.
    """
    setup = experiment.setup(source)
    with interruptible():
        with report.waiting("Loading TensorFlow and the data"):
            engines = prepare([source]) if load is None else load(source)
        workers = executor(engines, executor.default_workers(seeds))
        chance = engines.guess(setup, "train").loss
        sweeps = [] if known is None else _sweeps_of(known)
        epoch = setup.length(1).steps_per_epoch
        at = extending.next_span(sweeps, stated, epoch) if sweeps else None
        at = at or stated.first(epoch)
        swept = _sweep(setup, at, seeds, workers, chance, report)
        sweeps.append(swept.tried)
        while (at := extending.next_span(sweeps, stated, epoch)) is not None:
            report.note(f"{_words(swept.tried.span)}: {swept.tried.verdict}; now {_words(at)}")
            swept = _sweep(setup, at, seeds, workers, chance, report)
            sweeps.append(swept.tried)
        verified = None
        if verify:
            side_by_side = executor(engines, executor.default_workers(verification.MOST_RUNS))
            epochs, found = experiment.epochs, swept.found
            verified = _verified(setup, epochs, side_by_side, found, engines, report)
    settings = SweepSettings(
        experiment=experiment.name,
        model=experiment.model_name,
        optimizer=experiment.optimizer.model_dump(mode="json"),
        batch_size=experiment.batch_size,
        data=source.name,
        data_fingerprint=source.fingerprint,
        min_lr=swept.tried.span.min_lr,
        max_lr=swept.tried.span.max_lr,
        steps=swept.tried.span.steps,
        seeds=seeds,
        loss=setup.loss_name,
        setup=None if setup.is_plain else setup.identity(),
    )
    summary = sweep_record.summarise(
        swept.found,
        swept.stopped_by,
        settings,
        verified,
        before=tuple(_before(each) for each in sweeps[:-1]),
        tip=tips.tip(experiment, source, swept.found.verdict),
    )
    return SweepRecord(swept.rates, swept.losses, summary)


@dataclass(frozen=True, eq=False)
class _Swept:
    """A finished sweep of all seeds."""

    tried: Tried
    rates: sweep.Floats
    losses: sweep.Floats
    stopped_by: tuple[StoppedBy, ...]
    found: Suggestion


def _sweep(
    setup: Setup,
    at: Span,
    seeds: int,
    workers: Executor,
    chance: float | None,
    report: Reporter,
) -> _Swept:
    rates = sweep.rates(min_lr=at.min_lr, max_lr=at.max_lr, steps=at.steps)
    jobs = [SweepJob(setup, rates, seed) for seed in range(seeds)]
    with report.trying(f"Sweeping {at.steps} steps with {seeds} seeds", seeds):
        swept = workers.results(jobs, _Sweeps(report, at.steps).hear)
    losses = np.stack([one.losses for one in swept])
    found = suggest(rates, losses, chance=chance, perfect=0.0)
    stopped_by = tuple(one.stopped_by for one in swept)
    return _Swept(extending.tried(at, found.verdict, losses), rates, losses, stopped_by, found)


def _words(at: Span) -> str:
    return f"{at.steps} steps from {at.min_lr:g} to {at.max_lr:g}"


def _before(swept: Tried) -> SweptBefore:
    at = swept.span
    verdict = swept.verdict.value
    return SweptBefore(min_lr=at.min_lr, max_lr=at.max_lr, steps=at.steps, verdict=verdict)


def may_go_on(record: SweepRecord, setup: Setup) -> bool:
    """Return whether another sweep follows one that `auto` asked for."""
    steps = setup.length(1).steps_per_epoch
    return extending.next_span(_sweeps_of(record), extending.NOTHING, steps) is not None


def _sweeps_of(record: SweepRecord) -> list[Tried]:
    """Return a recorded sweep and those before it, as the search for another one takes them."""
    about = record.summary.settings
    last = Span(about.min_lr, about.max_lr, about.steps)
    before = [
        Tried(Span(each.min_lr, each.max_lr, each.steps), _verdict(each.verdict), 1.0)
        for each in record.summary.before
    ]
    return [*before, extending.tried(last, _verdict(record.summary.verdict), record.losses)]


def _verdict(recorded: str) -> Verdict:
    """Return a verdict of a file; one that is not known is taken for one that nothing follows."""
    return next((each for each in Verdict if each.value == recorded), Verdict.TOO_SHORT)


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
    text = f"Verifying the suggestions for runs of {epochs} epochs by short ones"
    with report.trying(text, most):
        steady, peak = verifying.verify(questions, executor, engines.guess, report=report)
    return Verified(
        steady_lr=steady.rates["steady_lr"] if steady.rates else None,
        max_lr=peak.rates["max_lr"] if peak.rates else None,
        runs=steady.runs + peak.runs,
    )
