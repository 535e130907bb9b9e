"""What all figures share: size, colours, legend outside the data, saving. No pyplot, no globals."""

import io
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lrlab.io import atomic, pictures
from lrlab.io.printable import printable_lines

FORMATS = ("png", "svg", "pdf")

# Okabe and Ito (2008): told apart by colour-blind people too, also in this order.
PALETTE = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#000000",
    "#8C6D1F",
)
DASHES = ("-", "--", ":", "-.")
TOLD_APART = len(PALETTE) * len(DASHES)
"""So many experiments have a style of their own; those beyond are thin grey lines."""

GREY = "#666666"
LEGEND_POINTS = (10.0, 7.0)
"""Sizes of the legend's letters; the smaller one where entries would not fit."""

_COLUMNS = 1000
_UNNAMED = "unnamed"
_DECADES = 4


def figure(
    panels: int = 1, height: float = 4.2, width: float = 9.0, dpi: int = 150
) -> tuple[Any, Sequence[Any]]:
    """Return a figure and its panels, which share their y axis."""
    from matplotlib.figure import Figure

    made = Figure(figsize=(width, height), dpi=dpi)
    # Fixed margins: matplotlib's layout engines draw every figure twice to find them.
    made.subplots_adjust(left=0.105, bottom=0.115, top=0.915 if panels == 1 else 0.86, wspace=0.05)
    axes = made.subplots(1, panels, sharey=True, squeeze=False)[0]
    for ax in axes:
        ax.spines[["top", "right"]].set_visible(False)
        ax.grid(alpha=0.25, linewidth=0.6)
    return made, list(axes)


def line_style(index: int) -> dict[str, Any]:
    """Return colour and dashes of the experiment with that index, the same in all figures."""
    dashes = DASHES[index // len(PALETTE) % len(DASHES)]
    return {"color": PALETTE[index % len(PALETTE)], "linestyle": dashes}


def draw_bands(ax: Any, bands: Sequence[tuple[Any, str]]) -> None:
    """Draw areas behind all lines, given as outline, shape (points, 2), and colour.

    They are one collection: Axes look at every one that they have when they get another.
    """
    from matplotlib.collections import PolyCollection

    there = [(outline, color) for outline, color in bands if len(outline)]
    if there:
        outlines, colors = zip(*there, strict=True)
        ax.add_collection(
            PolyCollection(outlines, facecolors=list(colors), alpha=0.15, linewidths=0)
        )


def draw_unnamed(ax: Any, lines: Sequence[tuple[Any, Any]], count: int) -> None:
    """Draw the lines of `count` experiments without names, given as x and y, thin and behind.

    They are one collection, of what the figure's resolution can show: Axes are slow with thousands
    of lines, and with millions of points.
    """
    from matplotlib.collections import LineCollection

    if not lines:
        return
    shown = [np.column_stack(thinned(x, y)) for x, y in lines]
    ax.add_collection(LineCollection(shown, colors=GREY, linewidths=0.5, alpha=0.3, zorder=1.5))
    ax.plot(
        [],
        [],
        color=GREY,
        linewidth=0.5,
        label=f"{count} other{'s' if count > 1 else ''}, in grey",
        gid=_UNNAMED,
    )


def thinned(x: Any, y: Any) -> tuple[Any, Any]:
    """Return the points of a line that its figure can show: the extremes of every column.

    A line of few points is returned as it is.
    """
    if len(y) <= 4 * _COLUMNS:
        return x, y
    width = -(-len(y) // _COLUMNS)
    padded = np.pad(y, (0, -len(y) % width), mode="edge").reshape(-1, width)
    first = np.arange(len(padded))[:, None] * width
    both = np.stack([padded.argmin(axis=1), padded.argmax(axis=1)], axis=1)
    kept = np.unique(np.concatenate([[0], (first + both).ravel(), [len(y) - 1]]))
    kept = kept[kept < len(y)]
    return x[kept], y[kept]


def legend(made: Any, ax: Any) -> None:
    """Put the legend of `ax` to the right of all panels, and make room for it.

    Where its entries do not fit, letters are smaller; where they still do not, it shows the first
    ones and how many more there are.
    """
    handles, labels = ax.get_legend_handles_labels()
    top = made.subplotpars.top
    for points in LEGEND_POINTS:
        line = 1.5 * points / 72  # Inches; half a line is between entries.
        fitting = _fitting(labels, int(top * made.get_figheight() / line))
        if fitting == len(labels):
            break
    if fitting < len(labels):
        last = len(labels) - (handles[-1].get_gid() == _UNNAMED)
        fitting -= len(labels) - last
        handles = [*handles[:fitting], _nothing(), *handles[last:]]
        labels = [*labels[:fitting], f"and {last - fitting} more", *labels[last:]]
    box = made.legend(
        handles,
        labels,
        fontsize=points,
        loc="upper right",
        bbox_to_anchor=(0.995, top),
        frameon=False,
        borderaxespad=0,
    )
    _take_literally(made)
    width = box.get_window_extent().width / made.bbox.width
    made.subplots_adjust(right=max(0.5, 0.98 - width))


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


def label_plainly(axis: Any) -> None:
    """Label a logarithmic axis 0.01, not as a power of ten: formulas take their time to set."""
    axis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.set_minor_formatter(lambda *_: "")


def spans_decades(values: Any) -> bool:
    """Return whether the positive values span more than a factor of 20."""
    positive = values[values > 0]
    return bool(len(positive) and positive.max() > 20 * positive.min())


def lowest_shown(curves: Sequence[Any]) -> float:
    """Return the lower end of a logarithmic axis, for curves that may decay to 0."""
    peaks = [float(curve.max()) for curve in curves if (curve > 0).any()]
    lowest = min(float(curve[curve > 0].min()) for curve in curves if (curve > 0).any())
    return float(max(lowest, min(peaks) / 10**_DECADES))


def log_if_decades(ax: Any, curves: Sequence[Any]) -> None:
    """Use a logarithmic y axis where the positive values of the curves span decades."""
    values = np.concatenate(curves)
    if spans_decades(values):
        ax.set_yscale("log")
        label_plainly(ax.yaxis)
        lowest = lowest_shown(curves)
        if (values[values > 0] < lowest).any():
            ax.set_ylim(bottom=lowest)
    else:
        ax.set_ylim(bottom=0)


def save(made: Any, path: Path) -> Path:
    """Write the figure, all or nothing; the same figure gives the same bytes.

    Raises:
        ResultsError: If it cannot be written.
    """
    import matplotlib

    _take_literally(made)
    content = io.BytesIO()
    dateless = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
    kind = path.suffix.lstrip(".")
    # With its own random salt an svg would differ every time.
    with matplotlib.rc_context({"svg.hashsalt": "lrlab"} if kind == "svg" else {}):
        made.savefig(content, format=kind, metadata=dateless[kind])
    atomic.write(path, pictures.sign(content.getvalue(), kind))
    return path


def _take_literally(made: Any) -> None:
    """Show every text as it stands: names may hold a `$`, or what cannot be seen."""
    from matplotlib.text import Text

    for text in made.findobj(Text):
        text.set_parse_math(False)
        if not (shown := text.get_text()).isprintable():
            text.set_text(printable_lines(shown))
