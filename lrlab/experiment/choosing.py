"""Fill in the rates that a config leaves to a sweep (`auto`), verified by short runs.

One sweep serves all that share a setup; what is verified is each schedule over its own epochs.
"""

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from lrlab.config import Config
from lrlab.errors import ResultsError, TrainingError, UnreadableError
from lrlab.experiment import planning, tips, verifying
from lrlab.experiment.begun_trials import BegunTrials
from lrlab.experiment.executors.executor import MakeExecutor
from lrlab.experiment.executors.threads import Threads
from lrlab.experiment.preparation import prepare
from lrlab.experiment.retraining import Old
from lrlab.experiment.suggesting import Load, interruptible, may_go_on, sweep_experiment
from lrlab.experiment.verifying import Question
from lrlab.fields import Purpose, auto_rates, filled
from lrlab.finder import span, verification
from lrlab.io import atomic, reading
from lrlab.reporter import Reporter
from lrlab.results import auto_trials, run_folder, sweep_record, verified_auto
from lrlab.results.sweep_record import SweepRecord, SweepSummary
from lrlab.results.verified_auto import VerifiedAuto
from lrlab.schedules import own_schedule
from lrlab.tasks.data_source import DataSource
from lrlab.tasks.setup import Setup
from lrlab.tasks.wanted import Wanted


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


_OF_FIND_LR = re.compile("--(steps|seeds|min-lr|max-lr)")
_SWEPT_APART = (
    " (`--steps`, `--seeds`, `--min-lr` and `--max-lr` are options of `lrlab find-lr`; put the "
    "rate that it finds in place of `auto`)"
)


def choose(
    configs: Sequence[Config],
    resolved: Mapping[Wanted, DataSource],
    *,
    out: Path,
    report: Reporter,
    old: Old | None = None,
    workers: int | None = None,
    executor: MakeExecutor = Threads,
) -> list[Choice]:
    """Return the configs with every `auto` rate filled in: swept, then verified.

    One sweep serves all experiments of the same model, optimizer, batch size and data. It is kept
    in `OUT/sweeps/<identity>`, beside it how each schedule's rates were verified, and both are
    reused as runs are. Where an experiment was trained at the rates of a sweep that nobody had
    verified, as lrlab 0.1 did, it keeps them. A sweep or a verification that fails is the end of
    the experiments that need it alone.

    Args:
        configs: The experiments.
        resolved: The data that each name means.
        out: The results directory.
        report: Told what happens.
        old: What is repeated although it was made before.
        workers: Short runs side by side; default one per core.
        executor: Carries out the training.

    Raises:
        DataError: If a data set is damaged.
        ResultsError: If a sweep cannot be written.
        Interrupted: On Ctrl-C.
    """
    load = functools.cache(lambda source: prepare([source]))
    swept: dict[Setup, SweepRecord | str] = {}
    choices: dict[int, Choice] = {}
    wishes: dict[int, _Wish] = {}
    for number, config in enumerate(configs):
        if not auto_rates(config.experiment.schedule):
            continue
        source = resolved[config.experiment.wanted]
        setup = config.experiment.setup(source)
        folder = out / "sweeps" / sweep_record.identity(setup.identity())
        if setup not in swept:
            atomic.check_within(out, folder)
            try:
                swept[setup] = sweep_of(config, source, folder, old, report, executor, load)
            except (TrainingError, UnreadableError) as error:
                swept[setup] = error.message
        found = swept[setup]
        if isinstance(found, str):
            choices[number] = Choice(config, refused=f"the sweep for `auto` failed: {found}")
        else:
            wishes[number] = _Wish(config, source, folder, found.summary)
    failed = _verify_missing(list(wishes.values()), out, old, report, workers, executor, load)
    for number, wish in wishes.items():
        if wish.file in failed:
            reason = f"the verification of `auto` failed: {failed[wish.file]}"
            choices[number] = Choice(wish.config, refused=reason)
        else:
            choices[number] = _fill(wish)
    return [choices.get(number, Choice(config)) for number, config in enumerate(configs)]


