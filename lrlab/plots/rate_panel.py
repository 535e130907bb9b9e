"""The panel of the learning rate of every step: a line per experiment, or per seed."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lrlab import palette
from lrlab.analysis.drawn_runs import Curves
from lrlab.plots import canvas, epoch_panel, scales


def draw_learning_rates(ax: Any, curves: Sequence[Curves]) -> Any:
    """Draw the rate of every step against the epoch; seeds only where they differ."""
    extremes, unnamed = [], []
    for experiment in curves:
        several = len(experiment.rates) > 1
        thin = {"linewidth": 1.0, "alpha": 0.7} if several else {"linewidth": 1.6}
        label = experiment.label + ("\n(one line per seed)" if several else "")
        style = canvas.line_style(experiment.index)
        for line in experiment.rates:
            epoch = line.at / experiment.steps_per_epoch
            extremes.append(line.extremes)
            if experiment.index >= palette.TOLD_APART:
                unnamed.append((epoch, line.values))
                continue
            ax.plot(epoch, line.values, label=label, **thin, **style)
            label = "_seed"  # Names that begin so stay out of the legend.
        if not experiment.rates and experiment.runs and experiment.index < palette.TOLD_APART:
            ax.plot([], [], label=label, **thin, **style)
        _mark_ends(ax, experiment)
    canvas.draw_unnamed(ax, unnamed, len(curves) - palette.TOLD_APART)
    ax.set_ylabel("learning rate")
    if not any(len(each) for each in extremes):
        canvas.say_nothing(ax, "no run made a step")
        return ax
    scales.log_if_decades(ax, extremes)
    ax.locator_params(axis="x", integer=True)
    ax.set_xlabel("epoch")
    return ax


def _mark_ends(ax: Any, experiment: Curves) -> None:
    """Put a cross on the line of each run that did not end well, where it ends."""
    named = experiment.index < palette.TOLD_APART
    color = canvas.line_style(experiment.index)["color"] if named else palette.GREY
    ends = [(run.end, run.last_lr) for run in experiment.broken if run.last_lr is not None]
    if ends:
        ax.plot(*np.array(ends).T, color=color, label="_ends", **epoch_panel.CROSS)
