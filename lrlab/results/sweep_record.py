"""The files of a finished sweep: `sweep.csv` (the curves) and `sweep.json` (what they say)."""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lrlab.errors import ResultsError
from lrlab.finder import sweep
from lrlab.finder.suggestion import Suggestion
from lrlab.finder.sweep import StoppedBy
from lrlab.finder.verification import ShortRun
from lrlab.io import atomic, json_shapes, reading

CSV_FILE = "sweep.csv"
JSON_FILE = "sweep.json"
SCHEMA = 1

MOST_LOSSES = 5_000_000
"""Losses of a sweep, of all seeds together, that are read again."""

_HEADER = "seed,step,lr,loss,smoothed_loss"
_LONGEST_LINE = 200

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
    writer.writerow(_HEADER.split(","))
    for seed, (losses, smoothed) in enumerate(zip(record.losses, record.smoothed, strict=True)):
        for step in np.flatnonzero(np.isfinite(losses)):
            values = (record.lr[step], losses[step], smoothed[step])
            writer.writerow([seed, step, *(f"{value:.9g}" for value in values)])
    atomic.write_text(out / CSV_FILE, text.getvalue())
    atomic.write_text(out / JSON_FILE, to_json(record))
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
        about = _SHAPE(
            json_shapes.parse(reading.read_bytes(out / JSON_FILE, json_shapes.MAX_BYTES)), ""
        )
        settings = about["settings"]
        seeds, steps = settings["seeds"], settings["steps"]
        if seeds * steps > MOST_LOSSES:
            raise ValueError(f"{seeds:,} seeds of {steps:,} steps are too many")
        lr = sweep.rates(min_lr=settings["min_lr"], max_lr=settings["max_lr"], steps=steps)
        losses = _losses(out / CSV_FILE, seeds, steps)
    except FileNotFoundError as error:
        raise ResultsError(
            f"`{error.filename}` is missing", f"make it with `lrlab find-lr --out {out}`"
        ) from None
    except (OSError, ValueError) as error:
        raise ResultsError(
            f"the sweep in `{out}` cannot be read: {reading.reason(error)}",
            "run `lrlab find-lr` again",
        ) from error
    return SweepRecord(lr, losses, about)


# Between these bounds any rate over any other is finite.
_RATE = json_shapes.number(1e-100, 1e100)
_MAYBE_RATE = json_shapes.maybe(_RATE)
_MAYBE_NUMBER = json_shapes.maybe(json_shapes.number(least=0))
_OPTIMIZER = json_shapes.mapping(
    {"type": json_shapes.text()}, {"momentum": json_shapes.number(0, 1)}
)
_SETTINGS = json_shapes.mapping(
    {
        "model": json_shapes.text(),
        "optimizer": _OPTIMIZER,
        "batch_size": json_shapes.whole(1, 10**9),
        "data": json_shapes.text(),
        "min_lr": _RATE,
        "max_lr": _RATE,
        "steps": json_shapes.whole(2, 1_000_000),
        "seeds": json_shapes.whole(1, 1_000),
    }
)
_SHAPE = json_shapes.mapping(
    {
        "verdict": json_shapes.text(),
        "meaning": json_shapes.text(),
        "steady_lr": _MAYBE_RATE,
        "max_lr": _MAYBE_RATE,
        "lowest_useful_lr": _MAYBE_RATE,
        "highest_stable_lr": _MAYBE_RATE,
        "spread": _MAYBE_NUMBER,
        "stopped_by": json_shapes.text(),
        "rules": json_shapes.table(_MAYBE_NUMBER, most=100),
        "settings": _SETTINGS,
    },
    {
        "verified": json_shapes.maybe(
            json_shapes.mapping({"steady_lr": _MAYBE_RATE, "max_lr": _MAYBE_RATE})
        )
    },
)
_NUMBER = r"-?[0-9]+(?:\.[0-9]+)?(?:e[-+]?[0-9]{1,3})?"
_ROW = re.compile(
    rf"([0-9]{{1,4}}),([0-9]{{1,7}}),{_NUMBER},({_NUMBER}),(?:{_NUMBER}|nan)\n", re.ASCII
)


def _losses(path: Path, seeds: int, steps: int) -> Floats:
    """Return the losses that `sweep.csv` holds, shape (seeds, steps), NaN where it has none."""
    losses = np.full((seeds, steps), np.nan)
    with reading.open_file(path) as file:
        if file.readline(_LONGEST_LINE) != _HEADER.encode() + b"\n":
            raise ValueError(f"the first line of `{path}` is not `{_HEADER}`")
        for line in range(2, seeds * steps + 3):
            text = file.readline(_LONGEST_LINE)
            if not text:
                return losses
            row = _ROW.fullmatch(text.decode("latin-1"))
            seed, step = (int(row[1]), int(row[2])) if row else (seeds, steps)
            if row is None or seed >= seeds or step >= steps or not np.isnan(losses[seed, step]):
                raise ValueError(f"line {line} of `{path}` is not the loss of another step")
            losses[seed, step] = float(row[3])
    raise AssertionError("a step more than there are was not refused")
