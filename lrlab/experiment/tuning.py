"""Give every schedule its own best rate at equal budget, and compare them there."""

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from types import MappingProxyType

from lrlab import config as configs
from lrlab.analysis import tuning_summary
from lrlab.config import Config, written
from lrlab.errors import TrainingError, UnreadableError, UsageError
from lrlab.experiment import admission, choosing, own_code, running, searching
from lrlab.experiment.executors.executor import MakeExecutor
from lrlab.experiment.executors.threads import Threads
from lrlab.experiment.planning import Run
from lrlab.experiment.preparation import prepare, resolve
from lrlab.experiment.searching import Searched, Seeds, Start
from lrlab.fields import Purpose, auto_rates, filled, purpose_of
from lrlab.finder import rate_search
from lrlab.finder.rate_search import Search
from lrlab.finder.trials import FIRST_SEED
from lrlab.io import atomic, reading
from lrlab.metric import Metric
from lrlab.report import tuning_tables
from lrlab.report.verdict import metric_of
from lrlab.reporter import Reporter
from lrlab.results import sweep_record, tuning_record
from lrlab.results.run import RunResult
from lrlab.results.sweep_record import SweepRecord
from lrlab.results.tuning_record import Horizon, Tuning
from lrlab.tasks.data_source import DataSource
from lrlab.tasks.setup import Setup
from lrlab.tasks.wanted import Wanted

USUAL_BUDGET, USUAL_SEEDS = 20, 3

_HEAD = "# At its best rate"


@dataclass(frozen=True)
class Effort:
    """How much goes into the search.

    Args:
        budget: The most runs of a schedule, those with fresh seeds included.
        seeds: The fresh seeds.
        points: How much worse than the best a rate within the width may be; None: as usual.

    Raises:
        UsageError: If one of them cannot be meant.
    """

    budget: int = USUAL_BUDGET
    seeds: int = USUAL_SEEDS
    points: float | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.seeds <= FIRST_SEED:  # From there on seeds search.
            raise UsageError(f"`--seeds` must be from 1 to {FIRST_SEED:,}, got {self.seeds:,}")
        least = rate_search.FEWEST_RUNS + self.seeds
        if self.budget < least:
            raise UsageError(
                f"`--budget` must be at least {least} runs per schedule, got {self.budget}",
                f"{rate_search.FEWEST_RUNS} that search, and one for each of {self.seeds} fresh "
                "seeds",
            )
        if self.points is not None and not 0 < self.points < math.inf:
            raise UsageError(f"`--points` must be a number above 0, got {self.points:g}")

    def search(self, metric: Metric) -> Search:
        """Return the search for the best rate by a metric."""
        tolerance = tuning_summary.tolerance_of(metric, self.points)
        return Search(self.budget - self.seeds, tolerance)


USUAL_EFFORT = Effort()


