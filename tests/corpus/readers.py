"""Each kind of file that lrlab reads, and how: content in, nothing out, or an `LrlabError`.

The corpus, the hypothesis tests and the fuzzer all read through here. A kind is the name of a
folder of the corpus; where lrlab reads several files together the others are good ones, and the
checksums are right, so that the reader gets as far as to the content.
"""

import contextlib
import functools
import gzip
import hashlib
import io
import json
import struct
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from lrlab import config
from lrlab.cli.group import print_error
from lrlab.errors import LrlabError
from lrlab.results import checkpoint as checkpoints
from lrlab.results import comparison, run, run_folder, sweep_record
from lrlab.schedules import ClosedLoop, Length
from lrlab.tasks import data, idx
from lrlab.tasks.readers import named_arrays

Reader = Callable[[Path, bytes], Any]

RUN_RECORD = {
    "format": 1,
    "config": {"name": "power"},
    "seed": 0,
    "status": "diverged",
    "diverged_at": {"step": 3, "lr": 0.01},
    "error": None,
    "test": {"loss": None, "accuracy": 0.5},
    "train_seconds": 1.25,
}
EPOCHS_CSV = b"epoch,lr,loss,accuracy,val_loss,val_accuracy\n0,0.1,0.75,0.5,0.7,0.5625\n"


@functools.cache
def steps_npz() -> bytes:
    """Return the bytes whose checksum the good `run.json` states; each Python zips its own way."""
    return (Path(__file__).parent / "steps.npz" / "good-diverged.npz").read_bytes()


def sweep_about(**settings: Any) -> dict[str, Any]:
    return {
        "verdict": "ok",
        "meaning": "fine",
        "steady_lr": 0.01,
        "max_lr": 0.1,
        "lowest_useful_lr": 0.001,
        "highest_stable_lr": 0.2,
        "spread": 1.5,
        "stopped_by": "completed",
        "rules": {"valley": 0.01},
        "settings": {
            "model": "mlp",
            "optimizer": {"type": "sgd", "momentum": 0.9},
            "batch_size": 32,
            "data": "sketches",
            "min_lr": 0.001,
            "max_lr": 1.0,
            "steps": 3,
            "seeds": 1,
            **settings,
        },
    }


SWEEP_CSV = b"seed,step,lr,loss,smoothed_loss\n0,0,0.001,2.5,2.5\n0,1,0.0316,2.0,2.2\n"


def read_config(folder: Path, content: bytes) -> None:
    path = folder / "case.yaml"
    path.write_bytes(content)
    for read in config.read([path]):
        config.warnings(read, 1)
        config.warnings(read, 1719)
        experiment = read.experiment
        if isinstance(experiment.schedule, ClosedLoop):
            with contextlib.suppress(ValueError):  # A rate that is `auto`.
                experiment.schedule.drawn(Length(1719, experiment.epochs))


def read_idx(axes: int) -> Reader:
    return lambda folder, content: idx.read(folder / "case.gz", content, axes)


def read_unpacked_idx(folder: Path, content: bytes) -> None:
    idx.read(folder / "case.gz", gzip.compress(content, 1), 3)


def read_npy(folder: Path, content: bytes) -> None:
    """Read an array that lies in an npz file whose sizes and checksums are right."""
    labels = io.BytesIO()
    np.save(labels, np.arange(4, dtype=np.uint8) % 2)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("x_train.npy", content)
        archive.writestr("y_train.npy", labels.getvalue())
    read_npz(folder, packed.getvalue())


def read_npz(folder: Path, content: bytes) -> None:
    path = folder / "case.npz"
    path.write_bytes(content)
    error = None
    for read in (
        named_arrays.train_rows,
        named_arrays.read_npz,
        lambda path: data.load(data.resolve(str(path))),
    ):
        try:
            read(path)
        except LrlabError as refused:
            error = refused
    if error is not None:
        raise error


