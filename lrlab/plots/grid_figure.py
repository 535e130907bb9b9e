"""The figure of a grid: what the runs ended with over the values of one key, a line per schedule.

Where other keys have several values too, each combination of theirs has a line of its own.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lrlab import palette
from lrlab.analysis.epoch_means import possible
from lrlab.config import grid
from lrlab.metric import Metric
from lrlab.plots import canvas, final_panel, legends, scales
from lrlab.plots.epoch_panel import CROSS
from lrlab.results.comparison import Comparison, ExperimentSummary
from lrlab.results.run import Status

_SIZES = ("lr", "scale", "batch_size", "epochs", "epsilon", "weight_decay", "factor")
"""The last word of keys that are rates or sizes: what counts in them are factors."""

_APART = 2.6
"""Points between the dots of lines that share a value."""

_MOST_LABELS = 9

_WIDEST = 1e30
"""Numbers beyond are words to an axis, and so are those that differ by a larger factor."""


@dataclass(frozen=True)
class Line:
    """The experiments that differ only in one key.

    Args:
        name: What the legend calls it.
        index: Its place, which gives its colour.
        at: The experiment at each value of the key, by the value as it is labelled.
    """

    name: str
    index: int
    at: dict[str, ExperimentSummary]


@dataclass(frozen=True)
class Axis:
    """Where the values of a key stand.

    Args:
        places: The place of each value, by its label.
        log: Whether the axis is logarithmic.
        words: Whether the places are only an order.
    """

    places: dict[str, float]
    log: bool = False
    words: bool = False


def lines(comparison: Comparison, key: str) -> list[Line]:
    """Return the lines over one key of a grid, in the order of the experiments."""
    groups: dict[tuple[str, ...], dict[str, ExperimentSummary]] = {}
    for e in comparison.experiments:
        assert e.point is not None
        others = [f"{_last(k)} {grid.label(v)}" for k, v in e.point.at.items() if k != key]
        groups.setdefault((e.point.config, *others), {})[grid.label(e.point.at[key])] = e
    one = len({config for config, *_ in groups}) == 1
    return [
        Line(" · ".join(others if one and others else [config, *others]), index, at)
        for index, ((config, *others), at) in enumerate(groups.items())
    ]


def axis(key: str, values: Sequence[Any]) -> Axis:
    """Return where the values of a key stand: rates and sizes by factors, words one by one.

    Args:
        key: The dotted key.
        values: Its values, as a config states them.

    Example:
        >>> axis("schedule.lr", [0.1, 0.01]).log, axis("optimizer", ["sgd", "adam"]).places
        (True, {'sgd': 0.0, 'adam': 1.0})
    """
    labels = list(dict.fromkeys(map(grid.label, values)))
    numbers = sorted(value for value in values if _is_finite(value))
    if len(numbers) < len(values):
        return _in_order(labels)
    low, high = float(numbers[0]), float(numbers[-1])
    log = _last(key) in _SIZES or _last(key).endswith("_lr")
    if log and (low <= 0 or high > _WIDEST * low):  # A logarithm has no 0; their order stays.
        return _in_order(list(dict.fromkeys(map(grid.label, numbers))))
    return Axis({grid.label(value): float(value) for value in numbers}, log=log)


def _in_order(labels: Sequence[str]) -> Axis:
    return Axis({label: float(place) for place, label in enumerate(labels)}, words=True)


def _is_finite(value: Any) -> bool:
    """Return whether a value is a number that an axis can show; a file may hold any."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and abs(value) < _WIDEST


def draw(
    comparison: Comparison,
    key: str,
    quantity: Metric,
    best: Sequence[str],
    about: str,
    width: float | None = None,
) -> Any:
    """Return the figure.

    Args:
        comparison: A comparison of a grid.
        key: A key that has several values.
        quantity: A final result.
        best: The experiments that may be the best.
        about: What is compared, for the title.
        width: Inches; None is the usual width.
    """
    ringed = " · ringed: may be the best" if best else ""
    several = any(e.final[quantity.key].ci95 is not None for e in comparison.experiments)
    bars = " · bars: 95 % interval of the mean" if several else ""
    broken = any(e.status != Status.DONE for e in comparison.experiments)
    crosses = " · x: runs that did not end well" if broken else ""
    title = f"{comparison.metric.title} over {key} · {about}{bars}{ringed}{crosses}"
    with canvas.settings(width):
        made, ax = canvas.panel(title, width)
        draw_lines(ax, comparison, key, quantity, best)
        legends.legend(made, ax)
    return made


