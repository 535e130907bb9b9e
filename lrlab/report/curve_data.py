"""What the scripts of the report draw: curves, results and sweeps as plain numbers.

The page stays small whatever the results: what is too much is thinned, and that is said.
"""

import json
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lrlab import palette
from lrlab.analysis import thinning
from lrlab.analysis.drawn_runs import Curves, Line, shown_limits
from lrlab.analysis.epoch_means import epoch_mean, possible
from lrlab.analysis.sweep_reading import reading
from lrlab.io.printable import printable
from lrlab.metric import LOSS, Metric
from lrlab.report import rate_code
from lrlab.results.asked import Summary
from lrlab.results.comparison import Comparison
from lrlab.results.run import quantities
from lrlab.results.sweep_record import SweepRecord

MOST_EPOCHS = 2_000
"""Epochs of a run that are drawn; of a longer one as many, evenly spread."""

MOST_VALUES = 60_000
"""Values of single seeds; beyond that only the first seeds of each experiment are drawn."""

_LEAST_CODE = 30_000
"""Letters that the learning rates of every step may always take."""

_GREY_POINTS = 4_000
_GREY_DIGITS = 4
_COLUMNS = 400
_FEWEST_COLUMNS = 40
_SWEEP_COLUMNS = 300
_DIGITS = 6

Floats = npt.NDArray[np.float64]


def of_comparison(
    comparison: Comparison, curves: Sequence[Curves], best: Sequence[str], most: int
) -> dict[str, Any]:
    """Return what is drawn of a comparison.

    Args:
        comparison: The comparison.
        curves: Its runs.
        best: Who may be the best.
        most: Letters that all may take together. The learning rates of every step give way to
            that; where they do, the extremes of columns are left of the largest.
    """
    named, others = curves[: palette.TOLD_APART], curves[palette.TOLD_APART :]
    measured = (LOSS, comparison.metric)
    keys = [key for q in measured for key in (q, q.on("val"))]
    seeds = _seeds_drawn(named, len(keys))
    experiments = [_experiment(of, keys, seeds, of.name in best) for of in named]
    drawn = {
        "quantities": [_quantity(curves, q, comparison.metric) for q in measured],
        "experiments": experiments,
        "others": _others(others, [q.on("val") for q in measured]) if others else None,
        "logRate": _spans_decades(curves),
        "seedsDrawn": seeds if any(len(of.runs) > seeds for of in named) else None,
        "final": _final(comparison),
    }
    room = max(_LEAST_CODE, most - len(json.dumps(drawn)))
    for made, rates in zip(experiments, _rates_within(named, room), strict=True):
        made["rates"] = rates
    return drawn


