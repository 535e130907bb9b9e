"""TensorFlow, imported without its chatter and set to one intra-op thread a run.

TensorFlow writes to the C-level stderr while it is imported, whatever `TF_CPP_MIN_LOG_LEVEL` says.
"""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator


@contextlib.contextmanager
def _silenced() -> Iterator[None]:
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as sink:
        os.dup2(sink.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
with _silenced():
    import keras
    import tensorflow as tf

    # Results depend on how a sum is split among threads, so that number must not depend on
    # --workers; and with products this small one thread a run is also the fastest. A program
    # that has started TensorFlow already keeps its own setting.
    with contextlib.suppress(RuntimeError):
        tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.zeros(()).numpy()

__all__ = ["keras", "tf"]
