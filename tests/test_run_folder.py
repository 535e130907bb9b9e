"""The run directory: round trip, reproducible bytes, identity, damage, atomic writes."""

import hashlib
import json
import math
import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from lrlab.config import Experiment, parse
from lrlab.errors import ResultsError
from lrlab.io import atomic, npz, records
from lrlab.results import run, run_folder
from lrlab.results.right import Right
from lrlab.results.run import EpochResult, Guess, RunPlace, RunResult, Status, checkpoint_of
from lrlab.results.run_folder import RunOrigin

DONE = RunResult(
    Status.DONE,
    epochs=(
        EpochResult(0, float(np.float32(0.1)), 0.75, 0.5, 0.7, 0.5625),
        EpochResult(1, float(np.float32(0.01)), 1 / 3, 0.875, 0.5, 0.75),
    ),
    lr=np.float32([0.1, 0.1, 0.01, 0.01]),
    loss=np.float32([1.5, 0.8, 0.4, 0.3]),
    test_loss=0.55,
    test_score=0.7,
    train_seconds=1.25,
)
DIVERGED = RunResult(
    Status.DIVERGED,
    lr=np.float32([0.1, 0.2, 0.4]),
    loss=np.float32([1.5, 9.0, math.nan]),
    diverged_at=2,
    train_seconds=0.5,
)
COLLAPSED = replace(DONE, status=Status.COLLAPSED, guess=Guess(0.75, 0.5625, 48))
FAILED = RunResult(Status.FAILED, error="ValueError: no")
ORIGIN = RunOrigin(seed=0, config={"name": "power"})


def same(first: RunResult, second: RunResult) -> bool:
    """Compare bit for bit, NaN equal to NaN, no curve the empty curve, rates as float32."""

    def plain(result: RunResult):
        curves = [np.float32([] if c is None else c).tobytes() for c in (result.lr, result.loss)]
        epochs = tuple(replace(epoch, lr=np.float32(epoch.lr)) for epoch in result.epochs)
        return repr((curves, replace(result, epochs=epochs, lr=None, loss=None)))

    return plain(first) == plain(second)


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


# --- round trip and bytes ---


@pytest.mark.parametrize(
    "result", [DONE, DIVERGED, COLLAPSED, FAILED], ids=lambda r: r.status.value
)
def test_a_run_is_read_as_it_was_written(result, tmp_path):
    run_folder.write(tmp_path / "seed-0", result, ORIGIN)
    kept = run_folder.read(tmp_path / "seed-0")
    assert same(kept.result, result)
    assert (kept.origin.seed, kept.origin.config) == (0, {"name": "power"})
    assert not kept.has_weights


floats = st.floats(allow_nan=True, allow_infinity=True)
float32s = st.floats(width=32, allow_nan=True, allow_infinity=True)
rates32 = st.floats(0, 1e9, width=32)


@st.composite
def results(draw) -> RunResult:
    steps = draw(st.integers(1, 20))
    status = draw(st.sampled_from([Status.DONE, Status.DIVERGED]))
    epochs = draw(st.integers(0, 4))
    maybe = st.none() | st.floats(0, 1e6)
    return RunResult(
        status,
        tuple(
            EpochResult(i, draw(rates32), *(draw(floats) for _ in "1234")) for i in range(epochs)
        ),
        lr=draw(arrays.arrays(np.float32, steps, elements=rates32)),
        loss=draw(arrays.arrays(np.float32, steps, elements=float32s)),
        diverged_at=draw(st.integers(0, steps - 1)) if status is Status.DIVERGED else None,
        test_loss=draw(maybe),
        test_score=draw(maybe),
        train_seconds=draw(st.integers(0, 10**6)) / 8,
    )


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(result=results())
def test_any_run_survives_the_round_trip(result, tmp_path):
    run_folder.write(tmp_path / "seed-0", result, ORIGIN)
    assert same(run_folder.read(tmp_path / "seed-0").result, result)


def test_run_files_as_text(tmp_path):
    run_folder.write(tmp_path / "seed-0", DONE, ORIGIN)
    assert (tmp_path / "seed-0" / "epochs.csv").read_text() == (
        "epoch,lr,loss,accuracy,val_loss,val_accuracy\n"
        "0,0.1,0.75,0.5,0.7,0.5625\n"
        "1,0.01,0.3333333333333333,0.875,0.5,0.75\n"
    )
    with np.load(tmp_path / "seed-0" / "steps.npz", allow_pickle=False) as steps:
        assert sorted(steps) == ["loss", "lr"]
        assert {steps[name].dtype for name in steps} == {np.dtype(np.float32)}
        assert {steps[name].shape for name in steps} == {(4,)}


