"""Writing a run: its folder, all or nothing."""

import csv
import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from lrlab.io import atomic
from lrlab.io.packing import pack
from lrlab.results.runs.result import FORMAT, WEIGHTS, EpochResult, RunResult


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
    atomic.write_folder(target, contents)


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
