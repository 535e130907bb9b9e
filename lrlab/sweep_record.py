"""The files of a finished sweep: `sweep.csv` (the curves) and `sweep.json` (what they say)."""

import csv
import io
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lrlab import files, sweep
from lrlab.errors import ResultsError
from lrlab.suggestion import Suggestion
from lrlab.sweep import StoppedBy
from lrlab.verification import ShortRun

CSV_FILE = "sweep.csv"
JSON_FILE = "sweep.json"
SCHEMA = 1

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class SweepRecord:
    """A sweep: its rates, shape (steps,), and each seed's batch losses, shape (seeds, steps).

    Losses are NaN from a seed's end on; `about` is the content of `sweep.json`.
    """

    lr: Floats
    losses: Floats
    about: dict[str, Any]

    @property
    def smoothed(self) -> Floats:
        """The smoothed losses, shape (seeds, steps)."""
        return sweep.smooth(self.losses)

    @property
    def conditions(self) -> str:
        """What was swept, in words: data, model, optimizer, batch size."""
        settings = self.about["settings"]
        optimizer = dict(settings["optimizer"])
        momentum = optimizer.get("momentum")
        kind = f"{optimizer['type']} with momentum {momentum:g}" if momentum else optimizer["type"]
        return (
            f"{settings['data']}, {settings['model']}, {kind}, batch size {settings['batch_size']}"
        )


@dataclass(frozen=True)
class Verified:
    """The suggestions as short real runs refined them, None where every run broke down."""

    steady_lr: float | None
    max_lr: float | None
    runs: tuple[ShortRun, ...]


def describe(
    suggestion: Suggestion,
    stopped_by: Sequence[StoppedBy],
    settings: dict[str, Any],
    verified: Verified | None = None,
) -> dict[str, Any]:
    """Return the content of `sweep.json`; rates are rounded to three digits."""
    common = Counter(stopped_by).most_common(1)[0][0]
    by_seed = [
        {"seed": seed, **_rounded(asdict(rates)), "stopped_by": reason.value}
        for seed, (rates, reason) in enumerate(zip(suggestion.by_seed, stopped_by, strict=True))
    ]
    return {
        "format": SCHEMA,
        "verdict": suggestion.verdict.value,
        "meaning": suggestion.verdict.sentence,
        "steady_lr": _round(suggestion.steady_lr),
        "max_lr": _round(suggestion.max_lr),
        "lowest_useful_lr": _round(suggestion.lowest_useful_lr),
        "highest_stable_lr": _round(suggestion.highest_stable_lr),
        "spread": _round(suggestion.spread),
        "verified": None if verified is None else _verified(verified),
        "stopped_by": common.value,
        "by_seed": by_seed,
        "rules": _rounded(suggestion.rules),
        "settings": settings,
    }


def _verified(verified: Verified) -> dict[str, Any]:
    return {
        "steady_lr": _round(verified.steady_lr),
        "max_lr": _round(verified.max_lr),
        "runs": [{**asdict(run), "lr": _round(run.lr)} for run in verified.runs],
    }


def _round(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.3g}")


def _rounded(values: Any) -> dict[str, float | None]:
    return {name: _round(value) for name, value in values.items()}


def write(out: Path, record: SweepRecord) -> list[Path]:
    """Write `sweep.csv` and `sweep.json` into `out`; return the files.

    Raises:
        ResultsError: If they cannot be written.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["seed", "step", "lr", "loss", "smoothed_loss"])
    for seed, (losses, smoothed) in enumerate(zip(record.losses, record.smoothed, strict=True)):
        for step in np.flatnonzero(np.isfinite(losses)):
            values = (record.lr[step], losses[step], smoothed[step])
            writer.writerow([seed, step, *(f"{value:.9g}" for value in values)])
    files.write_text(out / CSV_FILE, text.getvalue())
    files.write_text(out / JSON_FILE, to_json(record))
    return [out / CSV_FILE, out / JSON_FILE]


def to_json(record: SweepRecord) -> str:
    """Return `sweep.json`."""
    return json.dumps(record.about, indent=2) + "\n"


def read(out: Path) -> SweepRecord:
    """Return the sweep that a directory holds.

    Raises:
        ResultsError: If there is none, or it cannot be read.
    """
    try:
        about = json.loads((out / JSON_FILE).read_bytes())
        settings = about["settings"]
        lr = sweep.rates(
            min_lr=settings["min_lr"], max_lr=settings["max_lr"], steps=settings["steps"]
        )
        losses = np.full((settings["seeds"], len(lr)), np.nan)
        with (out / CSV_FILE).open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                losses[int(row["seed"]), int(row["step"])] = float(row["loss"])
    except FileNotFoundError as error:
        raise ResultsError(
            f"`{error.filename}` is missing", f"make it with `lrlab find-lr --out {out}`"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise ResultsError(
            f"the sweep in `{out}` cannot be read: {error}", "run `lrlab find-lr` again"
        ) from error
    return SweepRecord(lr, losses, about)
