"""The guide to the schedules: formula, origin, example, what others call them, and traps.

To add an entry: an `Entry` in the module of its family, and its place in `FAMILIES`.
"""

from lrlab.guide.catalogue import (
    ENTRIES,
    FAMILIES,
    MODELS,
    STEPS_PER_EPOCH,
    Parameter,
    curve,
    description,
    experiment,
    parameters,
    to_json,
)
from lrlab.guide.entry import Entry, Library, Name, Origin
from lrlab.guide.finding import find

__all__ = [
    "ENTRIES",
    "FAMILIES",
    "MODELS",
    "STEPS_PER_EPOCH",
    "Entry",
    "Library",
    "Name",
    "Origin",
    "Parameter",
    "curve",
    "description",
    "experiment",
    "find",
    "parameters",
    "to_json",
]
