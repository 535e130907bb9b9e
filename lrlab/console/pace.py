"""How often progress is told where there is no live view, and how long work takes still."""

import time
from collections.abc import Callable

EVERY_SECONDS = 10.0
"""The least time between two lines of progress."""


class Pace:
    """Watches the time that some work takes.

    Args:
        clock: Tells seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = self._told = clock()

    def due(self) -> bool:
        """Return whether it is time for a line, which then counts as told."""
        now = self._clock()
        if now - self._told < EVERY_SECONDS:
            return False
        self._told = now
        return True

    def left(self, gained: float, rest: float) -> str:
        """Return how long the rest takes, in words; nothing where that cannot be known yet.

        Args:
            gained: How much of the work was done in this time.
            rest: How much is left, in the same unit.
        """
        if gained <= 0:
            return ""
        return f"about {duration((self._clock() - self._began) / gained * rest)} left"


def duration(seconds: float) -> str:
    """Return a length of time as people say it.

    >>> duration(8.4), duration(75), duration(600), duration(9000), duration(400_000)
    ('9 s', '2 min', '10 min', '2.5 h', '4.6 days')
    """
    if seconds < 60:
        return f"{int(seconds) + 1} s"
    if seconds < 5400:
        return f"{-(-seconds // 60):.0f} min"
    hours = seconds / 3600
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.1f} days"
