"""Runs commands of lrlab, one forked child each, in which one file operation fails.

    python injecting.py FOLDER

Started with the library of `injected.c` before all others; reads requests as lines of JSON and
answers each with one. Training is that of `LinearEngine`, since TensorFlow does not survive a fork.
"""

import ctypes
import json
import os
import sys
from pathlib import Path

import numpy as np
from engines import LinearEngine

import lrlab.cli
import lrlab.plots.canvas
from lrlab import console, plots  # noqa: F401 - imported before the fork.
from lrlab.analysis.chance import best_guess
from lrlab.experiment import choosing, environment, running, suggesting


class Engines:
    """Makes engines without TensorFlow."""

    def __init__(self, sources) -> None:
        list(sources)

    def __call__(self, setup):
        return LinearEngine(setup.batch_size, setup.data.train_images)

    def classes(self, source):
        return 3

    def guess(self, source, split="validation"):
        return best_guess(np.arange(30) % 3)


def run(words: list[str], folder: Path, at: int, number: int) -> dict:
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
    # Imports and caches of the first time are no operations of the command.
    run(["plot", "preview.yaml"], Path(sys.argv[1]), 0, 0)
    for line in sys.stdin:
        request = json.loads(line)
        folder = Path(request["folder"])
        answer = run(request["words"], folder, request["at"], request["errno"])
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
