"""What the work tells while it goes on; this class tells nobody."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any


class Reporter:
    """Hears how the work goes on, all calls from one thread; does nothing with it."""

    def warn(self, text: str) -> None:
        """Something that the user should know."""

    def note(self, text: str) -> None:
        """Something worth a line."""

    def waiting(self, text: str) -> AbstractContextManager[None]:
        """Return a context manager around a wait."""
        return nullcontext()

    def planned(
        self, to_train: Sequence[Any], reused: int, resumed: int, workers: int
    ) -> AbstractContextManager[None]:
        """Return a context manager around the training of these runs."""
        return nullcontext()

    def progress(self, run: Any, progress: Any) -> None:
        """A run has gone on."""

    def finished(self, run: Any, result: Any) -> None:
        """A run has ended."""
