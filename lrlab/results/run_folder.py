"""The folder of a run: written all or nothing, read with care.

    OUT/runs/<experiment>-<identity>/seed-<n>/{run.json, epochs.csv, steps.npz
                                               [, examples.npz][, weights.npz]}

Only `run.json` holds times; the other files are reproducible byte for byte.
"""

import csv
import hashlib
import io
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from lrlab.errors import ResultsError
from lrlab.io import atomic, npz, reading, records
from lrlab.io.records import AtLeast0, Count, Number, Positive, Scalar, Text, Whole
from lrlab.metric import ACCURACY, Metric
from lrlab.results import right
from lrlab.results.run import (
    FORMAT,
    EpochResult,
    Floats,
    Guess,
    RunResult,
    Status,
)

RECORD = "run.json"
EPOCHS = "epochs.csv"
STEPS = "steps.npz"
WEIGHTS = "weights.npz"
"""The model's final variables `000`, `001`, ..., in its order; only where they are to be kept."""

EXAMPLES = "examples.npz"
"""Which examples were right at the end, in bits; runs of lrlab 0.1 have none."""

FILES = (RECORD, EPOCHS, STEPS)
"""The files that every run has."""

READ = (*FILES, EXAMPLES)
"""The files that are read with a run, as far as it has them."""

Environment = Annotated[dict[str, Scalar], records.keys(100)]
"""What a run was trained in: versions, processor, threads."""

Environments = Annotated[tuple[Environment, ...], records.items(0)]

_MAX_EPOCHS = 100_000
_MAX_EPOCHS_CSV = 200 * _MAX_EPOCHS
_MAX_STEPS_NPZ = 130_000_000  # Three float32 values for each of 10 million steps.
_MAX_BYTES = {
    EPOCHS: _MAX_EPOCHS_CSV,
    STEPS: _MAX_STEPS_NPZ,
    EXAMPLES: right.MAX_BYTES,
    WEIGHTS: 2_000_000_000,
}
REMEDY = "run `lrlab compare` again: it sets the run aside and retrains it"


@dataclass(frozen=True)
class RunData:
    """The data that a run was trained on."""

    name: Text
    fingerprint: Text


@dataclass(frozen=True, kw_only=True)
class RunOrigin:
    """What `run.json` says about a run besides its result: which one it is, how it came about.

    Older versions did not state the identity. `code` tells a user's own code from other code;
    `traceback` is that of a run that failed;
    `resumed_at` holds the steps at which it was resumed from a checkpoint, and
    `earlier_environments` what else than `environment` it was trained in.
    """

    format: Whole = FORMAT
    identity: Text | None = field(default=None, metadata=records.LEFT_OUT)
    seed: Count | None = None
    config: Mapping[str, Any] | None = None
    data: RunData | None = None
    steps_per_epoch: Positive | None = None
    environment: Environment | None = None
    command: Text | None = None
    workers: Whole | None = None
    code: Mapping[str, Any] | None = field(default=None, metadata=records.LEFT_OUT)
    traceback: Text | None = field(default=None, metadata=records.LEFT_OUT)
    resumed_at: tuple[Count, ...] | None = field(default=None, metadata=records.LEFT_OUT)
    earlier_environments: Environments | None = field(default=None, metadata=records.LEFT_OUT)


@dataclass(frozen=True)
class _Divergence:
    step: Count
    lr: Number | None = None


@dataclass(frozen=True, kw_only=True)
class _Record(RunOrigin):
    """`run.json`."""

    status: Status
    diverged_at: _Divergence | None
    guess: dict[str, Number | None] | None = field(default=None, metadata=records.LEFT_OUT)
    error: Text | None
    test: dict[str, Number | None]
    train_seconds: AtLeast0
    sha256: dict[str, records.Digest]
    metric: Metric = field(default=ACCURACY, metadata=records.LEFT_OUT)


@dataclass(frozen=True)
class KeptRun:
    """A run as its folder holds it.

    Args:
        result: What it gave, without its weights.
        origin: What else `run.json` says about it.
        digests: The SHA-256 of each of its other files.
        signed: Whether `run.json` is signed too; older versions did not do that.
    """

    result: RunResult
    origin: RunOrigin
    digests: Mapping[str, str]
    signed: bool = False

    @property
    def has_weights(self) -> bool:
        """Whether the final weights were kept."""
        return WEIGHTS in self.digests


