"""A preview of schedules: their learning-rate curves, without training."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lrlab import closed_loop, schedules
from lrlab.config import Experiment
from lrlab.config.schedules import Greedy, Performance
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
        if isinstance(schedule, Greedy | Performance):
            moves = "falls when" if schedule.type == "performance" else "rises or falls as"
            how = "stalls" if schedule.type == "performance" else "does"
            label = f"{experiment.name}\n({moves} {schedule.monitor} {how})"
            curve = closed_loop.undisturbed(schedule, steps_per_epoch, experiment.epochs)
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
