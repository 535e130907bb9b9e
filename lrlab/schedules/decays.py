"""Decays without an end: power, exponential, inverse_sqrt."""

import numpy as np
import numpy.typing as npt

from lrlab.schedules.steps import Rates, as_steps


def power(step: npt.ArrayLike, *, initial_lr: float, s: float, c: float = 1.0) -> Rates:
    """Return `initial_lr / (1 + step / s)**c`.

    Args:
        step: Steps, any shape.
        initial_lr: The rate at step 0, > 0.
        s: Steps until the rate is `initial_lr / 2**c`, > 0.
        c: The power, > 0.

    Returns:
        The rates, float64, in the shape of `step`.

    Example:
        >>> power([0, 100, 300], initial_lr=0.4, s=100)
        array([0.4, 0.2, 0.1])

    References:
        Géron, Hands-On Machine Learning, 2nd edition (2019), chapter 11. With `c=1` it is
        Keras' `InverseTimeDecay`.
    """
    return initial_lr / (1.0 + as_steps(step) / s) ** c


def exponential(step: npt.ArrayLike, *, initial_lr: float, s: float, factor: float = 0.1) -> Rates:
    """Return `initial_lr * factor**(step / s)`.

    Args:
        step: Steps, any shape.
        initial_lr: The rate at step 0, > 0.
        s: Steps in which the rate falls by `factor`, > 0.
        factor: What the rate is multiplied by every `s` steps, between 0 and 1.

    Returns:
        The rates, float64, in the shape of `step`.

    Example:
        >>> exponential([0, 20], initial_lr=1.0, s=20)
        array([1. , 0.1])

    References:
        Géron, Hands-On Machine Learning, 2nd edition (2019), chapter 11. It is Keras'
        `ExponentialDecay`, optax' `exponential_decay` and, with `s` of one step, PyTorch's
        `ExponentialLR`.
    """
    return initial_lr * np.power(factor, as_steps(step) / s)


def inverse_sqrt(step: npt.ArrayLike, *, max_lr: float, s: float) -> Rates:
    """Return `max_lr * min(step / s, sqrt(s / step))`: up to the peak at step `s`, then down.

    Args:
        step: Steps, any shape.
        max_lr: The peak, > 0; `(width * s)**-0.5` in the paper.
        s: The step of the peak, the warm-up's length, > 0; 4000 steps in the paper.

    Returns:
        The rates, float64, in the shape of `step`.

    Example:
        >>> inverse_sqrt([0, 2, 4, 16], max_lr=1.0, s=4)
        array([0. , 0.5, 1. , 0.5])

    References:
        Vaswani et al., Attention is all you need (2017), https://arxiv.org/abs/1706.03762
        (Noam), which counts its steps from 1: Noam at step t is this at `t + 1`. Counted from 0
        it is Hugging Face's `get_inverse_sqrt_schedule`.
    """
    at = as_steps(step)
    return max_lr * np.where(at < s, at / s, np.sqrt(s / np.maximum(at, s)))
