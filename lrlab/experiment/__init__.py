"""Carry out find-lr, compare and tune: plan, reuse, run side by side, aggregate."""

from lrlab.experiment.comparing import compare, save, verdict_of
from lrlab.experiment.presenting import present
from lrlab.experiment.sharding import train_shard
from lrlab.experiment.suggesting import find_lr
from lrlab.experiment.tuning import Effort, check_written, save_tuning, tune, write_configs

__all__ = [
    "Effort",
    "check_written",
    "compare",
    "find_lr",
    "present",
    "save",
    "save_tuning",
    "train_shard",
    "tune",
    "verdict_of",
    "write_configs",
]
