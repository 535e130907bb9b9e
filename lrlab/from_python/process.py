"""The process that lrlab is called in: its settings stay as they are, its session has a folder."""

import atexit
import contextlib
import functools
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from lrlab.errors import UsageError
from lrlab.tasks.code_home import keras_settings, set_keras


@contextlib.contextmanager
def left_alone() -> Iterator[None]:
    """Leave the settings of TensorFlow and Keras as they were.

    Where TensorFlow is loaded already, its threads are those of the process. Where it is not, it is
    loaded as a command of lrlab does it: one intra-op thread per run, oneDNN off unless
    `TF_ENABLE_ONEDNN_OPTS` says otherwise; TensorFlow takes neither back in a running process.

    Raises:
        UsageError: If Keras runs on another backend than TensorFlow.
    """
    loaded = "tensorflow" in sys.modules
    keras = sys.modules.get("keras")
    if keras is not None and (backend := keras.backend.backend()) != "tensorflow":
        raise UsageError(
            f"`compare` needs Keras' backend `tensorflow`, got `{backend}`",
            "set the environment variable KERAS_BACKEND=tensorflow before Keras is imported",
        )
    if loaded:
        sys.modules["tensorflow"].zeros(()).numpy()  # Once it runs, nobody can set its threads.
    environment, settings = dict(os.environ), keras_settings()
    try:
        yield
    finally:
        set_keras(settings)
        if loaded:
            for name in os.environ.keys() - environment.keys():
                del os.environ[name]
            os.environ.update(environment)


@functools.cache
def folder_of_session() -> Path:
    """Return the results directory of this process, which ends with it."""
    folder = Path(tempfile.mkdtemp(prefix="lrlab-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