def write(folder: Path, result: RunResult, origin: RunOrigin) -> None:
    """Write a run's files, all or nothing.

    Args:
        folder: The run's folder; one that is there is replaced.
        result: What the run gave.
        origin: What else `run.json` says about it.

    Raises:
        ResultsError: If the folder cannot be written.
    """
    contents = {EPOCHS: _epochs_csv(result), STEPS: _steps_npz(result)}
    if rights := {part: r for part in right.PARTS if (r := getattr(result, f"{part}_right"))}:
        contents[EXAMPLES] = right.pack(rights)
    if result.weights is not None:
        contents[WEIGHTS] = npz.pack({f"{i:03}": value for i, value in enumerate(result.weights)})
    record = _Record(
        **{each.name: getattr(origin, each.name) for each in fields(RunOrigin)},
        status=result.status,
        diverged_at=_divergence(result),
        guess=_guess_json(result),
        error=result.error,
        test={"loss": result.test_loss, result.metric.key: result.test_score},
        train_seconds=round(result.train_seconds, 3),
        sha256={name: hashlib.sha256(content).hexdigest() for name, content in contents.items()},
        metric=result.metric,
    )
    atomic.write_folder(folder, contents | {RECORD: records.sign(records.text(record)).encode()})


def _guess_json(result: RunResult) -> dict[str, float | None] | None:
    guess = result.guess
    if guess is None:
        return None
    return {result.metric.key: guess.score, "loss": guess.loss, "images": guess.examples}


def _guess(record: _Record) -> Guess | None:
    given = record.guess
    if given is None:
        return None
    examples = given.get("images")
    if examples is None or examples < 1 or examples != int(examples):
        raise ValueError(f"guess.images must be a whole number above 0, got {examples}")
    return Guess(given.get(record.metric.key), given.get("loss"), int(examples))


def _columns(metric: Metric) -> tuple[str, ...]:
    """Return the columns of `epochs.csv`, in the order of the fields of `EpochResult`."""
    return ("epoch", "lr", "loss", metric.key, "val_loss", metric.on("val").key)


def _divergence(result: RunResult) -> _Divergence | None:
    if result.diverged_at is None:
        return None
    return _Divergence(result.diverged_at, _short(float(result.lr[result.diverged_at])))


def _short(value: float) -> float:
    """Return a float32 value with no more digits than it has."""
    return float(str(np.float32(value)))


def _epochs_csv(result: RunResult) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_columns(result.metric))
    for epoch in result.epochs:
        row = asdict(epoch) | {"lr": _short(epoch.lr)}
        writer.writerow(row.values())
    return text.getvalue().encode()


def _steps_npz(result: RunResult) -> bytes:
    none = np.zeros(0, np.float32)
    columns = {"lr": none if result.lr is None else result.lr}
    columns["loss"] = none if result.loss is None else result.loss
    if result.momentum is not None:
        columns["momentum"] = result.momentum
    return npz.pack({name: np.asarray(values, np.float32) for name, values in columns.items()})


def read(folder: Path) -> KeptRun | None:
    """Return the run that a folder holds, None if there is none.

    Raises:
        ResultsError: If its files are damaged.
        UnreadableError: If they cannot be read.
    """
    path = folder / RECORD
    try:
        record, signed = records.read_signed(path, _Record)
        content = _trusted(path := folder / EPOCHS, record.sha256, _MAX_EPOCHS_CSV)
        epochs = _epochs(content, record.metric)
        steps = _steps(_trusted(path := folder / STEPS, record.sha256, _MAX_STEPS_NPZ))
        rights: Mapping[str, right.Right] = {}
        if EXAMPLES in record.sha256:
            path = folder / EXAMPLES
            rights = right.unpack(_trusted(path, record.sha256, right.MAX_BYTES))
        path = folder / RECORD
        result = replace(
            _result(record, epochs, steps),
            val_right=rights.get("val"),
            test_right=rights.get("test"),
        )
        return KeptRun(result, record, record.sha256, signed)
    except FileNotFoundError as error:
        if path.name == RECORD:
            return None
        raise ResultsError("is missing", REMEDY, path=path) from error
    except (OSError, ValueError) as error:
        raise damaged(path, error) from error


