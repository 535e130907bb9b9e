"""A raster of characters that curves are drawn into: braille, or plain ASCII."""

import string
from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from lrlab.schedules import Rates

Span = tuple[str, int | None]
"""A piece of a line, and the curve that it belongs to."""

_BRAILLE = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
_LETTERS = 3
"""How often a curve's letter stands on it."""


def letter(index: int) -> str:
    """Return the letter that a curve is known by where there are no colours."""
    return string.ascii_uppercase[index % 26]


def row_of(share: float, height: int) -> int:
    """Return the row, counted from the top, that a share of the height lies in."""
    return height - 1 - min(int(share * height), height - 1)


class Cells:
    """The characters of a plot: which dots of each are set, and by which curves.

    Args:
        height: Lines.
        columns: Characters a line.
        plain: Whether in ASCII alone, where each character is a single dot.
    """

    def __init__(self, height: int, columns: int, *, plain: bool) -> None:
        self._plain = plain
        self._columns = columns
        self._down, self._across = (1, 1) if plain else _BRAILLE.shape
        self._dots = np.zeros((height * self._down, columns * self._across), bool)
        self._owners: dict[tuple[int, int], list[int]] = {}
        self._letters: dict[tuple[int, int], int] = {}
        self._curves = 0

    def add(self, shares: Rates, length: float) -> None:
        """Draw the next curve.

        Args:
            shares: Where it lies at each step, as shares of the height; NaN where it does not.
            length: Over which share of the width, in (0, 1].
        """
        high, wide = self._dots.shape
        edges = np.linspace(0, len(shares), max(int(wide * length), 1) + 1).astype(int)
        for x, (start, end) in enumerate(pairwise(edges)):
            # One step further, so that a jump is joined.
            part = shares[start : max(end, start) + 1]
            part = part[np.isfinite(part)]
            if len(part):
                top, bottom = row_of(float(part.max()), high), row_of(float(part.min()), high)
                self._dots[top : bottom + 1, x] = True
                for y in range(top // self._down, bottom // self._down + 1):
                    self._own(y, x // self._across)
        self._curves += 1

    def _own(self, row: int, column: int) -> None:
        owners = self._owners.setdefault((row, column), [])
        if self._curves not in owners:
            owners.append(self._curves)

    def letter_curves(self) -> None:
        """Put each curve's letter on it, a few times."""
        for index in range(self._curves):
            for turn in range(_LETTERS):
                share = (turn + (index + 0.5) / self._curves) / _LETTERS
                self._put_letter(index, self._columns * share)

    def _put_letter(self, index: int, column: float) -> None:
        """Put a curve's letter near a column; a place of its own is better than a shared one."""
        away = {
            place: abs(place[1] - column) + 8 * (len(owners) > 1)
            for place, owners in self._owners.items()
            if index in owners and place not in self._letters
        }
        if away:
            self._letters[min(away, key=lambda place: (away[place], place))] = index

    def row(self, row: int) -> Iterator[Span]:
        """Yield the characters of a row, joined where they belong to one curve."""
        text, last = "", None
        for column in range(self._columns):
            character, owner = self._cell(row, column)
            if owner != last and text:
                yield text, last
                text = ""
            text, last = text + character, owner
        yield text, last

    def _cell(self, row: int, column: int) -> Span:
        if (row, column) in self._letters:
            owner = self._letters[row, column]
            return letter(owner), owner
        owners = self._owners.get((row, column))
        if not owners:
            return " ", None
        owner = owners[column % len(owners)]  # By turns, so that none is hidden by another.
        if self._plain:
            return letter(owner) if self._curves > 1 else "*", owner
        y, x = row * self._down, column * self._across
        dots = self._dots[y : y + self._down, x : x + self._across]
        return chr(0x2800 + int(_BRAILLE[dots].sum())), owner
