"""How the work goes on, and warnings: on stderr, so that stdout holds results alone."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.live import Live
from rich.status import Status as Spinner
from rich.text import Text

from lrlab.analysis.looks import Standing
from lrlab.analysis.summaries import collapse
from lrlab.console.live_view import LiveView
from lrlab.console.pace import Pace
from lrlab.console.terminal import as_lines, as_text, console
from lrlab.io.log import Log
from lrlab.metric import LOSS
from lrlab.report import looks_words
from lrlab.reporter import Reporter, Volume
from lrlab.results.run import RunResult, Status

if TYPE_CHECKING:
    from lrlab.experiment.planning import Run
    from lrlab.training.jobs import Progress


class LiveReporter(Reporter):
    """Shows how the work goes on: live on a terminal, plain lines elsewhere.

    Args:
        volume: How much is told on stderr.
        log: Gets all that there is to tell, whatever the volume.
        clock: Tells seconds.
    """

    def __init__(
        self,
        volume: Volume = Volume.USUAL,
        log: Log | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._console = console(sys.stderr)
        self._volume = volume
        self._log = log
        self._clock = clock
        on_terminal = self._console.is_terminal and sys.stdout.isatty()
        self._live = on_terminal and volume > Volume.QUIET
        self._pace = Pace(clock)
        self._view: LiveView | None = None
        self._spinner: Spinner | None = None
        self._trying: tuple[str, int] | None = None
        self._undecided = ""
        self._searched = ""
        self._since_search: Pace | None = None
        self._trained = 0
        self._epochs: dict[Run, int] = {}

    def warn(self, text: str) -> None:
        """Print a warning."""
        self._print(as_text("warning: ", "bold yellow") + as_lines(text), Volume.QUIET)
        self._keep(text, "warning")

    def note(self, text: str) -> None:
        """Print a line."""
        self._say(as_text(text))

    def detail(self, text: str) -> None:
        """Print a line for who wants to know everything."""
        self._say(as_text(text, "dim"), Volume.VERBOSE)

    def _say(self, text: Text, volume: Volume = Volume.USUAL) -> None:
        self._print(text, volume)
        self._keep(text.plain)

    def _print(self, text: Text, volume: Volume) -> None:
        """Print a text, broken between words where it is a terminal, if it is to be told."""
        if volume <= self._volume:
            self._console.print(text, soft_wrap=not self._console.is_terminal)

    def _keep(self, text: str, kind: str = "info") -> None:
        """Write into the log, and say once if that is not possible any more."""
        if self._log is None:
            return
        self._log.write(text, kind)
        if self._log.failure is not None:
            reason, path, self._log = self._log.failure, self._log.path, None
            self.warn(f"`{path}` cannot be written: {reason}; the log ends here")

    @contextmanager
    def waiting(self, text: str) -> Iterator[None]:
        """Show a spinner while something takes its time, nothing where there is no terminal."""
        began = self._clock()
        with self._spinning(text):
            yield
        self.detail(f"{text}: {self._clock() - began:.1f} s")

    @contextmanager
    def _spinning(self, text: str) -> Iterator[None]:
        if not self._live:
            yield
            return
        with self._console.status(as_text(text)) as self._spinner:
            yield
        self._spinner = None

    @contextmanager
    def trying(self, text: str, most: int) -> Iterator[None]:
        """Show how far short runs are; where there is no terminal, every ten seconds at most."""
        self._trying, self._pace = (text, most), Pace(self._clock)
        try:
            with self.waiting(text):
                yield
        finally:
            self._trying = None

    def tried(self, done: float, said: str = "") -> None:
        """Take note of how far short runs are."""
        if self._trying is None:
            return
        text, most = self._trying
        if said:
            self._say(as_text(said))
        left = self._pace.left(done, most - done)
        at = f"{int(done)} of at most {most} runs done"
        shown = f"{text}: {at}" + (f", {left} at most" if left else "")
        if self._spinner is not None:
            self._spinner.update(as_text(shown))
        self._tell_at_times(shown)

    def _tell_at_times(self, text: str) -> None:
        """Print a line of progress if it is time for one and there is no live view."""
        if self._pace.due():
            if not self._live:
                self._print(as_text(text), Volume.USUAL)
            self._keep(text)

    def looking(self, standing: Standing, most: int) -> None:
        """Print what a look has decided; the live view says what the next runs are for."""
        if decided := looks_words.after_look(standing):
            self._say(as_text(decided))
        self._undecided = looks_words.undecided(standing, most)

    def searching(self, done: int, most: int) -> None:
        """Take note of how far a search is, to be told with its next runs that are trained."""
        left = self._since_search.left(self._trained, most - done) if self._since_search else ""
        at_most = f", {left} at most" if left else ""
        self._undecided = f"{done} of at most {most} runs done{at_most}"
        self._searched = f"; {self._undecided}"

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
        said = f"training {len(to_train)} run{plural}{beside}{going_on}{self._searched or finished}"
        self._say(as_text(said))
        self._since_search = self._since_search or Pace(self._clock)
        self._trained += len(to_train)
        self._view, self._pace = LiveView(to_train, self._undecided), Pace(self._clock)
        self._epochs = {}
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
        if self._view is None:
            return
        self._view.note(run, progress)
        self._tell_epoch(run, progress)
        left = self._pace.left(self._view.gained, 1 - self._view.share)
        done = f"{self._view.ended} of {self._view.runs} runs done, {self._view.share:.0%}"
        self._tell_at_times(f"{done}, {left}" if left else done)

    def _tell_epoch(self, run: "Run", progress: "Progress") -> None:
        """Tell what an epoch gave once the next one has begun: then that is known."""
        ended = (progress.step - 1) // run.length.steps_per_epoch
        if self._epochs.setdefault(run, ended) == ended or progress.val_score is None:
            return
        self._epochs[run] = ended
        metric = run.setup.task.metric.on("val")
        score = f"{metric.name} {metric.value(progress.val_score)}"
        self.detail(f"{run}: epoch {ended}/{run.length.epochs}: {score}")

    def finished(self, run: "Run", result: RunResult) -> None:
        """Print the line of a finished run."""
        if self._view is not None:
            self._view.end(run)
        self._say(_ended(run, result))


def _ended(run: "Run", result: RunResult) -> Text:
    """Return the line of a finished run."""
    head = f"{run}: "
    if result.status is Status.DONE:
        last, metric = result.epochs[-1], result.metric.on("val")
        return as_text(
            f"{head}{metric.name} {metric.value(last.val_score)}, val loss "
            f"{LOSS.value(last.val_loss)}, {result.train_seconds:.1f} s"
        )
    if result.status is Status.DIVERGED and result.diverged_at is not None:
        lr = float(result.lr[result.diverged_at])
        told = f"{head}diverged at step {result.diverged_at}, learning rate {lr:.3g}"
        return as_text(told, "yellow")
    if result.status is Status.COLLAPSED:
        return as_text(f"{head}{collapse(result)}", "yellow")
    return as_text(f"{head}failed: {result.error}", "red")
