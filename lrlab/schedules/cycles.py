"""Schedules that come round again: cyclic and cosine_restarts."""

from typing import Literal

import numpy as np
import numpy.typing as npt

from lrlab.schedules.steps import Rates, as_steps

Mode = Literal["triangular", "triangular2", "exp_range"]


def cyclic(
    step: npt.ArrayLike,
    *,
    min_lr: float,
    max_lr: float,
    up: float,
    down: float | None = None,
    mode: Mode = "triangular",
    gamma: float = 1.0,
) -> Rates:
    """Return `min_lr + (max_lr - min_lr) * height * scale`, a triangle that comes round again.

    The height goes linearly from 0 to 1 in `up` steps and back in `down` steps. The scale is 1
    (triangular), `1 / 2**k` in cycle k = 0, 1, ... (triangular2) or `gamma**step` (exp_range).

    Args:
        step: Steps, any shape.
        min_lr: The lowest rate, >= 0.
        max_lr: The peak of the first cycle, at least `min_lr`.
        up: Steps from the lowest rate to the peak, > 0; 2 to 10 epochs in the paper.
        down: Steps back, > 0; default `up`.
        mode: How the peaks develop.
        gamma: The scale's factor a step, used by `exp_range` alone, in (0, 1].

    Returns:
        The rates, float64, in the shape of `step`.

    Example:
        >>> cyclic([0, 2, 4, 6], min_lr=0.0, max_lr=1.0, up=2, mode="triangular2")
        array([0. , 1. , 0. , 0.5])

    References:
        Smith, Cyclical learning rates for training neural networks (2015),
        https://arxiv.org/abs/1506.01186. PyTorch's `CyclicLR`.
    """
    at = as_steps(step)
    back = up if down is None else down
    cycle = np.floor(at / (up + back))
    within = at - cycle * (up + back)
    height = np.clip(np.where(within <= up, within / up, (up + back - within) / back), 0.0, 1.0)
    if mode == "triangular2":
        height = height * 0.5**cycle
    elif mode == "exp_range":
        height = height * np.power(gamma, at)
    return min_lr + (max_lr - min_lr) * height


def cosine_restarts(
    step: npt.ArrayLike,
    *,
    initial_lr: float,
    period: float,
    growth: float = 2.0,
    decay: float = 1.0,
    min_lr: float = 0.0,
) -> Rates:
    """Return `min_lr + (initial_lr - min_lr) * decay**k * (1 + cos(pi * f)) / 2`.

    Cycle k = 0, 1, ... takes `period * growth**k` steps, of which the share f has passed.

    Args:
        step: Steps, any shape.
        initial_lr: The rate at step 0, > 0.
        period: Steps of the first cycle, > 0.
        growth: How much longer each cycle is than the one before it, >= 1; default as Keras.
        decay: How much lower each cycle's peak is above `min_lr`, in (0, 1].
        min_lr: The floor, at most `initial_lr`.

    Returns:
        The rates, float64, in the shape of `step`.

    Example:
        >>> cosine_restarts([0, 2, 4, 8], initial_lr=1.0, period=4, decay=0.5)
        array([1.  , 0.5 , 0.5 , 0.25])

    References:
        Loshchilov and Hutter, SGDR (2016), https://arxiv.org/abs/1608.03983. Keras'
        `CosineDecayRestarts` (`t_mul`, `m_mul`), PyTorch's `CosineAnnealingWarmRestarts`. Where
        both `decay` and `min_lr` are set, timm lowers the whole peak, not its height above the
        floor.
    """
    at = as_steps(step)
    if growth == 1.0:
        k = np.floor(at / period)
        f = at / period - k
    else:
        edges = _edges(float(at.max(initial=0.0)), period, growth)
        k = np.searchsorted(edges, at, side="right").astype(np.float64) - 1.0
        f = (at - edges[k.astype(np.intp)]) / (period * growth**k)
    fall = (1.0 + np.cos(np.pi * np.clip(f, 0.0, 1.0))) / 2.0
    return min_lr + (initial_lr - min_lr) * decay**k * fall


def _edges(last: float, period: float, growth: float) -> Rates:
    """Return where the cycles up to the step `last` begin, each in closed form."""
    cycles = int(np.log1p(last / period * (growth - 1.0)) / np.log(growth)) + 2
    edges: Rates = period * np.expm1(np.arange(cycles) * np.log(growth)) / (growth - 1.0)
    # Whole numbers stay whole: a cycle must begin at its step, not a rounding error after it.
    exact = np.rint(edges)
    return np.where(np.isclose(edges, exact, rtol=1e-12, atol=0.0), exact, edges)
