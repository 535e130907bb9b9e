"""Data sets as tensors that stay in memory, and how the graph takes a batch of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lrlab.analysis.chance import best_guess
from lrlab.results.run import Guess
from lrlab.tasks.data import DataSet
from lrlab.tasks.parts import Part
from lrlab.tasks.scale import Scale
from lrlab.tasks.task import Task
from lrlab.training.engines.engine import Split
from lrlab.training.engines.loaded import tf

Rows = dict[str, Any]
"""The tensors of a part: `x`, `y`, each an array or a structure of them, and `weight` if any."""


@dataclass(frozen=True, eq=False)
class Tensors:
    """A data set as tensors, in the types that it came in; they are scaled batch by batch."""

    splits: Mapping[Split, Rows]
    scale: Scale | None
    task: Task

    @classmethod
    def of(cls, data: DataSet) -> "Tensors":
        """Return the tensors of a data set."""
        parts: dict[Split, Part | None] = {
            "train": data.train,
            "validation": data.validation,
            "test": data.test,
        }
        splits = {name: _rows(part) for name, part in parts.items() if part is not None}
        return cls(splits, data.scale, data.task)

    def best_guess(self, split: Split, task: Task) -> Guess:
        """Return what the best constant guess gives on a part of the data."""
        return best_guess(tf.nest.map_structure(np.asarray, self.splits[split]["y"]), task)

    def inputs(self, x: Any) -> Any:
        """Return a batch as the model takes it, bit for bit as NumPy scales it."""
        if self.scale is None:
            return x
        return (tf.cast(x, tf.float32) - self.scale.shift) * self.scale.factor


def _rows(part: Part) -> Rows:
    rows = {"x": _tensors(part.x), "y": _tensors(part.y)}
    return rows if part.weight is None else rows | {"weight": _tensors(part.weight)}


def _tensors(tree: Any) -> Any:
    return tf.nest.map_structure(_tensor, tree)


def _tensor(array: Any) -> Any:
    # Keras turns float64 into its own float type, and int64 class numbers cost memory.
    return tf.constant(array.astype(np.float32) if array.dtype == np.float64 else array)


def count(rows: Rows) -> int:
    """Return how many examples there are."""
    return int(tf.nest.flatten(rows["x"])[0].shape[0])


def taken(rows: Rows, which: Any) -> Rows:
    """Return some rows, by their numbers."""
    picked: Rows = tf.nest.map_structure(lambda tensor: tf.gather(tensor, which), rows)
    return picked


def between(rows: Rows, start: Any, end: Any) -> Rows:
    """Return the rows from one to before another."""
    picked: Rows = tf.nest.map_structure(lambda tensor: tensor[start:end], rows)
    return picked


def specs(rows: Rows) -> Rows:
    """Return what a traced function takes for any number of such rows."""
    found: Rows = tf.nest.map_structure(
        lambda tensor: tf.TensorSpec([None, *tensor.shape[1:]], tensor.dtype), rows
    )
    return found
