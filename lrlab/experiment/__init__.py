"""Carry out find-lr and compare: plan, reuse, run side by side, aggregate."""

from lrlab.experiment.comparing import compare, save
from lrlab.experiment.finding import find_lr
from lrlab.experiment.pool import Progress
from lrlab.experiment.running import Run

__all__ = ["Progress", "Run", "compare", "find_lr", "save"]
