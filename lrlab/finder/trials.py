"""A trial: one run at a rate, which is so many doublings away from a suggestion."""

from collections.abc import Mapping
from typing import NamedTuple

FIRST_SEED = 1_000
"""Seed of the first runs that search, above those of any sweep or comparison."""


class Trial(NamedTuple):
    """A run to be tried: at the suggestion times 2^step, with one seed or another.

    Attributes:
        step: Doublings of the suggested rate.
        seed: Which of the seeds that search, counted from 0; the first ones search, later ones
            confirm.
    """

    step: int
    seed: int

    @property
    def factor(self) -> float:
        """Its rate over the suggestion."""
        return 2.0**self.step


Results = Mapping[Trial, float | None]
"""What trials gave; None: the run did not survive."""
