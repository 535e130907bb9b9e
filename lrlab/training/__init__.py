"""The training engine: the only package that imports TensorFlow when it is imported."""

from lrlab.training.loop import (
    OnProgress,
    Stopped,
    SweptSeed,
    short_run,
    sweep_order,
    sweep_seed,
    train_run,
)
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
    "train_run",
]
