"""Checkpoints: where an unfinished run stands, so that one that was cut off goes on from there.

    OUT/runs/<experiment>-<identity>/seed-<n>.checkpoint.npz

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
from lrlab.io import atomic, json_shapes, reading
from lrlab.io.npz_reading import Array
from lrlab.io.packing import pack, unpack
from lrlab.results import runs
from lrlab.results.runs import EpochResult, Floats

FORMAT = 1
SUFFIX = ".checkpoint.npz"

MAX_BYTES = 1_000_000_000

_DIGEST = 64
_REMEDY = "remove it, and the run starts over"
_ABOUT = json_shapes.mapping(
    {
        "correct": json_shapes.whole(0, 2**40),
        "train_seconds": json_shapes.number(least=0),
    },
    {
        "environment": runs.ENVIRONMENT,
        "earlier_environments": json_shapes.items(runs.ENVIRONMENT, most=1_000),
        "resumed_at": json_shapes.items(json_shapes.whole(0, 2**40), most=10_000),
    },
)
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
        correct: How many images the steps since the last finished epoch classified correctly.
        train_seconds: The time that took.
    """

    model: tuple[Array, ...]
    optimizer: tuple[Array, ...]
    history: tuple[EpochResult, ...]
    lr: Floats
    loss: Floats
    correct: int
    train_seconds: float


def path_of(run_folder: Path) -> Path:
    """Return where the checkpoint of a run is kept: beside the folder of the finished run."""
    return run_folder.with_name(run_folder.name + SUFFIX)


def write(path: Path, checkpoint: Checkpoint, about: Mapping[str, Any]) -> None:
    """Write a checkpoint, all or nothing.

    Args:
        path: The file; one that is there is replaced.
        checkpoint: Where the run stands.
        about: Which run that is and how it came there; JSON.

    Raises:
        ResultsError: If it cannot be written.
    """
    stated = {
        "format": FORMAT,
        **about,
        "correct": checkpoint.correct,
        "train_seconds": checkpoint.train_seconds,
    }
    history = np.array([astuple(epoch) for epoch in checkpoint.history], np.float64)
    arrays: dict[str, Any] = {
        "about": np.frombuffer(json.dumps(stated).encode(), np.uint8),
        "history": history.reshape(len(checkpoint.history), len(_COLUMNS)),
        "lr": checkpoint.lr,
        "loss": checkpoint.loss,
    }
    for name in ("model", "optimizer"):
        for index, variable in enumerate(getattr(checkpoint, name)):
            arrays[f"{name}_{index}"] = variable
    atomic.write(path, _signed(pack(arrays)))


def read(path: Path) -> tuple[Checkpoint, dict[str, Any]] | None:
    """Return a checkpoint and what was said about it, None if there is none.

    Raises:
        ResultsError: If it cannot be read, is damaged or is none of lrlab's.
    """
    try:
        return _parsed(reading.read_bytes(path, MAX_BYTES))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ResultsError(f"`{path}` cannot be read: {reading.reason(error)}", _REMEDY) from error
    except ValueError as error:
        raise ResultsError(f"`{path}` is no sound checkpoint: {error}", _REMEDY) from error


def _signed(content: bytes) -> bytes:
    """Return a zip file with the digest of its bytes as its comment."""
    body = content[:-2] + struct.pack("<H", _DIGEST)  # The last field: how long the comment is.
    return body + hashlib.sha256(body).hexdigest().encode()


def _parsed(content: bytes) -> tuple[Checkpoint, dict[str, Any]]:
    body, digest = memoryview(content)[:-_DIGEST], content[-_DIGEST:]
    if hashlib.sha256(body).hexdigest().encode() != digest:
        raise ValueError("its checksum is not that of its content")
    arrays = unpack(content)
    missing = {"about", "history", "lr", "loss"} - arrays.keys()
    if missing:
        raise ValueError(f"it has no `{min(missing)}`")
    about = json_shapes.parse(arrays["about"].tobytes())
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise ValueError("its format is not known to this version of lrlab")
    about = _ABOUT(about, "")
    history, lr, loss = arrays["history"], arrays["lr"], arrays["loss"]
    if history.ndim != 2 or history.shape[1] != len(_COLUMNS) or history.dtype != np.float64:
        raise ValueError(f"its history has shape {history.shape}")
    if lr.ndim != 1 or lr.shape != loss.shape or {lr.dtype, loss.dtype} != {np.dtype(np.float32)}:
        raise ValueError(f"its curves have shapes {lr.shape} and {loss.shape}")
    if history[:, 0].tolist() != list(range(len(history))):
        raise ValueError("its epochs are not in order")
    checkpoint = Checkpoint(
        model=_numbered(arrays, "model"),
        optimizer=_numbered(arrays, "optimizer"),
        history=tuple(EpochResult(int(row[0]), *row[1:].tolist()) for row in history),
        lr=lr,
        loss=loss,
        correct=about["correct"],
        train_seconds=about["train_seconds"],
    )
    return checkpoint, about


def _numbered(arrays: Mapping[str, Array], name: str) -> tuple[Array, ...]:
    count = sum(key.startswith(f"{name}_") for key in arrays)
    wanted = [f"{name}_{index}" for index in range(count)]
    if not arrays.keys() >= set(wanted):
        raise ValueError(f"its variables of the {name} are not numbered")
    return tuple(arrays[key] for key in wanted)
