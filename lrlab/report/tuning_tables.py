"""A tuning in words and tables: for the console, as Markdown, as CSV with a row for every run."""

import csv
import io
from collections.abc import Iterator, Sequence
from statistics import stdev
from typing import Any

from lrlab.analysis import tuning_summary
from lrlab.io import records
from lrlab.io.printable import no_formula, printable
from lrlab.metric import Metric
from lrlab.report import verdict
from lrlab.report.markdown import literal, row
from lrlab.results import tuning_record
from lrlab.results.run import in_words, quantities
from lrlab.results.tuning_record import BestRate, Horizon, RunsAtRate, TunedSchedule, Tuning

TEXTS = ("experiment", "verdict", "interval")
"""Titles of the columns that hold words."""

LEAST_NEEDED = ("sensitivity", "runs", "seen", "regret", "find-lr", "interval", "width", "verdict")
"""What is left out where a table has to be narrow, in order."""

Cells = list[tuple[str, bool]]


def decides(tuning: Tuning) -> Metric:
    """Return the final result that decides."""
    return quantities(tuning.metric)[tuning.decides]


def verdicts(tuning: Tuning) -> tuple[dict[str, Any] | None, ...]:
    """Return what `tuning.json` says of the best schedule of each horizon."""
    metric = decides(tuning)
    found = [tuning_summary.judge(horizon, metric.mode) for horizon in tuning.horizons]
    return tuple(None if of is None else verdict.to_json(of, metric) for of in found)


def to_json(tuning: Tuning) -> str:
    """Return what `tuning.json` says, without its checksums."""
    return records.text(tuning_record.stated(tuning, verdicts(tuning)))


def first_line(horizon: Horizon, metric: Metric) -> str:
    """Return what the fresh seeds say of the schedules, each at its own best rate."""
    found = tuning_summary.judge(horizon, metric.mode)
    if found is not None:
        budgets = sorted({int(tuned.config["epochs"]) for tuned in horizon.schedules})
        unlike = len(budgets) > 1 and found.decided
        different = f"with {budgets[0]} to {budgets[-1]} epochs: " if unlike else ""
        return f"each at its best rate: {different}{verdict.headline(found, metric)}"
    (tuned,) = horizon.schedules
    if tuned.best is None:
        return f"{tuned.name}: {tuned.trouble}"
    best = tuned.best
    score = _score(best.fresh, metric)
    like = "" if best.interval is None else f" ({_interval(best)} cannot be told from it)"
    return f"{tuned.name} is best at {rate(best.lr)}{like}: {metric.name} {score}"


def table(horizon: Horizon, metric: Metric) -> tuple[list[str], list[Cells]]:
    """Return the table of a horizon: the titles, and rows of cells as (text, whether best)."""
    found = tuning_summary.judge(horizon, metric.mode)
    judged = found is not None and found.decided
    titles = ["experiment", "best rate", "interval", "width", metric.name, "seen", "find-lr"]
    titles += ["regret", "sensitivity", "runs", *["verdict"] * judged]
    leader = found.best_set[0] if judged and found else None
    rows = []
    for tuned in horizon.schedules:
        cells = _cells(tuned, metric)
        if judged and found:
            cells.append(verdict.in_row(found, tuned.name, metric))
        marked = titles.index(metric.name) if tuned.name == leader else -1
        rows.append([(text, number == marked) for number, text in enumerate(cells)])
    return titles, rows


def _cells(tuned: TunedSchedule, metric: Metric) -> list[str]:
    """Return the cells of a schedule up to the runs that it took."""
    best = tuned.best
    suggested = "-" if tuned.suggested_lr is None else rate(tuned.suggested_lr)
    if best is None:
        return [tuned.name, *["-"] * 5, suggested, "-", "-", str(tuned.used)]
    return [
        tuned.name,
        rate(best.lr),
        _interval(best) if best.interval else "-",
        width(best),
        _score(best.fresh, metric),
        metric.value(best.seen),
        suggested,
        _regret(tuned, metric),
        "-" if tuned.sensitivity is None else f"{tuned.sensitivity:.2g}",
        str(tuned.used),
    ]


def budget_table(tuning: Tuning) -> tuple[list[str], list[Cells]]:
    """Return the table of several horizons: a row for each schedule, a column for each budget.

    Marked is what may be the best of a column.
    """
    metric = decides(tuning)
    titles = ["experiment", *(f"{horizon.epochs} epochs" for horizon in tuning.horizons)]
    rows: list[Cells] = [[(tuned.name, False)] for tuned in tuning.horizons[0].schedules]
    for horizon in tuning.horizons:
        found = tuning_summary.judge(horizon, metric.mode)
        best = found.best_set if found and found.decided else ()
        for cells, tuned in zip(rows, horizon.schedules, strict=True):
            text = "-"
            if tuned.best is not None and tuned.best.fresh.mean is not None:
                text = f"{metric.value(tuned.best.fresh.mean)} at {rate(tuned.best.lr)}"
            cells.append((text, tuned.name in best))
    return titles, rows


def caption(tuning: Tuning) -> str:
    """Return the line under a table: what was trained, with how many runs."""
    schedules = [tuned for horizon in tuning.horizons for tuned in horizon.schedules]
    fresh = max((len(tuned.fresh_values) for tuned in schedules), default=0)
    used = sum(tuned.used for tuned in schedules)
    runs = f"at most {tuning.budget} runs per schedule, {used} in all"
    return f"{tuning.data}, {', '.join(tuning.models)}, {fresh} fresh seeds; {runs}"


