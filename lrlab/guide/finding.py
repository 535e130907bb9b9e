"""Finding an entry by its name, or by what another library calls it."""

import difflib

from lrlab.errors import UsageError
from lrlab.guide.catalogue import ENTRIES
from lrlab.guide.entry import Entry, Library


def find(name: str) -> tuple[Entry, tuple[Library, ...]]:
    """Return the entry of a name, however it is capitalised, and the libraries that call it so.

    Args:
        name: A schedule's type, or what a library or a paper calls it.

    Returns:
        The entry, and the libraries; none where the name is lrlab's own.

    Raises:
        UsageError: If nothing is called so; the hint names what is nearest.

    Example:
        >>> entry, libraries = find("StepLR")
        >>> entry.type, libraries
        ('step', ('PyTorch',))
    """
    wanted = _plain(name)
    for entry in ENTRIES.values():
        if wanted == _plain(entry.type):
            return entry, ()
    for entry in ENTRIES.values():
        libraries = [given.library for given in entry.names if wanted == _plain(given.name)]
        if libraries:
            return entry, tuple(libraries)
    raise UsageError(f"unknown schedule `{name}`", _hint(wanted))


def _plain(name: str) -> str:
    return name.strip().casefold().replace("-", "_").replace(" ", "_")


def _hint(wanted: str) -> str:
    known = {_plain(given.name): given.name for e in ENTRIES.values() for given in e.names}
    known |= {entry: entry for entry in ENTRIES}
    near = difflib.get_close_matches(wanted, known, n=1, cutoff=0.6)
    meant = f"did you mean `{known[near[0]]}`? " if near else ""
    return f"{meant}`lrlab schedules` lists all"
