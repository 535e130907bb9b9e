"""Momentum as an input of every step, where Keras' optimizers have a number of their own."""

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf


class PerStep:
    """A momentum that is known at each step only, where Keras' optimizers expect a Python float.

    Like one, it is a float64 number that is rounded to float32 when it meets a tensor, and after
    `1 - beta_1`, not before; so a constant one gives the same bits as the optimizer's own.
    """

    def __init__(self, value: Any) -> None:
        self._value = value

    def __tf_tensor__(self, dtype: Any = None, name: str | None = None) -> Any:
        return tf.cast(self._value, dtype or tf.float32, name=name)

    def __rsub__(self, minuend: float) -> Any:
        return tf.cast(minuend - self._value, tf.float32)

    def __sub__(self, subtrahend: float) -> Any:
        return tf.cast(self._value - subtrahend, tf.float32)

    # Keras asks `momentum != 0` and `momentum > 0`: whether there is any, and there is.
    def __eq__(self, other: object) -> bool:
        return False

    def __gt__(self, other: float) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


def cycle(optimizer: Any, name: str, momenta: npt.NDArray[np.float64]) -> None:
    """Let a Keras optimizer take each of its steps with that step's momentum.

    The attribute is replaced only while a step is traced: otherwise it stays the number that is
    saved with the model.

    Args:
        optimizer: The optimizer, which counts its steps.
        name: `momentum` or `beta_1`.
        momenta: The momentum of each step, shape (steps,); past them the last one holds.
    """
    # Its class': on the optimizer itself, a `fit` that was interrupted may have left one.
    plain, own = partial(type(optimizer).apply, optimizer), getattr(optimizer, name)
    table = momenta.astype(np.float64)

    def apply(*gradients: Any, **more: Any) -> Any:
        # Batches: `iterations` are updates, fewer where gradients are accumulated.
        at = tf.minimum(tf.cast(optimizer._iterations.value, tf.int32), len(table) - 1)
        setattr(optimizer, name, PerStep(tf.gather(tf.constant(table), at)))
        try:
            return plain(*gradients, **more)
        finally:
            setattr(optimizer, name, own)

    optimizer.apply = apply


def stop_cycling(optimizer: Any) -> None:
    """Let an optimizer take its steps with its own momentum again."""
    if "apply" in vars(optimizer):
        del optimizer.apply
