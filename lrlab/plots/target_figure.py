"""The figure of a target: which share of each experiment's runs has reached it after each epoch."""

from typing import Any

from lrlab import palette
from lrlab.analysis import targets
from lrlab.plots import canvas, legends
from lrlab.results.asked import Target
from lrlab.results.comparison import Comparison

_APART = 1.3
"""Points between lines that would lie on each other: shares are few, and many have the same."""


def draw(comparison: Comparison, target: Target, about: str, width: float | None = None) -> Any:
    """Return the figure.

    Args:
        comparison: The comparison.
        target: Its target.
        about: What it compares, for the title.
        width: Inches; None is the usual width.
    """
    name = target.metric.replace("_", " ")
    sign = "≥" if target.mode == "max" else "≤"
    title = f"Runs that reached {name} {sign} {target.value:.4f} · {about}"
    with canvas.settings(width):
        made, ax = canvas.panel(title, width)
        draw_reached(ax, comparison, target.horizon)
        legends.legend(made, ax)
    return made


def draw_reached(ax: Any, comparison: Comparison, horizon: int) -> Any:
    """Draw a line of steps for each experiment, from none of its runs to those that reached it."""
    from matplotlib.transforms import ScaledTranslation

    shown = [
        (index, e.name, e.reached)
        for index, e in enumerate(comparison.experiments)
        if e.reached is not None and index < palette.TOLD_APART
    ]
    middle = (len(shown) - 1) / 2
    for place, (index, name, reached) in enumerate(shown):
        shift = ScaledTranslation(0, (middle - place) * _APART / 72, ax.figure.dpi_scale_trans)
        label = f"{name}\n({reached.count} of {reached.of})"
        ax.plot(*targets.share_reached(reached.after, horizon), label=label, linewidth=1.6,
                transform=ax.transData + shift, **canvas.line_style(index))  # fmt: skip
    left_out = len(comparison.experiments) - len(shown)
    if left_out:
        ax.annotate(f"{left_out} more are left out", (0.02, 0.94), xycoords="axes fraction",
                    color=palette.GREY, size="small")  # fmt: skip
    ax.set_xlim(0, horizon * 1.02)
    ax.set_ylim(-0.04, 1.04)
    ax.yaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")
    ax.locator_params(axis="x", integer=True)
    ax.set_xlabel("epoch")
    ax.set_ylabel("share of runs")
    return ax
