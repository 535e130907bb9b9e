"""Looks at growing numbers of seeds in words: what was decided, what is open, how it ended."""

from collections.abc import Sequence
from typing import Any

from lrlab.analysis import judging
from lrlab.analysis.looks import End, Standing
from lrlab.metric import Metric
from lrlab.report.verdict import listed
from lrlab.results.comparison import Comparison

_MOST_NAMED = 6


def named(names: Sequence[str]) -> str:
    """Return names as a sentence lists them, of many the first and how many more."""
    more = len(names) - _MOST_NAMED
    return listed(list(names) if more <= 0 else [*names[:_MOST_NAMED], f"{more} more"])


def after_look(standing: Standing) -> str:
    """Return what the last look has decided, "" before the first."""
    if not standing.looks:
        return ""
    look, left = standing.looks[-1], standing.undecided
    parts = [f"{named(look.stopped)} cannot be the best" if look.stopped else "none is out"]
    if left and look.stopped:
        parts.append(f"{named(left)} {'is' if len(left) == 1 else 'are'} left")
    if standing.ended is not None:
        parts.append("no further look")
    return f"look after {look.seeds} seeds: {'; '.join(parts)}"


def undecided(standing: Standing, most: int) -> str:
    """Return what the next runs are for, "" where there are none."""
    if standing.wanted is None:
        return ""
    count = f"next look after {standing.wanted} seeds, the last one after {most}"
    if not standing.looks:
        return f"nothing is decided yet; {count}"
    return f"undecided: {named(standing.undecided)}; {count}"


def standing_of(comparison: Comparison, metric: Metric) -> Standing | None:
    """Return where the looks stand by a metric, None where it did not decide them."""
    if comparison.looks is None or comparison.looks.metric != metric.key:
        return None
    return judging.standing(comparison, metric.mode)


def to_json(comparison: Comparison, metric: Metric) -> dict[str, Any]:
    """Return what `comparison.json` says of the looks beside the verdict, {} without looks."""
    standing = standing_of(comparison, metric)
    if standing is None or comparison.looks is None:
        return {}
    return {
        "alpha_of_a_look": standing.verdict.alpha / len(comparison.looks.at),
        "looks": [
            {"seeds": look.seeds, "compared": list(look.compared), "stopped": list(look.stopped)}
            for look in standing.looks
        ],
        "ended": standing.ended,
    }


def how_it_ended(comparison: Comparison, standing: Standing, metric: Metric) -> str:
    """Return why no more seeds were added, and how many runs that took."""
    looks = comparison.looks
    if looks is None or standing.ended is None:
        return ""
    seeds, most = standing.looks[-1].seeds, looks.at[-1]
    runs = sum(len(e.seeds) for e in comparison.experiments)
    all_runs = most * len(comparison.experiments)
    count = (
        f"{runs} runs, where {most} seeds for all would be {all_runs}" if runs < all_runs else ""
    )
    return "; ".join(part for part in (_why(standing, looks.within, seeds, metric), count) if part)


def _why(standing: Standing, within: float | None, seeds: int, metric: Metric) -> str:
    match standing.ended:
        case End.ONE_LEFT:
            return f"decided after {seeds} seeds: only {standing.undecided[0]} is left"
        case End.EQUAL:
            least = f"{metric.amount(within or 0.0)}{metric.unit()}"
            return f"decided after {seeds} seeds: those left differ by {least} at most"
        case End.NONE_LEFT:
            return "no run finished, so no seeds were added"
    hint = "" if within is not None else "; `--within POINTS` says which differences do not matter"
    return (
        f"still open after {seeds} seeds, the most allowed: {named(standing.undecided)} are too "
        f"close{hint}"
    )
