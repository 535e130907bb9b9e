"""Momentum in one pass over memory, where Keras makes one for each operation."""

from functools import partial
from typing import Any

from lrlab.training.engines.loaded import keras, tf


def fuse(optimizer: Any) -> None:
    """Let Keras' SGD with momentum update each variable by one kernel, with the same bits.

    Clipping, weight decay, averages and constraints stay Keras' own. Nothing changes for any other
    optimizer, without momentum, where it is no faster, and on a GPU, which may round differently.
    """
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    on_gpu = bool(tf.config.get_visible_devices("GPU"))
    if type(inner) is keras.optimizers.SGD and inner.momentum != 0 and not on_gpu:
        inner.update_step = partial(_update, inner)


def _update(optimizer: Any, gradient: Any, variable: Any, learning_rate: Any) -> None:
    """Do what `SGD.update_step` does.

    v <- momentum v - rate g, w <- w + v; with Nesterov's variant w <- w + momentum v - rate g.
    """
    if not isinstance(gradient, tf.Tensor) or {gradient.dtype, variable.dtype} != {tf.float32}:
        keras.optimizers.SGD.update_step(optimizer, gradient, variable, learning_rate)
        return
    tf.raw_ops.ResourceApplyKerasMomentum(
        var=_handle(variable),
        accum=_handle(optimizer.momentums[optimizer._get_variable_index(variable)]),
        lr=tf.cast(learning_rate, tf.float32),
        grad=gradient,
        momentum=tf.convert_to_tensor(optimizer.momentum, tf.float32),
        use_nesterov=optimizer.nesterov,
    )


def _handle(variable: Any) -> Any:
    """Return what a kernel takes for a variable of Keras, or of TensorFlow."""
    return (variable.value if isinstance(variable, keras.Variable) else variable).handle
