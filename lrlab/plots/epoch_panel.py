"""A panel of a quantity after each epoch: a line per experiment, its band, where runs broke off."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lrlab import palette
from lrlab.analysis.drawn_runs import Curves, shown_limits
from lrlab.analysis.epoch_means import EpochMean, epoch_mean
from lrlab.metric import Metric
from lrlab.plots import canvas, scales

_MARKED_EPOCHS = 15
"""So many epochs at most have a dot each."""


def draw_epochs(
    ax: Any,
    curves: Sequence[Curves],
    quantity: Metric,
    within: tuple[float, float] | None = None,
) -> Any:
    """Draw a quantity's mean over the finished runs after each epoch, with its band.

    A run that did not end well is a thin line of its own, with a cross where it ends.

    Args:
        ax: The Axes.
        curves: The experiments.
        quantity: The loss or the metric, in training or on the validation set.
        within: The range of the y axis; default what the finished runs of `quantity` need.
    """
    bands, unnamed, means, count = [], [], [], 0
    nothing = True
    for experiment in curves:
        style = _style(experiment)
        named = experiment.index < palette.TOLD_APART
        values = experiment.over_epochs(quantity)
        broken = [run.values(quantity) for run in experiment.broken]
        lines = [(np.arange(1, len(value) + 1), value) for value in broken if len(value)]
        count += not named and bool(values or lines)
        nothing = nothing and not any(np.isfinite(v).any() for v in [*values, *broken])
        if values:
            of = epoch_mean(values, quantity)
            means.append(of.mean[np.isfinite(of.mean)])
            if named:
                ax.plot(of.epoch, of.mean, label=experiment.name, **style)
                bands.append((_outline(of), style["color"]))
            else:
                unnamed.append((of.epoch, of.mean))
        if not named:
            unnamed += lines
            continue
        for line in lines:
            ax.plot(*line, label="_broken", **{**style, "linewidth": 0.8, "markersize": 1.5})
    canvas.draw_bands(ax, bands)
    canvas.draw_unnamed(ax, unnamed, count)
    _label_epochs(ax)
    scales.label_evenly(ax.yaxis)
    if nothing:
        ended = any(run.end for experiment in curves for run in experiment.broken)
        canvas.say_nothing(ax, "no epoch with a finite value", "y" if ended else "both")
        _mark_ends(ax, curves if ended else [], quantity)
        return ax
    if (within := within or shown_limits(curves, quantity)) is not None:
        ax.set_ylim(*within)
    if any((mean > ax.get_ylim()[1]).any() for mean in means):
        ax.annotate("some curves leave the figure", (0.98, 0.97), xycoords="axes fraction",
                    ha="right", va="top", color=palette.GREY, size="small")  # fmt: skip
    _mark_ends(ax, curves, quantity)
    return ax


def _label_epochs(ax: Any) -> None:
    """Label an axis of epochs; one epoch alone is a tick in the middle."""
    ax.set_xlabel("epoch")
    ax.locator_params(axis="x", integer=True)
    low, high = ax.dataLim.intervalx
    if low == high:
        ax.set_xticks([high])


def _outline(of: EpochMean) -> npt.NDArray[np.float64]:
    """Return the outline of a band where there is one, shape (points, 2)."""
    there = np.isfinite(of.low)
    up, down = np.stack([of.epoch, of.low])[:, there], np.stack([of.epoch, of.high])[:, there]
    return np.concatenate([up, down[:, ::-1]], axis=1).T


def _style(experiment: Curves) -> dict[str, Any]:
    longest = max((len(run.result.epochs) for run in experiment.runs), default=0)
    marker = {"marker": "o", "markersize": 3.0} if longest <= _MARKED_EPOCHS else {}
    return {"linewidth": 1.6, **marker, **canvas.line_style(experiment.index)}


def _mark_ends(ax: Any, curves: Sequence[Curves], quantity: Metric) -> None:
    """Put a cross where a run ended that did not end well; at the edge where it left the panel."""
    low, high = ax.get_ylim()
    bad = high if quantity.mode == "min" else low
    for experiment in curves:
        named = experiment.index < palette.TOLD_APART
        color = canvas.line_style(experiment.index)["color"] if named else palette.GREY
        ends = [(run.end, _last(run.values(quantity), bad)) for run in experiment.broken]
        if ends:
            x, y = np.array(ends).T
            ax.plot(x, np.clip(y, low, high), color=color, label="_ends", **CROSS)


CROSS = {"linestyle": "none", "marker": "X", "markersize": 6.5, "markeredgecolor": "white",
         "markeredgewidth": 0.6, "clip_on": False, "zorder": 6}  # fmt: skip
"""How the end of a run that did not end well looks, in all panels."""


def _last(values: npt.NDArray[np.float64], bad: float) -> float:
    """Return the last value; the bad end of the axis if there is none or it is not finite."""
    return float(values[-1]) if len(values) and np.isfinite(values[-1]) else bad
