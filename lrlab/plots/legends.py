"""The legend of a figure, outside its data: to the right, or under the panel of a narrow figure."""

import itertools
from collections.abc import Sequence
from typing import Any

from lrlab.plots import canvas

POINTS = (10.0, 7.0)
"""Sizes of the legend's letters; the smaller one where entries would not fit."""

_COLUMNS = (3, 2, 1)


def legend(made: Any, ax: Any) -> None:
    """Put the legend of `ax` outside the data, and make room for it.

    Where its entries do not fit, letters are smaller; where they still do not, it shows the first
    ones and how many more there are.
    """
    if canvas.is_narrow(made):
        _below(made, ax)
    else:
        _beside(made, ax)


def _below(made: Any, ax: Any) -> None:
    """Put the legend under the panel, in as many columns as fit; the figure grows by it."""
    handles, labels = _entries(ax)
    for columns in _COLUMNS:
        box = _box(made, handles, labels, loc="lower left", bbox_to_anchor=(0.02, 0.0),
                   ncols=columns, columnspacing=1.0, handlelength=1.6)  # fmt: skip
        extent = box.get_window_extent()
        if extent.width <= 0.98 * made.bbox.width or columns == _COLUMNS[-1]:
            break
        box.remove()
    canvas.grow(made, bottom=extent.height / made.dpi)


def _beside(made: Any, ax: Any) -> None:
    handles, labels = _entries(ax)
    top = made.subplotpars.top
    for points in POINTS:
        line = 1.5 * points / 72  # Inches; half a line is between entries.
        fitting = _fitting(labels, int(top * made.get_figheight() / line))
        if fitting == len(labels):
            break
    if fitting < len(labels):
        last = len(labels) - (handles[-1].get_gid() == canvas.UNNAMED)
        fitting -= len(labels) - last
        handles = [*handles[:fitting], _nothing(), *handles[last:]]
        labels = [*labels[:fitting], f"and {last - fitting} more", *labels[last:]]
    points = min(points, canvas.points(made.get_figwidth()))
    box = _box(made, handles, labels, fontsize=points, loc="upper right",
               bbox_to_anchor=(0.995, top))  # fmt: skip
    width = box.get_window_extent().width / made.bbox.width
    made.subplots_adjust(right=max(0.5, 0.98 - width))


def _entries(ax: Any) -> tuple[list[Any], list[str]]:
    handles, labels = ax.get_legend_handles_labels()
    return handles, ["\n".join(canvas.folded(label)) for label in labels]


def _box(made: Any, handles: Sequence[Any], labels: Sequence[str], **where: Any) -> Any:
    box = made.legend(handles, labels, frameon=False, borderaxespad=0, **where)
    canvas.take_literally(made)
    return box


def _fitting(labels: Sequence[str], lines: int) -> int:
    """Return how many labels fit into a number of lines, one of them for those left out."""
    needed = list(itertools.accumulate(label.count("\n") + 1 for label in labels))
    if not needed or needed[-1] <= lines:
        return len(labels)
    return sum(count <= lines - 1 for count in needed)


def _nothing() -> Any:
    """Return a legend entry that shows nothing but its label."""
    from matplotlib.lines import Line2D

    return Line2D([], [], linestyle="none")
