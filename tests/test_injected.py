"""Every file operation of every command fails once: it says so, and nothing finished goes.

`make inject` lets all of them fail, in each way; the usual suite only some.
"""

import contextlib
import errno
import hashlib
import json
import os
import random
import re
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
    "terminal": ["plot", "a.yaml", "new.yaml", "--terminal"],
    "export": ["export", "a.yaml"],
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
        variables = os.environ | {"LD_PRELOAD": str(library)}
        self.folder = folder
        self._process = subprocess.Popen(
            [sys.executable, HERE / "injecting.py", folder],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=variables,
        )  # fmt: skip

    def run(
        self, folder: Path, words: list[str], at: int = 0, failure: int = 0, **more: bool
    ) -> dict:
        request = {"folder": str(folder), "words": words, "at": at, "number": failure} | more
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait()


@pytest.fixture(scope="module")
def injector(tmp_path_factory):
    """Commands on finished runs, sweeps, and a run that Ctrl-C cut off."""
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
        for _ in range(10):  # On a busy machine the run may end before it is told to stop.
            assert made.run(folder, COMMANDS["compare more"], interrupt=True)["code"] == 130
            if list(folder.rglob("*.checkpoint.npz")):
                break
            for begun in folder.glob("out/runs/new-*"):
                shutil.rmtree(begun)
        assert len(list(folder.rglob("*.checkpoint.npz"))) == 1
        yield made


def numbers(folder: Path) -> dict[str, bytes]:
    """Return the files that hold numbers and no times."""
    names = ("epochs.csv", "steps.npz", "examples.npz", "weights.npz", "sweep.csv")
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.name in names and not any(part.startswith(".") for part in path.parts[-2:])
    }


def state(folder: Path) -> str:
    """Return a digest of all that a command can find in a folder: equal ones, equal outcomes."""
    found = []
    for path in folder.rglob("*"):
        name = str(path.relative_to(folder))
        for whole in re.finditer(r"\.([^/]+)\.(\d+)\.whole", name):
            place = folder / name[: whole.end()]
            others = {place: "itself", place.with_name(whole[1]): "the other"}
            inodes = {str(p.stat().st_ino): who for p, who in others.items() if p.exists()}
            name = name.replace(whole[2], inodes.get(whole[2], "neither"))
        name = re.sub(r"[0-9a-f]{16}", "random", name)
        content = path.read_bytes() if path.is_file() and path.name != ".lock" else b""
        found.append(f"{name} {hashlib.sha256(content).hexdigest()}")
    return hashlib.sha256("\n".join(sorted(found)).encode()).hexdigest()


class Case:
    """A command whose operations fail, on copies of one folder.

    Attributes:
        operations: How many it makes when none fails.
        states: In how many different ways it was cut off.
    """

    def __init__(self, injector: Injector, name: str, scratch: Path) -> None:
        self._injector = injector
        self._name = name
        self._case = scratch / "case"
        self._sound: set[str] = set()
        shutil.copytree(injector.folder, self._case)
        self._before = numbers(self._case)
        done = injector.run(self._case, COMMANDS[name])
        assert done["code"] in (0, 1), done["said"]
        self.operations = done["operations"]
        self._expected = numbers(self._case)
        assert self._before.items() <= self._expected.items()
        shutil.rmtree(self._case)

    @property
    def states(self) -> int:
        return len(self._sound)

    def fail(self, at: int, failure: int) -> None:
        """Let one operation fail: no traceback, nothing is lost, and a repeat makes it good."""
        shutil.copytree(self._injector.folder, self._case)
        done = self._injector.run(self._case, COMMANDS[self._name], at, failure)
        told = f"{self._name}, operation {at}, {failure}: {done['code']}\n{done['said']}"
        assert "Traceback" not in done["said"], told
        assert done["code"] in ((0, 1, 2, 3) if failure > 0 else (failure, 0, 1)), told
        assert not list(self._case.rglob("*.damaged")), told
        if failure > 0:
            after = numbers(self._case)
            assert {path: after.get(path) for path in self._before} == self._before, told
        if (left := state(self._case)) not in self._sound:
            self._repeat(told)
            self._sound.add(left)
        shutil.rmtree(self._case)

    def _repeat(self, told: str) -> None:
        again = self._injector.run(self._case, COMMANDS[self._name])
        assert again["code"] in (0, 1), f"{told}\nthen:\n{again['said']}"
        assert numbers(self._case) == self._expected, told
        repaired = self._injector.run(self._case, COMMANDS["repair"])
        assert repaired["code"] == 0, f"{told}\nrepair:\n{repaired['said']}"
        assert not list(self._case.rglob("*.damaged")), told


@pytest.fixture(params=COMMANDS)
def case(request, injector, tmp_path):
    return Case(injector, request.param, tmp_path)


def test_some_operations_fail(case, request):
    chance = random.Random(request.node.name)
    for number in range(SAMPLE):
        case.fail(chance.randint(1, case.operations), FAILURES[number % len(FAILURES)])


@pytest.mark.slow
def test_every_operation_fails_once(case, request):
    failed = []
    for failure in FAILURES:
        for at in range(1, case.operations + 1):
            try:
                case.fail(at, failure)
            except AssertionError as error:
                failed.append(f"{error}\n")
                shutil.rmtree(case._case)
    count = len(FAILURES) * case.operations
    sys.stderr.write(
        f"{request.node.name}: {count:,} cases, {case.states} states, {len(failed)} failures\n"
    )
    assert not failed, "\n".join(failed[:20])
