"""Schedules that are constant between jumps: constant, piecewise, step, multistep."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from lrlab.schedules.steps import Rates, as_steps


def constant(step: npt.ArrayLike, *, lr: float) -> Rates:
    """Return the same rate at every step.

    Args:
        step: Steps, any shape.
        lr: The rate, > 0.

    Returns:
        The rates, float64, in the shape of `step`.

    Example:
        >>> constant([0, 1], lr=0.5)
        array([0.5, 0.5])
    """
    return np.full(np.shape(step), lr, np.float64)


def piecewise(
    step: npt.ArrayLike, *, values: Sequence[float], boundaries: Sequence[float]
) -> Rates:
    """Return `values[k]`, where k counts the boundaries at or before the step.

    Args:
        step: Steps, any shape.
        values: The rates, one more than there are boundaries.
        boundaries: Steps, increasing, at which the next rate begins.

    Returns:
        The rates, float64, in the shape of `step`.

    Example:
        >>> piecewise([0, 9, 10], values=[0.1, 0.01], boundaries=[10])
        array([0.1 , 0.1 , 0.01])

    References:
        Géron, Hands-On Machine Learning, 2nd edition (2019), chapter 11. Keras'
        `PiecewiseConstantDecay` keeps the old value for one more step.
    """
    return np.asarray(np.take(values, _reached(step, boundaries)), np.float64)


def step(step: npt.ArrayLike, *, initial_lr: float, every: float, factor: float = 0.1) -> Rates:
    """Return `initial_lr * factor**floor(step / every)`.

    Args:
        step: Steps, any shape.
        initial_lr: The rate at step 0, > 0.
        every: Steps between two falls, > 0.
        factor: What the rate is multiplied by at each fall, between 0 and 1; default as PyTorch.

    Returns:
        The rates, float64, in the shape of `step`.

    Example:
        >>> step([0, 9, 10], initial_lr=0.5, every=10)
        array([0.5 , 0.5 , 0.05])

    References:
        PyTorch's `StepLR`, timm's `StepLRScheduler`; Keras' `ExponentialDecay` with
        `staircase=True`.
    """
    return initial_lr * np.power(factor, np.floor(as_steps(step) / every))


def multistep(
    step: npt.ArrayLike, *, initial_lr: float, boundaries: Sequence[float], factor: float = 0.1
) -> Rates:
    """Return `initial_lr * factor**k`, where k counts the boundaries at or before the step.

    Args:
        step: Steps, any shape.
        initial_lr: The rate at step 0, > 0.
        boundaries: Steps, increasing, at which the rate falls.
        factor: What the rate is multiplied by at each of them, between 0 and 1; default as
            PyTorch.

    Returns:
        The rates, float64, in the shape of `step`.

    Example:
        >>> multistep([0, 10, 30], initial_lr=0.5, boundaries=[10, 20])
        array([0.5  , 0.05 , 0.005])

    References:
        PyTorch's `MultiStepLR`, optax' `piecewise_constant_schedule`.
    """
    return initial_lr * np.power(factor, _reached(step, boundaries).astype(np.float64))


def _reached(step: npt.ArrayLike, boundaries: Sequence[float]) -> npt.NDArray[np.intp]:
    # Counted, not searched: in steps, boundaries of different units may not be sorted.
    passed = as_steps(step)[..., np.newaxis] >= np.asarray(boundaries, np.float64)
    return np.asarray(passed.sum(axis=-1), np.intp)
