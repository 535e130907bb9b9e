"""TensorFlow's chatter stays away, and nothing else does: every word of lrlab reaches people.

In processes of their own, each with stderr in a pipe and on a terminal.
"""

import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest

from lrlab.tasks import fashion_mnist

STEADY = "schedule: {type: constant, lr: 0.005}\nepochs: 1\n"
CHATTER = "I0000 chatter of C code"
LAST_WORDS = "F0000 compiled to use AVX instructions, which this machine has not"
Run = Callable[..., tuple[int, str]]


def in_a_pipe(command: list[str], **options) -> tuple[int, str]:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    assert done.stdout == ""
    return done.returncode, done.stderr


def on_a_terminal(command: list[str], **options) -> tuple[int, str]:
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, **options) as run:
        os.close(theirs)
        said = b""
        try:
            while piece := os.read(ours, 4096):
                said += piece
        except OSError:  # The last one on the other side has left.
            pass
        finally:
            os.close(ours)
    return run.returncode, said.decode().replace("\r\n", "\n")


@pytest.fixture(params=[in_a_pipe, on_a_terminal])
def run(request, tmp_path, monkeypatch) -> Run:
    """Return a function that runs Python with arguments; it gives exit code and what was said."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LRLAB_DATA_DIR", raising=False)
    return lambda *arguments, **options: request.param(
        [sys.executable, *map(str, arguments)], **options
    )


@pytest.fixture
def loads(tmp_path) -> Callable[[str], dict[str, str]]:
    """Return a function: the environment of a process whose Keras does this when it is loaded."""

    def environment(code: str) -> dict[str, str]:
        (tmp_path / "stand-in").mkdir()
        text = f"import os, signal, time\nos.write(2, b'{CHATTER}\\n')\n{code}\n"
        (tmp_path / "stand-in" / "keras.py").write_text(text)
        return os.environ | {"PYTHONPATH": str(tmp_path / "stand-in")}

    return environment


QUIET = """
import os, sys
from lrlab.io import quiet, streams
streams.make_lenient()
with quiet.quiet_stderr():
    os.write(2, b"{chatter}\\n")
    print("our own words", file=sys.stderr)
    {more}
