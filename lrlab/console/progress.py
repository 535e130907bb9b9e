"""How the work goes on, and warnings: on stderr, so that stdout holds results alone."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich import progress as bars
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from lrlab.analysis.looks import Standing
from lrlab.analysis.summaries import collapse
from lrlab.console.terminal import as_lines, as_text, console
from lrlab.metric import LOSS
from lrlab.report import looks_words
from lrlab.reporter import Reporter
from lrlab.results.run import RunResult, Status

if TYPE_CHECKING:
    from lrlab.experiment.planning import Run
    from lrlab.training.jobs import Progress


class LiveReporter(Reporter):
    """Shows how the work goes on: live on a terminal, plain lines elsewhere."""

    def __init__(self) -> None:
        self._console = console(sys.stderr)
        self._live = self._console.is_terminal and sys.stdout.isatty()
        self._view: _View | None = None
        self._undecided = ""

    def warn(self, text: str) -> None:
        """Print a warning."""
        self._print(as_text("warning: ", "bold yellow") + as_lines(text))

    def note(self, text: str) -> None:
        """Print a line."""
        self._print(as_text(text))

    def _print(self, text: Text) -> None:
        """Print a text, broken between words where it is a terminal."""
        self._console.print(text, soft_wrap=not self._console.is_terminal)

    @contextmanager
    def waiting(self, text: str) -> Iterator[None]:
        """Show a spinner while something takes its time, nothing where there is no terminal."""
        if not self._live:
            yield
            return
        with self._console.status(as_text(text)):
            yield

    def looking(self, standing: Standing, most: int) -> None:
        """Print what a look has decided; the live view says what the next runs are for."""
        if decided := looks_words.after_look(standing):
            self._console.print(as_text(decided), soft_wrap=not self._console.is_terminal)
        self._undecided = looks_words.undecided(standing, most)

    @contextmanager
    def planned(
        self, to_train: Sequence["Run"], reused: int, resumed: int, workers: int
    ) -> Iterator[None]:
        """Say what will be trained, and show the running ones while they are."""
        plural = "s" if len(to_train) > 1 else ""
        beside = f", {workers} side by side" if workers > 1 else ""
        cut_off = "it was" if resumed == 1 else "they were"
        going_on = f"; {resumed} from where {cut_off} cut off" if resumed else ""
        finished = f"; {reused} finished before" if reused else ""
        self._console.print(f"training {len(to_train)} run{plural}{beside}{going_on}{finished}")
        self._view = _View(to_train, self._undecided)
        try:
            if not self._live:
                yield
                return
            with Live(self._view, console=self._console, refresh_per_second=4, transient=True):
                yield
        finally:
            self._view = None

    def progress(self, run: "Run", progress: "Progress") -> None:
        """Take note of how far a run is."""
        if self._view is not None:
            self._view.note(run, progress)

    def finished(self, run: "Run", result: RunResult) -> None:
        """Print the line of a finished run."""
        if self._view is not None:
            self._view.end(run)
        head = f"{run.name} seed {run.seed}: "
        if result.status is Status.DONE:
            last, metric = result.epochs[-1], result.metric.on("val")
            text = as_text(
                f"{head}{metric.name} {metric.value(last.val_score)}, val loss "
                f"{LOSS.value(last.val_loss)}, "
                f"{result.train_seconds:.1f} s"
            )
        elif result.status is Status.DIVERGED and result.diverged_at is not None:
            lr = float(result.lr[result.diverged_at])
            text = as_text(
                f"{head}diverged at step {result.diverged_at}, learning rate {lr:.3g}", "yellow"
            )
        elif result.status is Status.COLLAPSED:
            text = as_text(f"{head}{collapse(result)}", "yellow")
        else:
            text = as_text(f"{head}failed: {result.error}", "red")
        self._print(text)


class _View:
    """The live view: a row per running run, and an overall bar with the time left."""

    def __init__(self, to_train: Sequence["Run"], undecided: str = "") -> None:
        self._undecided = as_text(undecided)
        self._rows: dict[Run, Progress] = {}
        self._done = {run: 0 for run in to_train}
        self._bar = bars.Progress(
            bars.TextColumn("{task.completed:.0%}"),
            bars.BarColumn(bar_width=None),
            bars.TimeRemainingColumn(elapsed_when_finished=True),
            expand=True,
        )
        self._task = self._bar.add_task("", total=1.0)
        self._total = sum(run.length.steps for run in to_train)
        self._drawn = 0.0

    def note(self, run: "Run", progress: "Progress") -> None:
        """Take note of how far a run is."""
        self._rows[run] = progress
        self._done[run] = progress.step
        if time.monotonic() - self._drawn > 0.2:
            self._advance()

    def end(self, run: "Run") -> None:
        """Drop the row of a run that has ended."""
        self._rows.pop(run, None)
        self._done[run] = run.length.steps
        self._advance()

    def _advance(self) -> None:
        self._drawn = time.monotonic()
        self._bar.update(self._task, completed=sum(self._done.values()) / self._total)

    def __rich__(self) -> Group:
        grid = Table(box=None, pad_edge=False, header_style="dim")
        grid.add_column("experiment")
        for title in ("seed", "epoch", "learning rate", "loss", "val accuracy"):
            grid.add_column(title, justify="right")
        for run in [run for run in self._done if run in self._rows]:
            at = self._rows[run]
            epoch = min(at.step // run.length.steps_per_epoch + 1, run.length.epochs)
            score = "" if at.val_score is None else f"{at.val_score:.4f}"
            grid.add_row(
                as_text(run.name),
                str(run.seed),
                f"{epoch}/{run.length.epochs}",
                f"{at.lr:.3g}",
                f"{at.loss:.3f}",
                score,
            )
        return Group(grid, *([self._undecided] if self._undecided else []), self._bar)
