"""Schedules that go from a first to a last rate over a given length, and keep that one.

With `f = min(step / over, 1)`, the share of the length that has passed.
"""

from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt

from lrlab.schedules.steps import Rates, as_steps, share

Shape = Literal["linear", "cosine"]
DecayShape = Literal["linear", "cosine", "one_minus_sqrt"]


def linear(step: npt.ArrayLike, *, initial_lr: float, over: float, end_lr: float = 0.0) -> Rates:
    """Return `(1 - f) * initial_lr + f * end_lr`.

    Args:
        step: Steps, any shape.
        initial_lr: The rate at step 0, >= 0.
        over: Steps until `end_lr`, > 0.
        end_lr: The last rate, >= 0.

    Returns:
        The rates, float64, in the shape of `step`.

    Example:
        >>> linear([0, 5, 10, 99], initial_lr=1.0, over=10)
        array([1. , 0.5, 0. , 0. ])

    References:
        PyTorch's `LinearLR`, optax' `linear_schedule`, Hugging Face's
        `get_linear_schedule_with_warmup`, Keras' `PolynomialDecay` with its defaults.
    """
    f = share(step, over)
    return (1.0 - f) * initial_lr + f * end_lr


def linear_to_zero(step: npt.ArrayLike, *, max_lr: float, over: float) -> Rates:
    """Return `(1 - f) * max_lr`.

    Args:
        step: Steps, any shape.
        max_lr: The rate at step 0, after the warm-up if there is one, > 0.
        over: Steps until the rate is 0, > 0.

    Returns:
        The rates, float64, in the shape of `step`.

    Example:
        >>> linear_to_zero([0, 5, 10], max_lr=1.0, over=10)
        array([1. , 0.5, 0. ])

    References:
        Bergsma et al., Straight to zero: why linearly decaying the learning rate to zero works
        best for LLMs (2025), https://arxiv.org/abs/2502.15938 (D2Z), with a warm-up before it.
    """
    return (1.0 - share(step, over)) * max_lr


def polynomial(
    step: npt.ArrayLike,
    *,
    initial_lr: float,
    over: float,
    end_lr: float = 0.0,
    power: float = 1.0,
) -> Rates:
    """Return `end_lr + (initial_lr - end_lr) * (1 - f)**power`.

    Args:
        step: Steps, any shape.
        initial_lr: The rate at step 0, >= 0.
        over: Steps until `end_lr`, > 0.
        end_lr: The last rate, >= 0.
        power: The power, > 0; 1 is linear.

    Returns:
        The rates, float64, in the shape of `step`.

    Example:
        >>> polynomial([0, 5, 10], initial_lr=1.0, over=10, power=2)
        array([1.  , 0.25, 0.  ])

    References:
        Keras' `PolynomialDecay` (which ends at 1e-4 unless told 0), PyTorch's `PolynomialLR`,
        optax' `polynomial_schedule`, timm's `PolyLRScheduler`.
    """
    return end_lr + (initial_lr - end_lr) * (1.0 - share(step, over)) ** power


def cosine(step: npt.ArrayLike, *, initial_lr: float, over: float, end_lr: float = 0.0) -> Rates:
    """Return `end_lr + (initial_lr - end_lr) * (1 + cos(pi * f)) / 2`.

    Args:
        step: Steps, any shape.
        initial_lr: The rate at step 0, >= 0.
        over: Steps until `end_lr`, > 0.
        end_lr: The floor, >= 0.

    Returns:
        The rates, float64, in the shape of `step`.

    Example:
        >>> cosine([0, 5, 10, 99], initial_lr=1.0, over=10, end_lr=0.5)
        array([1.  , 0.75, 0.5 , 0.5 ])

    References:
        Loshchilov and Hutter, SGDR (2016), https://arxiv.org/abs/1608.03983, without restarts.
        Keras' `CosineDecay` and optax' `cosine_decay_schedule` (`alpha` is `end_lr /
        initial_lr`), PyTorch's `CosineAnnealingLR` (which rises again after its end).
    """
    fall = (1.0 + np.cos(np.pi * share(step, over))) / 2.0
    return end_lr + (initial_lr - end_lr) * fall


def rex(step: npt.ArrayLike, *, initial_lr: float, over: float, end_lr: float = 0.0) -> Rates:
    """Return `end_lr + (initial_lr - end_lr) * (1 - f) / (1 - f / 2)`.

    Args:
        step: Steps, any shape.
        initial_lr: The rate at step 0, > 0.
        over: Steps until `end_lr`, > 0.
        end_lr: The last rate, >= 0.

    Returns:
        The rates, float64, in the shape of `step`.

    Example:
        >>> rex([0, 10, 15], initial_lr=1.0, over=15).round(3)
        array([1. , 0.5, 0. ])

    References:
        Chen, Wolfe and Kyrillidis, REX: revisiting budgeted training with an improved schedule
        (2021), https://arxiv.org/abs/2107.04197.
    """
    f = share(step, over)
    return end_lr + (initial_lr - end_lr) * (1.0 - f) / (1.0 - f / 2.0)


