"""The factor on a curve of rates that the theory of convex problems predicts to be the best."""

import numpy as np
import numpy.typing as npt

from lrlab.errors import UsageError


def predicted_scale(rates: npt.ArrayLike) -> float:
    r"""Return the predicted best factor on a schedule, up to a constant that the task decides.

    Only ratios count: of two schedules on one task, the one with a number r times as large is
    predicted to do best at r times the factor. The suboptimality of the last of T iterates of
    stochastic gradient descent on a convex function is at most D^2 t1 + G^2 (t2 + t3), D being the
    distance to the solution and G the bound on the gradients, where

        t1 = 1 / (2 sum eta_t)
        t2 = sum eta_t^2 / (2 sum eta_t)
        t3 = 1/2 sum_{k<T} eta_k / (sum_{t>k} eta_t) * (sum_{t>=k} eta_t^2) / (sum_{t>=k} eta_t)

    With a factor s on all rates t1 falls as 1/s and the others grow as s, so that the bound is
    least at s = (D/G) sqrt(t1 / (t2 + t3)). This is that root. It takes O(T) time and memory. The
    ratios grow slowly with T, as t3 of a constant rate does with its logarithm.

    Whether networks agree is measured in `benchmarks/prediction.md`.

    Args:
        rates: The rate of every step, at least one, finite and not negative, one of them above 0;
            shape (steps,). Steps at a rate of 0 at the end change no iterate and are left out.

    Returns:
        sqrt(t1 / (t2 + t3)), in 1 over the unit of the rates.

    Raises:
        UsageError: If the rates are not of that kind.

    Example:
        The peak of a linear decay over that of a constant rate:

        >>> constant, linear = np.ones(20_000), 1 - np.arange(20_000) / 20_000
        >>> round(predicted_scale(linear) / predicted_scale(constant), 1)
        3.4

    References:
        Defazio et al., When, Why and How Much? Adaptive Learning Rate Scheduling by Refinement
        (2023), https://arxiv.org/abs/2310.07831
        Schaipp et al., The Surprising Agreement Between Convex Optimization Theory and
        Learning-Rate Scheduling for Large Model Training (2025), https://arxiv.org/abs/2501.18965
    """
    eta = _checked(rates)
    highest = float(eta.max())
    eta = eta / highest  # So that squares neither overflow nor vanish.
    after = np.cumsum(eta[::-1])[::-1]  # Sum from each step on.
    squares = np.cumsum((eta**2)[::-1])[::-1]
    t1 = 1 / (2 * after[0])
    t2 = squares[0] / (2 * after[0])
    t3 = 0.5 * float(np.sum(eta[:-1] / after[1:] * squares[:-1] / after[:-1]))
    return float(np.sqrt(t1 / (t2 + t3))) / highest


def _checked(rates: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return the rates up to the last one above 0."""
    try:
        eta = np.asarray(rates, np.float64)
    except (TypeError, ValueError):
        raise UsageError(f"`rates` must be numbers, got {type(rates).__name__}") from None
    if eta.ndim != 1 or not eta.size:
        raise UsageError(
            f"`rates` must have one dimension and at least one step, got the shape {eta.shape}"
        )
    wrong = ~np.isfinite(eta) | (eta < 0)
    if wrong.any():
        step = int(np.argmax(wrong))
        raise UsageError(f"`rates` must be finite and not negative, got {eta[step]} at step {step}")
    above = np.flatnonzero(eta)
    if not above.size:
        raise UsageError("`rates` are all 0: nothing would be trained at any factor")
    return eta[: above[-1] + 1]