def _trusted(path: Path, digests: Mapping[str, str], limit: int) -> bytes:
    """Return what a run's file holds, after its checksum was found right."""
    content = reading.read_bytes(path, limit)
    if hashlib.sha256(content).hexdigest() != digests.get(path.name):
        raise ValueError("its checksum is not the one in run.json")
    return content


_NUMBER = r"-?(?:[0-9]+(?:\.[0-9]+)?(?:e[-+]?[0-9]{1,3})?|inf)|nan"
_ROW = re.compile(rf"([0-9]{{1,6}}){rf',({_NUMBER})' * 5}", re.ASCII)


def _epochs(content: bytes, metric: Metric) -> tuple[EpochResult, ...]:
    header, *rows = content.decode().split("\n")
    if header != ",".join(_columns(metric)):
        raise ValueError("its first line is not the usual one")
    if not rows or rows.pop():
        raise ValueError("its last line has no end")
    results = []
    for epoch, row in enumerate(rows):
        values = _ROW.fullmatch(row)
        if values is None or int(values[1]) != epoch:
            raise ValueError(f"line {epoch + 2} is not the result of epoch {epoch}")
        results.append(EpochResult(epoch, *map(float, values.groups()[1:])))
    return tuple(results)


def _steps(content: bytes) -> dict[str, Floats]:
    arrays = npz.unpack(content)
    for name in ("lr", "loss"):
        if name not in arrays:
            raise ValueError(f"it has no `{name}`")
    for name, values in arrays.items():
        if values.dtype != np.float32 or values.shape != (arrays["lr"].size,):
            raise ValueError(f"`{name}` does not hold one float32 value per step")
    return arrays


def _result(
    record: _Record, epochs: tuple[EpochResult, ...], steps: dict[str, Floats]
) -> RunResult:
    diverged = record.diverged_at
    if diverged is not None and diverged.step >= len(steps["lr"]):
        raise ValueError(f"it diverged at step {diverged.step} of {len(steps['lr'])}")
    made_in = (*(record.earlier_environments or ()), record.environment)
    return RunResult(
        status=record.status,
        epochs=epochs,
        lr=steps["lr"],
        loss=steps["loss"],
        momentum=steps.get("momentum"),
        diverged_at=None if diverged is None else diverged.step,
        guess=_guess(record),
        test_loss=record.test.get("loss"),
        test_score=record.test.get(record.metric.key),
        train_seconds=record.train_seconds,
        error=record.error,
        environments=tuple(environment for environment in made_in if environment),
        metric=record.metric,
    )


def read_digests(folder: Path) -> Mapping[str, str]:
    """Return the SHA-256 that `run.json` states of each of the run's other files.

    Raises:
        ResultsError: If it is damaged.
    """
    try:
        return records.read_file(folder / RECORD, _Record).sha256
    except (OSError, ValueError) as error:
        raise damaged(folder / RECORD, error) from error


def read_files(folder: Path) -> dict[str, bytes]:
    """Return the files of a run as they are, each as `run.json` says.

    Raises:
        ResultsError: If one is damaged.
        UnreadableError: If one cannot be read.
    """
    path = folder / RECORD
    try:
        contents = {RECORD: reading.read_bytes(path, records.MAX_BYTES)}
        digests = records.checked(records.parse(contents[RECORD]), _Record).sha256
        for name, limit in _MAX_BYTES.items():
            if name in digests:
                contents[name] = _trusted(path := folder / name, digests, limit)
    except (OSError, ValueError) as error:
        raise damaged(path, error) from error
    return contents


def read_origin(folder: Path) -> RunOrigin:
    """Return what `run.json` says about a run besides its result.

    Raises:
        ResultsError: If it is damaged, or there is none.
    """
    try:
        return records.read_file(folder / RECORD, _Record)
    except (OSError, ValueError) as error:
        raise damaged(folder / RECORD, error) from error


def damaged(path: Path, error: Exception) -> ResultsError:
    """Return the error that says why a file of a run cannot be used, or cannot be read."""
    if not reading.is_damage(error):
        return reading.unreadable(path, error)
    return ResultsError(f"is damaged: {reading.reason(error)}", REMEDY, path=path)
