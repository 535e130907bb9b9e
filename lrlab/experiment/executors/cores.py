"""How many cores this process may use: those of the machine, its affinity and its container."""

import math
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

_NO_QUOTA = ("max", "-1")
_LONGEST = 1_000_000
"""Characters of a file of the kernel that are read."""


def available(root: Path = Path("/")) -> int:
    """Return how many threads can be busy at once, >= 1.

    A container's share of the processor is a quota of time, and the affinity knows nothing of it:
    more threads than it allows are stopped again and again. A share as 1.5 counts as 2.

    Args:
        root: Where `proc` and `sys` lie; another one for tests.
    """
    affine = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    shares = [math.ceil(share) for share in _shares(root)]
    return max(1, min([affine or 1, *shares]))


def _shares(root: Path) -> Iterator[float]:
    """Yield the quota of every control group around this process, in processors.

    A line of `proc/self/cgroup` is `0::PATH` in version 2, in version 1 `N:CONTROLLERS:PATH`. In
    a container the path may be one of the host's: then the container's own group is on top.
    """
    mounted = root / "sys/fs/cgroup"
    for line in _words(root / "proc/self/cgroup", lines=True):
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        inside = [part for part in PurePosixPath(path).parts if part not in ("/", "..")]
        groups = [Path(*inside[:depth]) for depth in range(len(inside), -1, -1)]
        if not controllers:
            for top in (mounted, mounted / "unified"):
                for group in groups:
                    yield from _share(_words(top / group / "cpu.max"))
        elif "cpu" in controllers.split(","):
            for top in dict.fromkeys((mounted / controllers, mounted / "cpu")):
                for group in groups:
                    quota = _words(top / group / "cpu.cfs_quota_us")
                    yield from _share([*quota, *_words(top / group / "cpu.cfs_period_us")])


def _share(words: list[str]) -> Iterator[float]:
    """Yield the quota that two words state: microseconds of each period, and the period."""
    if len(words) != 2 or words[0] in _NO_QUOTA:
        return
    try:
        quota, period = map(int, words)
    except ValueError:
        return
    if quota > 0 and period > 0:
        yield quota / period


def _words(path: Path, *, lines: bool = False) -> list[str]:
    """Return the words or lines of a file, nothing where it cannot be read."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            text = file.read(_LONGEST)
    except (OSError, ValueError):
        return []
    return text.splitlines() if lines else text.split()