def draw_lines(
    ax: Any, comparison: Comparison, key: str, quantity: Metric, best: Sequence[str] = ()
) -> Any:
    """Draw a line per schedule through the means, seeds as dots; arguments are those of `draw`.

    Dots of lines that share a value stand beside each other. Where a run was not finished there is
    a cross at the bad end. Lines without a colour of their own are thin and grey.
    """
    found = lines(comparison, key)
    values = [e.point.at[key] for e in comparison.experiments if e.point is not None]
    along = axis(key, values)
    rows = final_panel.rows(comparison.experiments, quantity.key, best)
    if (within := final_panel.limits(rows, quantity)) is not None:
        ax.set_ylim(*within)
    ax.set_xscale("log" if along.log else "linear")
    named = [line for line in found if line.index < palette.TOLD_APART]
    for line in named:
        shift = (line.index - (len(named) - 1) / 2) * min(_APART, 24 / len(named))
        _draw_line(ax, line, along, quantity, best, shift)
    others = [_means(line, along, quantity) for line in found[len(named) :]]
    canvas.draw_unnamed(ax, [each for each in others if len(each[0])], len(others))
    _label(ax, along)
    ax.set_xlabel(key)
    ax.set_ylabel(f"{quantity.name.replace('val', 'validation', 1)}, last epoch")
    scales.label_evenly(ax.yaxis)
    return ax


def _draw_line(
    ax: Any, line: Line, along: Axis, quantity: Metric, best: Sequence[str], shift: float
) -> None:
    from matplotlib.transforms import ScaledTranslation

    place = ax.transData + ScaledTranslation(shift / 72, 0, ax.figure.dpi_scale_trans)
    style = canvas.line_style(line.index)
    color = style["color"]
    x, means = _means(line, along, quantity)
    ax.plot(x, means, label=line.name, linewidth=1.4, transform=place, gid="means", **style)
    low, high = ax.get_ylim()
    for label, e in sorted(line.at.items(), key=lambda item: along.places[item[0]]):
        of, at = e.final[quantity.key], along.places[label]
        if e.status != Status.DONE:
            ax.plot([at], [high if quantity.mode == "min" else low], color=color, transform=place,
                    gid="not finished", **CROSS)  # fmt: skip
        if of.mean is None:
            continue
        seeds = np.array([value for value in of.values if value is not None])
        if of.ci95 is not None:
            ends = np.clip([of.mean - of.ci95, of.mean + of.ci95], *possible(quantity, seeds))
            ax.plot([at, at], ends, color=color, alpha=0.28, linewidth=5, transform=place,
                    solid_capstyle="butt", gid="interval")  # fmt: skip
        ax.plot(np.full(len(seeds), at), seeds, "o", color=color, markersize=3.2, transform=place,
                markeredgecolor="white", markeredgewidth=0.4, zorder=4, gid="seeds")  # fmt: skip
        if e.name in best:
            ax.plot([at], [of.mean], "o", markersize=9, markerfacecolor="none", zorder=5,
                    markeredgecolor=color, markeredgewidth=1.5, transform=place,
                    gid="best")  # fmt: skip


def _means(line: Line, along: Axis, quantity: Metric) -> tuple[Any, Any]:
    """Return the places and the means of a line where there is one, from left to right."""
    at = {along.places[label]: e.final[quantity.key].mean for label, e in line.at.items()}
    known = sorted((place, mean) for place, mean in at.items() if mean is not None)
    return np.array([place for place, _ in known]), np.array([mean for _, mean in known])


def _label(ax: Any, along: Axis) -> None:
    """Label the values themselves where there are few of them, and leave room beside the outer."""
    from matplotlib.ticker import NullLocator

    places = np.array(list(along.places.values()))
    low, high = places.min(), places.max()
    if along.log:
        room = max((high / low) ** 0.06, 1.1)
        ax.set_xlim(low / room, high * room)
    else:
        room = 0.5 if along.words else 0.06 * (high - low) or 1.0
        ax.set_xlim(low - room, high + room)
    if along.words or len(places) <= _MOST_LABELS:
        labels = ["\n".join(canvas.folded(label)) for label in along.places]
        every = _fitting(ax, labels)
        ax.xaxis.set_minor_locator(NullLocator())
        ax.set_xticks(places[::every], labels[::every])
    elif along.log:
        scales.label_plainly(ax.xaxis)
    else:
        scales.label_evenly(ax.xaxis)


def _fitting(ax: Any, labels: Sequence[str]) -> int:
    """Return how many places there are from one label to the next, so that none touch."""
    made = ax.figure
    # The legend takes its room later, of a wide figure from the panel.
    share = 1.0 if canvas.is_narrow(made) else 0.75
    wide: float = share * ax.get_position().width * made.get_figwidth()
    lines = [line for label in labels for line in label.split("\n")]
    needed = 1.15 * max(canvas.text_width(made, line) for line in lines)
    return max(1, math.ceil(needed * len(labels) / wide))


def _last(key: str) -> str:
    return key.rpartition(".")[2]