def _rates_within(curves: Sequence[Curves], room: int) -> Iterator[list[dict[str, Any]]]:
    """Yield the learning rates of each experiment, whole as far as there is room."""
    whole = [
        rate_code.encode(line.values) if line.width == 1 else ""
        for of in curves
        for line in of.rates
    ]
    columns = max(_FEWEST_COLUMNS, min(_COLUMNS, room // (30 * max(1, len(whole)))))
    thin = [_seen(line, columns) for of in curves for line in of.rates]
    sizes = [len(json.dumps(each)) for each in thin]
    room -= sum(sizes)
    for at in sorted(range(len(whole)), key=lambda at: len(whole[at])):
        more = len(whole[at]) - sizes[at]
        if whole[at] and more <= room:
            room -= more
            thin[at] = {"steps": thin[at]["steps"], "code": whole[at]}
    left = iter(thin)
    for of in curves:
        yield [next(left) for _ in of.rates]


def _seen(line: Line, columns: int) -> dict[str, Any]:
    """Return the points of learning rates that can be seen."""
    seen = line.thinned(columns)
    return {"steps": line.steps, "at": seen.at.tolist(), "values": numbers(seen.values)}


def _seeds_drawn(curves: Sequence[Curves], quantities: int) -> int:
    """Return how many seeds of each experiment are drawn one by one."""
    per_seed = sum(min(_longest(of), MOST_EPOCHS) for of in curves) * quantities
    return max(1, MOST_VALUES // max(1, per_seed))


def _longest(of: Curves) -> int:
    return max((len(run.result.epochs) for run in of.runs), default=0)


def _experiment(of: Curves, keys: Sequence[Metric], seeds: int, best: bool) -> dict[str, Any]:
    color, dash = palette.style(of.index)
    at = _epochs_drawn(_longest(of))
    return {
        "name": of.name,
        "ended": of.label.partition("\n")[2],
        "color": color,
        "dash": dash,
        "best": best,
        "stepsPerEpoch": of.steps_per_epoch,
        "epochs": (at + 1).tolist(),
        "allEpochs": _longest(of) <= MOST_EPOCHS,
        "series": {quantity.key: _series(of, quantity, at, seeds) for quantity in keys},
        "broken": [
            {
                "end": _short(run.end),
                "lr": None if run.last_lr is None else _short(run.last_lr),
                "status": str(run.status),
            }
            for run in of.broken[:MOST_EPOCHS]
        ],
    }


def _epochs_drawn(length: int) -> npt.NDArray[np.int64]:
    """Return which epochs are drawn, from 0."""
    count = min(length, MOST_EPOCHS)
    return np.unique(np.linspace(0, max(0, length - 1), count).round().astype(np.int64))


def _series(of: Curves, quantity: Metric, at: npt.NDArray[np.int64], seeds: int) -> dict[str, Any]:
    """Return mean and spread of the finished runs, and single ones, finished and broken."""
    runs = of.over_epochs(quantity)
    broken = [run.values(quantity) for run in of.broken[:seeds]]
    found: dict[str, Any] = {
        "runs": [numbers(values[at[at < len(values)]]) for values in runs[:seeds]],
        "broken": [numbers(values[at[at < len(values)]]) for values in broken],
    }
    if runs:
        mean = epoch_mean(runs, quantity)
        there = at[at < len(mean.mean)]
        low, high = possible(quantity, mean.mean)
        found |= {
            "mean": numbers(mean.mean[there]),
            "std": numbers(mean.std[there]),
            "count": len(runs),
            "least": _short(low),
            "greatest": _short(high),
        }
    return found


def _others(curves: Sequence[Curves], keys: Sequence[Metric]) -> dict[str, Any]:
    """Return the experiments without a style of their own, a line for each; no training results."""
    columns = max(8, _GREY_POINTS // (2 * len(curves)))
    rates = [
        {
            "at": seen.at.tolist(),
            "y": numbers(seen.values, _GREY_DIGITS),
            "unit": of.steps_per_epoch,
        }
        for of in curves
        for seen in [line.thinned(columns) for line in of.rates[:1]]
    ]
    series = {quantity.key: _other_means(curves, quantity) for quantity in keys}
    return {"count": len(curves), "rates": rates, "series": series}


def _other_means(curves: Sequence[Curves], quantity: Metric) -> list[dict[str, Any]]:
    """Return the mean of a quantity of each; `by` says after which epochs."""
    found = []
    for of in curves:
        if runs := of.over_epochs(quantity):
            mean = epoch_mean(runs, quantity).mean
            by = max(1, len(mean) // max(12, _GREY_POINTS // len(curves)))
            values = numbers(mean[::by], _GREY_DIGITS)
            found.append({"by": by, "y": values, "unit": of.steps_per_epoch})
    return found


def _quantity(curves: Sequence[Curves], quantity: Metric, judged: Metric) -> dict[str, Any]:
    validated = quantity.on("val")
    limits = shown_limits(curves, quantity, validated)
    return {
        "key": quantity.key,
        "train": quantity.key,
        "val": validated.key,
        "title": quantity.title,
        "name": quantity.name,
        "mode": quantity.mode,
        "judged": quantity == judged,
        "range": None if limits is None else numbers(np.array(limits)),
    }


def _spans_decades(curves: Sequence[Curves]) -> bool:
    """Return whether the learning rates are drawn over a logarithmic axis, as in the figures."""
    extremes = [line.extremes for of in curves for line in of.rates if len(line.extremes)]
    if not extremes:
        return False
    known = np.concatenate(extremes)
    return bool(known.max() > 20 * known.min())


def _final(comparison: Comparison) -> list[dict[str, Any]]:
    """Return the last results of each experiment by quantity, as far as there are any."""
    found = []
    shown = comparison.experiments[: palette.TOLD_APART]
    for key, quantity in quantities(comparison.metric).items():
        rows = [_summary(e.final[key]) for e in shown]
        if any(row["mean"] is not None for row in rows):
            found.append({"key": key, "name": quantity.name, "mode": quantity.mode, "rows": rows})
    return found


def _summary(of: Summary) -> dict[str, Any]:
    return {
        "mean": None if of.mean is None else _short(of.mean),
        "std": None if of.std is None else _short(of.std),
        "ci95": None if of.ci95 is None else _short(of.ci95),
        "values": [_short(value) for value in of.values if value is not None][:MOST_EPOCHS],
    }


def of_sweep(record: SweepRecord) -> dict[str, Any]:
    """Return what is drawn of a sweep: losses, the curve that the advice reads, the advice."""
    summary, read = record.summary, reading(record)
    last = len(record.lr) - 1 if read is None else read.last
    width = max(1, (last + 1) // _SWEEP_COLUMNS)
    losses = []
    for values in record.losses[:10]:
        whole = values[: last + 1]
        there = np.flatnonzero(np.isfinite(whole))
        if len(there):
            kept = there[thinning.visible(whole[there], width)]
            losses.append({"x": numbers(record.lr[kept]), "y": numbers(whole[kept])})
    drawn = slice(0, last + 1, width)
    lines = {
        "steady_lr": summary.steady_lr,
        "max_lr": summary.max_lr,
        "steady_lr, verified": summary.verified and summary.verified.steady_lr,
        "max_lr, verified": summary.verified and summary.verified.max_lr,
    }
    return {
        "losses": losses,
        "curve": None
        if read is None
        else {"x": numbers(record.lr[drawn]), "y": numbers(read.curve[drawn])},
        "usable": [summary.lowest_useful_lr, summary.highest_stable_lr],
        "lines": {name: value for name, value in lines.items() if value is not None},
        "loss": printable(summary.settings.loss or "cross-entropy, nats"),
    }


def numbers(values: npt.NDArray[Any], digits: int = _DIGITS) -> list[float | None]:
    """Return values with a few digits, None where one is not finite."""
    return [_short(value, digits) for value in values.tolist()]


def _short(value: float, digits: int = _DIGITS) -> float | None:
    return float(f"{value:.{digits}g}") if math.isfinite(value) else None