os.write(2, b"C code afterwards\\n")
"""


def test_words_of_ours_are_seen_while_chatter_is_held_back(run):
    code, said = run("-c", QUIET.format(chatter=CHATTER, more=""))
    assert (code, said) == (0, "our own words\nC code afterwards\n")


def test_chatter_is_seen_where_nobody_can_hold_it_back(run):
    """It needs a process; where there may be none, chatter is better than silence."""
    script = "import sys\nsys.executable = '/none'\n" + QUIET.format(chatter=CHATTER, more="")
    code, said = run("-c", script)
    assert (code, said) == (0, f"{CHATTER}\nour own words\nC code afterwards\n")


def test_as_a_library_nothing_is_held_back(run):
    script = QUIET.format(chatter=CHATTER, more="").replace("streams.make_lenient()", "")
    code, said = run("-c", script)
    assert (code, said) == (0, f"{CHATTER}\nour own words\nC code afterwards\n")


def test_nothing_is_written_to_a_disk(run, tmp_path):
    """A full disk, or one that is read-only, does not matter."""
    full = "import tempfile\ntempfile.tempdir = '/none'\n"
    assert run("-c", full + QUIET.format(chatter=CHATTER, more=""))[0] == 0


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_each_line_is_written_at_once(unbuffered, run):
    """So that it is seen in the order in which it happened, and before the process is killed."""
    script = (
        "import os, sys\nfrom lrlab.io import streams\nstreams.make_lenient()\n"
        "print('first', file=sys.stderr)\nos.write(2, b'second\\n')\nos.abort()\n"
    )
    code, said = run("-c", script, env=os.environ | {"PYTHONUNBUFFERED": unbuffered})
    assert (code, said) == (-signal.SIGABRT, "first\nsecond\n")


@pytest.mark.parametrize("command", ["find-lr", "compare"])
def test_the_last_words_before_an_abort_are_seen(command, run, loads, small_npz, write_config):
    dying = loads(f"os.write(2, b'{LAST_WORDS}\\n')\nos.abort()")
    code, said = run(
        "-m", "lrlab", command, write_config(STEADY), "--data", small_npz, env=dying
    )  # fmt: skip
    assert code == -signal.SIGABRT
    assert f"{CHATTER}\n{LAST_WORDS}\n" in said


def test_a_failing_import_shows_its_traceback_and_what_c_code_said(
    run, loads, small_npz, write_config
):
    failing = loads("raise ImportError('libnothing.so is missing')")
    arguments = ("find-lr", write_config(STEADY), "--data", small_npz)
    code, said = run("-m", "lrlab", *arguments, env=failing)
    assert code == 1
    assert CHATTER in said
    assert "Traceback" in said
    assert said.rstrip().endswith("ImportError: libnothing.so is missing")


def test_a_bug_beside_the_import_shows_its_traceback(run, loads, small_npz, write_config):
    script = (
        "from lrlab import cli\nfrom lrlab.tasks import data\n"
        "def load(source):\n    time.sleep(0.5)\n    1 / 0\n"
        "import time\ndata.load = load\ncli.main()\n"
    )
    arguments = ("find-lr", write_config(STEADY), "--data", small_npz)
    code, said = run("-c", script, *arguments, env=loads("time.sleep(60)"))
    assert code == 1
    assert "Traceback" in said
    assert said.rstrip().endswith("ZeroDivisionError: division by zero")
    assert CHATTER not in said


def test_ctrl_c_during_the_import(run, loads, small_npz, write_config):
    waiting = loads("time.sleep(0.5)\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(60)")
    arguments = ("compare", write_config(STEADY), "--data", small_npz)
    code, said = run("-m", "lrlab", *arguments, env=waiting)
    assert code == 130
    assert "error: interrupted" in said
    assert CHATTER not in said
    assert "Traceback" not in said


IMAGES, LABELS = np.random.default_rng(0).normal(size=(120, 4)), np.arange(120) % 3
MISTAKES = {
    # name: (the arrays, what is said)
    "unequal lengths": ((IMAGES, LABELS[:-1]), "`x_train` has 120 rows, `y_train` has 119"),
    "constant amounts": ((IMAGES, LABELS * 0 + 0.5), "is constant: 0.5"),
    "text labels": ((IMAGES, np.array(list("abc"))[LABELS]), "holds text"),
    "signs": ((IMAGES, LABELS % 2 * 2 - 1), "holds -1 and 1"),
    "one class": ((IMAGES, LABELS * 0), "holds a single class, 0"),
    "NaN images": ((IMAGES * np.nan, LABELS), "holds 480 values that are NaN or infinite"),
}


@pytest.mark.parametrize("command", ["find-lr", "compare"])
@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_in_data_are_told(name, command, run, loads, write_config, tmp_path):
    """TensorFlow is being imported all the while: it takes for ever here."""
    (x, y), words = MISTAKES[name]
    np.savez(tmp_path / "own.npz", x_train=x, y_train=y)
    arguments = (command, write_config(STEADY), "--data", tmp_path / "own.npz")
    code, said = run("-m", "lrlab", *arguments, env=loads("time.sleep(60)"))
    assert code == 3
    assert words in " ".join(said.split())  # On a terminal lines are broken.
    assert re.search(r"error:\s", said)
    assert "\nhint: " in said
    assert CHATTER not in said
    assert "Traceback" not in said


def test_a_damaged_fashion_mnist_is_told(run, loads, write_config, tmp_path):
    folder = tmp_path / "fashion"
    folder.mkdir()
    for name in fashion_mnist.FILES:
        (folder / name).write_bytes(b"not the genuine file")
    arguments = ("find-lr", write_config(STEADY), "--data-dir", folder)
    code, said = run("-m", "lrlab", *arguments, env=loads("time.sleep(60)"))
    assert code == 3
    assert "is damaged or not the genuine file" in said


def test_with_the_real_tensorflow(run, write_config, tmp_path):
    """Also where the data are large, so that its import has come far when they turn out bad."""
    x = np.zeros((20_000, 100), np.float32)
    x[-1] = np.nan
    np.savez(tmp_path / "own.npz", x_train=x, y_train=np.arange(len(x)) % 3)
    code, said = run("-m", "lrlab", "find-lr", "--data", tmp_path / "own.npz")
    assert code == 3
    assert "holds 100 values that are NaN" in " ".join(said.split())
    assert "absl::" not in said
