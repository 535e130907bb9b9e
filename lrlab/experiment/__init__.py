"""Carry out find-lr and compare: plan, reuse, run side by side, aggregate."""

from lrlab.experiment.comparing import Run, compare
from lrlab.experiment.finding import find_lr
from lrlab.experiment.pool import Progress

__all__ = ["Progress", "Run", "compare", "find_lr"]
