"""Checkpoints: where an unfinished run stands, so that one that was cut off can be resumed.

Arrays only, in one file that NumPy reads too; its zip comment is the SHA-256 of all before it.
"""

import hashlib
import json
import struct
from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from lrlab.errors import ResultsError
from lrlab.io import atomic, npz, reading, records
from lrlab.io.npz import Array
from lrlab.io.records import AtLeast0, Count, Text, Whole
from lrlab.results.run import EpochResult, Floats
from lrlab.results.run_folder import Environment, Environments

FORMAT = 1

MAX_BYTES = 1_000_000_000

_DIGEST = 64
_REMEDY = "remove it, and the run starts over"
_COLUMNS = tuple(field.name for field in fields(EpochResult))


@dataclass(frozen=True)
class Checkpoint:
    """Where a run stands after some of its steps.

    Args:
        model: The model's variables, in its order.
        optimizer: The optimizer's variables, in its order.
        history: Results of the finished epochs.
        lr: The rate of each step so far, float32, shape (steps,).
        loss: The loss of each step so far, likewise.
        tally: What the metric has summed up since the last finished epoch; of the accuracy how
            many images were right.
        train_seconds: The time that took.
    """

    model: tuple[Array, ...]
    optimizer: tuple[Array, ...]
    history: tuple[EpochResult, ...]
    lr: Floats
    loss: Floats
    tally: tuple[Array, ...]
    train_seconds: float


@dataclass(frozen=True, kw_only=True)
class CheckpointOrigin:
    """Which run a checkpoint belongs to, and how that run got there, as in `RunOrigin`."""

    format: Whole = FORMAT
    identity: Text
    seed: Count
    environment: Environment
    earlier_environments: Environments = ()
    resumed_at: tuple[Count, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Record(CheckpointOrigin):
    """The JSON in a checkpoint."""

    correct: Count
    train_seconds: AtLeast0


@dataclass(frozen=True)
class KeptCheckpoint:
    """A checkpoint as its file holds it."""

    state: Checkpoint
    origin: CheckpointOrigin


def write(path: Path, checkpoint: Checkpoint, origin: CheckpointOrigin) -> None:
    """Write a checkpoint, all or nothing.

    Args:
        path: The file; one that is there is replaced.
        checkpoint: Where the run stands.
        origin: Which run that is and how it came there.

    Raises:
        ResultsError: If it cannot be written.
    """
    stated = {
        **records.to_json(origin),
        "correct": int(checkpoint.tally[0]) if _counts(checkpoint.tally) else 0,
        "train_seconds": checkpoint.train_seconds,
    }
    history = np.array([astuple(epoch) for epoch in checkpoint.history], np.float64)
    arrays: dict[str, Any] = {
        "about": np.frombuffer(json.dumps(stated).encode(), np.uint8),
        "history": history.reshape(len(checkpoint.history), len(_COLUMNS)),
        "lr": checkpoint.lr,
        "loss": checkpoint.loss,
    }
    for name in ("model", "optimizer", "tally"):
        if name == "tally" and _counts(checkpoint.tally):
            continue
        for index, variable in enumerate(getattr(checkpoint, name)):
            arrays[f"{name}_{index}"] = variable
    atomic.write(path, sign(npz.pack(arrays)))


def _counts(tally: tuple[Array, ...]) -> bool:
    """Return whether a tally is a single count, which the JSON holds."""
    return len(tally) == 1 and tally[0].dtype == np.int32 and not tally[0].shape


def read(path: Path) -> KeptCheckpoint | None:
    """Return the checkpoint that a file holds, None if there is none.

    Raises:
        ResultsError: If it is damaged or is not one of lrlab's.
        UnreadableError: If it cannot be read.
    """
    try:
        return _parsed(reading.read_bytes(path, MAX_BYTES))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        if not reading.is_damage(error):
            raise reading.unreadable(path, error) from error
        reason = f"is damaged: {reading.reason(error)}"
        raise ResultsError(reason, _REMEDY, path=path) from error


def sign(content: bytes) -> bytes:
    """Return a zip file with the digest of its bytes as its comment."""
    body = content[:-2] + struct.pack("<H", _DIGEST)  # The last field: how long the comment is.
    return body + hashlib.sha256(body).hexdigest().encode()


def _parsed(content: bytes) -> KeptCheckpoint:
    body, digest = memoryview(content)[:-_DIGEST], content[-_DIGEST:]
    if hashlib.sha256(body).hexdigest().encode() != digest:
        raise ValueError("its checksum is not that of its content")
    arrays = npz.unpack(content)
    missing = {"about", "history", "lr", "loss"} - arrays.keys()
    if missing:
        raise ValueError(f"it has no `{min(missing)}`")
    stated = records.parse(arrays["about"].tobytes())
    if not isinstance(stated, dict) or stated.get("format") != FORMAT:
        raise ValueError("its format is not known to this version of lrlab")
    record = records.checked(stated, _Record)
    history, lr, loss = arrays["history"], arrays["lr"], arrays["loss"]
    if history.ndim != 2 or history.shape[1] != len(_COLUMNS) or history.dtype != np.float64:
        raise ValueError(f"its history has shape {history.shape}")
    if lr.ndim != 1 or lr.shape != loss.shape or {lr.dtype, loss.dtype} != {np.dtype(np.float32)}:
        raise ValueError(f"its curves have shapes {lr.shape} and {loss.shape}")
    if history[:, 0].tolist() != list(range(len(history))):
        raise ValueError("its epochs are not in order")
    state = Checkpoint(
        model=_numbered(arrays, "model"),
        optimizer=_numbered(arrays, "optimizer"),
        history=tuple(EpochResult(int(row[0]), *row[1:].tolist()) for row in history),
        lr=lr,
        loss=loss,
        tally=_numbered(arrays, "tally") or (np.int32(record.correct),),  # type: ignore[arg-type]
        train_seconds=record.train_seconds,
    )
    return KeptCheckpoint(state, record)


def _numbered(arrays: Mapping[str, Array], name: str) -> tuple[Array, ...]:
    count = sum(key.startswith(f"{name}_") for key in arrays)
    wanted = [f"{name}_{index}" for index in range(count)]
    if not arrays.keys() >= set(wanted):
        raise ValueError(f"its variables of the {name} are not numbered")
    return tuple(arrays[key] for key in wanted)
