"""Carry out a comparison: fill in what a sweep finds, do all runs, summarise, write."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from lrlab import config
from lrlab.analysis import summaries
from lrlab.config import Config
from lrlab.experiment import admission, choosing, own_code, planning, retraining, running
from lrlab.experiment.choosing import Choice
from lrlab.experiment.executors.executor import MakeExecutor
from lrlab.experiment.executors.threads import Threads
from lrlab.experiment.planning import Run
from lrlab.experiment.preparation import resolve
from lrlab.io import atomic
from lrlab.metric import Metric
from lrlab.report import tables, verdict
from lrlab.reporter import Reporter
from lrlab.results import comparison
from lrlab.results.comparison import Comparison, ExperimentSummary
from lrlab.results.run import RunResult, Status
from lrlab.tasks.data_source import DataSource
from lrlab.tasks.wanted import Wanted


def compare(
    configs: Sequence[Config],
    *,
    out: Path,
    seeds: int,
    report: Reporter,
    workers: int | None = None,
    data_dir: Path | None = None,
    fresh: bool = False,
    keep_weights: bool = False,
    command: str | None = None,
    executor: MakeExecutor = Threads,
    known: Mapping[Wanted, DataSource] = MappingProxyType({}),
) -> tuple[Comparison, dict[str, RunResult]]:
    """Train every experiment with every seed, as far as that is not done yet, and summarise.

    Only for who holds the lock of the results directory.

    Args:
        configs: The experiments.
        out: The results directory.
        seeds: How many seeds: 0, 1, ... `seeds - 1`.
        report: Told what happens.
        workers: Runs side by side; default one per core, never more than there are runs.
        data_dir: Where Fashion-MNIST is looked for first.
        fresh: Retrain finished and partial runs; where that was interrupted, it goes on.
        keep_weights: Whether the final weights of every run are kept.
        command: The command line, for `run.json`.
        executor: Carries out the training.
        known: Data that were given as arrays and need not be looked for.

    Returns:
        The comparison, which `save` writes, and the result of each run by its folder in `out`.

    Raises:
        ConfigError: If a config cannot be trained on its data; then nothing is.
        DataError: If a data set cannot be had.
        ResultsError: If `out` cannot be read or written.
        Interrupted: On Ctrl-C; finished runs are kept.
    """
    atomic.make_folder(out)
    configs = own_code.loaded(configs, report)
    resolved = resolve(configs, data_dir, report, known)
    configs = own_code.settled(configs, resolved)
    admission.admit(configs, resolved, report)
    _check_size(configs, resolved, seeds, out)
    this = retraining.command_of(configs, seeds, keep_weights)
    old = retraining.begin(out, this, report) if fresh else None
    chosen = choosing.choose(
        configs, resolved, out=out, old=old, report=report, workers=workers, executor=executor
    )
    plans = []
    for choice in chosen:
        experiment = choice.config.experiment
        planned = planning.plan(experiment, resolved[experiment.wanted], seeds, out)
        atomic.check_within(out, planned[0].folder.parent)
        plans.append((choice, planned))
    ready = [(choice, planned) for choice, planned in plans if choice.refused is None]
    for choice, planned in ready:
        for text in config.warnings(choice.config, planned[0].length.steps_per_epoch):
            report.warn(text)
    results = running.carry_out(
        [run for _, planned in ready for run in planned],
        workers=workers,
        report=report,
        old=old,
        keep_weights=keep_weights,
        command=command,
        executor=executor,
    )
    retraining.end(out, this)
    for choice, planned in plans:
        if choice.refused is not None:
            results |= dict.fromkeys(planned, RunResult(Status.FAILED, error=choice.refused))
    experiments = [_summary(choice, planned, results) for choice, planned in plans]
    compared = summaries.compare(
        experiments,
        summaries.environments(results.values()),
        plans[0][1][0].setup.task.metric,
    )
    return compared, {run.place.path: result for run, result in results.items()}


def save(compared: Comparison, out: Path, metric: Metric | None = None) -> list[Path]:
    """Write a comparison into a results directory, its verdict by a metric; return the files.

    Raises:
        ResultsError: If they cannot be written.
    """
    texts = {
        "comparison.csv": tables.to_csv(compared, metric),
        "comparison.md": tables.to_markdown(compared, metric),
    }
    return comparison.write(out, compared, texts, verdict_of(compared, metric))


def verdict_of(compared: Comparison, metric: Metric | None = None) -> dict[str, Any] | None:
    """Return what `comparison.json` says of the verdict, None where nothing can be compared."""
    metric = metric or verdict.usual(compared)
    found = verdict.of(compared, metric)
    return None if found is None else verdict.to_json(found, metric)


def _check_size(
    configs: Sequence[Config], resolved: Mapping[Wanted, DataSource], seeds: int, out: Path
) -> None:
    planned = []
    for config_ in configs:
        runs = planning.plan(config_.experiment, resolved[config_.experiment.wanted], seeds, out)
        planned.append(_summary(Choice(config_), runs, dict.fromkeys(runs, RunResult(Status.DONE))))
    comparison.check_size(summaries.compare(planned, metric=runs[0].setup.task.metric))


def _summary(
    choice: Choice, runs: Sequence[Run], results: Mapping[Run, RunResult]
) -> ExperimentSummary:
    return summaries.summarise(
        choice.config.experiment.model_dump(mode="json", exclude={"data"}),
        {run.seed: results[run] for run in runs},
        data=runs[0].setup.data.name,
        steps_per_epoch=runs[0].length.steps_per_epoch,
        chosen=choice.chosen,
        folders=[run.place.path for run in runs],
        metric=runs[0].setup.task.metric,
    )