def test_a_diverged_run_says_where_and_at_which_rate(tmp_path):
    run_folder.write(tmp_path / "seed-0", DIVERGED, ORIGIN)
    record = json.loads((tmp_path / "seed-0" / "run.json").read_text())
    assert (record["status"], record["diverged_at"]) == ("diverged", {"step": 2, "lr": 0.4})


def test_a_collapsed_run_says_what_guessing_gives_and_no_other_does(tmp_path):
    guesses = []
    for result in (DONE, DIVERGED, COLLAPSED, FAILED):
        run_folder.write(tmp_path / "seed-0", result, ORIGIN)
        guesses.append(json.loads((tmp_path / "seed-0" / "run.json").read_text()).get("guess", ""))
    assert guesses == ["", "", {"accuracy": 0.75, "loss": 0.5625, "images": 48}, ""]


def test_times_stand_in_run_json_alone(tmp_path, monkeypatch):
    run_folder.write(tmp_path / "a", DONE, ORIGIN)
    monkeypatch.setattr(time, "time", lambda: 2e9)
    run_folder.write(tmp_path / "b", replace(DONE, train_seconds=99.0), ORIGIN)
    first, second = content(tmp_path / "a"), content(tmp_path / "b")
    assert first.keys() == {"run.json", "epochs.csv", "steps.npz"}
    changed = {name for name in first if first[name] != second[name]}
    assert changed == {"run.json"}
    unsigned = [record["run.json"].partition(b',\n  "signature"')[0] for record in (first, second)]
    assert unsigned[1] == unsigned[0].replace(b"1.25", b"99.0")


# --- identity ---

REFERENCE = """
schedule: {type: one_cycle, max_lr: 0.05}
"""
FINGERPRINT = "a" * 64


def identity(text: str, fingerprint: str = FINGERPRINT) -> str:
    return run.identity(parse(text).experiment, fingerprint)


@pytest.mark.parametrize(
    "text",
    [
        "schedule: {type: one_cycle, max_lr: 0.06}",
        "schedule: {type: one_cycle, max_lr: 0.05, start_lr: 0.01}",
        "schedule: {type: one_cycle, max_lr: 0.05, end_lr: 0}",
        "schedule: {type: one_cycle, max_lr: 0.05, over: 90%}",
        "schedule: {type: one_cycle, max_lr: 0.05, update: epoch}",
        "schedule: {type: constant, lr: 0.05}",
        REFERENCE + "model: cnn",
        REFERENCE + "batch_size: 33",
        REFERENCE + "epochs: 11",
        REFERENCE + "optimizer: {type: sgd}",
        REFERENCE + "optimizer: {type: sgd, momentum: 0.8}",
        REFERENCE + "optimizer: {type: sgd, momentum: 0.9, nesterov: true}",
        REFERENCE + "optimizer: {type: sgd, momentum: 0.9, weight_decay: 0.1}",
        REFERENCE + "optimizer: {type: adam}",
        REFERENCE + "optimizer: {type: nadam}",
    ],
)
def test_whatever_changes_the_result_changes_the_identity(text):
    assert identity(text) != identity(REFERENCE)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("{type: adam}", "{type: nadam}"),
        ("{type: adam}", "{type: adamw}"),
        ("{type: adam}", "{type: adam, beta_1: 0.8}"),
        ("{type: adam}", "{type: adam, beta_2: 0.99}"),
        ("{type: adam}", "{type: adam, epsilon: 1e-3}"),
        ("{type: adamw}", "{type: adamw, weight_decay: 0.1}"),
        ("{type: adamw}", "{type: adamw, weight_decay: null}"),
        ("{type: rmsprop}", "{type: rmsprop, rho: 0.8}"),
        ("{type: rmsprop}", "{type: sgd}"),
    ],
)
def test_every_setting_of_an_optimizer_counts(first, second):
    texts = [f"{REFERENCE}optimizer: {optimizer}" for optimizer in (first, second)]
    assert identity(texts[0]) != identity(texts[1])


def test_the_content_of_the_data_counts():
    assert identity(REFERENCE, "b" * 64) != identity(REFERENCE)


@pytest.mark.parametrize(
    "text",
    [
        REFERENCE + "name: another",
        REFERENCE + "data: sketches",
        REFERENCE + "data: somewhere/else.npz",
        REFERENCE + "model: mlp\nbatch_size: 32\nepochs: 10",
        REFERENCE + "optimizer: {momentum: 0.9, type: sgd}",
        REFERENCE + "optimizer: {type: sgd, momentum: 0.9, nesterov: false, weight_decay: null}",
        "schedule: {max_lr: 5e-2, over: 100 %, update: step, type: one_cycle}",
        "# only a comment more\nschedule: {type: one_cycle, max_lr: 0.050}",
    ],
)
def test_name_path_and_spelling_leave_the_identity(text):
    assert identity(text) == identity(REFERENCE)


