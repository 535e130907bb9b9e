"""What a sweep tries unless it is told otherwise; without NumPy, so that `--help` can say it."""

from typing import Final

MIN_LR: Final = 1e-6
MAX_LR: Final = 10.0
DECADES: Final = 7.0
"""Between the first and the last."""

SEEDS: Final = 3
FEWEST_STEPS: Final = 200
MOST_STEPS: Final = 500


def default_steps(steps_per_epoch: int, decades: float = DECADES) -> int:
    """Return the steps of a sweep: one epoch, but at least 200 and at most 500.

    That is for 7 decades of rates; of more of them in proportion, so that each gets its share.

    Example:
        >>> [default_steps(steps) for steps in (18, 300, 1719)]
        [200, 300, 500]
        >>> default_steps(18, 14.0)
        400
    """
    usual = min(max(steps_per_epoch, FEWEST_STEPS), MOST_STEPS)
    return max(usual, round(usual * decades / DECADES))
