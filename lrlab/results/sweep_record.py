"""The files of a finished sweep: `sweep.csv` (the curves) and `sweep.json` (what they say).

`sweep.json` is signed and holds the checksum of `sweep.csv`; both take their places together.
"""

import csv
import hashlib
import io
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from pydantic import AfterValidator, Field, TypeAdapter

from lrlab.errors import ResultsError
from lrlab.finder import sweep
from lrlab.finder.suggestion import Suggestion
from lrlab.finder.sweep import StoppedBy
from lrlab.finder.verification import ShortRun
from lrlab.io import atomic, reading, records
from lrlab.io.records import AtLeast0, Count, Positive, Text, Whole
from lrlab.results.run import FORMAT
from lrlab.tasks.optimizers import Optimizer

CSV_FILE = "sweep.csv"
JSON_FILE = "sweep.json"
SCHEMA = 1

MOST_LOSSES = 5_000_000
"""Losses of a sweep, of all seeds together, that are read again."""

_HEADER = "seed,step,lr,loss,smoothed_loss"
_LONGEST_LINE = 200

Floats = npt.NDArray[np.float64]
_OPTIMIZERS: TypeAdapter[Any] = TypeAdapter(Optimizer)

# Between these bounds any rate over any other is finite.
Rate = Annotated[float, Field(strict=True, ge=1e-100, le=1e100)]


@dataclass(frozen=True, kw_only=True)
class _Optimizer:
    """The part of an optimizer's config that figures and tables name."""

    type: Text
    momentum: Annotated[float, Field(strict=True, ge=0, le=1)] | None = None


def _with_known_optimizer(optimizer: dict[str, Any]) -> dict[str, Any]:
    try:
        records.checked(optimizer, _Optimizer)
    except ValueError as error:
        raise ValueError(f"does not fit: {error}") from None
    return optimizer


@dataclass(frozen=True, kw_only=True)
class SweepSettings:
    """What was swept, and how; `optimizer` is its config.

    `loss` names the loss where it is not the cross-entropy of classes, and `setup` is the identity
    of what was swept where the others do not tell it: a user's own code, or a stated loss.
    """

    experiment: Text | None = None
    model: Text
    optimizer: Annotated[dict[str, Any], AfterValidator(_with_known_optimizer)]
    batch_size: Positive
    data: Text
    data_fingerprint: Text | None = None
    min_lr: Rate
    max_lr: Rate
    steps: Annotated[int, Field(strict=True, ge=2, le=1_000_000)]
    seeds: Annotated[int, Field(strict=True, ge=1, le=1_000)]
    loss: Text | None = field(default=None, metadata=records.LEFT_OUT)
    setup: Sequence[Any] | None = field(default=None, metadata=records.LEFT_OUT)


