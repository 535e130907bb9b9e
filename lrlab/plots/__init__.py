"""Figures from run files, drawn on given Axes; matplotlib is imported inside functions."""

from lrlab.plots import comparing, sweeping
from lrlab.plots.canvas import FORMATS

__all__ = ["FORMATS", "comparing", "sweeping"]
