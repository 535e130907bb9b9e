"""What happened to runs that did not end well, a reason that several seeds share told once."""

import re
from collections.abc import Sequence

from lrlab.report.verdict import listed

_NOTE = re.compile(r"seed (\d+) (.*)", re.DOTALL)


def joined(notes: Sequence[str]) -> list[str]:
    """Return the notes of an experiment, those that differ in the seed alone as one.

    Example:
        >>> joined(["seed 0 failed: no rate", "seed 1 collapsed", "seed 2 failed: no rate"])
        ['seeds 0 and 2 failed: no rate', 'seed 1 collapsed']
    """
    seeds: dict[str, list[str]] = {}
    for note in notes:
        found = _NOTE.fullmatch(note)
        if found is None:
            seeds[note] = []
        else:
            seeds.setdefault(found[2], []).append(found[1])
    return [_of(reason, of) if of else reason for reason, of in seeds.items()]


def _of(reason: str, seeds: Sequence[str]) -> str:
    if len(seeds) == 1:
        return f"seed {seeds[0]} {reason}"
    if len(seeds) > 6:
        return f"{len(seeds)} seeds {reason}"
    return f"seeds {listed(seeds)} {reason}"
