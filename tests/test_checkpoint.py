"""Checkpoint files: what is written is read back to the bit, and nothing else is taken."""

import io
import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from lrlab.errors import ResultsError
from lrlab.io import records
from lrlab.io.npz import pack
from lrlab.results import checkpoint as checkpoints
from lrlab.results.checkpoint import Checkpoint, CheckpointOrigin
from lrlab.results.run import EpochResult

ORIGIN = CheckpointOrigin(
    identity="0123456789",
    seed=1,
    environment={"keras": "3.15.1", "cores": 2},
    earlier_environments=({"keras": None},),
    resumed_at=(2,),
)
CHECKPOINT = Checkpoint(
    model=(np.float32([[1, -2], [3, np.nan]]), np.zeros(2, np.float32)),
    optimizer=(np.array(7), np.float32(0.1)),
    history=(EpochResult(0, 0.1, 1 / 3, 0.5, float("inf"), 0.25),),
    lr=np.float32([0.1, 0.1, 0.05]),
    loss=np.float32([2.5, 1.5, 1.25]),
    tally=(np.int32(17),),
    train_seconds=1.5,
)


def bits(checkpoint: Checkpoint) -> Checkpoint:
    """Return a checkpoint in a form that compares bit for bit."""

    def of(arrays):
        return tuple((a.dtype, a.shape, a.tobytes()) for a in map(np.asarray, arrays))

    return replace(
        checkpoint,
        model=of(checkpoint.model),
        optimizer=of(checkpoint.optimizer),
        lr=of([checkpoint.lr]),
        loss=of([checkpoint.loss]),
    )


@pytest.mark.parametrize(
    "checkpoint",
    [
        CHECKPOINT,
        replace(CHECKPOINT, history=(), lr=CHECKPOINT.lr[:1], loss=CHECKPOINT.loss[:1]),
        replace(CHECKPOINT, model=tuple(np.float32([i]) for i in range(12)), optimizer=()),
    ],
)
def test_a_checkpoint_survives_the_round_trip(checkpoint, tmp_path):
    checkpoints.write(tmp_path / "c.npz", checkpoint, ORIGIN)
    kept = checkpoints.read(tmp_path / "c.npz")
    assert bits(kept.state) == bits(checkpoint)
    assert {name: getattr(kept.origin, name) for name in vars(ORIGIN)} == vars(ORIGIN)


def test_numpy_reads_it_without_pickle(tmp_path):
    checkpoints.write(tmp_path / "c.npz", CHECKPOINT, ORIGIN)
    with np.load(tmp_path / "c.npz", allow_pickle=False) as arrays:
        assert arrays["model_0"].tobytes() == CHECKPOINT.model[0].tobytes()
        assert json.loads(arrays["about"].tobytes())["seed"] == 1


def test_the_same_checkpoint_gives_the_same_bytes(tmp_path):
    for name in "ab":
        checkpoints.write(tmp_path / name, CHECKPOINT, ORIGIN)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_none_is_none(tmp_path):
    assert checkpoints.read(tmp_path / "c.npz") is None


def test_any_flipped_byte_and_any_cut_is_found(tmp_path):
    path = tmp_path / "c.npz"
    checkpoints.write(path, CHECKPOINT, ORIGIN)
    whole = path.read_bytes()
    damaged = [bytes([*whole[:at], whole[at] ^ 1, *whole[at + 1 :]]) for at in range(len(whole))]
    damaged += [whole[:length] for length in range(0, len(whole), 7)] + [whole + b"x", whole * 2]
    for content in damaged:
        path.write_bytes(content)
        with pytest.raises(ResultsError, match="is damaged: its checksum"):
            checkpoints.read(path)


def signed(**changes) -> bytes:
    """Return a checkpoint whose checksum is right, whatever it holds."""
    stated = {"format": 1, "correct": 1, "train_seconds": 1.0, **records.to_json(ORIGIN)}
    arrays = {
        "about": np.frombuffer(json.dumps(stated).encode(), np.uint8),
        "history": np.zeros((1, 6)),
        "lr": np.zeros(2, np.float32),
        "loss": np.zeros(2, np.float32),
    }
    return checkpoints.sign(pack(arrays | changes))


def text(value) -> np.ndarray:
    return np.frombuffer(value.encode() if isinstance(value, str) else value, np.uint8)


def compressed() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("about.npy", bytes(10**6))
    return checkpoints.sign(packed.getvalue())


FOREIGN = {
    "a later format": (signed(about=text('{"format": 2}')), "its format is not known"),
    "no object": (signed(about=text("[1]")), "its format is not known"),
    "no JSON": (signed(about=text("{")), "is damaged: "),
    "no text": (signed(about=text(b"\xff\xfe")), "is damaged: "),
    "deep": (signed(about=text("[" * 100_000)), "is damaged: "),
    "no count": (signed(about=text('{"format": 1}')), "`identity` is missing"),
    "history": (signed(history=np.zeros((2, 5))), "its history has shape (2, 5)"),
    "epochs": (signed(history=np.ones((2, 6))), "its epochs are not in order"),
    "curves": (signed(lr=np.zeros(3, np.float32)), "its curves have shapes (3,) and (2,)"),
    "precision": (signed(loss=np.zeros(2)), "its curves have"),
    "compressed": (compressed(), "it is compressed"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_sound_file_that_is_no_checkpoint_is_refused(name, tmp_path):
    content, reason = FOREIGN[name]
    (tmp_path / "c.npz").write_bytes(content)
    with pytest.raises(ResultsError) as caught:
        checkpoints.read(tmp_path / "c.npz")
    assert reason in caught.value.message
    assert "c.npz" in caught.value.message
