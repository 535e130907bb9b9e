"""Schedules at their own best rates, on stdout."""

import sys

from rich.console import Console

from lrlab.console.results import grid_of
from lrlab.console.terminal import as_text, console
from lrlab.report import tuning_tables
from lrlab.results.tuning_record import Tuning


def print_tuning(tuning: Tuning) -> None:
    """Print what is best, the table and what its columns mean.

    Of several budgets of training it prints one table over all; `tuning.md` has the others.
    """
    stdout = console(sys.stdout)
    metric, several = tuning_tables.decides(tuning), len(tuning.horizons) > 1

    def say(text: str, style: str = "") -> None:
        stdout.print(as_text(text, style), soft_wrap=not stdout.is_terminal)

    for horizon in tuning.horizons:
        length = f"{horizon.epochs} epochs: " if several else ""
        say(f"{length}{tuning_tables.first_line(horizon, metric)}", "bold")
    stdout.print()
    left_out = _print_table(tuning, stdout)
    stdout.print()
    say(tuning_tables.caption(tuning))
    for remark in tuning_tables.remarks(tuning):
        say(remark)
    if left_out:
        say(f"too narrow for {', '.join(left_out)}: see tuning.md", "dim")
    for horizon in tuning.horizons:
        for trouble in tuning_tables.troubles(horizon):
            length = f"{horizon.epochs} epochs: " if several else ""
            say(f"{length}{trouble}", "yellow")


def _print_table(tuning: Tuning, stdout: Console) -> list[str]:
    """Print the table; return the titles that were left out."""
    words = tuning_tables.TEXTS
    if len(tuning.horizons) > 1:
        titles, rows = tuning_tables.budget_table(tuning)
        grid, left_out = grid_of(titles, rows, stdout.width, (), words)
    else:
        titles, rows = tuning_tables.table(tuning.horizons[0], tuning_tables.decides(tuning))
        grid, left_out = grid_of(titles, rows, stdout.width, tuning_tables.LEAST_NEEDED, words)
    stdout.print(grid)
    return left_out
