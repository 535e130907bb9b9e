"""The comparison as a table: for the console, as Markdown to paste, as CSV to compute with."""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lrlab.io.printable import printable
from lrlab.results.comparison import Comparison, ExperimentSummary, Summary
from lrlab.results.run import Status, in_words


@dataclass(frozen=True)
class Column:
    """A column of the table: its title, and how it is read from a summary."""

    title: str
    of: Callable[[ExperimentSummary], Summary]
    text: Callable[[float], str]
    best: Callable[[Sequence[float]], float]


def _four_digits(value: float) -> str:
    return f"{value:.4f}"


COLUMNS = (
    Column("val accuracy", lambda e: e.final["val_accuracy"], _four_digits, max),
    Column("best epoch", lambda e: e.best["val_accuracy"], _four_digits, max),
    Column("val loss", lambda e: e.final["val_loss"], _four_digits, min),
    Column("test accuracy", lambda e: e.final["test_accuracy"], _four_digits, max),
    Column("seconds", lambda e: e.train_seconds, lambda value: f"{value:.1f}", min),
)


def warnings(comparison: Comparison) -> list[str]:
    """Return one line per difference besides the schedule: settings, environments."""
    lines = []
    if comparison.differences:
        lines.append(f"not like for like: {', '.join(comparison.differences)}")
    if comparison.environments:
        lines.append(f"made in different environments: {'; '.join(comparison.environments)}")
    return lines


def caption(comparison: Comparison, mark: str) -> str:
    """Return the line under a table: the data, the seeds behind each value, what `mark` means."""
    seeds = {len(e.seeds) for e in comparison.experiments}
    count = f"{seeds.pop()}" if len(seeds) == 1 else "several"
    over = "1 seed" if count == "1" else f"mean ± standard deviation over {count} seeds"
    best = f"; {mark}: the best of a column" if len(comparison.experiments) > 1 else ""
    return f"{comparison.data}, {over}{best}"


def table(comparison: Comparison) -> tuple[list[str], list[list[tuple[str, bool]]]]:
    """Return the table: the titles, and rows of cells as (text, whether it is the best)."""
    columns = [
        column
        for column in COLUMNS
        if any(column.of(e).mean is not None for e in comparison.experiments)
    ]
    best = {column.title: _best(column, comparison) for column in columns}
    rows = []
    for e in comparison.experiments:
        cells = [(e.name, False), (_schedule_cell(e), False)]
        for column in columns:
            summary = column.of(e)
            marked = summary.mean is not None and e.status == Status.DONE
            shown = _cell(summary, column)
            cells.append((shown, marked and shown.split(" ")[0] == best[column.title]))
        rows.append([*cells, (in_words(e.statuses), False)])
    return ["experiment", "schedule", *(column.title for column in columns), "status"], rows


def _schedule_cell(e: ExperimentSummary) -> str:
    return ", ".join([e.schedule, *(f"{key} {lr:g}" for key, lr in e.chosen.items())])


def _best(column: Column, comparison: Comparison) -> str | None:
    good = [e for e in comparison.experiments if e.status == Status.DONE]
    means = [m for e in good if (m := column.of(e).mean) is not None]
    return column.text(column.best(means)) if len(means) > 1 else None


def _cell(summary: Summary, column: Column) -> str:
    if summary.mean is None:
        return "-"
    if summary.std is None:
        return column.text(summary.mean)
    return f"{column.text(summary.mean)} ± {column.text(summary.std)}"


def to_csv(comparison: Comparison) -> str:
    """Return `comparison.csv`: one row per experiment, every number in full."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    parts = ("mean", "std", "ci95")
    header = [f"{name}_{part}" for name in _quantities(comparison.experiments[0]) for part in parts]
    writer.writerow(["experiment", "schedule", "data", "seeds", "status", *header])
    for e in comparison.experiments:
        values = [getattr(of, part) for of in _quantities(e).values() for part in parts]
        texts = map(printable, (e.name, e.schedule, e.data))
        writer.writerow([*texts, len(e.seeds), e.status, *values])
    return text.getvalue()


def _quantities(e: ExperimentSummary) -> dict[str, Summary]:
    return {
        **{f"final_{key}": summary for key, summary in e.final.items()},
        **{f"best_{key}": summary for key, summary in e.best.items()},
        "train_seconds": e.train_seconds,
    }


def to_markdown(comparison: Comparison) -> str:
    """Return `comparison.md`: the table, ready to paste into a README."""
    titles, rows = table(comparison)
    right = ["---", "---", *["---:"] * (len(titles) - 3), "---"]
    lines = [_markdown_row(titles), _markdown_row(right)]
    for row in rows:
        lines.append(_markdown_row([f"**{text}**" if best else text for text, best in row]))
    lines += ["", caption(comparison, "bold")]
    for warning in warnings(comparison):
        lines += ["", warning]
    for e in comparison.experiments:
        lines += [item for note in e.notes for item in ("", f"`{e.name}`: {note}")]
    return "\n".join(map(printable, lines)) + "\n"


def _markdown_row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
