"""A table as an object: rich draws it in a terminal, a notebook as HTML."""

import html
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console, ConsoleOptions

from lrlab.console.results import grid_of
from lrlab.console.terminal import as_text
from lrlab.io.printable import printable
from lrlab.report import tables, tuning_tables
from lrlab.results.comparison import Comparison
from lrlab.results.tuning_record import Tuning

_WIDTH = 200


@dataclass(frozen=True)
class ShownTable:
    """A table to look at.

    Args:
        titles: The titles of its columns.
        rows: Its cells as (text, whether it is the best).
        below: The lines under it, `{}` where it says how the best is marked.
        warnings: What is to be known about it.
        least_needed: What is left out where it is too wide, in order.
        words: The columns that hold words, not numbers.
    """

    titles: Sequence[str]
    rows: Sequence[Sequence[tuple[str, bool]]]
    below: Sequence[str]
    warnings: Sequence[str]
    least_needed: Sequence[str]
    words: Sequence[str]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Any]:
        width, least, words = options.max_width, self.least_needed, self.words
        grid, _ = grid_of(self.titles, self.rows, width, least, words)
        yield grid
        for line in self._lines("*"):
            yield as_text(line)
        for line in self.warnings:
            yield as_text(line, "yellow")

    def __repr__(self) -> str:
        text = io.StringIO()
        console = Console(file=text, width=_WIDTH, highlight=False, markup=False, emoji=False)
        console.print(self)
        return "\n".join(line.rstrip() for line in text.getvalue().splitlines())

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{_escaped(title)}</th>" for title in self.titles)
        body = "".join(f"<tr>{''.join(_cell(*cell) for cell in row)}</tr>" for row in self.rows)
        notes = "".join(f"<p>{_escaped(line)}</p>" for line in self._lines("bold"))
        notes += "".join(f"<p>{_escaped(line)}</p>" for line in self.warnings)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{notes}"

    def _lines(self, mark: str) -> list[str]:
        return [line.replace(_MARK, mark) for line in self.below]


_MARK = "{mark}"


def of_comparison(comparison: Comparison) -> ShownTable:
    """Return the table of a comparison."""
    titles, rows = tables.table(comparison)
    return ShownTable(
        titles,
        rows,
        [tables.caption(comparison, _MARK)],
        tables.warnings(comparison),
        tables.least_needed(comparison.metric),
        tables.TEXTS,
    )


def of_tuning(tuning: Tuning) -> ShownTable:
    """Return the table of a tuning; of several budgets of training the one over all."""
    several = len(tuning.horizons) > 1
    if several:
        titles, rows = tuning_tables.budget_table(tuning)
    else:
        titles, rows = tuning_tables.table(tuning.horizons[0], tuning_tables.decides(tuning))
    return ShownTable(
        titles,
        rows,
        [tuning_tables.caption(tuning), *tuning_tables.remarks(tuning)],
        [line for horizon in tuning.horizons for line in tuning_tables.troubles(horizon)],
        () if several else tuning_tables.LEAST_NEEDED,
        tuning_tables.TEXTS,
    )


def _cell(text: str, best: bool) -> str:
    return f"<td><b>{_escaped(text)}</b></td>" if best else f"<td>{_escaped(text)}</td>"


def _escaped(text: str) -> str:
    return html.escape(printable(text))
