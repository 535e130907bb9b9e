"""The training engine.

Its names are imported when they are first used: what the Keras integrations need from here
(`sweeping`, `momentum`) must not start the engine, which sets up TensorFlow for the whole process.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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

_HOMES = {
    "OnProgress": "run",
    "Stopped": "chunks",
    "SweptSeed": "sweeping",
    "Tensors": "trainer",
    "Trainer": "trainer",
    "short_run": "sweeping",
    "sweep_order": "sweeping",
    "sweep_seed": "sweeping",
    "threads_per_run": "_tensorflow",
    "train_run": "run",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module `lrlab.training` has no attribute `{name}`")
    import importlib

    return getattr(importlib.import_module(f"lrlab.training.{_HOMES[name]}"), name)
