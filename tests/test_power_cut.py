"""A power cut right after exit 0: what the command has written is there, under its name."""

import os
import sys
from contextlib import closing
from pathlib import Path

import injecting
import numpy as np
import pytest
from disks import ForgetfulDisk
from matplotlib.figure import Figure
from typer.testing import CliRunner

from lrlab.cli import app
from lrlab.experiment import choosing, environment, running, suggesting
from lrlab.io import atomic
from lrlab.results import fresh_list, inspection, lock
from lrlab.results.run import CHECKPOINT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads names from /proc")

CONFIG = "schedule: {type: constant, lr: 0.05}\nepochs: 2\ndata: d.npz\n"
COMPARE = ["compare", "a.yaml", "auto.yaml", "--seeds", "2", "--out", "out"]
COMMANDS = {
    "compare": COMPARE,
    "again": COMPARE,
    "fresh": [*COMPARE, "--fresh"],
    "weights": [*COMPARE, "--keep-weights"],
    "plot": ["plot", "out", "--format", "svg"],
    "preview": ["plot", "a.yaml", "--out", "new/figures"],
    "find-lr": ["find-lr", "a.yaml", "--seeds", "1"],
    "repair": ["check", "out", "--repair"],
}


@pytest.fixture(autouse=True)
def linear(monkeypatch):
    """Train without TensorFlow, and save figures without drawing them."""
    monkeypatch.setattr(Figure, "savefig", injecting.save)
    for module in (running, suggesting, choosing):
        monkeypatch.setattr(module, "prepare", injecting.Engines)
    monkeypatch.setattr(environment, "record", lambda: {"tensorflow": "none"})


def invoke(words: list[str]) -> None:
    done = CliRunner().invoke(app, words)
    assert done.exit_code in (0, 1), done.output


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.yaml").write_text(CONFIG)
    (tmp_path / "auto.yaml").write_text(CONFIG.replace("0.05", "auto"))
    rng = np.random.default_rng(0)
    np.savez("d.npz", x_train=rng.normal(size=(120, 5)), y_train=np.arange(120) % 3)
    return tmp_path


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


def is_left_over(name: str) -> bool:
    """Whether the next command knows that it is of no more use: removals are not synchronised."""
    if name.endswith((CHECKPOINT, fresh_list.FILE, lock.NAME)):
        return True
    if Path(name).name.startswith("tried-"):
        return True
    return any(atomic.is_part(part) or atomic.is_whole(part) for part in Path(name).parts)


@pytest.mark.parametrize("exchange", [True, False])
@pytest.mark.parametrize("name", COMMANDS)
def test_after_a_power_cut_everything_is_there(name, exchange, folder, tmp_path, monkeypatch):
    if not exchange:
        monkeypatch.setattr(atomic, "_renameat2", None)
    if name != "compare":
        invoke(COMPARE)
    if name == "repair":
        (folder / "out" / "comparison.md").write_text("damaged")
        next(folder.glob("out/runs/a-*/seed-0/epochs.csv")).write_text("damaged")
    with monkeypatch.context() as patch, closing(ForgetfulDisk(folder, patch)) as disk:
        invoke(COMMANDS[name])
    assert disk.unsafe == []
    written, found = files(folder), disk.after_power_cut()
    assert {path: found.get(path) for path in written} == written
    assert {path for path in found.keys() - written.keys() if not is_left_over(path)} == set()


def test_what_was_removed_and_is_back_is_cleared_away(folder, tmp_path, monkeypatch):
    """The removal of what was replaced is not synchronised: the next command finds it."""
    invoke(COMPARE)
    with monkeypatch.context() as patch, closing(ForgetfulDisk(folder, patch)) as disk:
        invoke(COMMANDS["fresh"])
        written = files(folder)
        disk.cut_power()
    assert inspection.inspect(folder / "out").problems  # A checkpoint of a finished run, say.
    invoke(COMMANDS["repair"])
    after = files(folder)
    assert {path: after.get(path) for path in written} == written
    assert {path for path in after.keys() - written.keys()} <= {f"out/{fresh_list.FILE}"}
    assert not inspection.inspect(folder / "out").problems


@pytest.mark.parametrize("forgets", ["_sync", "fsync"])
def test_the_forgetful_disk_forgets(forgets, folder, monkeypatch):
    with monkeypatch.context() as patch, closing(ForgetfulDisk(folder, patch)) as disk:
        if forgets == "_sync":
            patch.setattr(atomic, "_sync", lambda folder: None)
        else:
            patch.setattr(os, "fsync", lambda descriptor: None)
        atomic.write(folder / "new" / "file", b"content")
    assert "new/file" not in disk.after_power_cut()
    assert disk.unsafe == ([] if forgets == "_sync" else [str(folder / "new" / "file")])
