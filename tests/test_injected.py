"""Every file operation of every command fails once: it says so, and nothing finished goes."""

import contextlib
import errno
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).parent
CONFIG = "schedule: {type: constant, lr: 0.05}\nepochs: 2\ndata: d.npz\n"
FILES = {
    "a.yaml": CONFIG,
    "auto.yaml": CONFIG.replace("0.05", "auto"),
    "new.yaml": CONFIG.replace("0.05", "0.01"),
    "preview.yaml": CONFIG,
}
COMPARE = ["compare", "a.yaml", "auto.yaml", "--seeds", "1", "--out", "out", "--workers", "1"]
COMMANDS = {
    "check": ["check", "out"],
    "repair": ["check", "out", "--repair"],
    "plot": ["plot", "out"],
    "preview": ["plot", "a.yaml", "new.yaml", "--out", "figures"],
    "compare again": COMPARE,
    "compare more": [*COMPARE, "new.yaml"],
    "fresh": [*COMPARE, "--fresh"],
    "keep weights": [*COMPARE, "--keep-weights"],
    "find-lr": ["find-lr", "a.yaml", "--seeds", "1", "--out", "out/find-lr"],
}
FAILURES = (errno.EIO, errno.ENOSPC, errno.EACCES, errno.EINTR, -signal.SIGKILL)
SAMPLE = 12
"""Operations of each command that fail in the usual suite; all of them with `-m slow`."""


class Injector:
    """A process that runs commands in which one file operation fails."""

    def __init__(self, folder: Path, library: Path) -> None:
        for name, text in FILES.items():
            (folder / name).write_text(text)
        rng = np.random.default_rng(0)
        np.savez(folder / "d.npz", x_train=rng.normal(size=(120, 5)), y_train=np.arange(120) % 3)
        variables = os.environ | {"LD_PRELOAD": str(library), "PYTHONPATH": str(HERE)}
        self.folder = folder
        self._process = subprocess.Popen(
            [sys.executable, HERE / "injecting.py", folder],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=variables,
        )  # fmt: skip

    def run(self, folder: Path, words: list[str], at: int = 0, failure: int = 0) -> dict:
        request = {"folder": str(folder), "words": words, "at": at, "errno": failure}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait()


@pytest.fixture(scope="module")
def injector(tmp_path_factory):
    compiler = shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("no C compiler to make file operations fail with")
    folder = tmp_path_factory.mktemp("injected") / "work"
    folder.mkdir()
    library = folder.parent / "injected.so"
    source = HERE / "injected.c"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    with contextlib.closing(Injector(folder, library)) as made:
        for words in (COMPARE, COMMANDS["find-lr"]):
            done = made.run(folder, words)
            assert done["code"] in (0, 1), done["said"]
        yield made


def numbers(folder: Path) -> dict[str, bytes]:
    """Return the files that hold numbers and no times."""
    names = ("epochs.csv", "steps.npz", "examples.npz", "weights.npz", "sweep.csv")
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.name in names and not any(part.startswith(".") for part in path.parts[-2:])
    }


def check_one(injector, name: str, at: int, failure: int, case: Path, expected: dict) -> None:
    shutil.copytree(injector.folder, case)
    before = numbers(case)
    done = injector.run(case, COMMANDS[name], at, failure)
    told = f"{name}, operation {at}, {failure}: {done['code']}\n{done['said']}"
    assert "Traceback" not in done["said"], told
    assert done["code"] in (0, 1, 2, 3, failure), told
    assert not list(case.rglob("*.damaged")), told
    if failure > 0:
        after = numbers(case)
        assert {path: after.get(path) for path in before} == before, told
    again = injector.run(case, COMMANDS[name])
    assert again["code"] in (0, 1), f"{told}\nthen:\n{again['said']}"
    assert numbers(case) == expected, told
    repaired = injector.run(case, COMMANDS["repair"])
    assert repaired["code"] == 0, f"{told}\nrepair:\n{repaired['said']}"
    assert not list(case.rglob("*.damaged")), told
    shutil.rmtree(case)


@pytest.fixture(params=COMMANDS)
def command(request, injector, tmp_path):
    """A command, how many operations it makes, and the numbers that it leaves undisturbed."""
    case = tmp_path / "undisturbed"
    shutil.copytree(injector.folder, case)
    done = injector.run(case, COMMANDS[request.param])
    assert done["code"] in (0, 1), done["said"]
    assert done["operations"] > 20
    expected = numbers(case)
    assert numbers(injector.folder).items() <= expected.items()
    shutil.rmtree(case)
    return request.param, done["operations"], expected


def test_some_operations_fail(command, injector, tmp_path):
    name, operations, expected = command
    chance = random.Random(name)
    for number in range(SAMPLE):
        at, failure = chance.randint(1, operations), FAILURES[number % len(FAILURES)]
        check_one(injector, name, at, failure, tmp_path / str(number), expected)


@pytest.mark.slow
@pytest.mark.parametrize("failure", FAILURES)
def test_every_operation_fails_once(command, failure, injector, tmp_path):
    name, operations, expected = command
    for at in range(1, operations + 1):
        check_one(injector, name, at, failure, tmp_path / str(at), expected)
