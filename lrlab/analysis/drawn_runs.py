"""Runs as people see them: what is drawn of one is kept, and no more, before the next is read.

Kilobytes of results or configs may state hundreds of millions of steps.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from lrlab import palette
from lrlab.analysis import thinning
from lrlab.analysis.epoch_means import epoch_mean, shown_range
from lrlab.metric import Metric
from lrlab.results.run import RunResult, Status, in_words

MOST_WHOLE = 2_000_000
"""Points of all curves over the steps in a figure that are drawn as they are."""


@dataclass(frozen=True)
class Line:
    """A curve over the steps of a run as it is drawn: all its points, or those that can be seen.

    Args:
        steps: How many steps the run has.
        at: The step of each point, shape (points,).
        values: The value there, likewise.
        extremes: The lowest and the highest of all values above 0, none where there are none.
        width: The steps of a column of which only the extremes are points, 1 for all.
    """

    steps: int
    at: npt.NDArray[np.int64]
    values: npt.NDArray[Any]
    extremes: npt.NDArray[Any]
    width: int = 1

    def thinned(self, columns: int) -> "Line":
        """Return it with the points that can be seen where it is so many columns wide."""
        width = -(-len(self.values) // columns)
        if width <= 1:
            return self
        kept = thinning.visible(self.values, width)
        return replace(
            self, at=self.at[kept], values=self.values[kept], width=max(2, self.width * width)
        )


class Room:
    """How many points a figure has left for curves that are drawn whole."""

    def __init__(self, points: int = MOST_WHOLE) -> None:
        self._points = points

    def line(self, values: npt.NDArray[Any]) -> Line:
        """Return a curve with a value per step, whole if there is room for it, thinned if not."""
        positive = values[values > 0]
        extremes = np.array([positive.min(), positive.max()]) if len(positive) else positive
        width = 1 if len(values) <= self._points else thinning.column_width(len(values))
        if width == 1:
            self._points -= len(values)
            return Line(len(values), np.arange(len(values)), values, extremes)
        at = thinning.visible(values, width)
        return Line(len(values), at, values[at], extremes, width)

    def free(self, line: Line) -> None:
        """Take back the room of a curve that is not drawn after all."""
        self._points += line.steps if line.width == 1 else 0


class _Distinct:
    """The curves of several runs, without those that are the beginning of others."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._lines: list[Line] = []

    def add(self, values: npt.NDArray[Any]) -> None:
        seen: dict[int, npt.NDArray[np.int64]] = {}
        alike = [line for line in self._lines if _agree(line, values, seen)]
        if any(line.steps >= len(values) for line in alike):
            return
        for line in alike:
            self._lines.remove(line)
            self._room.free(line)
        self._lines.append(self._room.line(values))

    def longest_first(self) -> list[Line]:
        return sorted(self._lines, key=lambda line: -line.steps)


def _agree(line: Line, values: npt.NDArray[Any], seen: dict[int, npt.NDArray[np.int64]]) -> bool:
    """Return whether one of two curves is the beginning of the other, as far as it can be seen."""
    common = min(line.steps, len(values))
    if line.width == 1:
        return np.array_equal(line.values[:common], values[:common])
    if line.width not in seen:
        seen[line.width] = thinning.visible(values, line.width)
    there = seen[line.width]
    whole = common
    if line.steps != len(values):  # One ends within a column of the other.
        whole = (common - 1) // line.width * line.width
    at, there = line.at[line.at < whole], there[there < whole]
    return np.array_equal(at, there) and np.array_equal(line.values[: len(at)], values[there])


@dataclass(frozen=True)
class DrawnRun:
    """A run without its curves over the steps.

    Args:
        result: What it gave.
        steps: The steps up to its end; what it did after it diverged does not count.
        last_lr: The rate of the last of them, None without one.
        end: The epoch in which it ended, a fraction.
    """

    result: RunResult
    steps: int
    last_lr: float | None
    end: float

    @classmethod
    def of(cls, result: RunResult, steps_per_epoch: int) -> "DrawnRun":
        """Return what is drawn of a run."""
        at = result.diverged_at
        steps = len(result.lr) if at is None else min(at + 1, len(result.lr))
        last = float(result.lr[steps - 1]) if steps else None
        none = np.zeros(0, np.float32)
        without = replace(result, lr=none, loss=none, momentum=None)
        return cls(without, steps, last, steps / steps_per_epoch)

    @property
    def status(self) -> Status:
        """How it ended."""
        return self.result.status

    def values(self, quantity: Metric) -> npt.NDArray[np.float64]:
        """Return a quantity of its epochs, up to its end if it did not end well."""
        values = np.array(self.result.after_epochs(quantity.key), np.float64)
        return values if self.status is Status.DONE else values[: int(self.end)]


@dataclass(frozen=True)
class Curves:
    """The runs of one experiment, one per seed, and their different curves of the rate."""

    name: str
    index: int
    steps_per_epoch: int
    runs: Sequence[DrawnRun]
    rates: Sequence[Line] = field(repr=False)

    @classmethod
    def of(
        cls,
        name: str,
        index: int,
        steps_per_epoch: int,
        results: Iterable[RunResult],
        room: Room | None = None,
    ) -> "Curves":
        """Return what is drawn of an experiment; each result is let go before the next is taken.

        Args:
            name: What it is called.
            index: Its place in the comparison.
            steps_per_epoch: Steps in an epoch.
            results: Its runs.
            room: What is left in the figure; of an experiment without a style of its own nothing is
                drawn whole.
        """
        if index >= palette.TOLD_APART:
            room = Room(0)
        runs, distinct = [], _Distinct(Room() if room is None else room)
        for result in results:
            runs.append(DrawnRun.of(result, steps_per_epoch))
            distinct.add(result.lr)
        return cls(name, index, steps_per_epoch, runs, distinct.longest_first())

    def thinned(self, columns: int) -> "Curves":
        """Return it with the points of its rates that can be seen, so many columns wide."""
        return replace(self, rates=[line.thinned(columns) for line in self.rates])

    @property
    def label(self) -> str:
        """What a legend calls it: its name, and how its runs ended if some did not end well."""
        return self.name + (f"\n({in_words([r.status for r in self.runs])})" if self.broken else "")

    def over_epochs(self, quantity: Metric) -> list[npt.NDArray[np.float64]]:
        """Return a quantity of each finished run's epochs, shape (epochs,) each."""
        done = [run for run in self.runs if run.status is Status.DONE and run.result.epochs]
        return [run.values(quantity) for run in done]

    @property
    def broken(self) -> list[DrawnRun]:
        """The runs that did not end well, of whatever status."""
        return [run for run in self.runs if run.status is not Status.DONE]


def shown_limits(curves: Sequence[Curves], *quantities: Metric) -> tuple[float, float] | None:
    """Return the range in which the finished runs of all experiments show; None if it is unknown.

    Where no run was finished it is the range of those that broke off.
    """
    ranges = []
    for quantity in quantities:
        means = [epoch_mean(of, quantity) for e in curves if (of := e.over_epochs(quantity))]
        if not means:
            broken = [run.values(quantity) for e in curves for run in e.broken]
            means = [epoch_mean([values], quantity) for values in broken if len(values)]
        if (found := shown_range(means, quantity)) is not None:
            ranges.append(found)
    if not ranges:
        return None
    return min(low for low, _ in ranges), max(high for _, high in ranges)
