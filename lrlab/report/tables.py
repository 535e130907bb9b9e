"""The comparison as a table: for the console, as Markdown to paste, as CSV to compute with."""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lrlab.config import grid
from lrlab.io.printable import no_formula, printable
from lrlab.metric import Metric
from lrlab.report import run_notes, unlike, verdict
from lrlab.report.markdown import literal, row
from lrlab.report.remarks import remarks
from lrlab.results.asked import Summary
from lrlab.results.comparison import Comparison, ExperimentSummary
from lrlab.results.run import Status, quantities


@dataclass(frozen=True)
class Column:
    """A column of the table: its title, and how it is read from a summary.

    `of` gives None where there is no such quantity. `best` picks the best of the means; None where
    less or more is not better: seconds depend on what runs beside, not only on the schedule.
    """

    title: str
    of: Callable[[ExperimentSummary], Summary | None]
    text: Callable[[float], str]
    best: Callable[[Sequence[float]], float] | None


def _one_digit(value: float) -> str:
    return f"{value:.1f}"


def _whole(value: float) -> str:
    return f"{value:,.0f}"


def columns(metric: Metric) -> tuple[Column, ...]:
    """Return the columns of numbers, where scores are values of a metric."""
    val, loss, test = quantities(metric).values()
    better = max if metric.mode == "max" else min
    return (
        Column(val.name, lambda e: e.final[val.key], val.value, better),
        Column(f"best {val.name}", lambda e: e.best[val.key], val.value, better),
        Column(loss.name, lambda e: e.final[loss.key], loss.value, min),
        Column(test.name, lambda e: e.final[test.key], test.value, better),
        Column("seconds", lambda e: e.train_seconds, _one_digit, None),
        Column(
            "epochs to target", lambda e: e.reached.epochs if e.reached else None, _one_digit, min
        ),
        Column("steps to target", lambda e: e.reached.steps if e.reached else None, _whole, None),
        Column(
            "seconds to target",
            lambda e: e.reached.seconds if e.reached else None,
            _one_digit,
            None,
        ),
    )


TEXTS = ("experiment", "schedule", "reached", "verdict", "status")
"""Titles of the columns that hold words, not numbers."""


def least_needed(metric: Metric) -> tuple[str, ...]:
    """Return what is left out where the table has to be narrow, in order; names stay whole."""
    val, loss, test = quantities(metric).values()
    return (
        "seconds to target",
        "steps to target",
        "seconds",
        f"best {val.name}",
        loss.name,
        "schedule",
        test.name,
        "epochs to target",
        "verdict",
    )


def warnings(comparison: Comparison) -> list[str]:
    """Return one line per difference besides the schedule: settings, environments."""
    lines = [line] if (line := unlike.settings(comparison)) else []
    if comparison.environments:
        lines.append(f"made in different environments: {'; '.join(comparison.environments)}")
    return lines


def caption(comparison: Comparison, mark: str) -> str:
    """Return the line under a table: the data, the seeds behind each value, what `mark` means."""
    seeds = comparison.seed_count
    over = seeds if seeds == "1 seed" else f"mean ± standard deviation over {seeds}"
    best = f"; {mark}: the best mean of a column" if len(comparison.experiments) > 1 else ""
    return f"{comparison.data}, {over}{best}"


def table(
    comparison: Comparison, metric: Metric | None = None
) -> tuple[list[str], list[list[tuple[str, bool]]]]:
    """Return the table: the titles, and rows of cells as (text, whether it is the best).

    Cells that read the same share the mark. The schedule has no column where it would only repeat
    every name, and the verdict none where there is nothing to say.
    """
    decides = metric or verdict.usual(comparison)
    shown_columns = [
        column
        for column in columns(comparison.metric)
        if any((of := column.of(e)) and of.mean is not None for e in comparison.experiments)
    ]
    best = {column.title: _best(column, comparison) for column in shown_columns}
    schedules = [_schedule_cell(e) for e in comparison.experiments]
    named_after = schedules == [e.name for e in comparison.experiments]
    found = verdict.of(comparison, decides)
    others = comparison.other_examples
    others = others if others and others.metric == decides.key else None
    words = {e.name: verdict.in_row(found, e.name, decides, others) if found and found.decided
             else "" for e in comparison.experiments}  # fmt: skip
    judged = any(words.values())
    unequal = len({len(e.seeds) for e in comparison.experiments}) > 1
    rows = []
    for e, schedule in zip(comparison.experiments, schedules, strict=True):
        cells = [(e.name, False)] + [(schedule, False)] * (not named_after)
        for column in shown_columns:
            summary = column.of(e)
            marked = summary and summary.mean is not None and e.status == Status.DONE
            shown = _cell(summary, column)
            cells.append((shown, bool(marked) and shown.split(" ")[0] == best[column.title]))
        cells += [(f"{e.reached.count} of {e.reached.of}", False)] if e.reached else []
        cells += [(f"{len(e.seeds)}", False)] * unequal
        cells += [(words[e.name], False)] * judged
        rows.append([*cells, (e.ended, False)])
    titles = ["experiment", *["schedule"] * (not named_after)]
    titles += [column.title for column in shown_columns]
    titles += ["reached"] * (comparison.target is not None) + ["seeds"] * unequal
    return [*titles, *["verdict"] * judged, "status"], rows


