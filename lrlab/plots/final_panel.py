"""A panel of what each experiment ended with: a row each, seeds as dots, mean and interval."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lrlab import palette
from lrlab.analysis.epoch_means import highest_usual, possible
from lrlab.io.printable import printable
from lrlab.metric import Metric
from lrlab.plots import canvas, scales
from lrlab.plots.epoch_panel import CROSS
from lrlab.results.asked import Summary
from lrlab.results.comparison import ExperimentSummary

_SAMPLE = 2.2
"""Length of the piece of line between a name and the panel, in letters' heights."""

_BOLD = 1.15
"""How much wider bold letters are."""

_OTHERS = "other{}, in grey"


@dataclass(frozen=True)
class Row:
    """What one experiment ended with, and whether it may be the best: then its name is bold."""

    name: str
    index: int
    ended: str
    result: Summary
    best: bool = False

    @classmethod
    def of(cls, e: ExperimentSummary, index: int, quantity: str, best: bool = False) -> "Row":
        """Return the row of an experiment; `quantity` is a key of its `final` results."""
        return cls(e.name, index, "" if e.ended == "done" else e.ended, e.final[quantity], best)

    @property
    def lines(self) -> list[str]:
        """The row's name as it is shown, and how its runs ended if some did not end well."""
        return canvas.folded(printable(self.name) + (f"\n({self.ended})" if self.ended else ""))


def rows(
    experiments: Sequence[ExperimentSummary], quantity: str, best: Sequence[str] = ()
) -> list[Row]:
    """Return a row for each experiment; `best` names those that may be the best."""
    return [Row.of(e, index, quantity, e.name in best) for index, e in enumerate(experiments)]


def height(given: Sequence[Row]) -> float:
    """Return how high a panel of these rows has to be, in heights of a letter."""
    return 1.25 * _middles(given)[1]


def label_width(made: Any, given: Sequence[Row]) -> float:
    """Return how much room in inches the names need to the left of the panel."""
    named = given[: palette.TOLD_APART]
    texts = [(line, _BOLD if row.best else 1.0) for row in named for line in row.lines]
    if len(given) > palette.TOLD_APART:
        texts.append((_others(given), 1.0))
    em = canvas.points(made.get_figwidth()) / 72
    return max(canvas.text_width(made, *text) for text in texts) + (_SAMPLE + 1.6) * em


def draw_final(ax: Any, given: Sequence[Row], quantity: Metric) -> Any:
    """Draw a row per experiment from top to bottom, in the colours of the other panels.

    Dots are seeds, the upright line is their mean, the bar its 95 % interval, cut where it leaves
    what is possible or would press the dots together. An experiment without a finished run has a
    cross at the bad end. Those without a colour of their own share the last row, in grey.
    """
    middles, bottom = _middles(given)
    named, others = given[: palette.TOLD_APART], given[palette.TOLD_APART :]
    ax.set_ylim(bottom, 0)
    ax.set_xlim(*(limits(given, quantity) or (0.0, 1.0)))
    for row, y in zip(named, middles, strict=False):
        color = canvas.line_style(row.index)["color"]
        _draw_row(ax, row.result, y, color, quantity)
        _sample(ax, row.index, y)
    if others:
        means = [row.result.mean for row in others if row.result.mean is not None]
        ax.plot(means, np.full(len(means), middles[-1]), "o", color=palette.GREY, markersize=2.5,
                alpha=0.4, gid="others")  # fmt: skip
    labels = ["\n".join(row.lines) for row in named] + ([_others(given)] if others else [])
    ax.set_yticks(middles, labels)
    for label, row in zip(ax.get_yticklabels(), named, strict=False):
        label.set_fontweight("bold" if row.best else "normal")
    em = canvas.points(ax.figure.get_figwidth())
    ax.tick_params(axis="y", length=0, pad=(_SAMPLE + 1.3) * em)
    ax.spines["left"].set_visible(False)
    ax.grid(visible=False, axis="y")
    scales.label_evenly(ax.xaxis, ticks=3)
    if not any(row.result.mean is not None for row in given):
        ax.set_xticks([])
        ax.annotate("no run has a result", (0.5, 0.5), xycoords="axes fraction", ha="center",
                    va="center", color=palette.GREY)  # fmt: skip
    return ax


def _middles(given: Sequence[Row]) -> tuple[list[float], float]:
    """Return the middle of each row, in lines from the top, and where the last one ends."""
    lines = [len(row.lines) + 0.6 for row in given[: palette.TOLD_APART]]
    lines += [1.6] * (len(given) > palette.TOLD_APART)
    ends = np.cumsum(lines)
    return [float(end - n / 2) for end, n in zip(ends, lines, strict=True)], float(ends[-1])


def _others(given: Sequence[Row]) -> str:
    count = len(given) - palette.TOLD_APART
    return f"{count} {_OTHERS.format('s' if count > 1 else '')}"


def _draw_row(ax: Any, of: Summary, y: float, color: str, quantity: Metric) -> None:
    low, high = ax.get_xlim()
    if of.mean is None:
        ax.plot([high if quantity.mode == "min" else low], [y], color=color, gid="no result",
                **CROSS)  # fmt: skip
        return
    values = np.array([value for value in of.values if value is not None])
    if of.ci95 is not None:
        ends = np.clip([of.mean - of.ci95, of.mean + of.ci95], *possible(quantity, values))
        ax.plot(ends, [y, y], color=color, alpha=0.28, linewidth=6, solid_capstyle="butt",
                gid="interval")  # fmt: skip
        ax.plot([of.mean], [y], "|", color=color, markersize=11, markeredgewidth=1.8, gid="mean")
    ax.plot(values, np.full(len(values), y), "o", color=color, markersize=3.6,
            markeredgecolor="white", markeredgewidth=0.5, zorder=4, gid="seeds")  # fmt: skip
    for beyond, end, sign in ((values.min() < low, low, "<"), (values.max() > high, high, ">")):
        if beyond:
            ax.plot([end], [y], sign, color=color, markersize=6, clip_on=False, gid="beyond")


def _sample(ax: Any, index: int, y: float) -> None:
    """Draw a piece of the experiment's line between its name and the panel."""
    em = canvas.points(ax.figure.get_figwidth()) / 72
    wide = ax.get_position().width * ax.figure.get_figwidth()
    ends = [-(_SAMPLE + 0.8) * em / wide, -0.8 * em / wide]
    ax.plot(ends, [y, y], transform=ax.get_yaxis_transform(), clip_on=False, linewidth=1.6,
            gid="sample", **canvas.line_style(index))  # fmt: skip


def limits(given: Sequence[Row], quantity: Metric) -> tuple[float, float] | None:
    """Return the range that shows the seeds, and their intervals as far as they need little more.

    Exploded losses are left out; they are marked at the edge.
    """
    known = [row.result for row in given if row.result.mean is not None]
    if not known:
        return None
    values = np.array([v for of in known for v in of.values if v is not None])
    if quantity.mode == "min":
        values = values[values <= highest_usual([float(value) for value in values])]
    low, high = float(values.min()), float(values.max())
    span = (high - low) or 0.02 * abs(high) or 0.01
    ends = [of.mean + sign * (of.ci95 or 0) for of in known for sign in (-1, 1) if of.mean]
    ends = list(
        np.clip(np.clip(ends, low - span / 2, high + span / 2), *possible(quantity, values))
    )
    low, high = min(low, *ends), max(high, *ends)
    return low - 0.05 * span, high + 0.05 * span
