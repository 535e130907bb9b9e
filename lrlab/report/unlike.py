"""In what experiments differ beside the schedule: settings, budgets, rates; in words."""

from collections.abc import Callable, Sequence
from typing import Any

from lrlab.results.comparison import Comparison, ExperimentSummary

_MOST_NAMED = 4
"""Experiments that are named for one value; of more only how many they are."""


def settings(comparison: Comparison) -> str:
    """Return the line that says which settings differ, "" where none does."""
    parts = [_by_value(comparison, key, _setting(key)) for key in comparison.differences]
    if comparison.differences and _steps(comparison)[0] != _steps(comparison)[1]:
        parts.append(_by_value(comparison, "steps", _run_steps))
    return f"not like for like: {'; '.join(parts)}" if parts else ""


def peaks(comparison: Comparison) -> str:
    """Return the line that says which peak rates were compared, "" where all have the same."""
    peaks = {e.peak_lr for e in comparison.experiments}
    if None in peaks or len(peaks) < 2:
        return ""
    rates = _by_value(comparison, "peak learning rates", lambda e: e.peak_lr or 0.0)
    return f"{rates}; each is compared at its own rate, not at its best one"


def budgets(comparison: Comparison) -> str:
    """Return the beginning of a verdict on experiments that were not trained for as long."""
    (few, most), steps = _epochs(comparison), _steps(comparison)
    if few != most:
        return f"with different budgets ({few} to {most} epochs): "
    if steps[0] != steps[1]:
        return f"with different budgets ({steps[0]:,} to {steps[1]:,} steps): "
    return ""


def _epochs(comparison: Comparison) -> tuple[int, int]:
    epochs = [int(e.config["epochs"]) for e in comparison.experiments]
    return min(epochs), max(epochs)


def _steps(comparison: Comparison) -> tuple[int, int]:
    steps = [_run_steps(e) for e in comparison.experiments]
    return min(steps), max(steps)


def _run_steps(e: ExperimentSummary) -> int:
    return int(e.config["epochs"]) * e.steps_per_epoch


def _setting(key: str) -> Callable[[ExperimentSummary], Any]:
    if key == "data":
        return lambda e: e.data
    return lambda e: e.config[key]


def _by_value(comparison: Comparison, what: str, of: Callable[[ExperimentSummary], Any]) -> str:
    """Return the values of a setting, each with its experiments."""
    groups: dict[str, list[str]] = {}
    for e in comparison.experiments:
        groups.setdefault(_text(of(e)), []).append(e.name)
    return f"{what} " + ", ".join(f"{value} ({_named(names)})" for value, names in groups.items())


def _named(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= _MOST_NAMED else f"{len(names)} experiments"


def _text(value: Any) -> str:
    if isinstance(value, dict):
        more = [f"{k} {_text(v)}" for k, v in value.items() if k != "type"]
        return " ".join([str(value.get("type", "")), *more]).strip()
    if isinstance(value, float):
        return f"{value:g}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
