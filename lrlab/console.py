"""What people see: results on stdout, progress and warnings on stderr."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from lrlab import streams, tables
from lrlab.comparison import Comparison
from lrlab.inspection import Finding, Inspection
from lrlab.printable import printable
from lrlab.runs import RunResult, Status
from lrlab.sweep_record import SweepRecord

_WIDE = 200


class _Run(Protocol):
    """What the progress view needs of a run."""

    @property
    def seed(self) -> int: ...
    @property
    def steps(self) -> int: ...
    @property
    def steps_per_epoch(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def epochs(self) -> int: ...


class _Progress(Protocol):
    """What the progress view needs of a report."""

    @property
    def step(self) -> int: ...
    @property
    def lr(self) -> float: ...
    @property
    def loss(self) -> float: ...
    @property
    def val_accuracy(self) -> float | None: ...


def _console(stream: Any) -> Console:
    width = None if stream.isatty() else _WIDE
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False)


def _own_stderr() -> Any:
    """Return a stream of its own to the real stderr: TensorFlow's import silences the usual one."""
    if isinstance(sys.stderr, streams.Lenient):
        return streams.duplicate(sys.stderr)
    return sys.stderr


class Reporter:
    """Shows how the work goes on: live on a terminal, plain lines elsewhere."""

    def __init__(self) -> None:
        self._console = _console(_own_stderr())
        self._live = self._console.is_terminal and sys.stdout.isatty()
        self._view: _View | None = None

    def warn(self, text: str) -> None:
        """Print a warning."""
        self._console.print(Text("warning: ", "bold yellow") + Text(text), soft_wrap=True)

    def note(self, text: str) -> None:
        """Print a line."""
        self._console.print(Text(text), soft_wrap=True)

    @contextmanager
    def waiting(self, text: str) -> Iterator[None]:
        """Show a spinner while something takes its time, nothing where there is no terminal."""
        if not self._live:
            yield
            return
        with self._console.status(Text(text)):
            yield

    @contextmanager
    def planned(
        self, to_train: Sequence[_Run], reused: int, resumed: int, workers: int
    ) -> Iterator[None]:
        """Say what will be trained, and show the running ones while they are."""
        plural = "s" if len(to_train) > 1 else ""
        beside = f", {workers} side by side" if workers > 1 else ""
        going_on = f"; {resumed} from where it was cut off" if resumed else ""
        finished = f"; {reused} finished before" if reused else ""
        self._console.print(f"training {len(to_train)} run{plural}{beside}{going_on}{finished}")
        self._view = _View(to_train)
        try:
            if not self._live:
                yield
                return
            with Live(self._view, console=self._console, refresh_per_second=4, transient=True):
                yield
        finally:
            self._view = None

    def progress(self, run: _Run, progress: _Progress) -> None:
        """Take note of how far a run is."""
        if self._view is not None:
            self._view.note(run, progress)

    def finished(self, run: _Run, result: RunResult) -> None:
        """Print the line of a finished run."""
        if self._view is not None:
            self._view.end(run)
        head = f"{run.name} seed {run.seed}: "
        if result.status is Status.DONE:
            last = result.epochs[-1]
            text = Text(
                f"{head}val accuracy {last.val_accuracy:.4f}, val loss {last.val_loss:.4f}, "
                f"{result.train_seconds:.1f} s"
            )
        elif result.status is Status.DIVERGED and result.diverged_at is not None:
            lr = float(result.lr[result.diverged_at])
            text = Text(
                f"{head}diverged at step {result.diverged_at}, learning rate {lr:.3g}", "yellow"
            )
        else:
            text = Text(f"{head}failed: {result.error}", "red")
        self._console.print(text, soft_wrap=True)


