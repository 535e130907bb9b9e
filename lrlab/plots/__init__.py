"""Figures from run files, drawn on given Axes; matplotlib is imported inside functions."""

from lrlab.plots import comparison_figures, sweep_figure
from lrlab.plots.canvas import FORMATS

__all__ = ["FORMATS", "comparison_figures", "sweep_figure"]
