"""How much the choice of validation examples adds to the error of a difference.

Two experiments were judged on the same M examples, each with n seeds that both have. With d_sx, the
difference of being right at seed s and example x, in a two-way layout without repetition:

    SE^2 = (MS_examples - MS_rest) / (n M),  never below 0

It is what would remain with any number of seeds: other examples might favour the other one.

References:
    Searle, Casella and McCulloch, Variance components (1992), chapter 4.
"""

import itertools
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from lrlab.analysis.best_set import PairErrors

Bits = npt.NDArray[np.bool_]

MOST_EXPERIMENTS = 100
"""Above that, all pairs would take too long."""


def squared_error(one: Bits, other: Bits) -> float:
    """Return the squared standard error that the examples add to a difference of two shares.

    Example:
        >>> one = np.array([[1, 1, 1, 0], [1, 1, 1, 0]], bool)
        >>> squared_error(one, ~one)  # Every seed says the same of each example.
        0.25

    Args:
        one: Whether each run had each example right, shape (seeds, examples), 2 of each at least.
        other: The same of the other experiment, with the same seeds.
    """
    d = one.astype(np.int8) - other.astype(np.int8)
    seeds, examples = d.shape
    of_seed, of_example = d.sum(axis=1, dtype=np.float64), d.sum(axis=0, dtype=np.float64)
    correction = float(of_seed.sum()) ** 2 / (seeds * examples)
    ss_examples = float(of_example @ of_example) / seeds - correction
    ss_seeds = float(of_seed @ of_seed) / examples - correction
    ss_rest = float(np.count_nonzero(d)) - correction - ss_examples - ss_seeds
    ms_examples = ss_examples / (examples - 1)
    ms_rest = ss_rest / ((seeds - 1) * (examples - 1))
    return float(max(0.0, (ms_examples - ms_rest) / (seeds * examples)))


def pair_errors(right: Mapping[str, Mapping[int, Bits]]) -> PairErrors | None:
    """Return what the examples add to the difference of every two experiments.

    Args:
        right: For each experiment and seed whether the run had each example right.

    Returns:
        The squared standard errors, None where it cannot be told: two experiments share fewer than
        two seeds, or not the number of examples; or they are too many.
    """
    sizes = {len(one) for runs in right.values() for one in runs.values()}
    if len(right) > MOST_EXPERIMENTS or len(sizes) != 1 or sizes.pop() < 2:
        return None
    errors = {}
    for a, b in itertools.combinations(right, 2):
        seeds = [seed for seed in right[a] if seed in right[b]]
        if len(seeds) < 2:
            return None
        errors[frozenset((a, b))] = squared_error(
            np.stack([right[a][seed] for seed in seeds]),
            np.stack([right[b][seed] for seed in seeds]),
        )
    return errors