def tune(
    given: Sequence[Config],
    *,
    out: Path,
    report: Reporter,
    effort: Effort = USUAL_EFFORT,
    epochs: Sequence[int] = (),
    metric: str | None = None,
    workers: int | None = None,
    data_dir: Path | None = None,
    command: str | None = None,
    executor: MakeExecutor = Threads,
    known: Mapping[Wanted, DataSource] = MappingProxyType({}),
) -> tuple[Tuning, list[list[Config]]]:
    """Find each schedule's best rate and score it there with fresh seeds.

    Only for who holds the lock of the results directory. Runs are ordinary runs: what is finished
    is reused, so the same call again trains nothing, and one that was cut off goes on.

    Args:
        given: The experiments, on the same data.
        out: The results directory.
        report: Told what happens.
        effort: How many runs, and which differences do not matter.
        epochs: Several budgets of training; none: each config's own.
        metric: The final result that decides; None: the metric of the experiments in validation.
        workers: Runs side by side; default one per core.
        data_dir: Where Fashion-MNIST is looked for first.
        command: The command line, for `run.json`.
        executor: Carries out the training.
        known: Data that were given as arrays and need not be looked for.

    Returns:
        The tuning, which `save_tuning` writes, and for each horizon the configs at their best
        rates, those without one left out.

    Raises:
        ConfigError: If a config cannot be trained on its data; then nothing is.
        DataError: If a data set cannot be had.
        UsageError: If the schedules cannot be compared.
        ResultsError: If `out` cannot be read or written.
        Interrupted: On Ctrl-C; finished runs are kept.
    """
    atomic.make_folder(out)
    loaded = own_code.loaded(given, report)
    resolved = resolve(loaded, data_dir, report, known)
    settled = own_code.settled(loaded, resolved)
    admission.admit(settled, resolved, report)
    task = settled[0].experiment.setup(resolved[settled[0].experiment.wanted]).task
    decides = metric_of(metric, task.metric) if metric else task.metric.on("val")
    _check(decides, resolved, epochs)
    search = effort.search(decides)
    lengths: Sequence[int | None] = epochs or [None]
    starts = _starts(settled, resolved, out, report, executor)
    seeds = Seeds(count=effort.seeds)
    lasting = [[start.lasting(length) for start in starts] for length in lengths]
    for of_length in lasting:
        _warn(of_length, report)
    horizons = [
        [Searched(start, search, seeds, decides, out) for start in of_length]
        for of_length in lasting
    ]

    def carry(runs: Sequence[Run]) -> Mapping[Run, RunResult]:
        return running.carry_out(
            runs, workers=workers, report=report, command=command, executor=executor
        )

    searching.carry_out([each for of in horizons for each in of], carry, report)
    found = Tuning(
        data=next(iter(resolved.values())).name,
        models=tuple(dict.fromkeys(each.experiment.model_name for each in settled)),
        decides=decides.key,
        budget=effort.budget,
        tolerance=search.tolerance.amount,
        relative=search.tolerance.relative,
        horizons=tuple(map(_horizon, lengths, horizons)),
        metric=task.metric,
    )
    return found, [[best for each in of if (best := each.best_config)] for of in horizons]


def save_tuning(tuning: Tuning, out: Path) -> list[Path]:
    """Write a tuning into a results directory; return the files.

    Raises:
        ResultsError: If they cannot be written.
    """
    texts = {
        "tuning.csv": tuning_tables.to_csv(tuning),
        "tuning.md": tuning_tables.to_markdown(tuning),
    }
    return tuning_record.write(out, tuning, texts, tuning_tables.verdicts(tuning))


def check_written(given: Sequence[Config], epochs: Sequence[int], folder: Path) -> None:
    """Make sure that `write_configs` will replace nothing but what it wrote, before any training.

    Args:
        given: The configs.
        epochs: The budgets of training, as in `tune`.
        folder: The folder.

    Raises:
        UsageError: If a file that somebody else wrote is in the way.
    """
    for length in epochs if len(epochs) > 1 else [None]:
        for each in given:
            path = _place(folder, length, each.experiment.name)
            if not reading.exists(path):
                continue
            with reading.open_file(path) as file:
                if file.read(len(_HEAD)) != _HEAD.encode():
                    raise UsageError(
                        f"`--write {folder}` would replace `{path}`, which `lrlab tune` has not "
                        "written",
                        "name another directory",
                    )


def _place(folder: Path, epochs: int | None, name: str) -> Path:
    """Return where the config of an experiment is written, those of several budgets apart."""
    apart = folder if epochs is None else folder / f"{epochs}-epochs"
    return apart / f"{name}.yaml"


def write_configs(tuning: Tuning, best: Sequence[Sequence[Config]], folder: Path) -> list[Path]:
    """Write the configs at their best rates into a folder, those of each of several budgets apart.

    Args:
        tuning: What `tune` returned.
        best: What it returned beside it.
        folder: The folder.

    Returns:
        The files.

    Raises:
        ResultsError: If they cannot be written.
    """
    metric, found = tuning_tables.decides(tuning), []
    for horizon, of in zip(tuning.horizons, best, strict=True):
        length = horizon.epochs if len(tuning.horizons) > 1 else None
        by_name = {each.name: each.best for each in horizon.schedules}
        for each in of:
            rate = by_name[each.experiment.name]
            assert rate is not None
            score = tuning_tables.scored(rate, metric)
            path = _place(folder, length, each.experiment.name)
            atomic.make_folder(path.parent)
            about = f"{_HEAD}, {rate.lr:.3g} at the peak: {score}."
            atomic.write_text(path, f"{about}\n{written.text(each.experiment, path.parent)}")
            found.append(path)
    return found


