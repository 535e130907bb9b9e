"""One lrlab at a time: who holds a results directory, waiting for it, and owners that died."""

import contextlib
import errno
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from told import Told
from typer.testing import CliRunner

from lrlab.cli import app
from lrlab.errors import ResultsError
from lrlab.results import lock

HOLDER = """
import sys, time, pathlib
from lrlab.results import lock
class Report:
    def note(self, text): print(text, flush=True)
    def warn(self, text): raise AssertionError(text)
with lock.hold(pathlib.Path(sys.argv[1]), report=Report(), command="lrlab compare x.yaml"):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


@contextlib.contextmanager
def holder(out: Path, seconds: float = 60):
    """Another process that holds the lock."""
    command = [sys.executable, "-c", HOLDER, str(out), str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_lock_says_who_holds_it_and_then_nothing(tmp_path):
    out = tmp_path / "new" / "out"
    with lock.hold(out, report=Told(), command="lrlab find-lr"):
        about = json.loads((out / lock.NAME).read_text())
        assert about == {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "command": "lrlab find-lr",
        }
    assert [(p.name, p.read_bytes()) for p in out.iterdir()] == [(lock.NAME, b"")]
    assert lock.owner(out) is None


def test_a_second_lrlab_leaves_and_says_who_is_there(tmp_path):
    with holder(tmp_path) as owner:
        with pytest.raises(ResultsError) as caught, lock.hold(tmp_path, report=Told()):
            pass
        who = f"process {owner.pid} on {socket.gethostname()} (`lrlab compare x.yaml`)"
        assert caught.value.message == f"`{tmp_path}` is in use by {who}"
        assert "--wait" in caught.value.hint
        assert (tmp_path / lock.NAME).exists()


def test_a_second_lrlab_waits_if_asked_to(tmp_path):
    told = Told()
    with holder(tmp_path, seconds=1.5), lock.hold(tmp_path, report=told, wait=True):
        assert json.loads((tmp_path / lock.NAME).read_text())["pid"] == os.getpid()
    (note,) = told.notes
    assert note.startswith("waiting for process ")
    assert lock.owner(tmp_path) is None


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_lock_of_a_dead_process_is_taken_over(number, tmp_path):
    with holder(tmp_path) as owner:
        owner.send_signal(number)
        owner.wait()
        assert (tmp_path / lock.NAME).exists()
        with lock.hold(tmp_path, report=Told()):
            assert json.loads((tmp_path / lock.NAME).read_text())["pid"] == os.getpid()


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[1]", b'{"pid": "x"}', b'{"pid": Infinity}', b"\xff\0" * 9, b"[" * 9999],
)
def test_an_owner_who_has_not_said_who_he_is(content, tmp_path):
    with holder(tmp_path):
        (tmp_path / lock.NAME).write_bytes(content)
        with pytest.raises(ResultsError, match="in use by another lrlab"):
            lock.hold(tmp_path, report=Told()).__enter__()


def test_of_many_only_one_is_in_at_a_time(tmp_path):
    inside, most, entered = [], [], []

    def work():
        for _ in range(5):
            with lock.hold(tmp_path, report=Told(), wait=True):
                inside.append(1)
                most.append(len(inside))
                entered.append(1)
                time.sleep(0.002)
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (max(most), len(entered)) == (1, 20)


def test_a_lock_that_is_a_link_or_no_regular_file_is_refused(tmp_path):
    precious = tmp_path / "precious"
    precious.write_text("precious")
    for number, lay in enumerate([lambda path: path.symlink_to(precious), Path.mkdir, os.mkfifo]):
        out = tmp_path / str(number)
        out.mkdir()
        lay(out / lock.NAME)
        with pytest.raises(ResultsError, match="cannot be written"):
            lock.hold(out, report=Told()).__enter__()
    assert precious.read_text() == "precious"


# --- what lies under a directory ---


@pytest.mark.parametrize(("held", "wanted"), [("out", "out/find-lr"), ("out/find-lr", "out")])
def test_a_lock_protects_what_lies_under_it(held, wanted, tmp_path):
    (tmp_path / held).mkdir(parents=True)
    with holder(tmp_path / held) as owner:
        assert str(owner.pid) in (lock.owner(tmp_path / held) or "")
        with pytest.raises(ResultsError, match=f"is in use by process {owner.pid} "):
            lock.hold(tmp_path / wanted, report=Told()).__enter__()
    with lock.hold(tmp_path / wanted, report=Told()):
        pass


def test_folders_side_by_side_do_not_disturb_each_other(tmp_path):
    with lock.hold(tmp_path, report=Told()):  # So that there is a lock above.
        pass
    with holder(tmp_path / "a"), lock.hold(tmp_path / "b", report=Told()):
        assert lock.owner(tmp_path / "a") is not None


def test_who_waits_for_each_other_gets_in(tmp_path):
    entered = []

    def work(out):
        for _ in range(3):
            with lock.hold(out, report=Told(), wait=True):
                entered.append(out)

    places = [tmp_path, tmp_path / "a", tmp_path / "b"]
    threads = [threading.Thread(target=work, args=[out], daemon=True) for out in places]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(entered) == 9


def test_repair_leaves_the_sweep_of_a_running_find_lr_alone(tmp_path):
    out = tmp_path / "results"
    with holder(out / "find-lr"):
        (out / "find-lr" / "sweep.csv").write_text("being written")
        done = CliRunner().invoke(app, ["check", str(out), "--repair"])
        assert done.exit_code == 3
        assert f"`{out / 'find-lr'}` is in use by process" in done.stderr
    assert (out / "find-lr" / "sweep.csv").read_text() == "being written"


# --- file systems without locks ---


def test_without_locks_only_who_says_so_goes_on(tmp_path, monkeypatch):
    def none(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", none)
    with pytest.raises(ResultsError, match="cannot be locked: No locks available") as caught:
        lock.hold(tmp_path, report=Told()).__enter__()
    assert "`--no-lock`" in caught.value.hint
    told = Told()
    with lock.hold(tmp_path, report=told, no_lock=True):
        pass
    assert told.warnings == [
        f"`{tmp_path}` is not locked (No locks available): do not run two lrlabs in it"
    ]
    assert lock.owner(tmp_path) is None
