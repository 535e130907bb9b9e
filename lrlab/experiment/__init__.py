"""Carry out find-lr and compare: plan, reuse, run side by side, aggregate."""

from lrlab.experiment.comparing import compare, save, verdict_of
from lrlab.experiment.presenting import present
from lrlab.experiment.sharding import train_shard
from lrlab.experiment.suggesting import find_lr

__all__ = ["compare", "find_lr", "present", "save", "train_shard", "verdict_of"]
