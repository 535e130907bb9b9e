"""Carry out a comparison: fill in what a sweep finds, do all runs, summarise, write."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from lrlab import config
from lrlab.analysis import judging, reaching, summaries
from lrlab.config import Config
from lrlab.experiment import (
    admission,
    choosing,
    deciding,
    opening,
    own_code,
    planning,
    retraining,
    running,
)
from lrlab.experiment.asking import Asked, Question
from lrlab.experiment.choosing import Choice
from lrlab.experiment.executors.executor import MakeExecutor
from lrlab.experiment.executors.threads import Threads
from lrlab.experiment.planning import Run
from lrlab.experiment.preparation import resolve
from lrlab.io import atomic
from lrlab.metric import Metric
from lrlab.report import looks_words, tables, verdict
from lrlab.reporter import Reporter
from lrlab.results import comparison, test_openings
from lrlab.results.asked import Looks
from lrlab.results.comparison import Comparison, ExperimentSummary
from lrlab.results.run import RunResult, Status
from lrlab.tasks.data_source import DataSource
from lrlab.tasks.wanted import Wanted

USUAL_QUESTION = Question()


def compare(
    configs: Sequence[Config],
    *,
    out: Path,
    seeds: int,
    report: Reporter,
    question: Question = USUAL_QUESTION,
    seed_list: Sequence[int] | None = None,
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
        seeds: How many seeds: 0, 1, ... `seeds - 1`; where the question has seeds added until it
            is answered, that decides.
        report: Told what happens.
        question: What is asked beside the means.
        seed_list: The seeds themselves, where they are not the first ones.
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
        UsageError: If the question cannot be asked of these experiments.
        ResultsError: If `out` cannot be read or written.
        Interrupted: On Ctrl-C; finished runs are kept.
    """
    configs, resolved = admitted(configs, out, data_dir, report, known)
    metric = configs[0].experiment.setup(resolved[configs[0].experiment.wanted]).task.metric
    asked = question.about(metric, len(configs), _data_sets(resolved))
    opening.warn_if_it_decides(asked.metric, len(configs), report)
    opened = test_openings.read(out)
    seeds = question.until_sure.most if question.until_sure else seeds
    numbers = range(seeds) if seed_list is None else seed_list
    _check_size(configs, resolved, numbers, out)
    how = f"{asked.metric.key} {asked.until_sure}" if asked.until_sure else None
    how = how if seed_list is None else f"seeds {list(seed_list)}"
    this = retraining.command_of(configs, len(numbers), keep_weights, how)
    old = retraining.begin(out, this, report) if fresh else None
    chosen = choosing.choose(
        configs, resolved, out=out, old=old, report=report, workers=workers, executor=executor
    )
    plans = planned(chosen, resolved, [numbers] * len(chosen), out, report)

    def carry(runs: Sequence[Run]) -> dict[Run, RunResult]:
        return running.carry_out(
            runs,
            workers=workers,
            report=report,
            old=old,
            keep_weights=keep_weights,
            command=command,
            executor=executor,
        )

    made = _carried_out(plans, asked, carry, report)
    retraining.end(out, this)
    compared = _compared(made, asked)
    prints = [runs[0].setup.data.fingerprint for _, runs, _ in made]
    compared = opening.open_test(compared, asked.metric, prints, opened)
    results = {
        run.place.path: result
        for _, _, of in made
        for run, result in of.items()
        if result.lr is not None or result.status is Status.FAILED
    }
    return compared, results


def admitted(
    configs: Sequence[Config],
    out: Path,
    data_dir: Path | None,
    report: Reporter,
    known: Mapping[Wanted, DataSource] = MappingProxyType({}),
) -> tuple[list[Config], dict[Wanted, DataSource]]:
    """Return configs with their code loaded, and their data, each held against the other.

    Arguments and errors are those of `compare`.
    """
    atomic.make_folder(out)
    configs = own_code.loaded(configs, report)
    resolved = resolve(configs, data_dir, report, known)
    configs = own_code.settled(configs, resolved)
    admission.admit(configs, resolved, report)
    return configs, resolved


