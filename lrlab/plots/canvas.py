"""What all figures share: size, colours, legend outside the data, saving. No pyplot, no globals."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lrlab import files

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
GREY = "#666666"
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


def legend(made: Any, ax: Any) -> None:
    """Put the legend of `ax` to the right of all panels, and make room for it."""
    handles, labels = ax.get_legend_handles_labels()
    top = made.subplotpars.top
    box = made.legend(
        handles,
        labels,
        loc="upper right",
        bbox_to_anchor=(0.995, top),
        frameon=False,
        borderaxespad=0,
    )
    _take_literally(made)
    width = box.get_window_extent().width / made.bbox.width
    made.subplots_adjust(right=max(0.5, 0.98 - width))


def label_plainly(axis: Any) -> None:
    """Label a logarithmic axis 0.01, not as a power of ten: formulas take their time to set."""
    axis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.set_minor_formatter(lambda *_: "")


def spans_decades(values: Any) -> bool:
    """Return whether the positive values span more than a factor of 20."""
    positive = values[values > 0]
    return bool(len(positive) and positive.max() > 20 * positive.min())


def lowest_shown(curves: Sequence[Any]) -> float:
    """Return where a logarithmic axis ends, though a decay to 0 goes on: far below every peak."""
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
    files.write(path, content.getvalue())
    return path


def _take_literally(made: Any) -> None:
    """Show every text as it stands: a `$` in the name of a data set begins no formula."""
    from matplotlib.text import Text

    for text in made.findobj(Text):
        text.set_parse_math(False)