def test_whole_numbers_are_the_same_as_decimals():
    assert identity("schedule: {type: constant, lr: 1}") == identity(
        "schedule: {type: constant, lr: 1.0}"
    )


def test_where_a_run_is_kept():
    experiment: Experiment = parse(REFERENCE + "name: mine").experiment
    place = RunPlace("mine", run.identity(experiment, FINGERPRINT), 2)
    folder = place.folder(Path("out"))
    assert folder == Path("out/runs") / f"mine-{identity(REFERENCE)}" / "seed-2"
    assert RunPlace.of(folder) == place
    assert checkpoint_of(folder) == folder.parent / "seed-2.checkpoint.npz"


@pytest.mark.parametrize(
    "path",
    ["runs/power-012345678/seed-0", "runs/power-0123456789/seed-01", "runs/0123456789/seed-0",
     "runs/-0123456789/seed-0", "runs/p\n-0123456789/seed-0", "runs/power-012345678A/seed-0",
     "runs/power-0123456789/seed-0.damaged", "power-0123456789"],
)  # fmt: skip
def test_what_is_not_the_folder_of_a_run(path):
    assert RunPlace.of(Path(path)) is None


# --- damage ---


def edit(name: str, change):
    def damage(folder: Path) -> None:
        (folder / name).write_bytes(change((folder / name).read_bytes()))

    return damage


def signed(record: dict) -> bytes:
    record.pop("signature")
    return records.sign(json.dumps(record, indent=2) + "\n").encode()


def edit_record(**changes):
    def change(raw: bytes) -> bytes:
        return signed(json.loads(raw) | changes)

    return edit("run.json", change)


def forget(key: str):
    def change(raw: bytes) -> bytes:
        record = json.loads(raw)
        del record[key]
        return signed(record)

    return edit("run.json", change)


