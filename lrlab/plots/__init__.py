"""Figures from run files, drawn on given Axes; matplotlib is imported inside functions."""

from lrlab.plots import comparison_figures, sensitivity_figure, settings, sweep_figure

__all__ = ["comparison_figures", "sensitivity_figure", "settings", "sweep_figure"]