def planned(
    chosen: Sequence[Choice],
    resolved: Mapping[Wanted, DataSource],
    seeds: Sequence[Sequence[int]],
    out: Path,
    report: Reporter,
) -> list[tuple[Choice, Sequence[Run]]]:
    """Return the runs of each experiment; warn of schedules that are probably mistakes.

    Args:
        chosen: The experiments.
        resolved: Their data.
        seeds: The seeds of each.
        out: The results directory.
        report: Told the warnings.
    """
    plans: list[tuple[Choice, Sequence[Run]]] = []
    for choice, of_one in zip(chosen, seeds, strict=True):
        experiment = choice.config.experiment
        runs = planning.plan(experiment, resolved[experiment.wanted], of_one, out)
        atomic.check_within(out, runs[0].folder.parent)
        plans.append((choice, runs))
    doubts = (
        config.warnings(choice.config, runs[0].length.steps_per_epoch)
        for choice, runs in plans
        if choice.refused is None
    )
    for text in dict.fromkeys(itertools.chain.from_iterable(doubts)):  # Those of a grid are alike.
        report.warn(text)
    of_all = [runs[0].setup.data for choice, runs in plans if choice.refused is None]
    for name in dict.fromkeys(each.name for each in of_all if each.streamed is not None):
        report.note(f"`{name}` is a stream: a run that is cut off starts over")
    return plans


_Made = tuple[Choice, Sequence[Run], Mapping[Run, RunResult]]
"""An experiment, the runs that it needed, and their results."""


def _carried_out(
    plans: Sequence[tuple[Choice, Sequence[Run]]],
    asked: Asked,
    carry: Callable[[Sequence[Run]], dict[Run, RunResult]],
    report: Reporter,
) -> list[_Made]:
    """Carry out the runs that the question needs; those without a rate have failed."""
    ready = [runs for choice, runs in plans if choice.refused is None]
    how = asked.until_sure
    if how is None:
        needed, results = list(ready), carry([run for runs in ready for run in runs])
    else:
        needed, results = deciding.carry_out(ready, how, asked.metric, carry, report)
    left = iter(needed)
    made: list[_Made] = []
    for choice, of_one in plans:
        if choice.refused is not None:
            runs = of_one[: how.at[0]] if how else of_one
            failed = RunResult(Status.FAILED, error=choice.refused)
            made.append((choice, runs, dict.fromkeys(runs, failed)))
        else:
            runs = next(left)
            made.append((choice, runs, {run: results[run] for run in runs}))
    return made


def _compared(made: Sequence[_Made], asked: Asked) -> Comparison:
    """Return the comparison, with what the question asks for."""
    experiments = [_summary(*each) for each in made]
    results = {run: result for _, _, of in made for run, result in of.items()}
    judged = made[0][1][0].setup.task.metric
    compared = summaries.compare(experiments, summaries.environments(results.values()), judged)
    metric = asked.metric
    if (how := asked.until_sure) is not None:
        compared = replace(compared, looks=Looks(how.at, metric.key, how.within(metric)))
    by_folder = {run.place.path: result for run, result in results.items()}
    if (aim := asked.aim) is not None:
        compared = reaching.with_target(compared, by_folder, aim.metric, aim.value)
    return judging.with_other_examples(compared, by_folder, metric.key, metric.mode)


def save(compared: Comparison, out: Path, metric: Metric | None = None) -> list[Path]:
    """Write a comparison into a results directory, its verdict by a metric; return the files.

    Raises:
        ResultsError: If they cannot be written.
    """
    texts = {
        "comparison.csv": tables.to_csv(compared, metric),
        "comparison.md": tables.to_markdown(compared, metric),
    }
    if compared.test is not None:
        test_openings.add(out, compared.test.openings)
    return comparison.write(out, compared, texts, verdict_of(compared, metric))


def verdict_of(compared: Comparison, metric: Metric | None = None) -> dict[str, Any] | None:
    """Return what `comparison.json` says of the verdict, None where nothing can be compared."""
    metric = metric or verdict.usual(compared)
    found = verdict.of(compared, metric)
    if found is None:
        return None
    return verdict.to_json(found, metric) | looks_words.to_json(compared, metric)


def _data_sets(resolved: Mapping[Wanted, DataSource]) -> int:
    """Return how many different data sets there are."""
    return len({source.fingerprint for source in resolved.values()})


def _check_size(
    configs: Sequence[Config],
    resolved: Mapping[Wanted, DataSource],
    seeds: Sequence[int],
    out: Path,
) -> None:
    expected = []
    for config_ in configs:
        runs = planning.plan(config_.experiment, resolved[config_.experiment.wanted], seeds, out)
        expected.append(
            _summary(Choice(config_), runs, dict.fromkeys(runs, RunResult(Status.DONE)))
        )
    comparison.check_size(summaries.compare(expected, metric=runs[0].setup.task.metric))


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
        point=choice.config.point,
    )
