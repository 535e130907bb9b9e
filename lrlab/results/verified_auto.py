"""The file beside a sweep that says what a schedule's `auto` rates are, verified by short runs."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from lrlab.errors import ResultsError
from lrlab.fields import Purpose
from lrlab.finder.verification import ShortRun
from lrlab.io import atomic, reading, records
from lrlab.io.records import Positive, Whole
from lrlab.results.sweep_record import Rate, rounded, rounded_runs

SCHEMA = 1
MOST_KEPT = 100
"""Keys of a schedule that are read again."""


@dataclass(frozen=True, kw_only=True)
class AutoRates:
    """A rate for constant and decaying schedules, and a peak."""

    steady_lr: Rate
    max_lr: Rate

    @classmethod
    def of(cls, rates: Mapping[Purpose, float]) -> "AutoRates":
        """Return rates rounded to three digits."""
        return cls(steady_lr=rounded(rates["steady_lr"]), max_lr=rounded(rates["max_lr"]))

    def by_purpose(self) -> dict[Purpose, float]:
        """Return the rates by what they are for."""
        return {"steady_lr": self.steady_lr, "max_lr": self.max_lr}


@dataclass(frozen=True, kw_only=True)
class VerifiedAuto:
    """`verified-<hash>.json`: what a schedule's `auto` rates are, and the runs that say so.

    Attributes:
        schedule: The schedule's config, its rates still `auto`.
        epochs: Epochs of the run.
        steps: Steps of each short run.
        suggested: What the sweep suggested.
        rates: The same as the runs have it; None if none survived.
        runs: The short runs; `lr` is the first rate that is `auto`.
    """

    format: Whole = SCHEMA
    schedule: Annotated[dict[str, Any], records.keys(MOST_KEPT)]
    epochs: Positive
    steps: Positive
    suggested: AutoRates
    rates: AutoRates | None
    runs: Annotated[tuple[ShortRun, ...], records.items(1)]


def file_name(schedule: Mapping[str, Any], epochs: int) -> str:
    """Return the name of the file for a schedule.

    Args:
        schedule: The schedule's identity, its rates still `auto`.
        epochs: Epochs of the run.
    """
    stated = json.dumps([SCHEMA, schedule, epochs], sort_keys=True)
    return f"verified-{hashlib.sha256(stated.encode()).hexdigest()[:10]}.json"


def files(folder: Path) -> list[Path]:
    """Return the files of this kind that a folder holds."""
    named = re.compile(r"verified-[0-9a-f]{10}\.json", re.ASCII)
    return [folder / name for name in reading.names(folder) if named.fullmatch(name)]


def write(path: Path, verified: VerifiedAuto) -> None:
    """Write what was verified.

    Raises:
        ResultsError: If it cannot be written.
    """
    atomic.write_text(path, records.sign(records.text(verified)))


def of_runs(
    *,
    schedule: dict[str, Any],
    epochs: int,
    steps: int,
    suggested: Mapping[Purpose, float],
    rates: Mapping[Purpose, float] | None,
    runs: tuple[ShortRun, ...],
) -> VerifiedAuto:
    """Return what was verified with all rates rounded to three digits; see `VerifiedAuto`."""
    return VerifiedAuto(
        schedule=schedule,
        epochs=epochs,
        steps=steps,
        suggested=AutoRates.of(suggested),
        rates=None if rates is None else AutoRates.of(rates),
        runs=rounded_runs(runs),
    )


def read(path: Path) -> VerifiedAuto:
    """Return what was verified.

    Raises:
        ResultsError: If it is damaged.
        UnreadableError: If it cannot be read.
    """
    try:
        return records.read_file(path, VerifiedAuto)
    except (OSError, ValueError) as error:
        if not reading.is_damage(error):
            raise reading.unreadable(path, error) from error
        reason = f"cannot be read: {reading.reason(error)}"
        raise ResultsError(reason, "delete it to have it made again", path=path) from error
