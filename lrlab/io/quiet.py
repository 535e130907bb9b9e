"""Keeping TensorFlow's chatter from users: C code writes it to file descriptor 2 at the import.

No log level silences that, so the descriptor leads to a child process during the import. The child
prints what it got unless it is ended first: when the import fails, or when the process dies of it.
"""

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator

from lrlab.io import streams

_MOST_KEPT = 65_536
_PRINTING_SECONDS = 5.0
# A child, since neither a thread nor memory outlives an abort of the process.
_KEEPER = f"""
import os
kept = b""
while piece := os.read(0, {_MOST_KEPT}):
    kept = (kept + piece)[-{_MOST_KEPT}:]
while kept:
    kept = kept[os.write(1, kept):]
"""

_first: list[Callable[[], None]] = []

_keeper: subprocess.Popen[bytes] | None = None


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Hold back what C code writes to stderr, and show it if the block raises or the process dies.

    Only where `streams.make_lenient` has set Python's own stderr apart, so that neither lrlab's
    words nor a traceback are ever held back.
    """
    real = _hold_back() if streams.words_are_apart() else None
    if real is None:
        yield
        return
    try:
        yield
        forget()
    finally:
        os.dup2(real, 2)  # Where it was not told to forget, the keeper is at the end, and prints.
        os.close(real)
        if _keeper is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                _keeper.wait(_PRINTING_SECONDS)


def forget() -> None:
    """Drop what is held back: all is well, or the process ends for a reason that has been told."""
    global _keeper
    keeper, _keeper = _keeper, None
    if keeper is not None:
        keeper.kill()
        keeper.wait()


def _hold_back() -> int | None:
    """Lead descriptor 2 to a keeper; return a duplicate of the real one, None if nobody keeps."""
    global _keeper
    reading, writing = os.pipe()
    try:
        _keeper = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _KEEPER],
            stdin=reading,
            stdout=2,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for us; the keeper ends when it is told to.
        )
        real = os.dup(2)
        os.dup2(writing, 2)
    except OSError:  # Too many processes or files, say. Chatter is better than silence.
        return None
    finally:
        os.close(reading)
        os.close(writing)
    return real


def before_tensorflow(action: Callable[[], None]) -> None:
    """Have something done, in the thread that asks for TensorFlow, before it is imported."""
    _first.append(action)


def prepare_tensorflow() -> None:
    """Do what has to come before TensorFlow and Keras, and set the variables that they read."""
    while _first:
        _first.pop()()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    # TensorFlow turns oneDNN on or off by processor. Off, results differ less between machines,
    # and products of this size are 10 to 20 % faster. `tasks.onednn` says where it is on.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
