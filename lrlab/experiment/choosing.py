"""Fill in the rates that a config leaves to a sweep (`auto`): one sweep for all that share it."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from lrlab.config import Config
from lrlab.errors import ResultsError
from lrlab.experiment.suggesting import sweep_experiment
from lrlab.fields import Purpose, auto_rates, filled
from lrlab.finder import span
from lrlab.io import atomic
from lrlab.reporter import Reporter
from lrlab.results import run, sweep_record
from lrlab.results.sweep_record import SweepRecord, SweepSummary
from lrlab.tasks.data_source import DataSource
from lrlab.tasks.setup import Setup


@dataclass(frozen=True)
class Choice:
    """A config with its rates filled in: which, or why there are none.

    Args:
        config: The config, its `auto` rates replaced unless refused.
        chosen: The rates that were filled in, by dotted key of the schedule.
        refused: Why the experiment cannot be trained, None if it can.
    """

    config: Config
    chosen: Mapping[str, float] = field(default_factory=dict)
    refused: str | None = None


def choose(
    configs: Sequence[Config],
    resolved: Mapping[str, DataSource],
    *,
    out: Path,
    fresh: bool,
    report: Reporter,
) -> list[Choice]:
    """Return the configs with every `auto` rate filled in by a sweep.

    One sweep serves all experiments of the same model, optimizer, batch size and data. It is kept
    in `OUT/sweeps/<hash>` and reused as runs are.

    Args:
        configs: The experiments.
        resolved: The data that each name means.
        out: The results directory.
        fresh: Repeat sweeps that were made before.
        report: Told what happens.

    Raises:
        DataError: If a data set is damaged.
        ResultsError: If a sweep cannot be written.
        Interrupted: On Ctrl-C.
    """
    swept: dict[Setup, SweepRecord] = {}
    choices = []
    for config in configs:
        wanted = auto_rates(config.experiment.schedule)
        if not wanted:
            choices.append(Choice(config))
            continue
        source = resolved[config.experiment.data]
        setup = config.experiment.setup(source)
        if setup not in swept:
            folder = out / "sweeps" / _digest(setup)
            atomic.check_within(out, folder)
            atomic.remove_parts(folder)
            swept[setup] = _sweep(config, source, folder, fresh, report)
        choices.append(_fill(config, wanted, swept[setup].summary))
    return choices


def _digest(setup: Setup) -> str:
    stated = json.dumps([run.FORMAT, *setup.identity()], sort_keys=True)
    return hashlib.sha256(stated.encode()).hexdigest()[:10]


def _sweep(
    config: Config, source: DataSource, folder: Path, fresh: bool, report: Reporter
) -> SweepRecord:
    if not fresh and (folder / sweep_record.JSON_FILE).exists():
        try:
            return sweep_record.read(folder)
        except ResultsError as error:
            report.warn(f"{error.message}; the sweep is repeated")
    record = sweep_experiment(config.experiment, source, seeds=span.SEEDS, report=report)
    sweep_record.write(folder, record)
    summary = record.summary
    found = f"steady_lr {summary.steady_lr}, max_lr {summary.max_lr}"
    result = found if summary.steady_lr is not None else summary.verdict
    report.note(f"swept for `auto`: {record.conditions}: {result} ({folder})")
    return record


def _fill(config: Config, wanted: Mapping[str, Purpose], summary: SweepSummary) -> Choice:
    if summary.steady_lr is None or summary.max_lr is None:
        reason = f"the sweep for `auto` found no learning rate: {summary.verdict}, "
        return Choice(config, refused=reason + summary.meaning)
    rates: dict[Purpose, float] = {"steady_lr": summary.steady_lr, "max_lr": summary.max_lr}
    try:
        schedule = filled(config.experiment.schedule, rates)
    except ValueError as error:
        return Choice(config, refused=f"what the sweep found for `auto` does not fit: {error}")
    experiment = config.experiment.model_copy(update={"schedule": schedule})
    chosen = {key: rates[purpose] for key, purpose in wanted.items()}
    return Choice(replace(config, experiment=experiment), chosen)
