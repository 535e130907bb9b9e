"""Long lines without the points that nobody can see: the extremes of every column are left."""

from typing import Any

import numpy as np

COLUMNS = 1000


def thinned(x: Any, y: Any) -> tuple[Any, Any]:
    """Return the points of a line that its figure can show: the extremes of every column.

    A line of few points is returned as it is.
    """
    width = column_width(len(y))
    if width == 1:
        return x, y
    kept = visible(y, width)
    return x[kept], y[kept]


def column_width(length: int, columns: int = COLUMNS) -> int:
    """Return how many points of a long line share a column of its figure, 1 for a short line."""
    return 1 if length <= 4 * columns else -(-length // columns)


def visible(values: Any, width: int) -> Any:
    """Return which points of a line show where `width` of them share a column, first to last."""
    padded = np.pad(values, (0, -len(values) % width), mode="edge").reshape(-1, width)
    first = np.arange(len(padded))[:, None] * width
    both = np.stack([padded.argmin(axis=1), padded.argmax(axis=1)], axis=1)
    kept = np.unique(np.concatenate([[0], (first + both).ravel(), [len(values) - 1]]))
    return kept[kept < len(values)]