@dataclass(frozen=True)
class _Wish:
    """A config that leaves rates to a sweep, and the sweep."""

    config: Config
    source: DataSource
    folder: Path
    summary: SweepSummary

    @property
    def suggested(self) -> dict[Purpose, float]:
        """What the sweep suggests; nothing if it found nothing."""
        steady, peak = self.summary.steady_lr, self.summary.max_lr
        return {} if steady is None or peak is None else {"steady_lr": steady, "max_lr": peak}

    @property
    def file(self) -> Path:
        """Where it is kept how its rates were verified."""
        experiment = self.config.experiment
        schedule = experiment.schedule.unscaled
        stated = own_schedule.code_identity(schedule) or schedule.identity()
        name = verified_auto.file_name(stated, experiment.epochs)
        return self.folder / name

    @property
    def question(self) -> Question:
        """What short runs have to answer: `scale` is a factor on what they find."""
        experiment = self.config.experiment
        setup = experiment.setup(self.source)
        return Question(setup, experiment.schedule.unscaled, experiment.epochs, self.suggested)

    def with_rates(self, rates: Mapping[Purpose, float]) -> Config:
        """Return the config with its rates filled in.

        Raises:
            ValueError: If one does not fit the schedule.
        """
        experiment = self.config.experiment
        schedule = filled(experiment.schedule, rates)
        return replace(self.config, experiment=experiment.model_copy(update={"schedule": schedule}))

    def trained_unverified(self, out: Path) -> bool:
        """Return whether it was trained at the sweep's rates before anybody verified them."""
        try:
            config = self.with_rates(self.suggested)
        except ValueError:
            return False
        (planned,) = planning.plan(config.experiment, self.source, (0,), out)
        return any(planned.folder.parent.glob(f"*/{run_folder.RECORD}"))


def _verify_missing(
    wishes: Sequence[_Wish],
    out: Path,
    old: Old | None,
    report: Reporter,
    workers: int | None,
    executor: MakeExecutor,
    load: Load,
) -> dict[Path, str]:
    """Verify what is not verified yet, the schedules that share data side by side.

    Returns:
        Why it failed, by the file that should say what came out.
    """
    failed: dict[Path, str] = {}
    missing: dict[DataSource, dict[Path, _Wish]] = {}
    for wish in wishes:
        try:
            needed = wish.suggested and not _is_kept(wish, out, old, report)
        except UnreadableError as error:
            failed[wish.file] = error.message
            continue
        if needed:
            missing.setdefault(wish.source, {})[wish.file] = wish
    for source, of_source in missing.items():
        questions = {file: wish.question for file, wish in of_source.items()}
        count = workers or executor.default_workers(verification.MOST_RUNS * len(questions))
        count = min(count, executor.most_workers())
        begun = BegunTrials(questions, old, report)
        left = verification.MOST_RUNS * len(questions) - begun.runs
        what, hint = "the verification of `auto`", "run the same command again to resume"
        try:
            with (
                interruptible(what, hint),
                report.trying("Verifying the rates for `auto` by short runs", max(left, 1)),
            ):
                engines = load(source)
                found = verifying.verify(
                    list(questions.values()),
                    executor(engines, count),
                    engines.guess,
                    report=report,
                    known=begun.known,
                    keep=begun.keep,
                )
        except TrainingError as error:
            failed |= dict.fromkeys(questions, error.message)
            continue
        for (file, question), answer in zip(questions.items(), found, strict=True):
            record = verified_auto.of_runs(
                schedule=question.schedule.model_dump(mode="json"),
                epochs=question.epochs,
                steps=question.steps,
                suggested=question.suggested,
                rates=answer.rates,
                runs=answer.runs,
            )
            verified_auto.write(file, record)
            atomic.remove(auto_trials.path_beside(file))
            if old:
                old.made_again(file)
            report.note(_told(of_source[file], record))
    return failed


