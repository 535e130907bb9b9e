"""The results of a comparison and of a sweep, on stdout."""

import sys
from collections.abc import Sequence
from pathlib import Path

from rich.cells import cell_len
from rich.table import Table

from lrlab.console.terminal import as_text, console
from lrlab.io.printable import printable
from lrlab.metric import Metric
from lrlab.report import run_notes, sweep_words, tables, verdict
from lrlab.report.remarks import remarks
from lrlab.results.comparison import Comparison
from lrlab.results.sweep_record import SweepRecord, SweepSummary


def print_json(text: str) -> None:
    """Print only JSON on stdout."""
    sys.stdout.write(text)


def print_comparison(comparison: Comparison, metric: Metric | None = None) -> None:
    """Print the verdict of a comparison, its table and its notes."""
    metric = metric or verdict.usual(comparison)
    stdout = console(sys.stdout)
    if first := verdict.first_line(comparison, metric):
        stdout.print(as_text(first, "bold"), soft_wrap=not stdout.is_terminal)
        stdout.print()
    grid, left_out = comparison_grid(comparison, stdout.width, metric)
    stdout.print(grid)
    stdout.print()
    stdout.print(as_text(tables.caption(comparison, "*")), soft_wrap=not stdout.is_terminal)
    for remark in remarks(comparison, metric):
        stdout.print(as_text(remark), soft_wrap=not stdout.is_terminal)
    if left_out:
        note = f"too narrow for {', '.join(left_out)}: see comparison.md"
        stdout.print(as_text(note, "dim"), soft_wrap=not stdout.is_terminal)
    for warning in tables.warnings(comparison):
        stdout.print(as_text(warning, "yellow"), soft_wrap=not stdout.is_terminal)
    for e in comparison.experiments:
        for note in run_notes.joined(e.notes):
            stdout.print(as_text(f"{e.name}: {note}", "yellow"), soft_wrap=not stdout.is_terminal)


_GAP = 2


def comparison_grid(
    comparison: Comparison, width: int, metric: Metric | None = None
) -> tuple[Table, list[str]]:
    """Return the table of a comparison for a terminal, and the titles left out to make it fit."""
    titles, rows = tables.table(comparison, metric)
    return grid_of(titles, rows, width, tables.least_needed(comparison.metric), tables.TEXTS)


def grid_of(
    titles: Sequence[str],
    rows: Sequence[Sequence[tuple[str, bool]]],
    width: int,
    least_needed: Sequence[str],
    words: Sequence[str],
) -> tuple[Table, list[str]]:
    """Return a table for a terminal, and the titles left out to make it fit.

    Names are never cut: what is least needed goes first, and then names are folded.

    Args:
        titles: The titles of its columns.
        rows: Its cells as (text, whether it is the best).
        width: How many characters a line has.
        least_needed: What is left out where it is too wide, in order.
        words: The columns that hold words, not numbers.
    """
    left_out = []
    for title in least_needed:
        if _width(titles, rows) <= width:
            break
        if title in titles:
            titles, rows = tables.without(title, titles, rows)
            left_out.append(title)
    grid = Table(header_style="bold", box=None, pad_edge=False, padding=(0, _GAP, 0, 0))
    for number, title in enumerate(titles):
        grid.add_column(
            title,
            justify="left" if title in words else "right",
            no_wrap=number > 0,
            overflow="fold",
        )
    for row in rows:
        grid.add_row(*(as_text(_marked(*cell), "bold green" if cell[1] else "") for cell in row))
    return grid, left_out


def _marked(text: str, best: bool) -> str:
    return f"{text} *" if best else text


def _width(titles: Sequence[str], rows: Sequence[Sequence[tuple[str, bool]]]) -> int:
    """Return how many characters the lines of a table take."""
    columns = zip(titles, *[[_marked(*cell) for cell in row] for row in rows], strict=True)
    widest = [max(cell_len(printable(text)) for text in column) for column in columns]
    return sum(widest) + _GAP * (len(titles) - 1)


def print_written(out: Path, written: Sequence[Path]) -> None:
    """Print which files lie where."""
    inside = [path.relative_to(out) if path.is_relative_to(out) else path for path in written]
    names = ", ".join(map(str, inside))
    stdout = console(sys.stdout)
    stdout.print(as_text(f"{out}: {names}"), soft_wrap=not stdout.is_terminal)


def print_sweep(record: SweepRecord, *, rules: bool = False) -> None:
    """Print what a sweep suggests and how sure that is; with `rules` the classic ones as well."""
    stdout = console(sys.stdout)
    if record.summary.steady_lr is not None:
        stdout.print(_suggestions(record.summary, rules))
    for line in sweep_words.lines(record):
        stdout.print(as_text(line), soft_wrap=not stdout.is_terminal)


_RULES = {
    "minimum": "a tenth of the rate of the lowest loss",
    "steepest": "where the loss falls fastest over the logarithm of the rate",
    "valley": "in the middle of the longest fall",
    "slide": "where, from the right, the slope stops changing",
}


def _suggestions(summary: SweepSummary, rules: bool) -> Table:
    """Return the table of suggested rates: those of the sweep, beside them the verified ones."""
    verified = summary.verified
    grid = Table(box=None, show_header=verified is not None, header_style="dim", pad_edge=False,
                 padding=(0, 2, 0, 0))  # fmt: skip
    for title in ("", "sweep", *(("verified",) if verified else ()), ""):
        grid.add_column(title)

    def add(name: str, of_sweep: str, purpose: str, style: str = "", refined: str = "") -> None:
        beside = [as_text(refined, style)] if verified else []
        grid.add_row(name, as_text(of_sweep, style), *beside, purpose)

    for name, purpose in sweep_words.PURPOSES.items():
        refined = sweep_words.rate(getattr(verified, name)) if verified else ""
        add(name, sweep_words.rate(getattr(summary, name)), purpose, "bold green", refined)
    low, high = (
        sweep_words.rate(summary.lowest_useful_lr),
        sweep_words.rate(summary.highest_stable_lr),
    )
    if verified:
        add("usable", "", f"{low} to {high}")
    else:
        add("usable", low, f"to {high}")
    for name, meaning in _RULES.items() if rules else ():
        add(name, sweep_words.rate(summary.rules[name]), f"alternative: {meaning}", "dim")
    return grid
