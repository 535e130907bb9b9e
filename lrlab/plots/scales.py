"""How axes are scaled and labelled: one format of numbers per axis, logarithmic over decades."""

from collections.abc import Sequence
from typing import Any

import numpy as np

_DECADES = 4
_PLAIN = 1e-4
"""Axes that go below have powers of ten on all ticks, others `0.01`: never both."""


def label_plainly(axis: Any) -> None:
    """Label a logarithmic axis 0.01 or 1e-2, the same way at each tick: formulas are slow to set.

    Where it shows few powers of ten, their doubles and fives are labelled too.
    """
    axis.set_major_formatter(lambda value, _: _power(axis, value))
    axis.set_minor_formatter(lambda value, _: _between(axis, value))


def _power(axis: Any, value: float) -> str:
    if min(axis.get_view_interval()) >= 0.9 * _PLAIN:
        return f"{value:g}"
    mantissa, exponent = f"{value:.0e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def _between(axis: Any, value: float) -> str:
    low, high = sorted(axis.get_view_interval())
    few = np.floor(np.log10(high)) - np.ceil(np.log10(low)) < 1
    return _power(axis, value) if few and f"{value:.0e}"[0] in "25" else ""


def label_evenly(axis: Any, ticks: int | None = None) -> None:
    """Label a linear axis with the numbers themselves, all with the same decimals.

    Args:
        axis: The axis.
        ticks: The most intervals between ticks, where there is little room.
    """
    from matplotlib.ticker import MaxNLocator, ScalarFormatter

    if ticks is not None:
        axis.set_major_locator(MaxNLocator(nbins=ticks, min_n_ticks=2))
    form = ScalarFormatter(useOffset=False)
    form.set_scientific(False)
    axis.set_major_formatter(form)


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
        label_evenly(ax.yaxis)
