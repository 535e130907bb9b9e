"""What a comparison tells a Python program: warnings as such, and a line of progress if wanted."""

import re
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lrlab.io.printable import printable, printable_lines
from lrlab.reporter import Reporter

if TYPE_CHECKING:
    from lrlab.experiment.planning import Run
    from lrlab.results.run import RunResult
    from lrlab.training.jobs import Progress

_PACKAGE = str(Path(__file__).parents[1])
_SECONDS = 0.3
_OPTION = re.compile(r"--([a-z]+(?:-[a-z]+)*)(?: ([0-9]+))?")


class AsWarnings(Reporter):
    """Passes warnings on to Python's, which blames the line that called lrlab; else quiet."""

    def warn(self, text: str) -> None:
        """Warn."""
        depth, frame = 1, sys._getframe()
        while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
            depth, frame = depth + 1, frame.f_back
        warnings.warn(printable_lines(text), UserWarning, stacklevel=depth)

    def finished(self, run: "Run", result: "RunResult") -> None:
        """Warn of a run that failed; it is also in what `compare` returns."""
        if result.status == "failed":
            self.warn(f"{run} failed: {result.error}")


class ProgressLine(AsWarnings):
    """Keeps one line on stderr up to date: how many runs are done, and how much of all."""

    def __init__(self) -> None:
        self._total = self._runs = 0
        self._done: dict[Run, int] = {}
        self._ended = 0
        self._written = 0.0

    @contextmanager
    def planned(
        self, to_train: Sequence["Run"], reused: int, resumed: int, workers: int
    ) -> Iterator[None]:
        """Show the line while there is training."""
        self._runs, self._ended = len(to_train), 0
        self._total = sum(run.length.steps for run in to_train)
        self._done = dict.fromkeys(to_train, 0)
        try:
            yield
        finally:
            self._write("\n")

    def progress(self, run: "Run", progress: "Progress") -> None:
        """Take note of how far a run is."""
        self._done[run] = progress.step
        if time.monotonic() - self._written > _SECONDS:
            self._write()

    def finished(self, run: "Run", result: "RunResult") -> None:
        """Take note of the end of a run."""
        super().finished(run, result)
        self._done[run], self._ended = run.length.steps, self._ended + 1
        self._write(last=f"{run}: {result.status}")

    def _write(self, end: str = "", last: str = "") -> None:
        self._written = time.monotonic()
        share = sum(self._done.values()) / max(1, self._total)
        text = f"{self._ended} of {self._runs} runs, {share:.0%}"
        line = printable(f"{text} · {last}" if last else text)
        sys.stderr.write(f"\r{line:<79}{end}")
        sys.stderr.flush()


def in_python(text: str) -> str:
    """Return a text that names arguments of `compare` in place of options of the command."""
    return _OPTION.sub(lambda found: f"{found[1].replace('-', '_')}={found[2] or ''}", text)