@dataclass(frozen=True, kw_only=True)
class Verified:
    """The suggestions as short real runs have them, None where no run survived."""

    steady_lr: Rate | None
    max_lr: Rate | None
    runs: tuple[ShortRun, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SeedRates:
    """What the sweep of one seed suggests, and why it ended."""

    seed: Count
    steady_lr: Rate | None
    max_lr: Rate | None
    stopped_by: Text


@dataclass(frozen=True, kw_only=True)
class SweptBefore:
    """A sweep of the same setup that gave no number, so that another one followed."""

    min_lr: Rate
    max_lr: Rate
    steps: Annotated[int, Field(strict=True, ge=2, le=1_000_000)]
    verdict: Text


@dataclass(frozen=True, kw_only=True)
class SweepSummary:
    """`sweep.json`: a `finder.suggestion.Suggestion`, rounded, and where it comes from.

    `meaning` is the verdict in a sentence, `stopped_by` why most seeds ended; `verified` is None
    without `--verify`, `before` holds the sweeps that gave no number before this one.
    """

    format: Whole = SCHEMA
    verdict: Text
    meaning: Text
    steady_lr: Rate | None
    max_lr: Rate | None
    lowest_useful_lr: Rate | None
    highest_stable_lr: Rate | None
    spread: AtLeast0 | None
    verified: Verified | None = None
    stopped_by: Text
    by_seed: tuple[SeedRates, ...] = ()
    rules: Annotated[dict[str, AtLeast0 | None], records.keys(100)]
    settings: SweepSettings
    before: tuple[SweptBefore, ...] = field(default=(), metadata=records.LEFT_OUT)


@dataclass(frozen=True, kw_only=True)
class _Kept(SweepSummary):
    """`sweep.json` with the checksum of `sweep.csv`; older versions did not state it."""

    sha256: Mapping[str, records.Digest] | None = field(default=None, metadata=records.LEFT_OUT)


@dataclass(frozen=True)
class SweepRecord:
    """A sweep: its rates, shape (steps,), and each seed's batch losses, shape (seeds, steps).

    Losses are NaN after a seed's end; `summary` is what `sweep.json` says, `signed` whether its
    files are covered by checksums.
    """

    lr: Floats
    losses: Floats
    summary: SweepSummary
    signed: bool = False

    @property
    def smoothed(self) -> Floats:
        """The smoothed losses, shape (seeds, steps)."""
        return sweep.smooth(self.losses)

    @property
    def conditions(self) -> str:
        """What was swept, in words: data, model, optimizer, batch size."""
        settings = self.summary.settings
        optimizer = records.checked(settings.optimizer, _Optimizer)
        kind = optimizer.type
        if optimizer.momentum:
            kind += f" with momentum {optimizer.momentum:g}"
        return f"{settings.data}, {settings.model}, {kind}, batch size {settings.batch_size}"


def summarise(
    suggestion: Suggestion,
    stopped_by: Sequence[StoppedBy],
    settings: SweepSettings,
    verified: Verified | None = None,
    before: tuple[SweptBefore, ...] = (),
    tip: str = "",
) -> SweepSummary:
    """Return what a sweep says; rates are rounded to three digits.

    Args:
        suggestion: What was found.
        stopped_by: What ended the sweep of each seed.
        settings: What was swept, and how.
        verified: What short runs made of it.
        before: The sweeps before it that gave no number.
        tip: What else would help, behind the verdict's own sentence; empty where nothing would.
    """
    by_seed = zip(suggestion.by_seed, stopped_by, strict=True)
    return SweepSummary(
        verdict=suggestion.verdict.value,
        meaning=suggestion.verdict.sentence + (f"; {tip}" if tip else ""),
        steady_lr=_round(suggestion.steady_lr),
        max_lr=_round(suggestion.max_lr),
        lowest_useful_lr=_round(suggestion.lowest_useful_lr),
        highest_stable_lr=_round(suggestion.highest_stable_lr),
        spread=_round(suggestion.spread),
        verified=verified and _rounded(verified),
        stopped_by=Counter(stopped_by).most_common(1)[0][0].value,
        by_seed=tuple(
            SeedRates(
                seed=seed,
                steady_lr=_round(rates.steady_lr),
                max_lr=_round(rates.max_lr),
                stopped_by=reason.value,
            )
            for seed, (rates, reason) in enumerate(by_seed)
        ),
        rules={name: _round(lr) for name, lr in suggestion.rules.items()},
        settings=settings,
        before=before,
    )


def _rounded(verified: Verified) -> Verified:
    return Verified(
        steady_lr=_round(verified.steady_lr),
        max_lr=_round(verified.max_lr),
        runs=rounded_runs(verified.runs),
    )


def rounded_runs(runs: Sequence[ShortRun]) -> tuple[ShortRun, ...]:
    """Return short runs with their rates rounded to three digits."""
    return tuple(replace(run, lr=rounded(run.lr)) for run in runs)


def rounded(value: float) -> float:
    """Return a rate rounded to three digits."""
    return float(f"{value:.3g}")


def _round(value: float | None) -> float | None:
    return None if value is None else rounded(value)


def write(out: Path, record: SweepRecord) -> list[Path]:
    """Write `sweep.csv` and `sweep.json` into `out`, both or neither; return the files.

    Raises:
        ResultsError: If they cannot be written.
    """
    curves = _curves_csv(record).encode()
    digest = hashlib.sha256(curves).hexdigest()
    summary = _Kept(**_plainly(record.summary), sha256={CSV_FILE: digest})
    contents = {CSV_FILE: curves, JSON_FILE: records.sign(records.text(summary)).encode()}
    atomic.write_files(out, contents)
    return [out / name for name in contents]


def _curves_csv(record: SweepRecord) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_HEADER.split(","))
    for seed, (losses, smoothed) in enumerate(zip(record.losses, record.smoothed, strict=True)):
        for step in np.flatnonzero(np.isfinite(losses)):
            values = (record.lr[step], losses[step], smoothed[step])
            writer.writerow([seed, step, *(f"{value:.9g}" for value in values)])
    return text.getvalue()


