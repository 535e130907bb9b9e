"""Keeping TensorFlow's chatter from users: it writes to the C-level stderr while it is imported.

No log level silences that, so the stream itself is diverted during the import.
"""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Discard what is written to file descriptor 2; a duplicate made before still works."""
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as sink:
        os.dup2(sink.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def prepare_tensorflow() -> None:
    """Set the environment variables that TensorFlow and Keras read when they are imported."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    # TensorFlow turns oneDNN on or off by processor. Off, results differ less between machines,
    # and products of this size are 10 to 20 % faster.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
