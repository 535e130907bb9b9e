"""Draw samples of `sketches`, one row per class: `python docs/make_sketches_sheet.py`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from lrlab.tasks.sketches import CLASS_NAMES, sketches

COLUMNS = 14


def sheet() -> Figure:
    """Return the contact sheet: the first `COLUMNS` training images of every class."""
    images, labels, _, _ = sketches(500, 0)
    figure = Figure(figsize=(11.3, 7.6), layout="constrained", facecolor="white")
    axes = figure.subplots(len(CLASS_NAMES), 1)
    for label, (name, ax) in enumerate(zip(CLASS_NAMES, axes, strict=True)):
        row = np.concatenate(list(images[labels == label][:COLUMNS]), axis=1)
        ax.imshow(row, cmap="gray", vmin=0, vmax=255, interpolation="nearest", aspect="equal")
        ax.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=12)
        ax.set(xticks=[], yticks=[])
    return figure


if __name__ == "__main__":
    sheet().savefig(Path(__file__).parent / "figures" / "sketches.png", dpi=100)
