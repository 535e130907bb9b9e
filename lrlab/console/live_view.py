"""What a terminal shows while runs are trained: a row for each, and an overall bar."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich import progress as bars
from rich.console import Group
from rich.table import Table

from lrlab.console.terminal import as_text

if TYPE_CHECKING:
    from lrlab.experiment.planning import Run
    from lrlab.training.jobs import Progress


class LiveView:
    """How far the runs of a plan are: a row per running run, and a bar with the time left.

    Args:
        to_train: The runs.
        undecided: What they are for, as far as that is a question.

    Attributes:
        runs: How many runs there are.
        ended: How many of them have ended.
    """

    def __init__(self, to_train: Sequence["Run"], undecided: str = "") -> None:
        self.runs, self.ended = len(to_train), 0
        self._undecided = as_text(undecided)
        self._rows: dict[Run, Progress] = {}
        self._done = {run: 0 for run in to_train}
        self._before: dict[Run, int] = {}
        self._bar = bars.Progress(
            bars.TextColumn("{task.completed:.0%}"),
            bars.BarColumn(bar_width=None),
            bars.TimeRemainingColumn(elapsed_when_finished=True),
            expand=True,
        )
        self._task = self._bar.add_task("", total=1.0)
        self._total = sum(run.length.steps for run in to_train)
        self._drawn = 0.0

    @property
    def share(self) -> float:
        """How much of all steps is done, in [0, 1]."""
        return sum(self._done.values()) / self._total

    @property
    def gained(self) -> float:
        """The same without what was done before: runs that were cut off go on where they were."""
        return self.share - sum(self._before.values()) / self._total

    def note(self, run: "Run", progress: "Progress") -> None:
        """Take note of how far a run is."""
        self._before.setdefault(run, progress.step)
        self._rows[run] = progress
        self._done[run] = progress.step
        if time.monotonic() - self._drawn > 0.2:
            self._advance()

    def end(self, run: "Run") -> None:
        """Drop the row of a run that has ended."""
        self._rows.pop(run, None)
        self._done[run] = run.length.steps
        self.ended += 1
        self._advance()

    def _advance(self) -> None:
        self._drawn = time.monotonic()
        self._bar.update(self._task, completed=self.share)

    def __rich__(self) -> Group:
        grid = Table(box=None, pad_edge=False, header_style="dim")
        grid.add_column("experiment")
        metrics = {run.setup.task.metric.on("val").name for run in self._done}
        score_title = metrics.pop() if len(metrics) == 1 else "score"
        for title in ("seed", "epoch", "learning rate", "loss", score_title):
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
