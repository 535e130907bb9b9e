"""Where the panels of a figure of results stand: side by side, or one above the other."""

from collections.abc import Sequence
from typing import Any

from lrlab.plots import canvas, final_panel
from lrlab.plots.final_panel import Row

_FINAL = 0.85
"""Width of the panel of final results over that of the others."""

_HIGH = 1.45
"""Height of a panel in inches where they stand one above the other."""


def result_panels(
    title: str, ended: Sequence[Row], width: float | None = None
) -> tuple[Any, tuple[Any, Any, Any]]:
    """Return a figure and its panels: training, validation, final results, the first two alike.

    All is measured in inches and placed once: names need their room, whatever the width.
    """
    made = canvas.figure(width)
    em = canvas.points(made.get_figwidth()) / 72
    place = _above_one_another if canvas.is_narrow(made) else _side_by_side
    boxes, high = place(made, title, ended, em)
    made.set_figheight(high)
    wide = made.get_figwidth()
    training, validation, final = (
        made.add_axes((x / wide, y / high, w / wide, h / high)) for x, y, w, h in boxes
    )
    validation.sharey(training)
    for ax in (training, validation, final):
        canvas.plain(ax)
    if not canvas.is_narrow(made):
        validation.tick_params(axis="y", labelleft=False)
    canvas.write_title(made, title)
    return made, (training, validation, final)


_Boxes = list[tuple[float, float, float, float]]


def _side_by_side(made: Any, title: str, ended: Sequence[Row], em: float) -> tuple[_Boxes, float]:
    """Return left, bottom, width and height of each panel, and the height of the figure."""
    names = final_panel.label_width(made, ended)
    wide = made.get_figwidth() - 6.8 * em - 1.0 * em - names - 2.5 * em
    one = wide / (2 + _FINAL)
    bottom, top = 3.5 * em, 2.0 * em + canvas.title_height(made, title)
    inner = max(made.get_figheight() - bottom - top, final_panel.height(ended) * em)
    left = 6.8 * em
    final = made.get_figwidth() - 1.5 * em - _FINAL * one
    boxes = [(left, bottom, one, inner), (left + one + em, bottom, one, inner),
             (final, bottom, _FINAL * one, inner)]  # fmt: skip
    return boxes, bottom + inner + top


def _above_one_another(
    made: Any, title: str, ended: Sequence[Row], em: float
) -> tuple[_Boxes, float]:
    """Return the same for a narrow figure."""
    left, wide = 6.0 * em, made.get_figwidth() - 7.0 * em
    names = max(left, final_panel.label_width(made, ended))
    rows = final_panel.height(ended) * em
    first = 3.5 * em
    second = first + rows + 5.5 * em
    third = second + _HIGH + 3.5 * em
    boxes = [(left, third, wide, _HIGH), (left, second, wide, _HIGH),
             (names, first, made.get_figwidth() - names - em, rows)]  # fmt: skip
    return boxes, third + _HIGH + 2.0 * em + canvas.title_height(made, title)
