"""Fill in the rates that a config leaves to a sweep (`auto`): one sweep for all that share it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from lrlab.config import Config
from lrlab.errors import ResultsError, TrainingError, UnreadableError
from lrlab.experiment.retraining import Old
from lrlab.experiment.suggesting import sweep_experiment
from lrlab.fields import Purpose, auto_rates, filled
from lrlab.finder import span
from lrlab.io import atomic, reading
from lrlab.reporter import Reporter
from lrlab.results import sweep_record
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
    report: Reporter,
    old: Old | None = None,
) -> list[Choice]:
    """Return the configs with every `auto` rate filled in by a sweep.

    One sweep serves all experiments of the same model, optimizer, batch size and data. It is kept
    in `OUT/sweeps/<identity>` and reused as runs are. One that fails is the end of these
    experiments alone.

    Args:
        configs: The experiments.
        resolved: The data that each name means.
        out: The results directory.
        report: Told what happens.
        old: What is repeated although it was made before.

    Raises:
        DataError: If a data set is damaged.
        ResultsError: If a sweep cannot be written.
        Interrupted: On Ctrl-C.
    """
    swept: dict[Setup, SweepRecord | str] = {}
    choices = []
    for config in configs:
        wanted = auto_rates(config.experiment.schedule)
        if not wanted:
            choices.append(Choice(config))
            continue
        source = resolved[config.experiment.data]
        setup = config.experiment.setup(source)
        if setup not in swept:
            folder = out / "sweeps" / sweep_record.identity(setup.identity())
            atomic.check_within(out, folder)
            try:
                swept[setup] = _sweep(config, source, folder, old, report)
            except (TrainingError, UnreadableError) as error:
                swept[setup] = error.message
        found = swept[setup]
        if isinstance(found, str):
            choices.append(Choice(config, refused=f"the sweep for `auto` failed: {found}"))
        else:
            choices.append(_fill(config, wanted, found.summary))
    return choices


def _kept(folder: Path, old: Old | None, report: Reporter) -> SweepRecord | None:
    """Return the sweep that a folder holds, None if there is none to be used."""
    path = folder / sweep_record.JSON_FILE
    if not reading.exists(path) or (old and path in old):
        return None
    try:
        record = sweep_record.read(folder)
        if sweep_record.recorded_identity(record.summary.settings) == folder.name:
            return record
        reason = f"`{path}` is the sweep of another setup"
    except UnreadableError:
        raise
    except ResultsError as error:
        reason = error.message
    report.warn(f"{reason}; the sweep is repeated")
    return None


def _sweep(
    config: Config, source: DataSource, folder: Path, old: Old | None, report: Reporter
) -> SweepRecord:
    atomic.recover(folder)
    if (kept := _kept(folder, old, report)) is not None:
        return kept
    record = sweep_experiment(config.experiment, source, seeds=span.SEEDS, report=report)
    sweep_record.write(folder, record)
    if old:
        old.made_again(folder / sweep_record.JSON_FILE)
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
