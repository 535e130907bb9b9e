"""The figure of an LR sweep: raw and smoothed loss against the rate, and the suggestions."""

from pathlib import Path
from typing import Any

import numpy as np

from lrlab.plots import canvas
from lrlab.results.sweep_record import SweepRecord

BAND = "#9ecae1"


def save(target: Path, record: SweepRecord, kind: str = "png") -> list[Path]:
    """Draw `sweep.png` (or svg, pdf) into the folder `target`.

    Raises:
        ResultsError: If it cannot be written.
    """
    made, (ax,) = canvas.figure()
    draw_sweep(ax, record)
    count = len(record.losses)
    seeds = f"{count} seed{'s' if count > 1 else ''}"
    ax.set_title(f"LR sweep · {record.conditions} · {seeds}", loc="left")
    canvas.legend(made, ax)
    return [canvas.save(made, target / f"sweep.{kind}")]


def draw_sweep(ax: Any, record: SweepRecord) -> Any:
    """Draw each seed's raw (thin) and smoothed (thick) loss, and the suggested rates."""
    smoothed, summary = record.smoothed, record.summary
    for seed, (raw, smooth) in enumerate(zip(record.losses, smoothed, strict=True)):
        color = canvas.PALETTE[seed % len(canvas.PALETTE)]
        ax.plot(record.lr, raw, color=color, linewidth=0.5, alpha=0.35)
        ax.plot(record.lr, smooth, color=color, linewidth=1.8, label=f"seed {seed}")
    if len(smoothed) > 1:
        together = np.isfinite(smoothed).all(axis=0)
        low, high = smoothed[:, together].min(axis=0), smoothed[:, together].max(axis=0)
        ax.fill_between(record.lr[together], low, high, color=BAND, alpha=0.35, linewidth=0,
                        label="band over seeds")  # fmt: skip
    ax.set_xscale("log")
    canvas.label_plainly(ax.xaxis)
    recorded = np.flatnonzero(np.isfinite(record.losses).any(axis=0))
    last = record.lr[recorded[-1]] if len(recorded) else record.lr[-1]
    ax.set_xlim(record.lr[0], min(2 * last, record.lr[-1]))
    _show_the_valley(ax, record, smoothed)
    marks = (("steady_lr", "-", "constant, decaying"), ("max_lr", "--", "peak of one_cycle"))
    for name, dashes, purpose in marks:
        value = getattr(summary, name)
        if value is not None:
            label = f"{name} {value:.3g}\n({purpose})"
            ax.axvline(value, color="black", linestyle=dashes, linewidth=1.3, label=label)
    low, high = summary.lowest_useful_lr, summary.highest_stable_lr
    if low is not None and high is not None:
        label = f"usable\n{low:.3g} to {high:.3g}"
        ax.axvspan(low, high, color=canvas.GREY, alpha=0.1, linewidth=0, label=label)
    if summary.steady_lr is None:
        ax.annotate(f"no suggestion: {summary.meaning}", (0.02, 0.03), size="small",
                    xycoords="axes fraction", color="#B00000")  # fmt: skip
    ax.set_xlabel("learning rate")
    ax.set_ylabel("batch loss (cross-entropy, nats)")
    return ax


def _show_the_valley(ax: Any, record: SweepRecord, smoothed: Any) -> None:
    """Limit the y axis to the smoothed descent; the explosion would press it flat."""
    if not np.isfinite(smoothed).any():
        return
    lowest = float(np.nanmin(smoothed))
    start = (
        float(np.nanmean(record.losses[:, :10])) if np.isfinite(record.losses[:, 0]).any() else 1
    )
    height = max(start - lowest, 0.1 * abs(start), 1e-3)
    ax.set_ylim(max(0.0, lowest - 0.25 * height), max(start, lowest) + 0.35 * height)