def tanh(
    step: npt.ArrayLike,
    *,
    initial_lr: float,
    over: float,
    end_lr: float = 0.0,
    lower: float = -6.0,
    upper: float = 3.0,
) -> Rates:
    """Return a fall along a hyperbolic tangent.

    It is `end_lr + (initial_lr - end_lr) * (1 - tanh((1 - f) * lower + f * upper)) / 2`.

    Args:
        step: Steps, any shape.
        initial_lr: Close to the rate at step 0, > 0.
        over: Steps until the end, > 0.
        end_lr: Close to the last rate, >= 0.
        lower: Where on the curve it begins, less than `upper`; default as in the paper.
        upper: Where on the curve it ends; default as in the paper.

    Returns:
        The rates, float64, in the shape of `step`.

    Example:
        >>> tanh([0, 10, 15], initial_lr=1.0, over=15).round(3)
        array([1.   , 0.5  , 0.002])

    References:
        Hsueh, Li and Wu, Stochastic gradient descent with hyperbolic-tangent decay on
        classification (2018), https://arxiv.org/abs/1806.01593. timm's `TanhLRScheduler`, whose
        default is `lower=-7`.
    """
    f = share(step, over)
    fall = (1.0 - np.tanh((1.0 - f) * lower + f * upper)) / 2.0
    return end_lr + (initial_lr - end_lr) * fall


def wsd(
    step: npt.ArrayLike,
    *,
    max_lr: float,
    over: float,
    decay: float,
    end_lr: float = 0.0,
    shape: DecayShape = "one_minus_sqrt",
) -> Rates:
    """Return `max_lr`, which in the last `decay` of `over` steps falls to `end_lr`.

    With g, the share of the decay that has passed, it falls as `1 - g` (linear),
    `(1 + cos(pi * g)) / 2` (cosine) or `1 - sqrt(g)` (one_minus_sqrt). The warm-up stands before
    it as before any schedule.

    Args:
        step: Steps, any shape.
        max_lr: The stable rate, > 0.
        over: Steps until the end of the decay, > 0.
        decay: Steps of the decay, > 0 and at most `over`.
        end_lr: The last rate, >= 0.
        shape: How it falls.

    Returns:
        The rates, float64, in the shape of `step`.

    Example:
        >>> wsd([0, 6, 8, 10], max_lr=1.0, over=10, decay=4, shape="linear")
        array([1. , 1. , 0.5, 0. ])

    References:
        Hu et al., MiniCPM (2024), https://arxiv.org/abs/2404.06395; `one_minus_sqrt` from Hägele
        et al., Scaling laws and compute-optimal training beyond fixed training durations (2024),
        https://arxiv.org/abs/2405.18392. Hugging Face's `get_wsd_schedule`.
    """
    # Counted back from the end, so that it is exactly 1 there.
    g = np.clip(1.0 - (over - as_steps(step)) / decay, 0.0, 1.0)
    return end_lr + (max_lr - end_lr) * _FALLS[shape](g)


def ramp(
    step: npt.ArrayLike, *, initial_lr: float, end_lr: float, over: float, shape: Shape = "linear"
) -> Rates:
    """Return the warm-up that stands before a schedule: `linear` or `cosine` up to its first rate.

    Args:
        step: Steps, any shape.
        initial_lr: The rate at step 0, >= 0.
        end_lr: The first rate of the schedule that follows.
        over: Steps of the warm-up, > 0.
        shape: How it rises.

    Returns:
        The rates, float64, in the shape of `step`.

    Example:
        >>> ramp([0, 5, 10], initial_lr=0.0, end_lr=1.0, over=10)
        array([0. , 0.5, 1. ])
    """
    rise = linear if shape == "linear" else cosine
    return rise(step, initial_lr=initial_lr, over=over, end_lr=end_lr)


def _linear_fall(g: Rates) -> Rates:
    return 1.0 - g


def _cosine_fall(g: Rates) -> Rates:
    return (1.0 + np.cos(np.pi * g)) / 2.0


def _sqrt_fall(g: Rates) -> Rates:
    return 1.0 - np.sqrt(g)


_FALLS: dict[str, Callable[[Rates], Rates]] = {
    "linear": _linear_fall,
    "cosine": _cosine_fall,
    "one_minus_sqrt": _sqrt_fall,
}
