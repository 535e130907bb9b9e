"""The table of a comparison as an object: rich draws it in a terminal, a notebook as HTML."""

import html
import io
from collections.abc import Iterator
from typing import Any

from rich.console import Console, ConsoleOptions

from lrlab.console.results import comparison_grid
from lrlab.console.terminal import as_text
from lrlab.io.printable import printable
from lrlab.report import tables
from lrlab.results.comparison import Comparison

_WIDTH = 200


class ShownTable:
    """A table to look at.

    Args:
        comparison: What it shows.
    """

    def __init__(self, comparison: Comparison) -> None:
        self._comparison = comparison

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Any]:
        grid, _ = comparison_grid(self._comparison, options.max_width)
        yield grid
        yield as_text(tables.caption(self._comparison, "*"))
        for line in tables.warnings(self._comparison):
            yield as_text(line, "yellow")

    def __repr__(self) -> str:
        text = io.StringIO()
        console = Console(file=text, width=_WIDTH, highlight=False, markup=False, emoji=False)
        console.print(self)
        return "\n".join(line.rstrip() for line in text.getvalue().splitlines())

    def _repr_html_(self) -> str:
        titles, rows = tables.table(self._comparison)
        head = "".join(f"<th>{_escaped(title)}</th>" for title in titles)
        body = "".join(f"<tr>{''.join(_cell(*cell) for cell in row)}</tr>" for row in rows)
        below = [tables.caption(self._comparison, "bold"), *tables.warnings(self._comparison)]
        notes = "".join(f"<p>{_escaped(line)}</p>" for line in below)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{notes}"


def _cell(text: str, best: bool) -> str:
    return f"<td><b>{_escaped(text)}</b></td>" if best else f"<td>{_escaped(text)}</td>"


def _escaped(text: str) -> str:
    return html.escape(printable(text))
