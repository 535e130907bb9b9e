"""What a sweep suggests, in words: the same in the terminal and in the report."""

from collections.abc import Iterator

from lrlab.results.sweep_record import SweepRecord, SweepSummary

PURPOSES = {"steady_lr": "for constant and decaying schedules", "max_lr": "peak of one_cycle"}


def lines(record: SweepRecord) -> Iterator[str]:
    """Yield the lines under the suggestions: how good they are, what was swept, if verified."""
    summary, settings = record.summary, record.summary.settings
    several = settings.seeds > 1
    spread = f", within x{summary.spread:.1f}" if summary.spread and several else ""
    yield f"{summary.verdict}: {summary.meaning}"
    yield (
        f"{record.conditions}; {settings.steps} steps from {settings.min_lr:g} to "
        f"{settings.max_lr:g}, {settings.seeds} seed{'s' if several else ''}{spread}"
    )
    if summary.steady_lr is not None:
        yield _verification(summary)


def _verification(summary: SweepSummary) -> str:
    """Return the line that says whether real runs stand behind the suggestions."""
    if summary.verified is None:
        return "not verified: these are the sweep's alone; `--verify` tries them in short real runs"
    rates = (summary.verified.steady_lr, summary.verified.max_lr)
    count = f"{len(summary.verified.runs)} short real runs"
    if None in rates:
        return f"verified by {count}: where there is no number, none survived"
    return f"verified by {count}"


def rate(lr: float | None) -> str:
    """Return a suggested rate as it is shown."""
    return "-" if lr is None else f"{lr:.3g}"
