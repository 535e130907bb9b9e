"""What all figures share: size, colours, title, saving. No pyplot, no globals."""

import functools
import io
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lrlab import palette
from lrlab.analysis import thinning
from lrlab.io import atomic, pictures
from lrlab.io.printable import printable_lines
from lrlab.plots.settings import FULL_POINTS, own_settings

FORMATS = ("png", "svg", "pdf")

WIDTH = 9.0
NARROWEST, WIDEST = 3.0, 20.0
"""Widths of a figure in inches: the usual one, and what can be asked for."""

UNNAMED = "unnamed"
LETTERS = 26
"""Letters of a name on one line; longer ones are folded, never cut."""


_NARROW = 5.5
_LEAST_POINTS = 7.5
_HEIGHT, _LEAST_HEIGHT = 4.2, 2.5


def points(width: float) -> float:
    """Return the size of the letters in a figure so many inches wide: readable in print."""
    return max(_LEAST_POINTS, min(FULL_POINTS, FULL_POINTS * width / WIDTH))


def settings(width: float | None) -> Any:
    """Return the context in which a figure of a width is drawn and saved."""
    return own_settings(points(width or WIDTH))


def is_narrow(made: Any) -> bool:
    """Return whether a figure is for one column: panels and legend stand one above the other."""
    return bool(made.get_figwidth() < _NARROW)


def figure(width: float | None = None, height: float | None = None) -> Any:
    """Return a figure without panels; one made for a paper has twice the resolution.

    Args:
        width: Inches; None is the usual width.
        height: Inches; None is as high as suits the width.
    """
    wide = width or WIDTH
    high = height or max(_LEAST_HEIGHT, _HEIGHT * wide / WIDTH)
    return _figure_class()(figsize=(wide, high), dpi=150 if width is None else 300)


@functools.cache
def _figure_class() -> Any:
    from matplotlib.figure import Figure

    class ShownFigure(Figure):
        """A figure that a notebook shows, although it is not pyplot's."""

        def _repr_png_(self) -> bytes:
            content = io.BytesIO()
            with settings(self.get_figwidth()):
                self.savefig(content, format="png")
            return content.getvalue()

    return ShownFigure


def panel(title: str, width: float | None = None) -> tuple[Any, Any]:
    """Return a figure of one panel with its title, and the panel."""
    made = figure(width)
    em = points(made.get_figwidth()) / 72
    high = made.get_figheight()
    # Fixed margins: matplotlib's layout engines draw every figure twice to find them.
    made.subplots_adjust(
        left=6.8 * em / made.get_figwidth(), right=0.97, bottom=3.5 * em / high,
        top=1 - 0.9 * em / high,
    )  # fmt: skip
    ax = made.subplots()
    plain(ax)
    put_title(made, title)
    return made, ax


