"""`tuning.json`: each schedule at its own best rate, and every run that says so.

It is signed, and holds the checksums of the tables that were written with it.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any

from lrlab.errors import ResultsError
from lrlab.io import atomic, reading, records
from lrlab.io.records import AtLeast0, Count, Number, Positive, Text
from lrlab.metric import ACCURACY, Metric
from lrlab.results.comparison import damaged_tables
from lrlab.results.run import RunPlace, Status

FILE = "tuning.json"
TABLES = ("tuning.csv", "tuning.md")
FIGURES = ("sensitivity", "budget")
OF_EPOCHS = re.compile(r"sensitivity-[0-9]{1,9}-epochs", re.ASCII)
"""The figure of one of several budgets of training."""
SCHEMA = 1

_Ends = Annotated[tuple[AtLeast0, AtLeast0], records.items(2)]


@dataclass(frozen=True)
class RunsAtRate:
    """The runs of a schedule at one rate, a value per seed.

    Args:
        lr: The peak of the curve.
        scale: The schedule's `scale` that gives it.
        seeds: The seeds.
        statuses: How each run ended.
        values: The final result that decides, None where a run did not end well.
        losses: The validation loss, likewise.
        runs: The folder of each run, relative to the results directory.
    """

    lr: AtLeast0
    scale: AtLeast0
    seeds: Annotated[tuple[Count, ...], records.items(1)]
    statuses: tuple[Status, ...]
    values: tuple[Number | None, ...]
    losses: tuple[Number | None, ...]
    runs: tuple[Text, ...]

    @property
    def survived(self) -> bool:
        """Whether every run ended well."""
        return None not in self.values

    @property
    def mean(self) -> float | None:
        """The mean of the values of runs that ended well, None if none did."""
        there = [value for value in self.values if value is not None]
        return sum(there) / len(there) if there else None


@dataclass(frozen=True)
class BestRate:
    """The best rate of a schedule.

    Args:
        lr: The peak of the curve.
        scale: The schedule's `scale` that gives it.
        interval: The lowest and the highest tried rate that cannot be told from it, None where no
            spread is known.
        width: The lowest and the highest rate that are within the tolerance of it.
        open: Whether lower, and higher, rates may be as good, since none was tried that is not.
        seen: The mean that the search saw, which is too good: it was chosen for it.
        fresh: The runs with seeds that took no part in choosing.
    """

    lr: AtLeast0
    scale: AtLeast0
    interval: _Ends | None
    width: _Ends
    open: Annotated[tuple[bool, bool], records.items(2)]
    seen: Number
    fresh: RunsAtRate

    @property
    def factor(self) -> float:
        """The width as a factor."""
        return self.width[1] / self.width[0]


@dataclass(frozen=True)
class TunedSchedule:
    """A schedule at its own best rate.

    Args:
        name: The name of the experiment.
        schedule: The schedule's type.
        config: The experiment as resolved, at its best rate if it has one.
        steps_per_epoch: Steps in an epoch.
        used: How many runs it took, those with fresh seeds included.
        suggested_lr: The peak that `find-lr` suggests, None where it found none.
        tried: The runs that searched, by rate, ascending.
        best: The best rate, None where there is none.
        sensitivity: The LR sensitivity over the horizon's range, None where nobody knows.
        regret: How much worse the suggestion is than the best, None where it broke down.
        trouble: Why there is no best rate.
    """

    name: Annotated[Text, records.form("[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")]
    schedule: Text
    config: dict[str, Any]
    steps_per_epoch: Positive
    used: Count
    suggested_lr: AtLeast0 | None
    tried: tuple[RunsAtRate, ...]
    best: BestRate | None
    sensitivity: Number | None = None
    regret: Number | None = None
    trouble: Text | None = None

    @property
    def fresh_values(self) -> tuple[float | None, ...]:
        """The results with fresh seeds, none where there is no best rate."""
        return () if self.best is None else self.best.fresh.values

    @property
    def runs(self) -> list[RunsAtRate]:
        """All its runs: those that searched, then those with fresh seeds."""
        return [*self.tried, *([self.best.fresh] if self.best else [])]


@dataclass(frozen=True)
class Horizon:
    """The schedules after so much training.

    Args:
        epochs: The epochs of all of them, None where each config states its own.
        schedules: The schedules.
        sensitivity_range: The rates over which the LR sensitivity is, None where there are none
            that were tried with all schedules.
    """

    epochs: Positive | None
    schedules: Annotated[tuple[TunedSchedule, ...], records.items(1)]
    sensitivity_range: _Ends | None = None


@dataclass(frozen=True)
class Tuning:
    """Each schedule at its own best rate, for one or several budgets of training.

    Args:
        data: The data set.
        models: What was trained.
        decides: The key of the final result that decides.
        budget: The runs that each schedule was given.
        tolerance: How much worse than the best a rate within the width may be.
        relative: Whether that is a share.
        horizons: The schedules for each budget.
        metric: What the scores are values of.
    """

    data: Text
    models: tuple[Text, ...]
    decides: Text
    budget: Positive
    tolerance: AtLeast0
    relative: bool
    horizons: Annotated[tuple[Horizon, ...], records.items(1)]
    metric: Metric = field(default=ACCURACY, metadata=records.LEFT_OUT)

    @property
    def runs(self) -> list[tuple[str, Status]]:
        """The folder of every run, relative to the results directory, and how it ended."""
        return [
            each
            for horizon in self.horizons
            for tuned in horizon.schedules
            for at in tuned.runs
            for each in zip(at.runs, at.statuses, strict=True)
        ]

    @property
    def finished(self) -> bool:
        """Whether every schedule has a best rate, at which every run with a fresh seed ended."""
        bests = [tuned.best for horizon in self.horizons for tuned in horizon.schedules]
        return all(best is not None and best.fresh.survived for best in bests)


@dataclass(frozen=True)
class _Kept(Tuning):
    """`tuning.json`."""

    verdicts: tuple[Mapping[str, Any] | None, ...] = field(default=(), metadata=records.LEFT_OUT)
    sha256: Mapping[str, records.Digest] | None = field(default=None, metadata=records.LEFT_OUT)


def stated(tuning: Tuning, verdicts: tuple[Mapping[str, Any] | None, ...]) -> dict[str, Any]:
    """Return what `tuning.json` says, without its checksums.

    Args:
        tuning: What was tuned.
        verdicts: What is said of each horizon's best; it follows from the values and is not read
            again.
    """
    return {"format": SCHEMA, **records.to_json(tuning), "verdicts": list(verdicts)}


def write(
    out: Path,
    tuning: Tuning,
    tables: Mapping[str, str],
    verdicts: tuple[Mapping[str, Any] | None, ...],
) -> list[Path]:
    """Write `tuning.json` and the tables, all of them or none; return the files.

    Raises:
        ResultsError: If they cannot be written.
    """
    contents = {name: text.encode() for name, text in tables.items()}
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    text = records.text(stated(tuning, verdicts) | {"sha256": digests})
    contents[FILE] = records.sign(text).encode()
    atomic.write_files(out, contents)
    return [out / name for name in contents]


def read(out: Path) -> Tuning:
    """Return the tuning that a results directory holds.

    Raises:
        ResultsError: If there is none, or it is damaged.
        UnreadableError: If it cannot be read.
    """
    kept = _read(out)
    return Tuning(**{each.name: getattr(kept, each.name) for each in fields(Tuning)})


def check_tables(out: Path) -> Iterator[ResultsError]:
    """Yield for every table of a tuning what is wrong with it.

    Raises:
        ResultsError: If there is no tuning, or it is damaged.
        UnreadableError: If a file cannot be read.
    """
    yield from damaged_tables(out, _read(out).sha256 or {}, FILE)


def _read(out: Path) -> _Kept:
    path = out / FILE
    try:
        kept, _ = records.read_signed(path, _Kept)
        for problem in _misfits(kept):
            raise ValueError(problem)
    except FileNotFoundError:
        raise ResultsError(
            f"holds no `{FILE}`", "make one with `lrlab tune CONFIG... --out DIR`", path=out
        ) from None
    except (OSError, ValueError) as error:
        if not reading.is_damage(error):
            raise reading.unreadable(path, error) from error
        raise ResultsError(
            f"cannot be read: {reading.reason(error)}",
            "run `lrlab tune` again to rewrite it",
            path=path,
        ) from error
    return kept


def _misfits(tuning: Tuning) -> Iterator[str]:
    """Yield what does not fit together although each part is sound."""
    for number, horizon in enumerate(tuning.horizons):
        names = [tuned.name for tuned in horizon.schedules]
        if len(set(names)) < len(names):
            yield f"horizons.{number}: two schedules have the same name"
        for tuned in horizon.schedules:
            place = f"horizons.{number}.{tuned.name}"
            if list(tuned.tried) != sorted(tuned.tried, key=lambda each: each.lr):
                yield f"{place}.tried must be in the order of the rates"
            if tuned.best and tuned.best.lr not in [each.lr for each in tuned.tried]:
                yield f"{place}.best was not tried"
            if tuned.best and not 0 < tuned.best.width[0] <= tuned.best.width[1]:
                yield f"{place}.best.width is no range of rates"
            for at in tuned.runs:
                of_seeds = (at.statuses, at.values, at.losses, at.runs)
                if any(len(of) != len(at.seeds) for of in of_seeds):
                    yield f"{place} must have as many values as seeds"
                for folder, seed in zip(at.runs, at.seeds, strict=False):
                    there = RunPlace.of(Path(folder))
                    mine = (folder, tuned.name, seed)
                    if there is None or (there.path, there.name, there.seed) != mine:
                        yield f"{place}.runs must be the folder of each seed"
