"""Chance: what the best constant guess gives, and whether a run ended no better."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from lrlab.metric import ACCURACY, Metric
from lrlab.results.run import Guess
from lrlab.tasks.task import CLASSIFICATION, Task

STANDARD_ERRORS = 3.0
"""How far above guessing an accuracy has to be to be clearly better."""

MOST = 0.25
"""The margin is never more of the way from guessing to perfect, however few the images are."""


def best_guess(targets: Any, task: Task = CLASSIFICATION) -> Guess:
    """Return the score of the best constant guess: always the same class probabilities or values.

    Of classes its accuracy is the share of the most frequent one, its loss the entropy of the
    labels; no constant guess has a higher accuracy or a lower loss on them. Of real numbers the
    mean has the least squared error, the variance, and the median the least absolute error. Where
    the loss or the metric is another one, nothing is known.

    Example:
        >>> best_guess(np.array([0, 1, 1, 1]))
        Guess(score=0.75, loss=0.5623351446188083, examples=4)

    Args:
        targets: The targets of some examples; the first axis counts them.
        task: What they ask for.
    """
    if not isinstance(targets, np.ndarray):
        return Guess(None, None, len(next(iter(_values(targets)))))
    score, loss = _SCORES.get(task.kind, _unknown)(targets)
    known = task.metric.key in _KNOWN and task.measure is None
    return Guess(score if known else None, loss if task.loss in _LOSSES else None, len(targets))


_KNOWN = ("accuracy", "binary_accuracy", "mae", "mean_absolute_error")
_LOSSES = (
    "sparse_categorical_crossentropy",
    "categorical_crossentropy",
    "binary_crossentropy",
    "mean_squared_error",
    "mse",
)


def _values(targets: Any) -> Any:
    return targets.values() if isinstance(targets, dict) else targets


def _of_classes(labels: npt.NDArray[Any]) -> tuple[float, float]:
    counts = np.bincount(labels.reshape(-1))
    shares = counts[counts > 0] / labels.size
    return float(shares.max()), float(-(shares * np.log(shares)).sum())


def _of_rows(labels: npt.NDArray[Any]) -> tuple[float, float]:
    return _of_classes(labels.argmax(axis=1))


def _of_truths(labels: npt.NDArray[Any]) -> tuple[float, float]:
    """Return the mean over the labels of what guessing each by its share gives."""
    shares = labels.reshape(len(labels), -1).mean(axis=0)
    inner = np.clip(shares, 1e-12, 1 - 1e-12)
    entropy = -(inner * np.log(inner) + (1 - inner) * np.log(1 - inner))
    return float(np.maximum(shares, 1 - shares).mean()), float(entropy.mean())


def _of_numbers(values: npt.NDArray[Any]) -> tuple[float, float]:
    values = values.astype(np.float64)
    off = np.abs(values - np.median(values, axis=0))
    return float(off.mean()), float(values.var(axis=0).mean())


def _unknown(_: npt.NDArray[Any]) -> tuple[None, None]:
    return None, None


_SCORES: dict[str, Any] = {
    "classification": _of_classes,
    "tokens": _of_classes,
    "one-hot": _of_rows,
    "binary": _of_truths,
    "multi-label": _of_truths,
    "regression": _of_numbers,
}


def no_better(guess: Guess, score: float, loss: float, metric: Metric = ACCURACY) -> bool:
    """Return whether a result is no better than guessing, in the metric and in the loss.

    With z = 3 standard errors, n examples and the accuracy p of guessing, an accuracy above
    p + z sqrt(p (1-p) / n) is clearly better, and so is a loss more than z^2 / (2n) below that
    of guessing: the loss at which the likelihood ratio is as unlikely. For real numbers the same
    ratio is reached where the squared error falls by the factor exp(-z^2 / n), the absolute one
    by exp(-z^2 / (2n)): with errors that are normal, or Laplace's. Either is enough. Margins end
    a quarter of the way to perfect, so that few examples do not condemn a run.

    Args:
        guess: The best constant guess on the same examples.
        score: The metric's value.
        loss: The mean loss; of classes a cross-entropy in nats.
        metric: What the score is a value of.

    Returns:
        Whether it is no better; False where guessing is perfect, or nothing is known of it.
    """
    p, n, z2 = guess.score, guess.examples, STANDARD_ERRORS**2
    if (p is None and guess.loss is None) or (metric.points and p == 1):
        return False
    if metric.points:
        above = min(math.sqrt(z2) * math.sqrt((p or 0) * (1 - (p or 0)) / n), MOST * (1 - (p or 0)))
        lost = p is None or score <= p + above
        below = min(z2 / (2 * n), MOST * (guess.loss or 0))
    else:
        lost = p is None or score >= p * max(math.exp(-z2 / (2 * n)), 1 - MOST)
        below = (guess.loss or 0) * min(-math.expm1(-z2 / n), MOST)
    return lost and (guess.loss is None or loss >= guess.loss - below)
