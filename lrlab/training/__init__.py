"""The training engine: the only package that imports TensorFlow when it is imported."""

from lrlab.training._tensorflow import threads_per_run
from lrlab.training.chunks import Stopped
from lrlab.training.run import OnProgress, train_run
from lrlab.training.sweeping import SweptSeed, short_run, sweep_order, sweep_seed
from lrlab.training.trainer import Tensors, Trainer

__all__ = [
    "OnProgress",
    "Stopped",
    "SweptSeed",
    "Tensors",
    "Trainer",
    "short_run",
    "sweep_order",
    "sweep_seed",
    "threads_per_run",
    "train_run",
]
