"""Schedules at their own best rates, to be read, printed, drawn and computed with."""

import base64
import functools
import html
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lrlab.analysis import tuning_summary
from lrlab.analysis.best_set import Verdict
from lrlab.config import Config
from lrlab.console import shown_table
from lrlab.console.shown_table import ShownTable
from lrlab.errors import UsageError
from lrlab.from_python.told import in_python
from lrlab.io.printable import printable
from lrlab.report import tuning_tables
from lrlab.results.tuning_record import BestRate, Horizon, Tuning


class Tuned:
    """What a tuning found; printed, the verdict comes first.

    Attributes:
        out: The results directory.
    """

    def __init__(self, tuning: Tuning, out: Path, configs: Sequence[Sequence[Config]]) -> None:
        self.out = out
        self._tuning = tuning
        self._configs = configs

    @property
    def epochs(self) -> tuple[int | None, ...]:
        """The budgets of training, None where each experiment has its own."""
        return tuple(horizon.epochs for horizon in self._tuning.horizons)

    @property
    def best(self) -> Mapping[str, BestRate | None]:
        """The best rate of each schedule, None where it has none; after the longest training."""
        return {tuned.name: tuned.best for tuned in self._longest.schedules}

    @property
    def schedules(self) -> Mapping[str, Any]:
        """The schedules at their best rates, as `lrlab.compare` takes them; those without left out.

        After the longest training.
        """
        longest = self._tuning.horizons.index(self._longest)
        return {each.experiment.name: each.experiment.schedule for each in self._configs[longest]}

    @property
    def verdict(self) -> Verdict | None:
        """What fresh seeds allow to say about which is the best, None of one schedule alone.

        After the longest training.
        """
        return tuning_summary.judge(self._longest, self._metric.mode)

    @property
    def sentence(self) -> str:
        """The verdict in words, a line for each budget of training."""
        several = len(self.epochs) > 1
        return "\n".join(
            (f"{horizon.epochs} epochs: " if several else "")
            + in_python(tuning_tables.first_line(horizon, self._metric))
            for horizon in self._tuning.horizons
        )

    @property
    def table(self) -> ShownTable:
        """The table: of rich in a terminal, of HTML in a notebook, of text if printed."""
        return shown_table.of_tuning(self._tuning)

    @property
    def figures(self) -> tuple[str, ...]:
        """The names of the figures that there are."""
        return tuple(self._drawn)

    def figure(self, name: str | None = None) -> Any:
        """Return a figure of matplotlib, which is not pyplot's; a notebook shows it.

        Args:
            name: One of `figures`; None: the last, the result over the rate or, of several budgets
                of training, over these.

        Raises:
            UsageError: If there is no such figure.
        """
        name = name or self.figures[-1]
        if name not in self._drawn:
            listed = ", ".join(f"`{each}`" for each in self.figures)
            raise UsageError(f"there is no figure `{name}`", f"use one of {listed}")
        return self._drawn[name]

    def to_pandas(self) -> Any:
        """Return all runs as a pandas frame, a row for each, as in `tuning.csv`.

        Raises:
            UsageError: If pandas is not installed.
        """
        try:
            import pandas
        except ImportError as error:
            raise UsageError(
                "`to_pandas` needs pandas, which is not installed",
                f"install it with `pip install pandas`; `{self.out / 'tuning.csv'}` has the same",
            ) from error
        return pandas.read_csv(io.StringIO(tuning_tables.to_csv(self._tuning)))

    def draw_into(self, folder: Path) -> list[Path]:
        """Write the figures into a folder as PNG.

        Raises:
            ResultsError: If they cannot be written.
        """
        from lrlab.plots import sensitivity_figure

        return sensitivity_figure.save(folder, self._tuning)

    @property
    def _metric(self) -> Any:
        return tuning_tables.decides(self._tuning)

    @property
    def _longest(self) -> Horizon:
        return max(self._tuning.horizons, key=lambda horizon: horizon.epochs or 0)

    @functools.cached_property
    def _drawn(self) -> dict[str, Any]:
        from lrlab.plots import sensitivity_figure

        return sensitivity_figure.draw(self._tuning)

    def __repr__(self) -> str:
        lines = [self.sentence, tuning_tables.caption(self._tuning)]
        lines += [in_python(line) for line in self.table.warnings]
        return "\n".join(printable(line) for text in lines for line in text.splitlines())

    def _repr_html_(self) -> str:
        picture = base64.b64encode(self.figure()._repr_png_()).decode()
        source = f"data:image/png;base64,{picture}"
        head = "".join(
            f"<p><b>{html.escape(printable(line))}</b></p>" for line in self.sentence.splitlines()
        )
        return f'{head}{self.table._repr_html_()}<img src="{source}" width="800">'
