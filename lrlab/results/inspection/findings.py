"""What an inspection found, and what can be done about it."""

import enum
from dataclasses import dataclass
from pathlib import Path


class Kind(enum.StrEnum):
    """What was found: the first five are problems, the others are only reported."""

    DAMAGED = "damaged"
    MISSING = "missing"
    LEFTOVER = "leftover"
    LINK = "link"
    UNREADABLE = "unreadable"
    UNFINISHED = "unfinished"
    FAILED = "failed"
    ASIDE = "set aside"
    UNSIGNED = "unsigned"
    FOREIGN = "foreign"
    IN_USE = "in use"

    @property
    def is_problem(self) -> bool:
        """Whether it makes the check fail."""
        return self in _PROBLEMS


_PROBLEMS = (Kind.DAMAGED, Kind.MISSING, Kind.LEFTOVER, Kind.LINK, Kind.UNREADABLE)


@dataclass(frozen=True)
class Finding:
    """One thing that an inspection found.

    Args:
        path: What it is about.
        kind: What sort of thing it is.
        what: What is wrong, in words.
        remedy: What to do about it.
        aside: What `repair` moves out of the way, None for nothing.
        remove: What `repair` removes, since it is useless; None for nothing.
        recover: Whether `repair` puts it where it belongs.
        mended: What `repair` did, None if nothing.
    """

    path: Path
    kind: Kind
    what: str
    remedy: str
    aside: Path | None = None
    remove: Path | None = None
    recover: bool = False
    mended: str | None = None
