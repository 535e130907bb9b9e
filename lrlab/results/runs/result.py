"""What a run gives, what tells it from others, and where it is kept."""

import enum
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:  # Reading runs needs no config, and pydantic takes 0.2 s to import.
    from lrlab.config import Experiment

FORMAT = 1
"""Raised when the training changes in a way that makes older runs another experiment."""

WEIGHTS = "weights.npz"
"""The model's final variables `000`, `001`, ..., in its order; only where they are to be kept."""

Floats = npt.NDArray[np.float32]

FILES = ("run.json", "epochs.csv", "steps.npz")
"""The files of a run."""


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
