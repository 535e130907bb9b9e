"""TensorFlow, imported without its chatter and set to one intra-op thread per run.

That concerns the whole process, so only the engine imports this module, never what is called from a
user's own script (`lrlab.integrations`).
"""

import contextlib

from lrlab.io.quiet import prepare_tensorflow, quiet_stderr

prepare_tensorflow()
with quiet_stderr():
    import keras
    import tensorflow as tf

    # Results depend on how a sum is split among threads, so that number must not depend on
    # --workers; and with products this small one thread per run is also the fastest. A program
    # that has started TensorFlow already keeps its own setting.
    with contextlib.suppress(RuntimeError):
        tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.zeros(()).numpy()


def settle_keras() -> None:
    """Set Keras as it is by default.

    What `~/.keras/keras.json` says is meant for other programs, and changes results.
    """
    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)
    keras.config.set_image_data_format("channels_last")
    keras.config.set_dtype_policy("float32")


def threads_per_run() -> int:
    """Return into how many threads TensorFlow splits an operation; 0: it decides itself."""
    return int(tf.config.threading.get_intra_op_parallelism_threads())


__all__ = ["keras", "settle_keras", "tf", "threads_per_run"]
