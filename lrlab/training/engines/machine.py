"""What TensorFlow runs on: the device, and whether it uses oneDNN."""

import os

from lrlab.training.engines.loaded import tf


def device() -> str:
    """Return the names of the devices that TensorFlow places operations on."""
    gpus = tf.config.get_visible_devices("GPU")
    names = [tf.config.experimental.get_device_details(gpu).get("device_name") for gpu in gpus]
    return ", ".join(str(name or "GPU") for name in names) or "CPU"


def runs_onednn() -> bool:
    """Return whether TensorFlow uses oneDNN, as it says itself."""
    try:
        from tensorflow.python.util import _pywrap_util_port

        return bool(_pywrap_util_port.IsMklEnabled())
    except (ImportError, AttributeError):  # No public interface tells it.
        return os.environ.get("TF_ENABLE_ONEDNN_OPTS", "1").lower() not in ("0", "false")