class _View:
    """The live view: a row a running run, and an overall bar with the time left."""

    def __init__(self, to_train: Sequence[_Run]) -> None:
        self._rows: dict[_Run, _Progress] = {}
        self._done = {run: 0 for run in to_train}
        self._bar = Progress(
            TextColumn("{task.completed:.0%}"),
            BarColumn(bar_width=None),
            TimeRemainingColumn(elapsed_when_finished=True),
            expand=True,
        )
        self._task = self._bar.add_task("", total=1.0)
        self._total = sum(run.steps for run in to_train)
        self._drawn = 0.0

    def note(self, run: _Run, progress: _Progress) -> None:
        """Take note of how far a run is."""
        self._rows[run] = progress
        self._done[run] = progress.step
        if time.monotonic() - self._drawn > 0.2:
            self._advance()

    def end(self, run: _Run) -> None:
        """Drop the row of a run that has ended."""
        self._rows.pop(run, None)
        self._done[run] = run.steps
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
            epoch = min(at.step // run.steps_per_epoch + 1, run.epochs)
            accuracy = "" if at.val_accuracy is None else f"{at.val_accuracy:.4f}"
            grid.add_row(
                Text(run.name),
                str(run.seed),
                f"{epoch}/{run.epochs}",
                f"{at.lr:.3g}",
                f"{at.loss:.3f}",
                accuracy,
            )
        return Group(grid, self._bar)


def print_json(text: str) -> None:
    """Print JSON alone on stdout."""
    sys.stdout.write(text)


def print_comparison(comparison: Comparison) -> None:
    """Print the table of a comparison and its notes."""
    console = _console(sys.stdout)
    titles, rows = tables.table(comparison)
    grid = Table(header_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for number, title in enumerate(titles):
        text = number in (0, 1, len(titles) - 1)
        grid.add_column(title, justify="left" if text else "right")
    for row in rows:
        grid.add_row(
            *(
                Text(f"{text} *" if best else text, "bold green" if best else "")
                for text, best in row
            )
        )
    console.print(grid)
    console.print()
    console.print(tables.caption(comparison, "*"), soft_wrap=True)
    for warning in tables.warnings(comparison):
        console.print(Text(warning, "yellow"), soft_wrap=True)
    for e in comparison.experiments:
        for note in e.notes:
            console.print(Text(f"{e.name}: {note}", "yellow"), soft_wrap=True)


def print_written(out: Path, written: Sequence[Path]) -> None:
    """Print which files lie where."""
    names = ", ".join(path.name for path in written)
    _console(sys.stdout).print(f"{out}: {names}", soft_wrap=True)


def print_inspection(found: Inspection) -> None:
    """Print what is wrong in a results directory, a line each, and a summary."""
    console = _console(sys.stdout)
    for finding in found.findings:
        console.print(_finding(found.out, finding), soft_wrap=True)
    count = len(found.statuses)
    stands = ", ".join(f"{n} {word}" for word, n in found.counts().items() if n or word == "fine")
    problems = [finding for finding in found.findings if finding.kind.is_problem]
    mended = sum(finding.mended is not None for finding in problems)
    plural = "s" if len(problems) != 1 else ""
    ends = f"; {len(problems)} problem{plural}, {mended} mended" if mended else ""
    ends = ends or (f"; {len(problems)} problem{plural}" if problems else "")
    console.print(f"checked {count} run{'s' if count != 1 else ''}: {stands}{ends}")


def _finding(out: Path, finding: Finding) -> Text:
    place = finding.path.relative_to(out).as_posix()
    line = printable(f"{place}: {finding.what}; {finding.mended or finding.remedy}")
    unmended = finding.kind.is_problem and finding.mended is None
    return Text(line, "red" if unmended else "")


def print_sweep(record: SweepRecord, *, rules: bool = False) -> None:
    """Print what a sweep suggests and how sure that is; with `rules` the classic ones as well."""
    console = _console(sys.stdout)
    about = record.about
    settings = about["settings"]
    if about["steady_lr"] is not None:
        console.print(_suggestions(about, rules))
    spread = f", within x{about['spread']:.1f}" if about["spread"] and settings["seeds"] > 1 else ""
    plural = "s" if settings["seeds"] > 1 else ""
    console.print(Text(f"{about['verdict']}: {about['meaning']}"), soft_wrap=True)
    console.print(
        Text(
            f"{record.conditions}; {settings['steps']} steps from {settings['min_lr']:g} to "
            f"{settings['max_lr']:g}, {settings['seeds']} seed{plural}{spread}"
        ),
        soft_wrap=True,
    )


_RULES = {
    "minimum": "a tenth of the rate of the lowest loss",
    "steepest": "where the loss falls fastest over the logarithm of the rate",
    "valley": "in the middle of the longest fall",
    "slide": "where, from the right, the slope stops to change",
}


def _suggestions(about: dict[str, Any], rules: bool) -> Table:
    """Return the table of suggested rates: those of the sweep, beside them the verified ones."""
    verified = about["verified"]
    grid = Table(box=None, show_header=verified is not None, header_style="dim", pad_edge=False,
                 padding=(0, 2, 0, 0))  # fmt: skip
    for title in ("", "sweep", *(("verified",) if verified else ()), ""):
        grid.add_column(title)

    def add(name: str, of_sweep: str, purpose: str, style: str = "") -> None:
        checked = verified.get(name) if verified else None
        shown = "-" if checked is None else f"{checked:.3g}"
        beside = [Text(shown if name in verified else "", style)] if verified else []
        grid.add_row(name, Text(of_sweep, style), *beside, purpose)

    best = "bold green"
    add("steady_lr", f"{about['steady_lr']:.3g}", "for constant and decaying schedules", best)
    add("max_lr", f"{about['max_lr']:.3g}", "peak of one_cycle", best)
    add("usable", f"{about['lowest_useful_lr']:.3g}", f"to {about['highest_stable_lr']:.3g}")
    for name, meaning in _RULES.items() if rules else ():
        value = about["rules"][name]
        add(name, "-" if value is None else f"{value:.3g}", f"alternative: {meaning}", "dim")
    return grid
