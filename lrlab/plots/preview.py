"""A preview of schedules: their learning-rate curves, without training."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lrlab import schedules
from lrlab.config import Experiment
from lrlab.plots import canvas


def save(
    target: Path, experiments: Sequence[tuple[Experiment, int]], kind: str = "png"
) -> list[Path]:
    """Draw the curves of experiments, each given with its steps an epoch, as `schedules.png`.

    Raises:
        ResultsError: If it cannot be written.
    """
    made, (ax,) = canvas.figure()
    draw_schedules(ax, experiments)
    sizes = {steps for _, steps in experiments}
    suffix = f" · {sizes.pop():,} steps an epoch" if len(sizes) == 1 else ""
    ax.set_title(f"Learning-rate schedules, not trained{suffix}", loc="left")
    canvas.legend(made, ax)
    return [canvas.save(made, target / f"schedules.{kind}")]


def draw_schedules(ax: Any, experiments: Sequence[tuple[Experiment, int]]) -> Any:
    """Draw the rate of every step against the epoch; a closed loop as its dotted first rate."""
    everything = []
    for index, (experiment, steps_per_epoch) in enumerate(experiments):
        style = canvas.line_style(index)
        schedule = experiment.schedule
        if schedule.type == "performance":
            label = f"{experiment.name}\n(falls when {schedule.monitor} stalls)"
            curve = np.full(steps_per_epoch * experiment.epochs, schedule.initial_lr)
            style["linestyle"] = (0, (1, 2))
        else:
            label = experiment.name
            curve = schedules.rates(schedule, steps_per_epoch, experiment.epochs)
        epoch = np.arange(len(curve)) / steps_per_epoch
        ax.plot(epoch, curve, label=label, linewidth=1.6, **style)
        everything.append(curve)
    canvas.log_if_decades(ax, np.concatenate(everything))
    ax.set_xlabel("epoch")
    ax.set_ylabel("learning rate")
    return ax