def without(
    title: str, titles: Sequence[str], rows: Sequence[Sequence[tuple[str, bool]]]
) -> tuple[list[str], list[list[tuple[str, bool]]]]:
    """Return a table without the column of a title, if it has it."""
    kept = [number for number, other in enumerate(titles) if other != title]
    return [titles[number] for number in kept], [[row[number] for number in kept] for row in rows]


def _schedule_cell(e: ExperimentSummary) -> str:
    return ", ".join([e.schedule, *(f"{key} {lr:g}" for key, lr in e.chosen.items())])


def _best(column: Column, comparison: Comparison) -> str | None:
    if column.best is None:
        return None
    good = [e for e in comparison.experiments if e.status == Status.DONE]
    means = [m for e in good if (of := column.of(e)) and (m := of.mean) is not None]
    return column.text(column.best(means)) if len(means) > 1 else None


def _cell(summary: Summary | None, column: Column) -> str:
    if summary is None or summary.mean is None:
        return "-"
    if summary.std is None:
        return column.text(summary.mean)
    return f"{column.text(summary.mean)} ± {column.text(summary.std)}"


def to_csv(comparison: Comparison, metric: Metric | None = None) -> str:
    """Return `comparison.csv`: one row per experiment, every number in full.

    Of a grid it has the config of each and a column per key that has several values.

    The last columns say whether it may be the best, and the interval of how far it is behind; they
    are empty without a verdict.
    """
    metric = metric or verdict.usual(comparison)
    found = verdict.of(comparison, metric)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    parts = ("mean", "std", "ci95")
    header = [f"{name}_{part}" for name in _quantities(comparison.experiments[0]) for part in parts]
    judged = [f"{metric.key}_{part}" for part in ("may_be_best", "behind_low", "behind_high")]
    reached = ["runs_that_reached_target"] * (comparison.target is not None)
    keys = ["config", *comparison.gridded] if comparison.gridded else []
    writer.writerow(
        ["experiment", "schedule", *keys, "data", "seeds", "status", *header, *judged, *reached]
    )
    for e in comparison.experiments:
        values = [getattr(of, part) for of in _quantities(e).values() for part in parts]
        point = [e.point.config, *map(grid.label, e.point.at.values())] if e.point else []
        texts = [no_formula(printable(text)) for text in (e.name, e.schedule, *point, e.data)]
        behind: tuple[object, ...] = (None, None, None)
        if found and found.decided and e.name in found.behind:
            behind = (e.name in found.best_set, *found.behind[e.name])
        count = [e.reached.count] if e.reached else []
        writer.writerow([*texts, len(e.seeds), e.status, *values, *behind, *count])
    return text.getvalue()


def _quantities(e: ExperimentSummary) -> dict[str, Summary]:
    return {
        **{f"final_{key}": summary for key, summary in e.final.items()},
        **{f"best_{key}": summary for key, summary in e.best.items()},
        "train_seconds": e.train_seconds,
        **_to_target(e),
    }


def _to_target(e: ExperimentSummary) -> dict[str, Summary]:
    if e.reached is None:
        return {}
    return {
        f"{unit}_to_target": getattr(e.reached, unit) for unit in ("epochs", "steps", "seconds")
    }


def to_markdown(comparison: Comparison, metric: Metric | None = None) -> str:
    """Return `comparison.md`: the table, ready to paste into a README."""
    metric = metric or verdict.usual(comparison)
    titles, rows = table(comparison, metric)
    first = verdict.first_line(comparison, metric)
    lines = [
        *([literal(first), ""] if first else []),
        row(titles),
        row(["---" if title in TEXTS else "---:" for title in titles]),
    ]
    for cells_of_row in rows:
        cells = [(literal(text), best) for text, best in cells_of_row]
        lines.append(row([f"**{text}**" if best else text for text, best in cells]))
    lines += ["", literal(caption(comparison, "bold"))]
    for remark in remarks(comparison, metric):
        lines += ["", literal(remark)]
    for warning in warnings(comparison):
        lines += ["", literal(warning)]
    for e in comparison.experiments:
        notes = run_notes.joined(e.notes)
        lines += [item for note in notes for item in ("", f"`{e.name}`: {literal(note)}")]
    return "\n".join(map(printable, lines)) + "\n"
