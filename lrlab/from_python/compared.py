"""What a comparison found, to be read, printed, drawn and computed with."""

import base64
import functools
import html
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lrlab.analysis.best_set import Verdict
from lrlab.console import shown_table
from lrlab.console.shown_table import ShownTable
from lrlab.errors import UsageError
from lrlab.from_python.told import in_python
from lrlab.io import atomic
from lrlab.io.printable import printable
from lrlab.report import run_notes, verdict
from lrlab.results import run_folder
from lrlab.results.comparison import Comparison
from lrlab.results.run import RunResult, Status

_MOST_NOTES = 3
"""Runs of an experiment that did not end well; the table counts all of them."""

Row = tuple[str, int, int, str, float]
"""Experiment, seed, epoch, metric, value."""


class Compared:
    """What a comparison found; printed, the verdict comes first, then the table.

    Attributes:
        out: The results directory.
    """

    def __init__(
        self, comparison: Comparison, out: Path, results: Mapping[str, RunResult] | None = None
    ) -> None:
        self.out = out
        self._comparison = comparison
        self._results = dict(results or {})

    @property
    def experiments(self) -> tuple[str, ...]:
        """The names of what was compared."""
        return tuple(each.name for each in self._comparison.experiments)

    @property
    def verdict(self) -> Verdict | None:
        """What the results allow to say about which is the best.

        None where there is nothing to compare: one experiment, or several on different data.
        """
        return verdict.of(self._comparison, verdict.usual(self._comparison))

    @property
    def sentence(self) -> str:
        """The verdict in words, "" where there is one experiment alone."""
        first = verdict.first_line(self._comparison, verdict.usual(self._comparison))
        return in_python(first)

    @property
    def table(self) -> ShownTable:
        """The table: of rich in a terminal, of HTML in a notebook, of text if printed."""
        return shown_table.of_comparison(self._comparison)

    @property
    def figures(self) -> tuple[str, ...]:
        """The names of the figures that there are."""
        over = self._comparison.grid_figures.values()
        return ("learning-rate", "loss", self._comparison.metric.key, *over)

    def figure(self, name: str | None = None) -> Any:
        """Return a figure of matplotlib, which is not pyplot's; a notebook shows it.

        Args:
            name: One of `figures`; None: that of the metric.

        Raises:
            UsageError: If there is no such figure.
            ResultsError: If a run cannot be read.
        """
        name = name or self._comparison.metric.key
        if name not in self.figures:
            listed = ", ".join(f"`{each}`" for each in self.figures)
            raise UsageError(f"there is no figure `{name}`", f"use one of {listed}")
        return self._drawn[name]

    def to_pandas(self) -> Any:
        """Return all results as a pandas frame, a row for each.

        Columns: `experiment`, `seed`, `epoch` from 0, `metric`, `value`. The metrics are `lr` (of
        an epoch's last step), `loss`, `val_loss`, the experiments' metric of both, and after the
        last epoch those of the test set, if there is one.

        Raises:
            UsageError: If pandas is not installed.
            ResultsError: If a run cannot be read.
        """
        try:
            import pandas
        except ImportError as error:
            raise UsageError(
                "`to_pandas` needs pandas, which is not installed",
                "install it with `pip install pandas`; `epochs.csv` of each run holds the numbers",
            ) from error
        columns = ["experiment", "seed", "epoch", "metric", "value"]
        return pandas.DataFrame(list(self._rows()), columns=columns)

    def _rows(self) -> Iterator[Row]:
        for e in self._comparison.experiments:
            for seed, folder in zip(e.seeds, e.runs, strict=True):
                result = self._runs.get(folder)
                for epoch, name, value in _values(result) if result else ():
                    yield e.name, seed, epoch, name, value

    @functools.cached_property
    def _runs(self) -> dict[str, RunResult]:
        """The result of each run by its folder, as far as there is one."""
        found = dict(self._results)
        for e in self._comparison.experiments:
            for folder in e.runs:
                if folder not in found and (read := _read(self.out, folder)) is not None:
                    found[folder] = read
        return found

    @functools.cached_property
    def _drawn(self) -> dict[str, Any]:
        from lrlab.plots import comparison_figures

        curves = comparison_figures.read_curves(self.out, self._comparison, self._runs)
        return comparison_figures.draw(self._comparison, curves)

    def __repr__(self) -> str:
        lines = [*([self.sentence, ""] if self.sentence else []), *repr(self.table).splitlines()]
        for e in self._comparison.experiments:
            if e.status != Status.DONE:
                notes = run_notes.joined(e.notes)[:_MOST_NOTES] or [e.ended]
                lines += [f"{e.name}: {note}" for note in notes]
        return "\n".join(map(printable, [*lines, f"results in {self.out}"]))

    def _repr_html_(self) -> str:
        picture = base64.b64encode(self.figure()._repr_png_()).decode()
        source = f"data:image/png;base64,{picture}"
        head = f"<p><b>{html.escape(printable(self.sentence))}</b></p>"
        return f'{head}{self.table._repr_html_()}<img src="{source}" width="800">'


def _read(out: Path, folder: str) -> RunResult | None:
    atomic.check_within(out, out / folder)
    kept = run_folder.read(out / folder)
    return None if kept is None else kept.result


def _values(result: RunResult) -> Iterator[tuple[int, str, float]]:
    metric = result.metric
    for at in result.epochs:
        yield at.epoch, "lr", at.lr
        yield at.epoch, "loss", at.loss
        yield at.epoch, metric.key, at.score
        yield at.epoch, "val_loss", at.val_loss
        yield at.epoch, metric.on("val").key, at.val_score
    for name, value in (
        ("test_loss", result.test_loss),
        (metric.on("test").key, result.test_score),
    ):
        if value is not None:
            yield result.epochs[-1].epoch, name, value