def to_json(record: SweepRecord) -> str:
    """Return what `sweep.json` says, without its checksums."""
    return records.text(record.summary)


def _plainly(summary: SweepSummary) -> dict[str, Any]:
    return {each.name: getattr(summary, each.name) for each in fields(SweepSummary)}


def identity(setup: Sequence[Any]) -> str:
    """Return a hash of the identity of a setup: all that can change its sweep."""
    stated = json.dumps([FORMAT, *setup], sort_keys=True)
    return hashlib.sha256(stated.encode()).hexdigest()[:10]


def recorded_identity(settings: SweepSettings) -> str | None:
    """Return the identity of the setup that a sweep was made with, None if it does not say."""
    if settings.setup is not None:
        return identity(settings.setup)
    try:
        optimizer: Any = _OPTIMIZERS.validate_python(settings.optimizer)
    except ValueError:
        return None
    stated = [settings.model, optimizer.identity(), settings.batch_size, settings.data_fingerprint]
    return identity(stated)


def read(out: Path) -> SweepRecord:
    """Return the sweep that a directory holds.

    Raises:
        ResultsError: If there is none, or it is damaged.
        UnreadableError: If it cannot be read.
    """
    path = out / JSON_FILE
    try:
        summary, signed = records.read_signed(path, _Kept)
        settings = summary.settings
        seeds, steps = settings.seeds, settings.steps
        if seeds * steps > MOST_LOSSES:
            raise ValueError(f"{seeds:,} seeds of {steps:,} steps are too many")
        lr = sweep.rates(min_lr=settings.min_lr, max_lr=settings.max_lr, steps=steps)
        digests = summary.sha256
        if signed and digests is None:
            raise ValueError("it does not state the checksum of its curves")
        losses = _losses(path := out / CSV_FILE, seeds, steps, (digests or {}).get(CSV_FILE))
    except FileNotFoundError:
        hint = f"make it with `lrlab find-lr --out {out}`"
        raise ResultsError("is missing", hint, path=path) from None
    except (OSError, ValueError) as error:
        if not reading.is_damage(error):
            raise reading.unreadable(path, error) from error
        reason = f"cannot be read: {reading.reason(error)}"
        raise ResultsError(reason, "run `lrlab find-lr` again", path=path) from error
    return SweepRecord(lr, losses, SweepSummary(**_plainly(summary)), signed)


_NUMBER = r"-?[0-9]+(?:\.[0-9]+)?(?:e[-+]?[0-9]{1,3})?"
_ROW = re.compile(
    rf"([0-9]{{1,4}}),([0-9]{{1,7}}),{_NUMBER},({_NUMBER}),(?:{_NUMBER}|nan)\n", re.ASCII
)


def _losses(path: Path, seeds: int, steps: int, digest: str | None) -> Floats:
    """Return the losses that `sweep.csv` holds, shape (seeds, steps), NaN where it has none."""
    losses = np.full((seeds, steps), np.nan)
    with reading.open_file(path) as file:
        if digest is not None and hashlib.file_digest(file, "sha256").hexdigest() != digest:
            raise ValueError("its checksum is not the one in sweep.json")
        file.seek(0)
        if file.readline(_LONGEST_LINE) != _HEADER.encode() + b"\n":
            raise ValueError(f"its first line is not `{_HEADER}`")
        for line in range(2, seeds * steps + 3):
            text = file.readline(_LONGEST_LINE)
            if not text:
                return losses
            row = _ROW.fullmatch(text.decode("latin-1"))
            seed, step = (int(row[1]), int(row[2])) if row else (seeds, steps)
            if row is None or seed >= seeds or step >= steps or not np.isnan(losses[seed, step]):
                raise ValueError(f"line {line} is not the loss of another step")
            losses[seed, step] = float(row[3])
    raise AssertionError("more losses than steps were not refused")
