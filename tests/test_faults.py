"""What can go wrong with a machine, done for real: the others finish, the next command mends."""

import contextlib
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from told import Told

from lrlab import config, experiment
from lrlab.results import comparison, lock, run_folder
from lrlab.results.run import CHECKPOINT, Status
from lrlab.tasks import data

QUICK = "schedule: {type: constant, lr: 0.005}\nepochs: 1\n"
SLOW = "schedule: {type: power, initial_lr: 0.005, s: 100 steps}\nepochs: 60\n"
ENDLESS = SLOW.replace("60", "50000")
PLACE = ("epochs.csv", "steps.npz", "examples.npz")


@pytest.fixture
def lrlab(tmp_path, small_npz):
    """Return a function that starts `lrlab compare` on configs given as name=text."""

    def start(out: Path, *options: str, **texts: str) -> subprocess.Popen[str]:
        for name, text in texts.items():
            (tmp_path / f"{name}.yaml").write_text(f"{text}data: {small_npz}\n")
        files = [str(tmp_path / f"{name}.yaml") for name in texts]
        command = [sys.executable, "-m", "lrlab", "compare", *files, "--seeds", "1"]
        return subprocess.Popen(
            [*command, "--workers", "1", "--out", str(out), *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Return exit code, stdout and stderr of a process; a traceback is never one of them."""
    try:
        out, err = process.communicate(timeout=100)
    finally:
        process.kill()
    assert "Traceback" not in err, err
    return process.returncode, out, err


def wait_for(process: subprocess.Popen[str], happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not happened():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.005)


def has_checkpoint(out: Path, name: str = "slow") -> Callable[[], bool]:
    return lambda: any(out.glob(f"runs/{name}-*/*{CHECKPOINT}"))


def run_of(out: Path, name: str) -> Path:
    (folder,) = out.glob(f"runs/{name}-*/seed-0")
    return folder


def mend(out: Path) -> tuple[comparison.Comparison, Told]:
    """Do what the same command does when it comes again, in this process."""
    told = Told()
    read = config.read(sorted(out.parent.glob("*.yaml")))
    compared, _ = experiment.compare(read, out=out, seeds=1, report=told)
    return compared, told


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, small_npz) -> Path:
    """The run `slow` as it comes out when nothing goes wrong."""
    folder = tmp_path_factory.mktemp("undisturbed")
    (folder / "slow.yaml").write_text(f"{SLOW}data: {small_npz}\n")
    mend(folder / "out")
    return run_of(folder / "out", "slow")


def assert_mended(out: Path, undisturbed: Path) -> None:
    run = run_of(out, "slow")
    assert run_folder.read(run).result.status is Status.DONE
    for name in PLACE:
        assert (run / name).read_bytes() == (undisturbed / name).read_bytes()


# --- disks ---


@pytest.mark.slow
def test_a_disk_that_gets_full(mount_disk, tmp_path, lrlab, undisturbed):
    out = mount_disk("3m")
    filler = out / "filler"
    process = lrlab(out, slow=SLOW)
    wait_for(process, has_checkpoint(out))
    with contextlib.suppress(OSError), filler.open("wb") as file:
        while True:
            file.write(bytes(100_000))
            file.flush()
    code, stdout, stderr = ended(process)
    assert code == 3
    assert "slow seed 0 continues without new checkpoints" in stderr
    assert "slow seed 0: failed: " in stderr
    assert "cannot be written: No space left on device" in stderr
    assert "hint: free some space" in stderr
    assert "slow" in stdout, "what was found is printed even where it cannot be kept"

    filler.unlink()
    _, told = mend(out)
    assert (told.resumed, told.warnings) == (1, [])
    assert_mended(out, undisturbed)


@pytest.mark.slow
def test_a_disk_that_gets_read_only(mount_disk, lrlab, undisturbed):
    out = mount_disk("3m")
    process = lrlab(out, slow=SLOW)
    wait_for(process, has_checkpoint(out))
    # A mount of its own above the old one: that has files open, and cannot be changed.
    subprocess.run(["mount", "--bind", str(out), str(out)], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", str(out)], check=True)
    try:
        code, stdout, stderr = ended(process)
        again = ended(lrlab(out, slow=SLOW))
    finally:
        subprocess.run(["umount", str(out)], check=True)
    assert code == 3
    assert "cannot be written: Read-only file system" in stderr
    assert "slow" in stdout, "what was found is printed even where it cannot be kept"
    assert (again[0], again[1]) == (3, "")
    assert again[2].startswith(f"error: `{out}"), again[2]
    _, told = mend(out)
    assert (told.resumed, told.warnings) == (1, [])
    assert_mended(out, undisturbed)


@pytest.mark.slow
def test_a_directory_that_goes_away(tmp_path, lrlab, undisturbed):
    out = tmp_path / "out"
    process = lrlab(out, quick=QUICK, slow=SLOW)
    wait_for(process, has_checkpoint(out))
    shutil.rmtree(out)
    code, stdout, _ = ended(process)
    assert code == 0
    assert stdout.count("done") == 2
    assert_mended(out, undisturbed)
    _, told = mend(out)
    assert (told.trained, told.reused) == (["quick 0"], 1)


# --- memory, workers, numbers ---


@pytest.mark.slow
def test_out_of_memory_fails_that_run_alone(tmp_path, lrlab):
    images = np.random.default_rng(0).integers(0, 255, (40, 500, 500), dtype=np.uint8)
    np.savez(tmp_path / "large.npz", x_train=images, y_train=np.arange(40) % 2)
    (tmp_path / "large.yaml").write_text(f"{QUICK}batch_size: 8\ndata: large.npz\n")
    out = tmp_path / "out"
    process = lrlab(out, str(tmp_path / "large.yaml"), quick=QUICK)
    assert process.stderr.readline() == "training 2 runs\n"
    # TensorFlow and the data are loaded; the first layer of `large` alone takes 300 MB.
    status = Path(f"/proc/{process.pid}/status").read_text()
    used = int(status.split("VmData:")[1].split()[0]) * 1024
    resource.prlimit(process.pid, resource.RLIMIT_DATA, (used + 250 * 10**6,) * 2)
    code, stdout, stderr = ended(process)
    assert code == 1, stderr
    assert re.search("large seed 0: failed: ResourceExhaustedError: .*OOM when allocating", stderr)
    assert "quick seed 0: val accuracy" in stderr
    assert re.search(r"^large .* failed *$", stdout, re.MULTILINE)
    result = run_folder.read(run_of(out, "large")).result
    assert result.status is Status.FAILED
    assert "OOM when allocating" in result.error


@pytest.mark.usefixtures("broken_cnn")
def test_a_worker_that_raises_and_one_that_diverges_at_once(tmp_path, small_npz):
    wild = QUICK.replace("0.005", "1.0e+30")
    texts = {
        "quick": f"{QUICK}data: {small_npz}\n",
        "raises": f"{QUICK}model: cnn\ndata: {small_npz}\n",
        "wild": f"{wild}data: {small_npz}\n",
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    compared, told = mend(tmp_path / "out")
    assert [e.status for e in compared.experiments] == ["done", "failed", "diverged"]
    assert "ValueError: no such luck" in compared.experiments[1].notes[0]
    assert re.match("seed 0 diverged at step [01],", compared.experiments[2].notes[0])
    assert len(told.finished_runs) == 3
    _, told = mend(tmp_path / "out")
    assert (told.trained, told.reused) == (["raises 0"], 2)


# --- data and clocks ---


def test_data_that_changes_between_commands_are_other_data(tmp_path, small_npz):
    own = tmp_path / "own.npz"
    shutil.copy(small_npz, own)
    (tmp_path / "own.yaml").write_text(f"{QUICK}data: own.npz\n")
    assert mend(tmp_path / "out")[1].trained == ["own 0"]
    assert mend(tmp_path / "out")[1].trained == []
    with np.load(small_npz) as arrays:
        np.savez(own, **{name: arrays[name][::-1] for name in arrays.files})
    assert mend(tmp_path / "out")[1].trained == ["own 0"]
    assert len(list(tmp_path.glob("out/runs/own-*"))) == 2


def test_data_that_change_under_the_command_are_read_once(tmp_path, small_npz):
    """What is trained on is what the identity of the runs says."""
    own = tmp_path / "own.npz"
    shutil.copy(small_npz, own)
    source = data.resolve(str(own))
    before = data.load(source).x_train
    with np.load(small_npz) as arrays:
        np.savez(own, **{name: arrays[name][::-1] for name in arrays.files})
    assert np.array_equal(data.load(source).x_train, before)
    assert data.resolve(str(own)).fingerprint != source.fingerprint


JUMPING = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/time.h>
#include <time.h>
/* The wall clock goes back and forth by years; the monotonic one is left alone. */
static long jump(void) {
    static int call;
    return (call++ % 2 ? 1 : -1) * 100000000L;
}
int clock_gettime(clockid_t clock, struct timespec *at) {
    int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, at);
    if (clock == CLOCK_REALTIME) at->tv_sec += jump();
    return result;
}
int gettimeofday(struct timeval *at, void *zone) {
    int (*real)(struct timeval *, void *) = dlsym(RTLD_NEXT, "gettimeofday");
    int result = real(at, zone);
    at->tv_sec += jump();
    return result;
}
time_t time(time_t *into) {
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    if (into) *into = at.tv_sec;
    return at.tv_sec;
}
"""


@pytest.mark.slow
def test_a_clock_that_jumps(tmp_path, lrlab, undisturbed, monkeypatch):
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler to make the clock jump with")
    (tmp_path / "jump.c").write_text(JUMPING)
    library = tmp_path / "jump.so"
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-o", library, tmp_path / "jump.c", "-ldl"], check=True
    )
    monkeypatch.setenv("LD_PRELOAD", str(library))
    shown = subprocess.run(
        [sys.executable, "-c", "import time; print(abs(time.time() - time.time()) > 1e6)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout == "True\n", "the clock does not jump"
    code, _, stderr = ended(lrlab(tmp_path / "out", slow=SLOW))
    assert code == 0, stderr
    assert_mended(tmp_path / "out", undisturbed)
    result = run_folder.read(run_of(tmp_path / "out", "slow")).result
    assert 0 < result.train_seconds < 100


# --- signals and streams ---


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_other_signals_end_it_as_ctrl_c_does(number, tmp_path, lrlab):
    out = tmp_path / "out"
    process = lrlab(out, endless=ENDLESS)
    wait_for(process, has_checkpoint(out, "endless"))
    process.send_signal(number)
    code, stdout, stderr = ended(process)
    assert (code, stdout) == (130, "")
    assert "error: interrupted; 0 of 1 runs are finished and kept" in stderr
    assert has_checkpoint(out, "endless")()
    assert lock.owner(out) is None


@pytest.mark.slow
def test_under_nohup_with_a_reader_that_leaves_the_work_goes_on(tmp_path, small_npz, undisturbed):
    (tmp_path / "slow.yaml").write_text(f"{SLOW}data: {small_npz}\n")
    lrlab = f"{sys.executable} -m lrlab compare slow.yaml --seeds 1 --out out"
    # `trap ''` ignores the hangup, and children inherit that: what nohup does.
    script = f"trap '' HUP; {lrlab} 2>&1 | head -n 1; echo ${{PIPESTATUS[0]}}"
    with subprocess.Popen(
        ["bash", "-c", script], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    ) as shell:
        wait_for(shell, has_checkpoint(tmp_path / "out"))
        owner = json.loads((tmp_path / "out" / lock.NAME).read_text())["pid"]
        os.kill(owner, signal.SIGHUP)
        said = shell.communicate(timeout=100)[0]
    assert said.splitlines() == ["training 1 run", "0"]
    assert_mended(tmp_path / "out", undisturbed)
    assert (tmp_path / "out" / "comparison.md").exists()


@pytest.mark.parametrize(
    ("streams", "code", "said"),
    [
        (">&- 2>&-", 0, ""),
        (
            ">/dev/full",
            3,
            "error: the output could not be written: No space left on device\n\nhint: ",
        ),
    ],
)
def test_streams_that_cannot_be_written(streams, code, said, tmp_path, small_npz, undisturbed):
    (tmp_path / "slow.yaml").write_text(f"{SLOW}data: {small_npz}\n")
    shutil.copytree(undisturbed.parents[1], tmp_path / "out" / "runs")
    lrlab = f"{sys.executable} -m lrlab compare slow.yaml --seeds 1 --out out"
    done = subprocess.run(
        ["bash", "-c", f"{lrlab} {streams}"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == code
    assert done.stderr.startswith(said)
    assert (done.stderr == "") == (said == "")
    assert (tmp_path / "out" / "comparison.md").exists()


@pytest.mark.slow
def test_two_lrlabs_in_one_directory(tmp_path, lrlab, undisturbed):
    out = tmp_path / "out"
    first = lrlab(out, endless=ENDLESS)
    wait_for(first, has_checkpoint(out, "endless"))
    shutil.copytree(undisturbed.parent, out / "runs" / undisturbed.parent.name)
    code, _, stderr = ended(lrlab(out, slow=SLOW))
    assert code == 3
    assert f"error: `{out}` is in use by process {first.pid} on " in stderr
    assert "(`lrlab compare " in stderr
    second = lrlab(out, "--wait", slow=SLOW)
    assert second.stderr.readline().startswith(f"waiting for process {first.pid} on ")
    os.kill(first.pid, signal.SIGKILL)
    assert ended(first)[0] == -signal.SIGKILL
    code, stdout, _ = ended(second)
    assert (code, stdout.splitlines()[1].split()[-1]) == (0, "done")
    assert {path.name for path in out.iterdir()} >= {"runs", "comparison.md", "loss.png"}
    assert lock.owner(out) is None
