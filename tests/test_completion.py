"""What the Tab key completes: the words themselves, and in real shells."""

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lrlab.cli import app
from lrlab.schedules import SCHEDULES

PACKAGE = Path(__file__).parents[1]
PROGRAM = f"""#!{sys.executable}
import sys
sys.path.insert(0, {str(PACKAGE)!r})
from lrlab.cli import main
main()
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A working directory with configs, and other files."""
    for name in ("configs/cosine.yaml", "configs/power.yml", "configs/more/rex.yaml", "one.yaml",
                 "notes.md", "nets.py", "net.keras", "data.csv", "a b.yaml", ".hidden.yaml",
                 "$(rm).yaml"):  # fmt: skip
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def completed(words: str) -> list[str]:
    """Return what stands for the last of some words, as bash is told."""
    given = words.split(" ")
    env = {
        "_LRLAB_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(len(given) - 1)
    }  # fmt: skip
    done = CliRunner().invoke(app, [], prog_name="lrlab", env=env)
    assert (done.exit_code, done.stderr) == (0, "")
    return done.stdout.split()


CASES = {
    "lrlab ch": ["check"],
    "lrlab compare ": ["configs/", "one.yaml"],
    "lrlab compare conf": ["configs/cosine.yaml", "configs/more/", "configs/power.yml"],
    "lrlab compare configs/mo": ["configs/more/rex.yaml"],
    "lrlab compare one.yaml configs/c": ["configs/cosine.yaml"],
    "lrlab compare .": [".hidden.yaml"],
    "lrlab compare none/": [],
    "lrlab find-lr o": ["one.yaml"],
    "lrlab plot o": ["one.yaml"],
    "lrlab export o": ["one.yaml"],
    "lrlab export --to p": ["python", "pytorch"],
    "lrlab export --to l": ["latex"],
    "lrlab init --from n": ["nets.py"],
    "lrlab show --metric val_m": ["val_mae"],
    "lrlab plot --format ": ["png", "svg", "pdf"],
    "lrlab compare --model cnn": ["cnn", "cnn_bn"],
    "lrlab compare --model net": ["net.keras", "nets.py"],
    "lrlab compare --data s": ["sketches", "sentences"],
    "lrlab compare --data d": ["data.csv"],
    "lrlab compare --trust n": ["nets.py"],
    "lrlab compare --metric val_m": ["val_mae"],
    "lrlab compare --qui": ["--quiet"],
    "lrlab schedules cosine": ["cosine", "cosine_restarts"],
}


@pytest.mark.parametrize("words", CASES)
def test_words_are_completed(words, place):
    assert completed(words) == CASES[words]


def test_every_schedule_completes(place):
    assert completed("lrlab schedules ") == list(SCHEDULES)


# --- real shells ---


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home with the command `lrlab` in it, and nothing else of this machine's."""
    folder = tmp_path_factory.mktemp("home")
    program = folder / "bin" / "lrlab"
    program.parent.mkdir()
    program.write_text(PROGRAM)
    program.chmod(0o755)
    return folder


def environment(home):
    path = f"{home / 'bin'}:{os.environ['PATH']}"
    return {"HOME": str(home), "PATH": path, "TERM": "xterm", "LANG": "C.UTF-8", "COLUMNS": "120"}


IN_SHELLS = [
    ("bash", "lrlab compare configs/c\t", "configs/cosine.yaml"),
    ("bash", "lrlab schedules inverse\t", "inverse_sqrt"),
    ("bash", "lrlab compare --metric val_l\t", "val_loss"),
    # The very first time zsh only reads the definition.
    ("zsh", "lrlab compare configs/c\t\t", "osine.yaml"),
    ("fish", "lrlab compare configs/c\t", "configs/cosine.yaml"),
]


def _read(terminal: int, until: str, seconds: float) -> str:
    """Return what a terminal shows until there is a text, or the time is over."""
    said, end = "", time.monotonic() + seconds
    while until not in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", said) and time.monotonic() < end:
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                said += os.read(terminal, 65536).decode(errors="replace")
            except OSError:
                break
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", said)


@pytest.mark.parametrize(("shell", "typed", "expected"), IN_SHELLS)
def test_a_real_shell_completes(shell, typed, expected, home, place):
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell} here")
    install = [shell, "-c", "lrlab --install-completion; true"]
    env = environment(home)
    done = subprocess.run(install, env=env, capture_output=True, text=True, check=True)
    assert f"{shell} completion installed in {home}" in done.stdout, done.stderr
    process, terminal = pty.fork()
    if process == 0:
        os.execvpe(shell, [shell, "-i"], env)
    try:
        os.write(terminal, b"echo rea''dy\n")
        assert "ready" in _read(terminal, "ready", 20)
        os.write(terminal, typed.encode())
        said = _read(terminal, expected, 30)
        assert expected in said
    finally:
        os.close(terminal)
        os.waitpid(process, 0)
