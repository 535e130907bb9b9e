"""The run directory: identity of a run, atomic write, checked read.

    OUT/runs/<experiment>-<identity>/seed-<n>/{run.json, epochs.csv, steps.npz[, weights.npz]}

Times stand in `run.json` alone; the other files are reproducible byte for byte.
"""

import csv
import enum
import hashlib
import io
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lrlab import files, intake, schema
from lrlab.errors import ResultsError
from lrlab.packing import pack, unpack

if TYPE_CHECKING:  # Reading runs needs no config, and pydantic takes 0.2 s to import.
    from lrlab.config import Experiment

FORMAT = 1
"""Raised when the training changes in a way that makes older runs another experiment."""

WEIGHTS = "weights.npz"
"""The model's final variables `000`, `001`, ..., in its order; only where they are to be kept."""

Floats = npt.NDArray[np.float32]

FILES = ("run.json", "epochs.csv", "steps.npz")
"""The files of a run."""

_MAX_EPOCHS = 100_000
_MAX_EPOCHS_CSV = 200 * _MAX_EPOCHS
_MAX_STEPS_NPZ = 130_000_000  # Three float32 values for each of 10 million steps.


class Status(enum.StrEnum):
    """How a run ended."""

    DONE = "done"
    DIVERGED = "diverged"
    FAILED = "failed"


@dataclass(frozen=True)
class EpochResult:
    """Results of one epoch: mean training loss and accuracy, and the validation set after it.

    `lr` is the rate of the epoch's last step.
    """

    epoch: int
    lr: float
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float


@dataclass(frozen=True)
class RunResult:
    """What one run gave.

    Args:
        status: How it ended.
        epochs: Results of the epochs that were finished.
        lr: The rate of each step that was made, float32, shape (steps,).
        loss: The mean loss of each step's batch, before the step, float32, shape (steps,).
        momentum: The momentum of each step, likewise, None where it was not cycled.
        diverged_at: The step at which it diverged, None if it did not.
        test_loss: Mean loss over the test set after the last epoch, None without one.
        test_accuracy: Accuracy on the test set after the last epoch, None without one.
        train_seconds: Wall time of the run, other runs beside it included.
        error: Why it failed.
        environments: What it was trained in, several where it went on in another one.
        weights: The model's final variables, in its order, None unless they are kept; `read`
            leaves them in their file.
    """

    status: Status
    epochs: tuple[EpochResult, ...] = ()
    lr: Floats = None  # type: ignore[assignment]
    loss: Floats = None  # type: ignore[assignment]
    momentum: Floats | None = None
    diverged_at: int | None = None
    test_loss: float | None = None
    test_accuracy: float | None = None
    train_seconds: float = 0.0
    error: str | None = None
    environments: tuple[Mapping[str, Any], ...] = ()
    weights: tuple[npt.NDArray[Any], ...] | None = None


def identity(experiment: "Experiment", data_fingerprint: str) -> str:
    """Return a hash of all that can change the result of an experiment's runs, seed apart.

    The name and the path of the data do not count; the data's content does.
    """
    settings = experiment.identity()
    settings.pop("name", None)
    settings.pop("data", None)
    stated = json.dumps([FORMAT, settings, data_fingerprint], sort_keys=True)
    return hashlib.sha256(stated.encode()).hexdigest()[:10]


def folder(out: Path, experiment: "Experiment", data_fingerprint: str, seed: int) -> Path:
    """Return where a run is kept."""
    name = f"{experiment.name}-{identity(experiment, data_fingerprint)}"
    return out / "runs" / name / f"seed-{seed}"


def write(target: Path, result: RunResult, about: Mapping[str, Any]) -> None:
    """Write a run's files, all or nothing.

    Args:
        target: The run's folder; one that is there is replaced.
        result: What the run gave.
        about: What else `run.json` holds: config, data, seed, environment.

    Raises:
        ResultsError: If the folder cannot be written.
    """
    contents = {"epochs.csv": _epochs_csv(result), "steps.npz": _steps_npz(result)}
    if result.weights is not None:
        contents[WEIGHTS] = pack({f"{i:03}": value for i, value in enumerate(result.weights)})
    record = {
        "format": FORMAT,
        **about,
        "status": result.status.value,
        "diverged_at": _diverged(result),
        "error": result.error,
        "test": {"loss": result.test_loss, "accuracy": result.test_accuracy},
        "train_seconds": round(result.train_seconds, 3),
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()},
    }
    contents["run.json"] = (json.dumps(record, indent=2) + "\n").encode()
    files.write_folder(target, contents)


