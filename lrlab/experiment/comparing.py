"""Carry out a comparison: plan the runs, reuse what is finished, train the rest, summarise."""

import functools
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from lrlab import comparison, config, data, runs, tables
from lrlab.comparison import Comparison
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

    def waiting(self, text: str) -> Any:
        """Return a context manager around a wait."""

    def planned(self, to_train: Sequence[Run], reused: int, workers: int) -> Any:
        """Return a context manager around the training of these runs."""

    def progress(self, run: Run, progress: pool.Progress) -> None:
        """A run has gone on."""

    def finished(self, run: Run, result: RunResult) -> None:
        """A run has ended."""


def compare(
    configs: Sequence[Config],
    *,
    out: Path,
    seeds: int,
    report: Report,
    workers: int | None = None,
    data_dir: Path | None = None,
    fresh: bool = False,
) -> Comparison:
    """Train every experiment with every seed, as far as that is not done yet, and summarise.

    Args:
        configs: The experiments.
        out: The results directory.
        seeds: How many seeds: 0, 1, ... `seeds - 1`.
        report: Told what happens.
        workers: Runs side by side; default one a core, never more than there are runs.
        data_dir: Where Fashion-MNIST is looked for first.
        fresh: Train anew what is finished already.

    Returns:
        The comparison; it is written into `out` too.

    Raises:
        DataError: If a data set cannot be had.
        ResultsError: If `out` cannot be read or written.
        Interrupted: On Ctrl-C; finished runs are kept.
    """
    runs.check_writable(out)
    resolved = _resolve([c.experiment.data for c in configs], data_dir, report)
    plan = _plan(configs, resolved, seeds, out)
    for each in configs:
        steps_per_epoch = resolved[each.experiment.data].steps_per_epoch(each.experiment.batch_size)
        for text in config.warnings(each, steps_per_epoch):
            report.warn(text)
    results = {} if fresh else _finished(plan, report)
    to_train = sorted((run for run in plan if run not in results), key=_trace_order)
    if to_train:
        results |= _train(to_train, len(results), workers, report)
    summaries = [
        _summary(each, [run for run in plan if run.config is each], results, out)
        for each in configs
    ]
    compared = comparison.compare(summaries)
    runs.write_text(out / "comparison.csv", tables.to_csv(compared))
    runs.write_text(out / "comparison.md", tables.to_markdown(compared))
    runs.write_text(out / comparison.FILE, comparison.to_json(compared))
    return compared


def _resolve(names: Sequence[str], data_dir: Path | None, report: Report) -> dict[str, DataSource]:
    with report.waiting("Looking for the data"):
        return {name: data.resolve(name, data_dir, report.warn) for name in dict.fromkeys(names)}


def _plan(
    configs: Sequence[Config], resolved: dict[str, DataSource], seeds: int, out: Path
) -> list[Run]:
    plan = []
    for each in configs:
        source = resolved[each.experiment.data]
        for seed in range(seeds):
            folder = runs.folder(out, each.experiment, source.fingerprint, seed)
            plan.append(Run(each, source, seed, folder))
    return plan


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
        raise runs.unwritable(folder, error) from error
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
    """Write what a run gave and return it; where that fails, the run has failed."""
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
    except ResultsError as error:
        return RunResult(Status.FAILED, error=error.message)
    return outcome


def _summary(
    each: Config, plan: Sequence[Run], results: dict[Run, RunResult], out: Path
) -> comparison.ExperimentSummary:
    return comparison.summarise(
        each.experiment.model_dump(mode="json", exclude={"data"}),
        {run.seed: results[run] for run in plan},
        data=plan[0].source.name,
        steps_per_epoch=plan[0].steps_per_epoch,
        folders=[run.folder.relative_to(out).as_posix() for run in plan],
    )
