"""A preview of schedules: their learning-rate curves, without training."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lrlab.analysis.drawn_runs import Line, Room
from lrlab.config import Experiment
from lrlab.plots import canvas, legends, scales
from lrlab.schedules import ClosedLoop, Length, Rates


def save(
    target: Path,
    experiments: Sequence[tuple[Experiment, int]],
    kind: str = "png",
    width: float | None = None,
) -> list[Path]:
    """Draw the curves of experiments, each given with its steps an epoch, as `schedules.png`.

    Raises:
        ResultsError: If it cannot be written.
    """
    return [canvas.save(draw(experiments, width), target / f"schedules.{kind}")]


def draw(experiments: Sequence[tuple[Experiment, int]], width: float | None = None) -> Any:
    """Return the figure of the curves of experiments, `width` inches wide."""
    sizes = {steps for _, steps in experiments}
    title = "Learning-rate schedules, not trained"
    if len(sizes) == 1:
        title += f" · {next(iter(sizes)):,} steps an epoch"
    with canvas.settings(width):
        made, ax = canvas.panel(title, width)
        draw_schedules(ax, experiments)
        if len(sizes) == 1:
            canvas.grow(made, top=3.2 * canvas.points(made.get_figwidth()) / 72)
            show_steps(ax, sizes.pop())
        legends.legend(made, ax)
    return made


def curve(experiment: Experiment, steps_per_epoch: int) -> tuple[str, Rates]:
    """Return what an experiment's curve is called, and its rates; for a closed loop the first one.

    Returns:
        The label, and the rates, float64, one a step.
    """
    rates, note = experiment.schedule.drawn(Length(steps_per_epoch, experiment.epochs))
    return f"{experiment.name}\n({note})" if note else experiment.name, rates


def draw_schedules(ax: Any, experiments: Sequence[tuple[Experiment, int]]) -> Any:
    """Draw the rate of every step against the epoch; a closed loop as its dotted first rate."""
    extremes, room = [], Room()
    for index, (experiment, steps_per_epoch) in enumerate(experiments):
        style = canvas.line_style(index)
        if isinstance(experiment.schedule, ClosedLoop):
            style["linestyle"] = (0, (1, 2))
        label, rates = curve(experiment, steps_per_epoch)
        line = room.line(rates)
        draw_line(ax, line, steps_per_epoch, label=label, **style)
        extremes.append(line.extremes)
    scales.log_if_decades(ax, extremes)
    ax.set_xlabel("epoch")
    ax.set_ylabel("learning rate")
    return ax


def draw_rates(ax: Any, rates: Rates, steps_per_epoch: int, **style: Any) -> Any:
    """Draw the rate of every step against the epoch."""
    return draw_line(ax, Room().line(rates), steps_per_epoch, **style)


def draw_line(ax: Any, line: Line, steps_per_epoch: int, **style: Any) -> Any:
    """Draw a curve over the steps against the epoch."""
    ax.plot(line.at / steps_per_epoch, line.values, linewidth=1.6, **style)
    return ax


def show_steps(ax: Any, steps_per_epoch: int) -> Any:
    """Give an axis of epochs a second one above it, in steps."""
    from matplotlib.ticker import MaxNLocator

    above = ax.secondary_xaxis(
        "top",
        functions=(lambda epoch: epoch * steps_per_epoch, lambda step: step / steps_per_epoch),
    )
    if canvas.is_narrow(ax.figure):
        above.xaxis.set_major_locator(MaxNLocator(nbins=4))
    above.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    above.set_xlabel("step")
    return above