DAMAGES = {
    "steps.npz missing": (lambda f: (f / "steps.npz").unlink(), "steps.npz", "is missing"),
    "epochs.csv missing": (lambda f: (f / "epochs.csv").unlink(), "epochs.csv", "is missing"),
    "steps.npz cut": (edit("steps.npz", lambda raw: raw[:-9]), "steps.npz", "checksum"),
    "steps.npz empty": (edit("steps.npz", lambda raw: b""), "steps.npz", "checksum"),
    "epochs.csv edited": (
        edit("epochs.csv", lambda raw: raw.replace(b"0.75", b"0.99")),
        "epochs.csv",
        "checksum",
    ),
    "run.json cut": (edit("run.json", lambda raw: raw[: len(raw) // 2]), "run.json", ""),
    "run.json empty": (edit("run.json", lambda raw: b""), "run.json", ""),
    "run.json not UTF-8": (edit("run.json", lambda raw: b"\xff\xfe\x00"), "run.json", ""),
    "run.json a list": (edit("run.json", lambda raw: b"[1]"), "run.json", "must be a mapping"),
    "run.json a folder": (
        lambda f: ((f / "run.json").unlink(), (f / "run.json").mkdir()),
        "run.json",
        "directory",
    ),
    "no checksums": (forget("sha256"), "run.json", "`sha256` is missing"),
    "no status": (forget("status"), "run.json", "status"),
    "no test": (forget("test"), "run.json", "test"),
    "unknown status": (edit_record(status="odd"), "run.json", "odd"),
    "test of another kind": (edit_record(test=1), "run.json", ""),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_named_with_its_remedy(name, tmp_path):
    damage, file, reason = DAMAGES[name]
    folder = tmp_path / "seed-0"
    run_folder.write(folder, DONE, ORIGIN)
    damage(folder)
    with pytest.raises(ResultsError) as caught:
        run_folder.read(folder)
    assert caught.value.path == folder / file
    assert caught.value.reason.startswith(("is damaged: ", "is missing"))
    assert reason in caught.value.message
    assert "`lrlab compare` again" in caught.value.hint


JUDGED = replace(
    DONE, val_right=Right.of(np.arange(11) % 3 > 0), test_right=Right.of(np.arange(16) % 2 > 0)
)
BITS = np.packbits(np.ones(11, bool))


@pytest.mark.parametrize("result", [JUDGED, replace(JUDGED, test_right=None)])
def test_which_examples_were_right_is_read_as_it_was_written(result, tmp_path):
    run_folder.write(tmp_path / "seed-0", result, ORIGIN)
    kept = run_folder.read(tmp_path / "seed-0")
    assert same(kept.result, result)
    assert (kept.result.val_right.bits() == (np.arange(11) % 3 > 0)).all()


def test_a_run_without_them_has_no_such_file(tmp_path):
    run_folder.write(tmp_path / "seed-0", DONE, ORIGIN)
    assert run_folder.EXAMPLES not in content(tmp_path / "seed-0")
    assert run_folder.read(tmp_path / "seed-0").result.val_right is None


# What an examples.npz holds that is whole, and yet is none.
EXAMPLES = {
    "no count": {"val_right": BITS},
    "no bits": {"val_examples": np.array([11])},
    "too few bits": {"val_right": BITS, "val_examples": np.array([17])},
    "too many bits": {"val_right": BITS, "val_examples": np.array([8])},
    "no examples": {"val_right": BITS[:0], "val_examples": np.array([0])},
    "less than none": {"val_right": BITS[:0], "val_examples": np.array([-7])},
    "bits of another type": {"val_right": BITS.astype(float), "val_examples": np.array([11])},
    "bits in rows": {"val_right": BITS[None], "val_examples": np.array([11])},
    "several counts": {"val_right": BITS, "val_examples": np.array([11, 11])},
    "half a count": {"test_right": BITS, "test_examples": np.array([10.5])},
}


@pytest.mark.parametrize("arrays", EXAMPLES.values(), ids=EXAMPLES.keys())
def test_bits_that_do_not_fit_are_refused(arrays, tmp_path):
    folder = tmp_path / "seed-0"
    run_folder.write(folder, JUDGED, ORIGIN)
    written = npz.pack(arrays)
    (folder / "examples.npz").write_bytes(written)
    digests = json.loads((folder / "run.json").read_text())["sha256"]
    digests["examples.npz"] = hashlib.sha256(written).hexdigest()
    edit_record(sha256=digests)(folder)
    with pytest.raises(ResultsError, match=r"is damaged: (it does not say how many|.* one bit)"):
        run_folder.read(folder)


@pytest.mark.parametrize("damage", ["missing", "cut"])
def test_damaged_examples_are_named(damage, tmp_path):
    folder = tmp_path / "seed-0"
    run_folder.write(folder, JUDGED, ORIGIN)
    path = folder / "examples.npz"
    path.unlink() if damage == "missing" else path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ResultsError) as caught:
        run_folder.read(folder)
    assert caught.value.path == path


def test_no_run_is_none(tmp_path):
    assert run_folder.read(tmp_path / "seed-0") is None
    (tmp_path / "seed-0").mkdir()
    assert run_folder.read(tmp_path / "seed-0") is None


# --- writing ---


def in_the_way(tmp_path: Path) -> Path:
    """Return a path whose parent is a file: nobody, root included, can write there."""
    (tmp_path / "file").write_text("in the way")
    return tmp_path / "file" / "inner"


WRITERS = {
    "run": lambda path: run_folder.write(path / "seed-0", DONE, ORIGIN),
    "text": lambda path: atomic.write_text(path / "x.md", "text"),
    "bytes": lambda path: atomic.write(path / "x.png", b"bytes"),
    "files": lambda path: atomic.write_files(path, {"a": b"bytes"}),
}


@pytest.mark.parametrize("name", WRITERS)
def test_an_unwritable_folder_is_an_error_with_a_remedy(name, tmp_path):
    path = in_the_way(tmp_path)
    with pytest.raises(ResultsError) as caught:
        WRITERS[name](path)
    assert str(path) in caught.value.message
    assert "cannot be written: Not a directory" in caught.value.message
    assert "`--out`" in caught.value.hint
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_run_is_replaced_whole_and_nothing_else_is_left(tmp_path):
    folder = tmp_path / "seed-0"
    run_folder.write(folder, DIVERGED, ORIGIN)
    (folder / "notes.txt").write_text("of the old run")
    run_folder.write(folder, DONE, ORIGIN)
    assert [path.name for path in tmp_path.iterdir()] == ["seed-0"]
    assert content(folder).keys() == {"run.json", "epochs.csv", "steps.npz"}
    assert same(run_folder.read(folder).result, DONE)


def test_what_a_killed_run_left_behind_is_in_nobodys_way(tmp_path):
    leftover = tmp_path / f".seed-0.{os.getpid()}.part"
    leftover.mkdir()
    (leftover / "steps.npz").write_bytes(b"half")
    assert run_folder.read(tmp_path / "seed-0") is None
    run_folder.write(tmp_path / "seed-0", DONE, ORIGIN)
    atomic.recover(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["seed-0"]
