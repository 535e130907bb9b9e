"""Fill in the rates that a config leaves to a sweep (`auto`): one sweep for all that share it."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from lrlab.config import Config
from lrlab.errors import ResultsError
from lrlab.experiment.finding import sweep_experiment
from lrlab.experiment.running import Report
from lrlab.fields import Purpose, auto_rates, filled
from lrlab.io import atomic
from lrlab.results import run, sweep_record
from lrlab.results.sweep_record import SweepRecord, SweepSummary
from lrlab.tasks.data import DataSource

_SEEDS = 3


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
    report: Report,
) -> list[Choice]:
    """Return the configs with every `auto` rate filled in by a sweep.

    One sweep serves all experiments of the same model, optimizer, batch size and data. It is kept
    in `OUT/sweeps/<hash>` and reused as runs are.

    Args:
        configs: The experiments.
        resolved: The data that each name means.
        out: The results directory.
        fresh: Sweep anew where there is a sweep already.
        report: Told what happens.

    Raises:
        DataError: If a data set is damaged.
        ResultsError: If a sweep cannot be written.
        Interrupted: On Ctrl-C.
    """
    swept: dict[Path, SweepRecord] = {}
    choices = []
    for config in configs:
        wanted = auto_rates(config.experiment.schedule)
        if not wanted:
            choices.append(Choice(config))
            continue
        source = resolved[config.experiment.data]
        folder = _folder(out, config, source)
        if folder not in swept:
            atomic.check_within(out, folder)
            atomic.remove_parts(folder)
            swept[folder] = _sweep(config, source, folder, fresh, report)
        choices.append(_fill(config, wanted, swept[folder].summary))
    return choices


def _folder(out: Path, config: Config, source: DataSource) -> Path:
    e = config.experiment
    stated = [run.FORMAT, e.model, e.optimizer.identity(), e.batch_size, source.fingerprint]
    digest = hashlib.sha256(json.dumps(stated, sort_keys=True).encode()).hexdigest()
    return out / "sweeps" / digest[:10]


def _sweep(
    config: Config, source: DataSource, folder: Path, fresh: bool, report: Report
) -> SweepRecord:
    if not fresh and (folder / sweep_record.JSON_FILE).exists():
        try:
            return sweep_record.read(folder)
        except ResultsError as error:
            report.warn(f"{error.message}; the sweep is made anew")
    record = sweep_experiment(config, source, seeds=_SEEDS, report=report)
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
