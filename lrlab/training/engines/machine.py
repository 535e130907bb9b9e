"""What TensorFlow runs on."""

from lrlab.training.engines.loaded import tf


def device() -> str:
    """Return the names of the devices that TensorFlow places operations on."""
    gpus = tf.config.get_visible_devices("GPU")
    names = [tf.config.experimental.get_device_details(gpu).get("device_name") for gpu in gpus]
    return ", ".join(str(name or "GPU") for name in names) or "CPU"
