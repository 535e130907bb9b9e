"""Chance: what guessing one constant distribution gives, and whether a run ended no better."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from lrlab.results.run import Guess

STANDARD_ERRORS = 3.0
"""How far above guessing an accuracy has to be to be clearly better."""

MOST = 0.25
"""The margin is never more of the way from guessing to perfect, however few the images are."""


def best_guess(labels: npt.NDArray[Any]) -> Guess:
    """Return the score of the best constant guess: always the same class probabilities.

    Its accuracy is the share of the most frequent class, its loss the entropy of the labels; no
    constant guess has a higher accuracy or a lower loss on them.

    Example:
        >>> best_guess(np.array([0, 1, 1, 1]))
        Guess(score=0.75, loss=0.5623351446188083, examples=4)

    Args:
        labels: Class numbers, whole, >= 0, shape (images,).
    """
    counts = np.bincount(labels)
    shares = counts[counts > 0] / len(labels)
    return Guess(float(shares.max()), float(-(shares * np.log(shares)).sum()), len(labels))


def no_better(guess: Guess, accuracy: float, loss: float) -> bool:
    """Return whether a score is no better than guessing, in accuracy and in loss.

    With z = 3 standard errors, n images and the accuracy p of guessing, an accuracy above
    p + z sqrt(p (1-p) / n) is clearly better, and so is a loss more than z^2 / (2n) below that
    of guessing: the loss at which the likelihood ratio is as unlikely. Either is enough. Both
    margins end a quarter of the way to perfect, so that few images do not condemn a run.

    Args:
        guess: The best constant guess on the same images.
        accuracy: The accuracy, in [0, 1].
        loss: The mean cross-entropy in nats.

    Returns:
        Whether it is no better; False where all images are of one class, since guessing is perfect.
    """
    p, n = guess.score, guess.examples
    if p is None or guess.loss is None or p == 1:
        return False
    above = min(STANDARD_ERRORS * math.sqrt(p * (1 - p) / n), MOST * (1 - p))
    below = min(STANDARD_ERRORS**2 / (2 * n), MOST * guess.loss)
    return accuracy <= p + above and loss >= guess.loss - below
