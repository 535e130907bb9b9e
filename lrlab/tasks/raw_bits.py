"""Random numbers for embedded data sets that are the same on every machine and for ever.

NumPy keeps the raw bits of PCG64 as they are, which it does not promise for the methods of
`Generator`. What is made of them here is exact, or correctly rounded arithmetic.
"""

import numpy as np
from numpy.typing import NDArray


class RawBits:
    """A stream of random numbers.

    Example:
        >>> bits = RawBits(1, 2)
        >>> bits.below(6, 3).tolist(), bits.uniform(0.0, 1.0, 2).round(3).tolist()
        ([2, 2, 2], [0.277, 0.822])
    """

    def __init__(self, *stream: int) -> None:
        """Start the stream that some whole numbers, >= 0, name."""
        self._source = np.random.PCG64(np.random.SeedSequence(stream))

    def uniform(self, low: float, high: float, count: int) -> NDArray[np.float64]:
        """Return values of equal chance from `low` up to `high`, float64 (count,)."""
        words = self._source.random_raw(count) >> np.uint64(11)
        return words.astype(np.float64) * 2.0**-53 * (high - low) + low

    def bell(self, deviation: float, count: int) -> NDArray[np.float64]:
        """Return values around 0, float64 (count,): four uniform ones added, so bounded.

        Args:
            deviation: Their standard deviation, > 0; the largest are 3.5 times as far from 0.
            count: How many.
        """
        drawn = [self.uniform(-0.5, 0.5, count) for _ in range(4)]
        scale = deviation * float(np.sqrt(3.0))
        return (drawn[0] + drawn[1] + (drawn[2] + drawn[3])) * scale

    def below(self, limit: int, count: int) -> NDArray[np.int64]:
        """Return whole numbers from 0 to `limit` - 1, int64 (count,); `limit` up to 2**31."""
        words = self._source.random_raw(count) >> np.uint64(32)
        return (words * np.uint64(limit) >> np.uint64(32)).astype(np.int64)

    def chance(self, probability: float, count: int) -> NDArray[np.bool_]:
        """Return True with this probability, bool (count,)."""
        return self.uniform(0.0, 1.0, count) < probability