def remarks(tuning: Tuning) -> list[str]:
    """Return the lines that say what the columns mean."""
    metric = decides(tuning)
    if len(tuning.horizons) > 1:
        return [f"{metric.name} with fresh seeds, and the best rate; marked: may be the best"]
    amount = 100 * tuning.tolerance
    within = f"{amount:g} %" if tuning.relative else f"{amount:g} points"
    return [
        "best rate: the peak of the curve; interval: the rates tried that cannot be told from it; "
        f"width: the rates within {within} of it",
        f"{metric.name}: with seeds that took no part in choosing; seen: what the search saw, "
        "which is too good",
        "regret: how much worse the rate of find-lr is"
        + (", in points; " if metric.points else "; ")
        + "sensitivity: how far the loss is above its lowest, on average over rates",
    ]


def troubles(horizon: Horizon) -> list[str]:
    """Return what is wrong: no best rate, one at the edge of those tried, a fresh run lost."""
    lines = [f"{tuned.name}: {tuned.trouble}" for tuned in horizon.schedules if tuned.trouble]
    for tuned in horizon.schedules:
        if tuned.best is not None and tuned.best.lr in (tuned.tried[0].lr, tuned.tried[-1].lr):
            end = "lowest" if tuned.best.lr == tuned.tried[0].lr else "highest"
            lines.append(
                f"{tuned.name}: its best rate is the {end} that was tried, so a better one may lie "
                "beyond; a larger `--budget` looks further"
            )
        if tuned.best is not None and not tuned.best.fresh.survived:
            ended = in_words(tuned.best.fresh.statuses)
            lines.append(f"{tuned.name}: with fresh seeds at its best rate: {ended}")
    return lines


def to_markdown(tuning: Tuning) -> str:
    """Return `tuning.md`: the tables, ready to paste into a README."""
    metric, several = decides(tuning), len(tuning.horizons) > 1
    lines: list[str] = []
    if several:
        lines += [*_markdown(*budget_table(tuning)), ""]
    for horizon in tuning.horizons:
        lines += [f"\n## {horizon.epochs} epochs"] if several else []
        lines += ["", literal(first_line(horizon, metric)), ""]
        lines += _markdown(*table(horizon, metric))
        lines += [item for text in troubles(horizon) for item in ("", literal(text))]
    lines += ["", literal(caption(tuning))]
    lines += [item for text in remarks(tuning) for item in ("", literal(text))]
    return "\n".join(map(printable, lines)).lstrip("\n") + "\n"


def _markdown(titles: Sequence[str], rows: Sequence[Cells]) -> Iterator[str]:
    yield row(titles)
    yield row(["---" if title in TEXTS else "---:" for title in titles])
    for cells in rows:
        yield row([f"**{literal(text)}**" if best else literal(text) for text, best in cells])


def to_csv(tuning: Tuning) -> str:
    """Return `tuning.csv`: a row for every run, every number in full.

    `fresh` says whether its seed took no part in choosing, `chosen` whether its rate was chosen.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    head = ["experiment", "schedule", "epochs", "lr", "scale", "seed", "fresh", "chosen", "status"]
    writer.writerow([*head, tuning.decides, "val_loss", "run"])
    for horizon in tuning.horizons:
        for tuned in horizon.schedules:
            names = [no_formula(printable(each)) for each in (tuned.name, tuned.schedule)]
            for number, at in enumerate(tuned.runs):
                chosen = tuned.best is not None and at.lr == tuned.best.lr
                for seed, status, value, loss, folder in zip(
                    at.seeds, at.statuses, at.values, at.losses, at.runs, strict=True
                ):
                    writer.writerow(
                        [*names, tuned.config["epochs"], at.lr, at.scale, seed,
                         number >= len(tuned.tried), chosen, status, value, loss, folder]
                    )  # fmt: skip
    return text.getvalue()


def rate(lr: float) -> str:
    """Return a rate as tables show it."""
    return f"{lr:.3g}"


def width(best: BestRate) -> str:
    """Return the width as a factor, as in "x12"; ">x12" where no end is known."""
    return f"{'>' if any(best.open) else ''}x{best.factor:.2g}"


def scored(best: BestRate, metric: Metric) -> str:
    """Return the score with fresh seeds, as in "val accuracy 0.8712 ± 0.0021, 3 fresh seeds"."""
    count = len(best.fresh.seeds)
    seeds = f"{count} fresh seed{'s' if count > 1 else ''}"
    return f"{metric.name} {_score(best.fresh, metric)}, {seeds}"


def _interval(best: BestRate) -> str:
    assert best.interval is not None
    low, high = map(rate, best.interval)
    return low if low == high else f"{low} to {high}"


def _score(at: RunsAtRate, metric: Metric) -> str:
    there = [value for value in at.values if value is not None]
    if at.mean is None:
        return "-"
    spread = f" ± {metric.value(stdev(there))}" if len(there) > 1 else ""
    return f"{metric.value(at.mean)}{spread}"


def _regret(tuned: TunedSchedule, metric: Metric) -> str:
    if tuned.suggested_lr is None:
        return "-"
    if tuned.regret is None:
        return "broke down"
    if not metric.points:
        return f"{tuned.regret:.2g}"
    return f"{100 * tuned.regret:.1f}".replace("-0.0", "0.0")
