"""Reading a run, which may come from anywhere: every part is checked before it is used."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from lrlab.errors import ResultsError
from lrlab.io import json_shapes, reading
from lrlab.io.packing import unpack
from lrlab.results.runs.result import EpochResult, Floats, RunResult, Status

_MAX_EPOCHS = 100_000
_MAX_EPOCHS_CSV = 200 * _MAX_EPOCHS
_MAX_STEPS_NPZ = 130_000_000  # Three float32 values for each of 10 million steps.


def read(target: Path) -> tuple[RunResult, dict[str, Any]] | None:
    """Return a run's result and the whole of its `run.json`; None if there is no run.

    Raises:
        ResultsError: If the run's files are damaged.
    """
    path = target / "run.json"
    try:
        record = _RECORD(json_shapes.parse(reading.read_bytes(path, json_shapes.MAX_BYTES)), "")
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
    content = reading.read_bytes(path, limit)
    if hashlib.sha256(content).hexdigest() != record["sha256"][path.name]:
        raise ValueError("its checksum is not the one in run.json")
    return content


ENVIRONMENT = json_shapes.table(json_shapes.scalar(), most=100)
"""The shape of what a run was trained in."""

_HASH = json_shapes.text("[0-9a-f]{64}")
_MAYBE_NUMBER = json_shapes.maybe(json_shapes.number())
_RECORD = json_shapes.mapping(
    {
        "status": json_shapes.one_of(*Status),
        "diverged_at": json_shapes.maybe(
            json_shapes.mapping({"step": json_shapes.whole(0, 2**40)})
        ),
        "error": json_shapes.maybe(json_shapes.text()),
        "test": json_shapes.mapping({"loss": _MAYBE_NUMBER, "accuracy": _MAYBE_NUMBER}),
        "train_seconds": json_shapes.number(least=0),
        "sha256": json_shapes.mapping({"epochs.csv": _HASH, "steps.npz": _HASH}),
    },
    {
        "environment": json_shapes.maybe(ENVIRONMENT),
        "earlier_environments": json_shapes.items(ENVIRONMENT, most=1_000),
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
        f"`{path}` is damaged: {reading.reason(error)}",
        "run `lrlab compare` again: it sets the run aside and trains it anew",
    )
