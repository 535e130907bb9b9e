"""The figures of a tuning: results over the peak rate, and the best ones over the epochs."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lrlab import palette
from lrlab.analysis import tuning_summary
from lrlab.analysis.epoch_means import possible
from lrlab.finder.rate_search import Tolerance
from lrlab.metric import Metric
from lrlab.plots import canvas, legends, scales
from lrlab.plots.epoch_panel import CROSS
from lrlab.results.run import quantities
from lrlab.results.tuning_record import FIGURES, Horizon, TunedSchedule, Tuning

NAME, BUDGETS = FIGURES

_SHOWN = 12
"""Tolerances below the best that the figure shows; what is worse leaves it at the bad end."""

_ROOM = 1.3
"""The factor between the outermost rates and the edges of the figure."""

_APART = 2.4
"""Points between the dots of schedules that were tried at the same rate."""


def save(target: Path, tuning: Tuning, kind: str = "png", width: float | None = None) -> list[Path]:
    """Draw the figures of a tuning into the folder `target`.

    Args:
        target: The folder.
        tuning: What was tuned.
        kind: `png`, `svg` or `pdf`.
        width: Inches, for a paper; None is the usual width.

    Returns:
        `sensitivity`, of several budgets one for each, as `sensitivity-3-epochs`, and `budget`.

    Raises:
        ResultsError: If a figure cannot be written.
    """
    figures = draw(tuning, width)
    return [canvas.save(made, target / f"{name}.{kind}") for name, made in figures.items()]


def draw(tuning: Tuning, width: float | None = None) -> dict[str, Any]:
    """Return the figures of a tuning by name; arguments are those of `save`."""
    several = len(tuning.horizons) > 1
    figures = {}
    for horizon in tuning.horizons:
        name = f"{NAME}-{horizon.epochs}-epochs" if several else NAME
        figures[name] = _sensitivity(tuning, horizon, width)
    if several:
        figures[BUDGETS] = _budgets(tuning, width)
    return figures


def _sensitivity(tuning: Tuning, horizon: Horizon, width: float | None) -> Any:
    """Return the figure of one budget: the result over the peak rate."""
    length = f" · {horizon.epochs} epochs" if horizon.epochs else ""
    about = f"{tuning.data} · {', '.join(tuning.models)}{length}"
    broken = any(not at.survived for tuned in horizon.schedules for at in tuned.runs)
    crosses = " · x: a run broke down" if broken else ""
    title = f"{tuning.metric.title} over the peak learning rate · {about}"
    title += f" · dots: seeds · diamonds: fresh seeds at the best rate{crosses}"
    with canvas.settings(width):
        made, ax = canvas.panel(title, width)
        draw_rates(ax, tuning, horizon)
        legends.legend(made, ax)
    return made


def draw_rates(ax: Any, tuning: Tuning, horizon: Horizon) -> Any:
    """Draw a line per schedule through the means over the peak rate, on a logarithmic axis.

    Dots are seeds that searched, diamonds those that scored the best rate, the ring their mean; a
    cross at the bad end is a rate at which a run broke down, a triangle a result beyond the axis.
    """
    metric = quantities(tuning.metric)[tuning.decides]
    like = Tolerance(tuning.tolerance, tuning.relative)
    ax.set_xscale("log")
    if tried := [at.lr for tuned in horizon.schedules for at in tuned.tried]:
        ax.set_xlim(min(tried) / _ROOM, max(tried) * _ROOM)
    if (within := _limits(horizon.schedules, metric, like)) is not None:
        ax.set_ylim(*within)
    for lr in dict.fromkeys(tuned.suggested_lr for tuned in horizon.schedules):
        if lr is not None:
            ax.axvline(lr, color=palette.GREY, linestyle=(0, (1, 2)), linewidth=1.2,
                       label=f"find-lr: {lr:.3g}", gid="find-lr")  # fmt: skip
    named = horizon.schedules[: palette.TOLD_APART]
    for index, tuned in enumerate(named):
        shift = (index - (len(named) - 1) / 2) * min(_APART, 20 / len(named))
        _draw_schedule(ax, tuned, index, shift, metric)
    others = [_line(tuned) for tuned in horizon.schedules[palette.TOLD_APART :]]
    canvas.draw_unnamed(ax, [each for each in others if len(each[0])], len(others))
    scales.label_plainly(ax.xaxis)
    scales.label_evenly(ax.yaxis)
    ax.set_xlabel("peak learning rate")
    ax.set_ylabel(_axis_label(metric))
    return ax


def _draw_schedule(ax: Any, tuned: TunedSchedule, index: int, shift: float, metric: Metric) -> None:
    from matplotlib.transforms import ScaledTranslation

    place = ax.transData + ScaledTranslation(shift / 72, 0, ax.figure.dpi_scale_trans)
    style = canvas.line_style(index)
    color, best = style["color"], tuned.best
    label = tuned.name if best is None else f"{tuned.name}: {best.lr:.3g}"
    ax.plot(*_line(tuned), label=label, linewidth=1.4, transform=place, gid="means", **style)
    low, high = ax.get_ylim()
    bad = high if metric.mode == "min" else low
    for at in tuned.tried:
        there = np.array([value for value in at.values if value is not None])
        inside = there[(there >= low) & (there <= high)]
        dots = {"color": color, "transform": place, "zorder": 4, "markeredgecolor": "white"}
        ax.plot(np.full(len(inside), at.lr), inside, "o", markersize=3.4, markeredgewidth=0.4,
                gid="seeds", **dots)  # fmt: skip
        if not at.survived:
            ax.plot([at.lr], [bad], color=color, transform=place, gid="broke down", **CROSS)
        elif len(inside) < len(there):
            ax.plot([at.lr], [bad], "^" if metric.mode == "min" else "v", markersize=6,
                    clip_on=False, gid="beyond", **dots)  # fmt: skip
    if best is not None and best.fresh.mean is not None:
        fresh = np.array([value for value in best.fresh.values if value is not None])
        ax.plot(np.full(len(fresh), best.lr), fresh, "D", color=color, markersize=4.2, zorder=6,
                markeredgecolor="black", markeredgewidth=0.5, transform=place, clip_on=False,
                gid="fresh")  # fmt: skip
        ax.plot([best.lr], [best.fresh.mean], "o", markersize=13, markerfacecolor="none",
                markeredgecolor=color, markeredgewidth=1.8, transform=place, zorder=5,
                gid="best")  # fmt: skip


def _line(tuned: TunedSchedule) -> tuple[Any, Any]:
    """Return the rates at which every run survived, and the means of the results there."""
    there = [(at.lr, at.mean) for at in tuned.tried if at.survived]
    return np.array([lr for lr, _ in there]), np.array([mean for _, mean in there])


def _limits(
    schedules: Sequence[TunedSchedule], metric: Metric, like: Tolerance
) -> tuple[float, float] | None:
    """Return the range of results that is shown, from the best on; None where there are none."""
    values = np.array(list(_values(schedules)))
    if not len(values):
        return None
    mode = metric.mode
    best = float(values.max() if mode == "max" else values.min())
    wider = Tolerance(_SHOWN * like.amount, like.relative)
    top = tuning_summary.score(best, mode)
    assert top is not None
    worst = tuning_summary.score(wider.least(top), mode)
    assert worst is not None
    shown = values[values >= worst] if mode == "max" else values[values <= worst]
    low, high = float(shown.min()), float(shown.max())
    room = 0.06 * max(high - low, 1e-6)
    least, greatest = possible(metric, values)
    return max(low - room, least), min(high + room, greatest)


def _values(schedules: Sequence[TunedSchedule]) -> Iterator[float]:
    for tuned in schedules:
        for at in tuned.runs:
            yield from (value for value in at.values if value is not None)


def _budgets(tuning: Tuning, width: float | None) -> Any:
    """Return the figure of several budgets: the result at the best rate over the epochs."""
    metric = quantities(tuning.metric)[tuning.decides]
    about = f"{tuning.data} · {', '.join(tuning.models)}"
    title = f"{tuning.metric.title} over the epochs, each schedule at its best rate · {about}"
    title += " · dots: fresh seeds · ringed: may be the best"
    with canvas.settings(width):
        made, ax = canvas.panel(title, width)
        draw_budgets(ax, tuning, metric)
        legends.legend(made, ax)
    return made


def draw_budgets(ax: Any, tuning: Tuning, metric: Metric) -> Any:
    """Draw a line per schedule through the means of the fresh seeds over the epochs."""
    from matplotlib.ticker import NullLocator
    from matplotlib.transforms import ScaledTranslation

    count = min(len(tuning.horizons[0].schedules), palette.TOLD_APART)
    ax.set_xscale("log")
    lengths = [horizon.epochs or 1 for horizon in tuning.horizons]
    ax.set_xlim(min(lengths) / _ROOM, max(lengths) * _ROOM)
    verdicts = [tuning_summary.judge(horizon, metric.mode) for horizon in tuning.horizons]
    for index in range(count):
        shift = (index - (count - 1) / 2) * min(_APART, 20 / count)
        place = ax.transData + ScaledTranslation(shift / 72, 0, ax.figure.dpi_scale_trans)
        style = canvas.line_style(index)
        bests = [(horizon.epochs, horizon.schedules[index].best) for horizon in tuning.horizons]
        points = [(epochs, best.fresh) for epochs, best in bests if best is not None]
        name = tuning.horizons[0].schedules[index].name
        there = [(epochs, at.mean) for epochs, at in points if at.mean is not None]
        ax.plot([epochs for epochs, _ in there], [mean for _, mean in there], label=name,
                linewidth=1.4, transform=place, gid="means", **style)  # fmt: skip
        for epochs, at in points:
            seeds = [value for value in at.values if value is not None]
            ax.plot(np.full(len(seeds), epochs), seeds, "o", color=style["color"], markersize=3.4,
                    markeredgecolor="white", markeredgewidth=0.4, transform=place, zorder=4,
                    gid="seeds")  # fmt: skip
        for horizon, found in zip(tuning.horizons, verdicts, strict=True):
            best = horizon.schedules[index].best
            if found and found.decided and name in found.best_set and best is not None:
                ax.plot([horizon.epochs], [best.fresh.mean], "o", markersize=9, zorder=5,
                        markerfacecolor="none", markeredgecolor=style["color"],
                        markeredgewidth=1.5, transform=place, gid="best")  # fmt: skip
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xticks(lengths, [str(length) for length in lengths])
    scales.label_evenly(ax.yaxis)
    ax.set_xlabel("epochs")
    ax.set_ylabel(_axis_label(metric))
    return ax


def _axis_label(metric: Metric) -> str:
    return f"{metric.name.replace('val', 'validation', 1)}, last epoch"