def plain(ax: Any) -> None:
    """Take two of the four edges of Axes away, and give them a pale grid."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(alpha=0.25, linewidth=0.6)


def put_title(made: Any, text: str) -> None:
    """Put a title above the panel; the figure grows by the lines it needs."""
    grow(made, top=title_height(made, text))
    write_title(made, text)


def say_nothing(ax: Any, why: str, axes: str = "both") -> None:
    """Say in a panel why nothing is drawn there; axes that mean nothing have no numbers."""
    ax.set_yticks([])
    if axes == "both":
        ax.set(xticks=[], xlabel="")
    ax.annotate(why, (0.5, 0.5), xycoords="axes fraction", ha="center", va="center",
                color=palette.GREY)  # fmt: skip


def title_height(made: Any, text: str) -> float:
    """Return how high a title is, in inches."""
    em = points(made.get_figwidth()) / 72
    return (len(_title_lines(made, text)) * 1.2 * 1.25 + 0.5) * em


def write_title(made: Any, text: str) -> None:
    """Write a title at the top of a figure that has room for it."""
    em = points(made.get_figwidth()) / 72
    x, y = _title_left(made), 1 - 0.5 * em / made.get_figheight()
    made.suptitle("\n".join(_title_lines(made, text)), x=x, y=y, ha="left", va="top", size="large",
                  linespacing=1.2, parse_math=False)  # fmt: skip


def _title_left(made: Any) -> float:
    em = points(made.get_figwidth()) / 72
    return (1.0 if is_narrow(made) else 6.8) * em / float(made.get_figwidth())


def _title_lines(made: Any, text: str) -> list[str]:
    em = points(made.get_figwidth()) / 72
    room = made.get_figwidth() * (1 - _title_left(made)) - em
    return wrapped(made, text, room, 1.2)


def wrapped(made: Any, text: str, width: float, size: float = 1.0) -> list[str]:
    """Return a title in lines of at most `width` inches, broken between its parts.

    Args:
        made: The figure.
        text: Parts, with ` · ` between them.
        width: Inches.
        size: Letters over those of the figure.
    """
    lines: list[str] = []
    for part in text.split(" · "):
        longer = f"{lines[-1]} · {part}" if lines else part
        if lines and text_width(made, longer, size) <= width:
            lines[-1] = longer
        else:
            lines.append(part)
    return lines


def text_width(made: Any, text: str, size: float = 1.0) -> float:
    """Return the inches that a text takes in a figure."""
    shown = made.text(0, 0, printable_lines(text), parse_math=False,
                      fontsize=size * points(made.get_figwidth()))  # fmt: skip
    width = float(shown.get_window_extent().width) / float(made.dpi)
    shown.remove()
    return width


def folded(text: str) -> list[str]:
    """Return a text in lines that are short enough to stand beside a panel.

    Example:
        >>> folded("a-name-that-takes-more-than-one-line")
        ['a-name-that-takes-more-', 'than-one-line']
    """
    return [part for line in text.split("\n") for part in textwrap.wrap(line, LETTERS) or [""]]


def grow(made: Any, *, top: float = 0.0, bottom: float = 0.0) -> None:
    """Make a figure higher by so many inches; its panel keeps its size."""
    old = made.get_figheight()
    new = old + top + bottom
    pars = made.subplotpars
    low, high = (pars.bottom * old + bottom) / new, (pars.top * old + bottom) / new
    made.set_figheight(new)
    made.subplots_adjust(bottom=low, top=high)
    if (title := getattr(made, "_suptitle", None)) is not None:
        x, y = title.get_position()
        title.set_position((x, 1 - (1 - y) * old / new))


def line_style(index: int) -> dict[str, Any]:
    """Return colour and dashes of the experiment with that index, the same in all figures."""
    color, dashes = palette.style(index)
    return {"color": color, "linestyle": dashes}


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
    shown = [np.column_stack(thinning.thinned(x, y)) for x, y in lines]
    ax.add_collection(
        LineCollection(shown, colors=palette.GREY, linewidths=0.5, alpha=0.3, zorder=1.5)
    )
    ax.plot(
        [],
        [],
        color=palette.GREY,
        linewidth=0.5,
        label=f"{count} other{'s' if count > 1 else ''}, in grey",
        gid=UNNAMED,
    )


def save(made: Any, path: Path, drawn_for: float | None = None) -> Path:
    """Write the figure, all or nothing; the same figure gives the same bytes.

    Args:
        made: The figure.
        path: Where to; its suffix is the format.
        drawn_for: The width whose letters it has; None is its own.

    Raises:
        ResultsError: If it cannot be written.
    """
    kind = path.suffix.lstrip(".")
    atomic.write(path, pictures.sign(content(made, kind, drawn_for), kind))
    return path


def content(made: Any, kind: str, drawn_for: float | None = None, dots: int | None = None) -> bytes:
    """Return what a file of the figure holds, unsigned; arguments are those of `save`.

    `dots` is another resolution than the figure's own, per inch.
    """
    take_literally(made)
    written = io.BytesIO()
    dateless = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
    with settings(drawn_for or made.get_figwidth()):
        made.savefig(written, format=kind, metadata=dateless[kind], dpi=dots or "figure")
    return written.getvalue()


def take_literally(made: Any) -> None:
    """Show every text as it stands: names may hold a `$`, or what cannot be seen."""
    from matplotlib.text import Text

    for text in made.findobj(Text):
        text.set_parse_math(False)
        if not (shown := text.get_text()).isprintable():
            text.set_text(printable_lines(shown))