def _check(decides: Metric, resolved: Mapping[Wanted, DataSource], epochs: Sequence[int]) -> None:
    """Make sure that schedules can be compared at their best rates."""
    if len({source.fingerprint for source in resolved.values()}) > 1:
        raise UsageError(
            "schedules are tuned on one data set, and the configs name several",
            "state the same `data` in all configs, or give `--data`",
        )
    if decides.key.startswith("test_"):
        raise UsageError(
            f"a rate cannot be chosen by {decides.name}: that uses the test set up",
            "leave out `--metric`, or name a validation result",
        )
    if len(set(epochs)) < len(epochs):
        raise UsageError(
            f"`--epochs` names a number twice: {', '.join(map(str, epochs))}",
            "as in `--epochs 3,10`",
        )


def _starts(
    given: Sequence[Config],
    resolved: Mapping[Wanted, DataSource],
    out: Path,
    report: Reporter,
    executor: MakeExecutor,
) -> list[Start]:
    """Return where each search begins: at what a sweep of its setup suggests."""
    load = functools.cache(lambda source: prepare([source]))
    swept: dict[Setup, SweepRecord | str] = {}
    starts = []
    for config in given:
        source = resolved[config.experiment.wanted]
        setup = config.experiment.setup(source)
        if setup not in swept:
            folder = out / "sweeps" / sweep_record.identity(setup.identity())
            atomic.check_within(out, folder)
            try:
                swept[setup] = choosing.sweep_of(
                    config, source, folder, None, report, executor, load, "the search"
                )
            except (TrainingError, UnreadableError) as error:
                swept[setup] = error.message
        starts.append(_start(config, source, swept[setup]))
        if starts[-1].suggested is None and starts[-1].trouble is None:
            report.warn(
                f"{config.experiment.name}: the sweep suggests no rate, so the search begins at "
                "the config's own"
            )
    return starts


def _warn(starts: Sequence[Start], report: Reporter) -> None:
    """Warn of schedules that are probably mistakes, whatever their height."""
    for start in starts:
        steps = start.config.experiment.setup(start.source).length(1).steps_per_epoch
        for text in [] if start.trouble else configs.warnings(start.config, steps):
            report.warn(text)


def _start(config: Config, source: DataSource, swept: SweepRecord | str) -> Start:
    """Return where the search for a schedule's best rate begins."""
    suggested: dict[Purpose, float] = {}
    reason = swept if isinstance(swept, str) else swept.summary.verdict
    if isinstance(swept, SweepRecord):
        steady, peak = swept.summary.steady_lr, swept.summary.max_lr
        if steady is not None and peak is not None:
            suggested = {"steady_lr": steady, "max_lr": peak}
    experiment = config.experiment
    if auto_rates(experiment.schedule):
        if not suggested:
            return Start(config, source, None, f"the sweep for `auto` found no rate: {reason}")
        try:
            schedule = filled(experiment.schedule, suggested)
        except ValueError as error:
            trouble = f"what was found for `auto` does not fit: {error}"
            return Start(config, source, None, trouble)
        experiment = experiment.model_copy(update={"schedule": schedule})
        config = replace(config, experiment=experiment)
    return Start(config, source, suggested.get(purpose_of(experiment.schedule)))


def _horizon(epochs: int | None, searches: Sequence[Searched]) -> Horizon:
    losses = [loss for each in searches for loss in each.first_losses]
    untrained = fmean(losses) if losses else math.nan
    return tuning_summary.horizon(epochs, [each.tuned() for each in searches], untrained)
