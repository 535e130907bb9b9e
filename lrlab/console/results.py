"""The results of a comparison and of a sweep, on stdout."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from lrlab.console.terminal import as_text, console
from lrlab.report import tables
from lrlab.results.comparison import Comparison
from lrlab.results.sweep_record import SweepRecord


def print_json(text: str) -> None:
    """Print JSON alone on stdout."""
    sys.stdout.write(text)


def print_comparison(comparison: Comparison) -> None:
    """Print the table of a comparison and its notes."""
    stdout = console(sys.stdout)
    titles, rows = tables.table(comparison)
    grid = Table(header_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for number, title in enumerate(titles):
        text = number in (0, 1, len(titles) - 1)
        grid.add_column(title, justify="left" if text else "right")
    for row in rows:
        grid.add_row(
            *(
                as_text(f"{text} *" if best else text, "bold green" if best else "")
                for text, best in row
            )
        )
    stdout.print(grid)
    stdout.print()
    stdout.print(as_text(tables.caption(comparison, "*")), soft_wrap=True)
    for warning in tables.warnings(comparison):
        stdout.print(as_text(warning, "yellow"), soft_wrap=True)
    for e in comparison.experiments:
        for note in e.notes:
            stdout.print(as_text(f"{e.name}: {note}", "yellow"), soft_wrap=True)


def print_written(out: Path, written: Sequence[Path]) -> None:
    """Print which files lie where."""
    names = ", ".join(path.name for path in written)
    console(sys.stdout).print(as_text(f"{out}: {names}"), soft_wrap=True)


def print_sweep(record: SweepRecord, *, rules: bool = False) -> None:
    """Print what a sweep suggests and how sure that is; with `rules` the classic ones as well."""
    stdout = console(sys.stdout)
    about = record.about
    settings = about["settings"]
    if about["steady_lr"] is not None:
        stdout.print(_suggestions(about, rules))
    spread = f", within x{about['spread']:.1f}" if about["spread"] and settings["seeds"] > 1 else ""
    plural = "s" if settings["seeds"] > 1 else ""
    stdout.print(as_text(f"{about['verdict']}: {about['meaning']}"), soft_wrap=True)
    stdout.print(
        as_text(
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
        beside = [as_text(shown if name in verified else "", style)] if verified else []
        grid.add_row(name, as_text(of_sweep, style), *beside, purpose)

    best = "bold green"
    add("steady_lr", f"{about['steady_lr']:.3g}", "for constant and decaying schedules", best)
    add("max_lr", f"{about['max_lr']:.3g}", "peak of one_cycle", best)
    add("usable", f"{about['lowest_useful_lr']:.3g}", f"to {about['highest_stable_lr']:.3g}")
    for name, meaning in _RULES.items() if rules else ():
        value = about["rules"][name]
        add(name, "-" if value is None else f"{value:.3g}", f"alternative: {meaning}", "dim")
    return grid
