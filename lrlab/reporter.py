"""The reporter: what work tells while it goes on. This one does nothing; others inherit from it."""

import enum
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lrlab.analysis.looks import Standing
    from lrlab.experiment.planning import Run
    from lrlab.results.run import RunResult
    from lrlab.training.jobs import Progress


class Volume(enum.IntEnum):
    """How much is told while work goes on: warnings alone, the usual, or all there is."""

    QUIET, USUAL, VERBOSE = range(3)


class Reporter:
    """Is told how the work goes on, always in the thread that asked for the work."""

    def warn(self, text: str) -> None:
        """Take note of something that the user should know."""

    def note(self, text: str) -> None:
        """Take note of something that is worth a line."""

    def detail(self, text: str) -> None:
        """Take note of something that is worth a line only to who wants to know everything."""

    def waiting(self, text: str) -> AbstractContextManager[None]:
        """Return a context manager around something that takes its time."""
        return nullcontext()

    def trying(self, text: str, most: int) -> AbstractContextManager[None]:
        """Return a context manager around short runs that find a learning rate.

        Args:
            text: What they are for, as `Verifying the rates`.
            most: How many they may be, >= 1.
        """
        return nullcontext()

    def tried(self, done: float, said: str = "") -> None:
        """Take note of how far short runs are.

        Args:
            done: How many are done; one that is going on counts with its share.
            said: What one gave that has just ended.
        """

    def looking(self, standing: "Standing", most: int) -> None:
        """Take note of where looks at growing numbers of seeds stand.

        Args:
            standing: What is decided, and what the next round of runs is for.
            most: The most seeds of an experiment.
        """

    def searching(self, done: int, most: int) -> None:
        """Take note of how far a search with whole runs is, before its next ones.

        Args:
            done: How many runs have ended.
            most: How many there are at most.
        """

    def planned(
        self, to_train: Sequence["Run"], reused: int, resumed: int, workers: int
    ) -> AbstractContextManager[None]:
        """Return a context manager around the training of some runs.

        Args:
            to_train: The runs that will be trained.
            reused: How many others were finished before.
            resumed: How many of those to train go on from a checkpoint.
            workers: How many are trained side by side.
        """
        return nullcontext()

    def progress(self, run: "Run", progress: "Progress") -> None:
        """Take note of how far a run is."""

    def finished(self, run: "Run", result: "RunResult") -> None:
        """Take note of the end of a run."""
