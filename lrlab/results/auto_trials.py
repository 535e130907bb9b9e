"""The file beside a sweep that keeps the short runs of a verification while it is going on."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from lrlab.errors import ResultsError
from lrlab.finder.trials import Trial
from lrlab.io import atomic, reading, records
from lrlab.io.records import Number, Positive, Whole
from lrlab.results import verified_auto
from lrlab.results.verified_auto import AutoRates

SCHEMA = 1
_MOST_KEPT = 1_000

LossAndScore = tuple[float, float]
"""What a run gave on the validation set."""

Outcomes = Mapping[Trial, LossAndScore | None]
"""What trials gave; None: the run broke down."""


@dataclass(frozen=True, kw_only=True)
class Tried:
    """A short run, its results None where it broke down."""

    step: Whole
    seed: Whole
    val_loss: Number | None
    val_score: Number | None


@dataclass(frozen=True, kw_only=True)
class AutoTrials:
    """`tried-<hash>.json`: the runs so far that verify a schedule's `auto` rates.

    Attributes:
        schedule: The schedule's config, its rates still `auto`.
        epochs: Epochs of the run.
        suggested: What the sweep suggested; a run's rates are these times a power of 2.
        trials: The runs.
    """

    format: Whole = SCHEMA
    schedule: Annotated[dict[str, Any], records.keys(verified_auto.MOST_KEPT)]
    epochs: Positive
    suggested: AutoRates
    trials: Annotated[tuple[Tried, ...], records.items(1)]

    def outcomes(self) -> dict[Trial, LossAndScore | None]:
        """Return what the runs gave."""
        return {
            Trial(each.step, each.seed): (
                None
                if each.val_loss is None or each.val_score is None
                else (each.val_loss, each.val_score)
            )
            for each in self.trials
        }


def path_beside(verified: Path) -> Path:
    """Return the file of a verification that is going on, by the file that it will end in."""
    return verified.with_name(verified.name.replace("verified-", "tried-", 1))


def files(folder: Path) -> list[Path]:
    """Return the files of this kind that a folder holds."""
    named = re.compile(r"tried-[0-9a-f]{10}\.json", re.ASCII)
    return [folder / name for name in reading.names(folder) if named.fullmatch(name)]


def write(
    path: Path, schedule: dict[str, Any], epochs: int, suggested: AutoRates, tried: Outcomes
) -> None:
    """Write what was tried so far; see `AutoTrials`.

    Raises:
        ResultsError: If it cannot be written.
    """
    trials = tuple(
        Tried(
            step=trial.step,
            seed=trial.seed,
            val_loss=gave and gave[0],
            val_score=gave and gave[1],
        )
        for trial, gave in tried.items()
    )
    kept = AutoTrials(schedule=schedule, epochs=epochs, suggested=suggested, trials=trials)
    atomic.write_text(path, records.sign(records.text(kept)))


def read(path: Path) -> AutoTrials:
    """Return what was tried so far.

    Raises:
        ResultsError: If it is damaged.
        UnreadableError: If it cannot be read.
    """
    try:
        kept = records.read_file(path, AutoTrials)
        if len(kept.trials) > _MOST_KEPT:
            raise ValueError(f"it holds {len(kept.trials):,} runs")
    except (OSError, ValueError) as error:
        if not reading.is_damage(error):
            raise reading.unreadable(path, error) from error
        reason = f"cannot be read: {reading.reason(error)}"
        raise ResultsError(reason, "delete it to start over", path=path) from error
    return kept
