"""The portion of a comparison that a command trains: its seeds, and its shard of the runs."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from lrlab.errors import UsageError

_HIGHEST_SEED = 999  # Those above have verified `auto`, see `finder.trials.FIRST_SEED`.
_SPAN = re.compile(r"(?P<first>[0-9]{1,10})(?:-(?P<last>[0-9]{1,10}))?", re.ASCII)
_SHARD = re.compile(r"(?P<index>[0-9]{1,6})/(?P<count>[0-9]{1,6})", re.ASCII)

Each = TypeVar("Each")


@dataclass(frozen=True)
class Shard:
    """One of several equal parts of a list: every `count`-th of its members.

    Args:
        index: Which part, from 1 to `count`.
        count: How many parts.
    """

    index: int
    count: int

    def of(self, everything: Sequence[Each]) -> list[Each]:
        """Return the members of this part.

        Example:
            >>> [Shard(index, 3).of("abcde") for index in (1, 2, 3)]
            [['a', 'd'], ['b', 'e'], ['c']]
        """
        return list(everything[self.index - 1 :: self.count])

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"


def parse_shard(text: str) -> Shard:
    """Return the shard that a text such as `2/10` states.

    Raises:
        UsageError: If it is not one.
    """
    found = _SHARD.fullmatch(text.strip())
    if found is not None:
        shard = Shard(int(found["index"]), int(found["count"]))
        if 1 <= shard.index <= shard.count:
            return shard
    raise UsageError(
        f"`--shard` must be I/N with I from 1 to N, got `{text}`",
        "`--shard 2/10` trains the second of ten equal parts of the runs",
    )


def parse_seeds(text: str) -> tuple[int, ...]:
    """Return the seeds that a text states, in ascending order.

    Raises:
        UsageError: If it states none, one twice, or one that is too high.

    Example:
        >>> parse_seeds("1,4,7-9")
        (1, 4, 7, 8, 9)
    """
    seeds: list[int] = []
    for part in text.split(","):
        found = _SPAN.fullmatch(part.strip())
        if found is None:
            raise _no_seeds(text, f"`{part.strip()}` is neither a seed nor a range of seeds")
        first, last = int(found["first"]), int(found["last"] or found["first"])
        if last < first:
            raise _no_seeds(text, f"`{part.strip()}` goes downward")
        if last > _HIGHEST_SEED:
            raise _no_seeds(text, f"the highest seed is {_HIGHEST_SEED}, got {last}")
        seeds += range(first, last + 1)
    twice = {seed for seed in seeds if seeds.count(seed) > 1}
    if twice:
        raise _no_seeds(text, f"seed {min(twice)} is named twice")
    return tuple(sorted(seeds))


def _no_seeds(text: str, reason: str) -> UsageError:
    return UsageError(
        f"`--seed-list {text}`: {reason}", "name seeds as in `--seed-list 5-9` or `1,4,7-9`"
    )