def _is_kept(wish: _Wish, out: Path, old: Old | None, report: Reporter) -> bool:
    """Return whether the rates of a config need no runs any more."""
    if not reading.exists(wish.file):
        return old is None and wish.trained_unverified(out)
    if old and wish.file in old:
        return False
    try:
        verified_auto.read(wish.file)
    except UnreadableError:
        raise
    except ResultsError as error:
        report.warn(f"{error.message}; the rates are verified again")
        return False
    return True


def _told(wish: _Wish, verified: VerifiedAuto) -> str:
    """Return the line that says what came out."""
    runs = f"{len(verified.runs)} runs of {verified.steps:,} steps"
    if verified.rates is None:
        return f"{wish.config.experiment.name}: `auto` not verified: none of {runs} survived"
    rates, suggested = verified.rates.by_purpose(), verified.suggested.by_purpose()
    found = ", ".join(
        f"{key} {rates[purpose]:g} (sweep: {suggested[purpose]:g})"
        for key, purpose in auto_rates(wish.config.experiment.schedule).items()
    )
    return f"{wish.config.experiment.name}: `auto` verified by {runs}: {found}"


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


def sweep_of(
    config: Config,
    source: DataSource,
    folder: Path,
    old: Old | None,
    report: Reporter,
    executor: MakeExecutor,
    load: Load,
    purpose: str = "`auto`",
) -> SweepRecord:
    """Return the sweep of a config's setup, kept in a folder; made for a purpose if not there.

    Raises:
        TrainingError: If it fails.
        ResultsError: If it cannot be written.
        UnreadableError: If what is there cannot be read.
        Interrupted: On Ctrl-C.
    """
    atomic.recover(folder)
    kept = _kept(folder, old, report)
    if kept is not None and not may_go_on(kept, config.experiment.setup(source)):
        return kept
    record = sweep_experiment(
        config.experiment,
        source,
        seeds=span.SEEDS,
        report=report,
        executor=executor,
        load=load,
        known=kept,
    )
    if reading.is_folder(folder):
        for path in [*verified_auto.files(folder), *auto_trials.files(folder)]:
            atomic.remove(path)
    sweep_record.write(folder, record)
    if old:
        old.made_again(folder / sweep_record.JSON_FILE)
    summary = record.summary
    found = f"steady_lr {summary.steady_lr}, max_lr {summary.max_lr}"
    result = found if summary.steady_lr is not None else summary.verdict
    report.note(f"swept for {purpose}: {record.conditions}: {result} ({folder})")
    return record


def _fill(wish: _Wish) -> Choice:
    if not wish.suggested:
        reason = f"the sweep for `auto` found no learning rate: {wish.summary.verdict}, "
        where = _SWEPT_APART if _OF_FIND_LR.search(wish.summary.meaning) else ""
        return Choice(wish.config, refused=reason + wish.summary.meaning + where)
    rates: Mapping[Purpose, float] = wish.suggested
    if reading.exists(wish.file):
        verified = verified_auto.read(wish.file)
        if verified.rates is None:
            reason = (
                f"no rate for `auto` survived: {len(verified.runs)} short runs broke down or ended "
                "no better than guessing; the lowest was at "
                f"{min(one.lr for one in verified.runs):g}"
            )
            if tip := tips.unlearned(wish.config.experiment, wish.source):
                reason += f"; {tip}"
            return Choice(wish.config, refused=reason)
        rates = verified.rates.by_purpose()
    try:
        config = wish.with_rates(rates)
    except ValueError as error:
        return Choice(wish.config, refused=f"what was found for `auto` does not fit: {error}")
    wanted = auto_rates(wish.config.experiment.schedule)
    return Choice(config, {key: rates[purpose] for key, purpose in wanted.items()})
