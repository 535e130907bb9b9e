"""The run directory: identity of a run, atomic write, checked read.

    OUT/runs/<experiment>-<identity>/seed-<n>/{run.json, epochs.csv, steps.npz[, weights.npz]}

Times stand in `run.json` alone; the other files are reproducible byte for byte.
"""

import csv
import enum
import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lrlab import files
from lrlab.errors import ResultsError
from lrlab.packing import pack, unpack

if TYPE_CHECKING:  # Reading runs needs no config, and pydantic takes 0.2 s to import.
    from lrlab.config import Experiment

FORMAT = 1
"""Raised when the training changes in a way that makes older runs another experiment."""

WEIGHTS = "weights.npz"
"""The model's final variables `000`, `001`, ..., in its order; only where they are to be kept."""

Floats = npt.NDArray[np.float32]


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
    try:
        record = json.loads((target / "run.json").read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise _damaged(target / "run.json", error) from error
    contents = {}
    for name in ("epochs.csv", "steps.npz"):
        try:
            contents[name] = (target / name).read_bytes()
            if hashlib.sha256(contents[name]).hexdigest() != record["sha256"][name]:
                raise ValueError("its checksum is not the one in run.json")
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise _damaged(target / name, error) from error
    try:
        return _result(record, contents), record
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(target / "run.json", error) from error


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


def _result(record: dict[str, Any], contents: dict[str, bytes]) -> RunResult:
    rows = csv.DictReader(io.StringIO(contents["epochs.csv"].decode()))
    steps = unpack(contents["steps.npz"])
    diverged = record["diverged_at"]
    return RunResult(
        status=Status(record["status"]),
        epochs=tuple(
            EpochResult(int(row.pop("epoch")), **{key: float(row[key]) for key in row})
            for row in rows
        ),
        lr=steps["lr"],
        loss=steps["loss"],
        momentum=steps.get("momentum"),
        diverged_at=None if diverged is None else int(diverged["step"]),
        test_loss=record["test"]["loss"],
        test_accuracy=record["test"]["accuracy"],
        train_seconds=float(record["train_seconds"]),
        error=record["error"],
        environments=_environments(record),
    )


def _environments(record: dict[str, Any]) -> tuple[Mapping[str, Any], ...]:
    made_in = [*record.get("earlier_environments", []), record.get("environment") or {}]
    if not all(isinstance(environment, dict) for environment in made_in):
        raise ValueError("its environment is no mapping")
    return tuple(made_in)


def _damaged(path: Path, error: Exception) -> ResultsError:
    reason = getattr(error, "strerror", None) or error
    return ResultsError(
        f"`{path}` is damaged: {reason}",
        "run `lrlab compare` again: it sets the run aside and trains it anew",
    )