def read(target: Path) -> tuple[RunResult, dict[str, Any]] | None:
    """Return a run's result and the whole of its `run.json`; None if there is no run.

    Raises:
        ResultsError: If the run's files are damaged.
    """
    path = target / "run.json"
    try:
        record = _RECORD(schema.parse(intake.read_bytes(path, schema.MAX_BYTES)), "")
        epochs = _epochs(_trusted(path := target / "epochs.csv", record, _MAX_EPOCHS_CSV))
        steps = _steps(_trusted(path := target / "steps.npz", record, _MAX_STEPS_NPZ))
        path = target / "run.json"
        return _result(record, epochs, steps), record
    except FileNotFoundError as error:
        if path.name == "run.json":
            return None
        raise _damaged(path, error) from error
    except (OSError, ValueError) as error:
        raise _damaged(path, error) from error


def _trusted(path: Path, record: Mapping[str, Any], limit: int) -> bytes:
    """Return what a run's file holds, after its checksum was found right."""
    content = intake.read_bytes(path, limit)
    if hashlib.sha256(content).hexdigest() != record["sha256"][path.name]:
        raise ValueError("its checksum is not the one in run.json")
    return content


def _diverged(result: RunResult) -> dict[str, float] | None:
    if result.diverged_at is None:
        return None
    return {"step": result.diverged_at, "lr": _short(float(result.lr[result.diverged_at]))}


def _short(value: float) -> float:
    """Return a float32 value with no more digits than it has."""
    return float(str(np.float32(value)))


def _epochs_csv(result: RunResult) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([field.name for field in fields(EpochResult)])
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
    return pack({name: np.asarray(values, np.float32) for name, values in columns.items()})


ENVIRONMENT = schema.table(schema.scalar(), most=100)
"""The shape of what a run was trained in."""

_HASH = schema.text("[0-9a-f]{64}")
_MAYBE_NUMBER = schema.maybe(schema.number())
_RECORD = schema.mapping(
    {
        "status": schema.one_of(*Status),
        "diverged_at": schema.maybe(schema.mapping({"step": schema.whole(0, 2**40)})),
        "error": schema.maybe(schema.text()),
        "test": schema.mapping({"loss": _MAYBE_NUMBER, "accuracy": _MAYBE_NUMBER}),
        "train_seconds": schema.number(least=0),
        "sha256": schema.mapping({"epochs.csv": _HASH, "steps.npz": _HASH}),
    },
    {
        "environment": schema.maybe(ENVIRONMENT),
        "earlier_environments": schema.items(ENVIRONMENT, most=1_000),
    },
)
_NUMBER = r"-?(?:[0-9]+(?:\.[0-9]+)?(?:e[-+]?[0-9]{1,3})?|inf)|nan"
_ROW = re.compile(rf"([0-9]{{1,6}}){rf',({_NUMBER})' * 5}", re.ASCII)


def _epochs(content: bytes) -> tuple[EpochResult, ...]:
    header, *rows = content.decode().split("\n")
    if header != ",".join(field.name for field in fields(EpochResult)):
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
    arrays = unpack(content)
    for name in ("lr", "loss"):
        if name not in arrays:
            raise ValueError(f"it has no `{name}`")
    for name, values in arrays.items():
        if values.dtype != np.float32 or values.shape != (arrays["lr"].size,):
            raise ValueError(f"`{name}` is no float32 value a step")
    return arrays


def _result(
    record: dict[str, Any], epochs: tuple[EpochResult, ...], steps: dict[str, Floats]
) -> RunResult:
    diverged = record["diverged_at"]
    if diverged is not None and diverged["step"] >= len(steps["lr"]):
        raise ValueError(f"it diverged at step {diverged['step']} of {len(steps['lr'])}")
    return RunResult(
        status=Status(record["status"]),
        epochs=epochs,
        lr=steps["lr"],
        loss=steps["loss"],
        momentum=steps.get("momentum"),
        diverged_at=None if diverged is None else diverged["step"],
        test_loss=record["test"]["loss"],
        test_accuracy=record["test"]["accuracy"],
        train_seconds=record["train_seconds"],
        error=record["error"],
        environments=tuple(
            made_in
            for made_in in (*record.get("earlier_environments", ()), record.get("environment"))
            if made_in
        ),
    )


def _damaged(path: Path, error: Exception) -> ResultsError:
    return ResultsError(
        f"`{path}` is damaged: {intake.reason(error)}",
        "run `lrlab compare` again: it sets the run aside and trains it anew",
    )
