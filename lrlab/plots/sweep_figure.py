"""The figure of an LR sweep: the losses, the curve that the advice is read from, the advice."""

import math
import textwrap
from pathlib import Path
from typing import Any

import numpy as np

from lrlab import palette
from lrlab.analysis.sweep_reading import Reading, reading
from lrlab.plots import canvas, legends, scales
from lrlab.results.sweep_record import SweepRecord, Verified

HUE = palette.PALETTE[0]
ADVICE = (("steady_lr", "-", "constant, decaying"), ("max_lr", "--", "peak of one_cycle"))
SHORT_RUNS = {"constant": "o", "one_cycle": "^"}
"""How a short run of verification is marked, by its schedule."""

_SPIKES = 99.0
"""Percentile of the losses before the valley that still shows."""


_LINE = 54
"""Letters in a line of text that the axes hold."""


def save(
    target: Path, record: SweepRecord, kind: str = "png", width: float | None = None
) -> list[Path]:
    """Draw `sweep.png` (or svg, pdf) into the folder `target`, `width` inches wide.

    Raises:
        ResultsError: If it cannot be written.
    """
    made = draw(record, width)
    return [canvas.save(made, target / f"sweep.{kind}")]


def draw(record: SweepRecord, width: float | None = None) -> Any:
    """Return the figure of a sweep."""
    with canvas.settings(width):
        count = len(record.losses)
        seeds = f"{count} seed{'s' if count > 1 else ''}"
        about = record.conditions.replace(", ", " · ")
        made, ax = canvas.panel(f"LR sweep · {about} · {seeds}", width)
        draw_sweep(ax, record)
        legends.legend(made, ax)
    return made


def draw_sweep(ax: Any, record: SweepRecord) -> Any:
    """Draw the losses of all seeds, the curve that the advice is read from, and the advice."""
    summary, read = record.summary, reading(record)
    _draw_losses(ax, record)
    ax.set_xscale("log")
    scales.label_plainly(ax.xaxis)
    last = record.lr[read.last] if read else record.lr[-1]
    ax.set_xlim(record.lr[0], min(2 * last, record.lr[-1]))
    if read is not None:
        _draw_reading(ax, record, read)
        ax.set_ylim(*_whole_valley(record, read))
    low, high = summary.lowest_useful_lr, summary.highest_stable_lr
    if low is not None and high is not None:
        label = f"usable\n{low:.3g} to {high:.3g}"
        ax.axvspan(low, high, color=palette.GREY, alpha=0.1, linewidth=0, label=label)
    for name, dashes, purpose in ADVICE:
        value = getattr(summary, name)
        if value is not None:
            label = f"{name} {value:.3g}\n({purpose})"
            color = palette.GREY if summary.verified else "black"
            ax.axvline(value, color=color, linestyle=dashes, linewidth=1.3, label=label)
    if summary.verified is not None:
        _draw_verified(ax, summary.verified)
    if summary.steady_lr is None:
        said = textwrap.fill(f"no suggestion: {summary.meaning}", _LINE)
        box = {"facecolor": "white", "alpha": 0.8, "linewidth": 0}
        ax.annotate(said, (0.02, 0.03), size="small", xycoords="axes fraction", color="#B00000",
                    bbox=box, zorder=2.4)  # fmt: skip
    ax.set_xlabel("learning rate")
    unit = record.summary.settings.loss or "cross-entropy, nats"
    ax.set_ylabel("batch loss" if unit == "loss" else f"batch loss ({unit})")
    return ax


def _draw_losses(ax: Any, record: SweepRecord) -> None:
    count = len(record.losses)
    label = f"batch losses, {count} seeds" if count > 1 else "batch losses"
    for raw in record.losses:
        ax.plot(record.lr, raw, color=HUE, linewidth=0.5, alpha=0.35, label=label)
        label = "_seed"  # Names that begin so stay out of the legend.


def _draw_reading(ax: Any, record: SweepRecord, read: Reading) -> None:
    """Draw the curve, between the seeds' own ones where there are several, knee and edge on it."""
    there = slice(0, read.last + 1)
    lr, curve = record.lr[there], read.curve[there]
    if len(read.seeds) > 1:
        seeds = read.seeds[:, there]
        ax.fill_between(lr, seeds.min(axis=0), seeds.max(axis=0), color=HUE, alpha=0.2,
                        linewidth=0, gid="band")  # fmt: skip
    label = "smoothed,\nas the advice reads it"
    ax.plot(lr, curve, color=HUE, linewidth=2.0, label=label)
    for name, rate, marker in (("knee", read.knee, "o"), ("edge", read.edge, "s")):
        if rate is not None:
            at = np.interp(math.log(rate), np.log(record.lr), read.curve)
            ax.plot([rate], [at], marker, color=HUE, markersize=7, markeredgecolor="white",
                    zorder=5, label=f"{name} {rate:.3g}")  # fmt: skip


def _draw_verified(ax: Any, verified: Verified) -> None:
    """Draw the verified rates, and what the short runs gave that refined them."""
    color = palette.PALETTE[1]
    for name, dashes, _ in ADVICE:
        value = getattr(verified, name)
        if value is not None:
            ax.axvline(value, color=color, linestyle=dashes, linewidth=1.6,
                       label=f"{name} {value:.3g}, verified")  # fmt: skip
    for schedule, marker in SHORT_RUNS.items():
        runs = [r for r in verified.runs if r.schedule == schedule and r.val_loss is not None]
        if runs:
            ax.plot([r.lr for r in runs], [r.val_loss for r in runs], marker, color=color,
                    markersize=4.5, zorder=4,
                    label=f"short runs, {schedule}:\nvalidation loss")  # fmt: skip


def _whole_valley(record: SweepRecord, read: Reading) -> tuple[float, float]:
    """Return the range from the lowest loss to those of the start; the explosion leaves it."""
    curve = read.curve[: read.last + 1]
    best = int(curve.argmin())
    before = record.losses[:, : best + 1]
    before = before[np.isfinite(before)]
    low = float(min(np.nanmin(record.losses[:, : read.last + 1]), curve.min()))
    high = max(float(np.percentile(before, _SPIKES)), float(curve[: best + 1].max()))
    verified = record.summary.verified
    for run in verified.runs if verified else ():
        if run.val_loss is not None and run.val_loss <= 2 * high:
            low, high = min(low, run.val_loss), max(high, run.val_loss)
    height = max(high - low, 1e-3)
    return low - 0.05 * height, high + 0.15 * height