def read_run(name: str) -> Reader:
    def read(folder: Path, content: bytes) -> None:
        write_run(folder, {name: content})
        run_folder.read(folder)

    return read


def write_run(folder: Path, changed: dict[str, bytes]) -> None:
    """Write a good run with some of its files changed, and checksums that are right."""
    contents = {"epochs.csv": EPOCHS_CSV, "steps.npz": steps_npz(), **changed}
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    record = json.dumps({**RUN_RECORD, "sha256": sums}).encode()
    for name, content in {"run.json": record, **contents}.items():
        (folder / name).write_bytes(content)


def read_checkpoint(folder: Path, content: bytes) -> None:
    """Read a checkpoint as it is; if its sum is not right, with the right one as well."""
    path = folder / "seed-0.checkpoint.npz"
    body = content[:-66] + struct.pack("<H", 64)
    for each in (body + hashlib.sha256(body).hexdigest().encode(), content):
        path.write_bytes(each)
        checkpoints.read(path)


def checkpoint() -> bytes:
    """Return a good one."""
    arrays = {"model": (np.ones((2, 3), np.float32),), "optimizer": (np.int64(4), np.zeros(3))}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "c.npz"
        checkpoints.write(
            path,
            checkpoints.Checkpoint(
                **{key: tuple(map(np.asarray, each)) for key, each in arrays.items()},
                history=(run.EpochResult(0, 0.1, 0.75, 0.5, 0.7, 0.5625),),
                lr=np.float32([0.1, 0.1]),
                loss=np.float32([2, 1]),
                tally=(np.int32(3),),
                train_seconds=1.5,
            ),
            checkpoints.CheckpointOrigin(identity="0a", seed=0, environment={}),
        )  # fmt: skip
        return path.read_bytes()


def read_comparison(folder: Path, content: bytes) -> None:
    (folder / comparison.FILE).write_bytes(content)
    comparison.read(folder)


def read_sweep(name: str) -> Reader:
    def read(folder: Path, content: bytes) -> None:
        (folder / "sweep.json").write_text(json.dumps(sweep_about()))
        (folder / "sweep.csv").write_bytes(SWEEP_CSV)
        (folder / name).write_bytes(content)
        sweep_record.read(folder)

    return read


READERS: dict[str, Reader] = {
    "config": read_config,
    "idx-images": read_idx(3),
    "idx-labels": read_idx(1),
    "idx-unpacked": read_unpacked_idx,
    "npz": read_npz,
    "npy": read_npy,
    "run.json": read_run("run.json"),
    "epochs.csv": read_run("epochs.csv"),
    "steps.npz": read_run("steps.npz"),
    "checkpoint": read_checkpoint,
    "comparison.json": read_comparison,
    "sweep.json": read_sweep("sweep.json"),
    "sweep.csv": read_sweep("sweep.csv"),
}


def outcome(kind: str, folder: Path, content: bytes) -> str | None:
    """Return what a reader says of a content, None if it reads it; all but `LrlabError` escapes.

    Raises:
        AssertionError: If what it says is not what a user can use.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            READERS[kind](folder, content)
        except LrlabError as error:
            check_message(error, kind, folder)
            return error.message
    return None


def check_message(error: LrlabError, kind: str, folder: Path) -> None:
    with contextlib.redirect_stderr(io.StringIO()) as printed:
        print_error(error)
    text = printed.getvalue()
    unprintable = {c for c in text if not c.isprintable() and c != "\n"}
    assert not unprintable, f"cannot be printed: {unprintable}"
    assert str(folder) in error.message, f"names no file: {error.message}"
    assert len(text) < 10_000, f"nobody reads {len(text):,} characters"
    assert "allocate" not in text, f"the memory was what stopped it: {text}"
    if kind == "config":
        assert error.exit_code == 2
    else:
        assert len(text.splitlines()) == 3, f"more than an error and a hint: {text}"
        assert error.hint
        assert error.exit_code == 3
