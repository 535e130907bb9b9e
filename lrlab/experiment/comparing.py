"""Carry out a comparison: fill in what a sweep finds, do all runs, summarise, write."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from lrlab import config
from lrlab.analysis import summaries
from lrlab.config import Config
from lrlab.experiment import choosing, running
from lrlab.experiment.choosing import Choice
from lrlab.experiment.running import Report, Run
from lrlab.io import atomic
from lrlab.report import tables
from lrlab.results import comparison
from lrlab.results.comparison import Comparison
from lrlab.results.run import RunResult, Status
from lrlab.tasks import data
from lrlab.tasks.data import DataSource


def compare(
    configs: Sequence[Config],
    *,
    out: Path,
    seeds: int,
    report: Report,
    workers: int | None = None,
    data_dir: Path | None = None,
    fresh: bool = False,
    keep_weights: bool = False,
    command: str | None = None,
) -> tuple[Comparison, dict[str, RunResult]]:
    """Train every experiment with every seed, as far as that is not done yet, and summarise.

    Only for who holds the lock of the results directory.

    Args:
        configs: The experiments.
        out: The results directory.
        seeds: How many seeds: 0, 1, ... `seeds - 1`.
        report: Told what happens.
        workers: Runs side by side; default one a core, never more than there are runs.
        data_dir: Where Fashion-MNIST is looked for first.
        fresh: Train anew what is finished already.
        keep_weights: Whether the final weights of every run are kept.
        command: The command line, for `run.json`.

    Returns:
        The comparison, which `save` writes, and the result of each run by its folder in `out`.

    Raises:
        DataError: If a data set cannot be had.
        ResultsError: If `out` cannot be read or written.
        Interrupted: On Ctrl-C; finished runs are kept.
    """
    atomic.check_writable(out)
    resolved = _resolve([c.experiment.data for c in configs], data_dir, report)
    chosen = choosing.choose(configs, resolved, out=out, fresh=fresh, report=report)
    ready = [choice.config for choice in chosen if choice.refused is None]
    for each in ready:
        steps_per_epoch = resolved[each.experiment.data].steps_per_epoch(each.experiment.batch_size)
        for text in config.warnings(each, steps_per_epoch):
            report.warn(text)
    plan = running.plan_runs(ready, resolved, seeds, out)
    for folder in dict.fromkeys(run.folder.parent for run in plan):
        atomic.check_within(out, folder)
    results = running.carry_out(
        plan,
        workers=workers,
        fresh=fresh,
        report=report,
        keep_weights=keep_weights,
        command=command,
    )
    for choice in chosen:
        if choice.refused is not None:
            refused = RunResult(Status.FAILED, error=choice.refused)
            plan = running.plan_runs([choice.config], resolved, seeds, out)
            results |= dict.fromkeys(plan, refused)
    of_config: dict[int, list[Run]] = {}
    for run in results:
        of_config.setdefault(id(run.config), []).append(run)
    experiments = [_summary(c, of_config[id(c.config)], results, out) for c in chosen]
    compared = summaries.compare(experiments, summaries.environments(results.values()))
    return compared, {_place(run, out): result for run, result in results.items()}


def save(compared: Comparison, out: Path) -> list[Path]:
    """Write a comparison into a results directory; return the files.

    Raises:
        ResultsError: If they cannot be written.
    """
    texts = {
        "comparison.csv": tables.to_csv(compared),
        "comparison.md": tables.to_markdown(compared),
        comparison.FILE: comparison.to_json(compared),
    }
    for name, text in texts.items():
        atomic.write_text(out / name, text)
    return [out / name for name in texts]


def _resolve(names: Sequence[str], data_dir: Path | None, report: Report) -> dict[str, DataSource]:
    with report.waiting("Looking for the data"):
        return {name: data.resolve(name, data_dir, report.warn) for name in dict.fromkeys(names)}


def _summary(
    choice: Choice, runs: Sequence[Run], results: Mapping[Run, RunResult], out: Path
) -> comparison.ExperimentSummary:
    own = sorted(runs, key=lambda run: run.seed)
    return summaries.summarise(
        choice.config.experiment.model_dump(mode="json", exclude={"data"}),
        {run.seed: results[run] for run in own},
        data=own[0].source.name,
        steps_per_epoch=own[0].steps_per_epoch,
        chosen=choice.chosen,
        folders=[_place(run, out) for run in own],
    )


def _place(run: Run, out: Path) -> str:
    return run.folder.relative_to(out).as_posix()
