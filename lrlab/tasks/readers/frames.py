"""Frames and series of pandas and polars as arrays, without importing either."""

from typing import Any

import numpy as np

from lrlab.errors import CodeError
from lrlab.io.npz import Array

_NUMBERS = "biuf"
_MOST_NAMED = 5


def is_frame(value: Any) -> bool:
    """Return whether a value is a table with named columns."""
    return hasattr(value, "columns") and hasattr(value, "to_numpy")


def is_series(value: Any) -> bool:
    """Return whether a value is one column of a table."""
    return hasattr(value, "to_numpy") and not hasattr(value, "columns")


def columns(frame: Any, name: str, source: str) -> Array:
    """Return a table of numbers as one array, of the narrowest type that holds all, (n, columns).

    Args:
        frame: The table.
        name: What messages call it.
        source: Who gave it, with backticks.

    Raises:
        CodeError: If a column holds no numbers, or misses some.
    """
    arrays = {str(each): values(frame[each]) for each in frame.columns}
    wrong = [each for each, array in arrays.items() if array.dtype.kind not in _NUMBERS]
    if wrong:
        named = ", ".join(f"`{each}`" for each in wrong[:_MOST_NAMED])
        more = f" and {len(wrong) - _MOST_NAMED} more" if len(wrong) > _MOST_NAMED else ""
        several = len(wrong) > 1
        raise CodeError(
            f"{source}: column{'s' if several else ''} {named}{more} of `{name}` "
            f"hold{'' if several else 's'} no numbers, or miss{'' if several else 'es'} some",
            "turn categories into numbers, by `pandas.get_dummies(frame, dtype=float)` or "
            "`frame.to_dummies()` of polars, and fill in or leave out what is missing",
        )
    if not arrays:
        return np.empty((len(frame), 0))
    return np.column_stack(list(arrays.values()))


def values(series: Any) -> Array:
    """Return one column as an array; dtype object where it holds no numbers or misses some."""
    array = np.asarray(series.to_numpy())
    if array.dtype.kind == "O":
        # pandas gives booleans and whole numbers of its nullable types as objects.
        kept = array.tolist()
        if kept and all(type(each) is bool for each in kept):
            return array.astype(bool)
        if kept and all(type(each) in (int, float) for each in kept):
            return np.asarray(kept)
    return array
