"""Which training examples are held out to validate on: a share, a number, or the first ones."""

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lrlab.errors import DataError

Indices = npt.NDArray[np.int64]

_FORM = re.compile(r"(?:(?P<share>[0-9]+(?:\.[0-9]+)?) ?%|(?P<first>first )?(?P<number>[0-9]+))")
PATTERN = rf"^\s*{re.sub(r'[?]P<[a-z]+>', '', _FORM.pattern)}\s*$"
"""What `parsed` goes by, for a JSON Schema, whose groups have no names."""

_SEED = 0

_SHARE = 12
_MOST = 5_000


@dataclass(frozen=True)
class Split:
    """What is held out of the training examples.

    Args:
        share: The share that is held out, in (0, 1), None if `number` says how many.
        number: How many are held out, >= 1.
        first: Whether they are the first ones; otherwise they are drawn, class by class.
        text: As it is written.
    """

    share: float | None
    number: int | None
    first: bool
    text: str

    def count(self, examples: int) -> int:
        """Return how many of so many examples are held out.

        Raises:
            DataError: If none would be left to train on, or none to validate on.
        """
        if self.text == BOOK.text:
            held = min(_MOST, max(1, examples // _SHARE))
        else:
            held = self.number or max(1, round(examples * (self.share or 0)))
        if not 0 < held < examples:
            raise DataError(
                f"`validation: {self.text}` holds out {held:,} of {examples:,} training examples",
                "leave some to train on and some to validate on",
            )
        return held

    def of(self, examples: int, classes: npt.NDArray[np.int64] | None) -> tuple[Indices, Indices]:
        """Return the numbers of the examples to train on and of those held out, both ascending.

        Those that are drawn are drawn with a seed of their own, so that every run holds out the
        same; where there are classes, as many of each as its share of all, rounded.

        Args:
            examples: How many there are, >= 2.
            classes: The class of each, shape (examples,), None where there are none.
        """
        held = self.count(examples)
        if self.first:
            return np.arange(held, examples), np.arange(held)
        rng = np.random.default_rng(_SEED)
        order = rng.permutation(examples)
        if classes is not None:
            order = _evenly(order, classes[order])
        out = np.zeros(examples, bool)
        out[order[:held]] = True
        return np.flatnonzero(~out), np.flatnonzero(out)


def _evenly(order: Indices, classes: npt.NDArray[np.int64]) -> Indices:
    """Return a drawn order in which every beginning has each class in its share."""
    place = np.empty(len(order))
    for each in np.unique(classes):
        where = np.flatnonzero(classes == each)
        place[where] = (np.arange(len(where)) + 0.5) / len(where)
    return order[np.argsort(place, kind="stable")]


BOOK = Split(None, None, first=True, text="book")
"""The first twelfth, at most 5,000: as the book does it with Fashion-MNIST."""

DRAWN = Split(0.1, None, first=False, text="10%")
"""A tenth, drawn: what is held out of a user's own data."""


def parsed(text: str) -> Split:
    """Return the split that a config states.

    Raises:
        ValueError: If it states none.

    Example:
        >>> parsed("first 5000").count(60_000), parsed("10%").count(1_797)
        (5000, 180)
    """
    found = _FORM.fullmatch(text.strip())
    if found is None:
        raise ValueError(
            f"must be a share, a number or the first ones: 10%, 500, first 500; got `{text}`"
        )
    if found["share"]:
        share = float(found["share"]) / 100
        if not 0 < share < 1:
            raise ValueError(f"must be above 0% and below 100%, got `{text}`")
        return Split(share, None, first=False, text=f"{found['share']}%")
    number = int(found["number"])
    if number < 1:
        raise ValueError(f"must hold out at least 1, got `{text}`")
    return Split(
        None, number, bool(found["first"]), f"{'first ' if found['first'] else ''}{number}"
    )
