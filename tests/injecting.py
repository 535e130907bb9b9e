"""Runs commands of lrlab, one forked child each, in which one file operation fails.

    python injecting.py FOLDER

Started with the library of `injected.c` before all others; reads requests as lines of JSON and
answers each with one. What takes time and opens no file is replaced: training is that of
`LinearEngine` and takes a second by every clock, and figures are not drawn but saved.
"""

import ctypes
import json
import os
import signal
import sys
import time
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
from engines import LinearEngine
from matplotlib.figure import Figure

import lrlab.cli
from lrlab import console, plots  # noqa: F401 - imported before the fork.
from lrlab.analysis.chance import best_guess
from lrlab.experiment import choosing, environment, running, suggesting
from lrlab.plots import comparison_figures
from lrlab.training import course, performing
from lrlab.training.chunks import USUAL


class Interrupting(LinearEngine):
    """Presses Ctrl-C, once, in its first epoch."""

    pressed = False

    def train(self, order, rates, momenta=None):
        if not self.pressed:
            self.pressed = True
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.5)
        return super().train(order, rates, momenta)


class Engines:
    """Makes engines without TensorFlow."""

    def __init__(self, sources) -> None:
        list(sources)

    engine = LinearEngine

    def __call__(self, setup):
        return self.engine(setup.batch_size, setup.data.train_images)

    def classes(self, source):
        return 3

    def guess(self, setup, split="validation"):
        return best_guess(np.arange(30) % 3)


def save(figure, into, **options) -> None:
    """Write a picture as `Figure.savefig` does, an empty one."""
    chunk = b"IEND"
    into.write(b"\x89PNG\r\n\x1a\n" + bytes(4) + chunk + zlib.crc32(chunk).to_bytes(4, "big"))


def run(words: list[str], folder: Path, at: int, number: int, interrupt: bool = False) -> dict:
    """Return how a command ended: its exit code, what it said, how many operations it made."""
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            counted = pipe.read()
        _, status = os.waitpid(child, 0)
        said = (folder.parent / "said").read_text()
        code = os.waitstatus_to_exitcode(status)
        return {"code": code, "said": said, "operations": int(counted or 0)}
    said = os.open(folder.parent / "said", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(said, 1)
    os.dup2(said, 2)
    os.chdir(folder)
    sys.argv[1:] = words
    if interrupt:
        Engines.engine = Interrupting
    library = ctypes.CDLL(None)
    library.inject(os.fsencode(folder), ctypes.c_long(at), number)
    code = 70
    try:
        lrlab.cli.main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        import traceback

        traceback.print_exc()
    library.counted.restype = ctypes.c_long
    os.write(writing, str(library.counted()).encode())
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def main() -> None:
    """Answer requests until there are no more."""
    running.prepare = suggesting.prepare = choosing.prepare = Engines
    environment.record = lambda: {"tensorflow": "none"}
    course._Course.seconds = lambda _: 1.0
    # A checkpoint at the end of each epoch, however short it was.
    performing.perform.__defaults__ = (replace(USUAL, training_per_checkpoint=0.0),)
    Figure.savefig = save
    comparison_figures._draw_results = lambda *_: Figure()
    # Imports and caches of the first time are no operations of the command.
    run(["plot", "preview.yaml"], Path(sys.argv[1]), 0, 0)
    for line in sys.stdin:
        request = json.loads(line)
        request["folder"] = Path(request["folder"])
        answer = run(**request)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
