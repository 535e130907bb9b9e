"""Data sets as the graph takes them: their parts in memory, on a disk, or streamed.

The graph takes a chunk of rows and an order; what is in memory is given whole every time.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lrlab.analysis.chance import best_guess
from lrlab.io.npz import Array
from lrlab.results.run import Guess
from lrlab.tasks.data import DataSet
from lrlab.tasks.parts import Part
from lrlab.tasks.picked import is_on_disk
from lrlab.tasks.scale import Scale
from lrlab.tasks.setup import Setup
from lrlab.tasks.stream_set import Make, StreamedSet
from lrlab.tasks.task import Task
from lrlab.training.engines.engine import Order, Split
from lrlab.training.engines.feed import Chunk, Feed, Rows
from lrlab.training.engines.loaded import tf
from lrlab.training.engines.streamed_feed import Streamed

EVALUATION_BATCH = 1_000
_BLOCK = 10 * EVALUATION_BATCH
"""Rows of a block that is read from a disk; a multiple, so that batches are those of memory."""


class InMemory(Feed):
    """Rows that are tensors, in the types that they came in."""

    def __init__(self, part: Part) -> None:
        self.examples = len(part)
        self._rows = tf.nest.map_structure(tf.constant, _arrays(part))
        self.specs = _specs(self._rows)

    def __getstate__(self) -> dict[str, Any]:
        """Return the rows as arrays: a tensor cannot go to another process."""
        arrays = tf.nest.map_structure(lambda tensor: tensor.numpy(), self._rows)
        return {"examples": self.examples, "rows": arrays}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.examples = state["examples"]
        self._rows = tf.nest.map_structure(tf.constant, state["rows"])
        self.specs = _specs(self._rows)

    def chunks(self, order: Order, size: int, steps: int) -> Iterator[Chunk]:
        """Yield all rows, of which the graph takes those of each step."""
        yield Chunk(self._rows, order, size, steps)

    def blocks(self) -> Iterator[Rows]:
        """Yield all rows."""
        yield self._rows


class Mapped(Feed):
    """Rows of which at least some lie on a disk; only those of a chunk are ever in memory."""

    def __init__(self, part: Part) -> None:
        self.examples = len(part)
        self._part = part
        self.specs = _specs(_arrays(part.rows(slice(0, 1))))

    def __getstate__(self) -> dict[str, Any]:
        """Return the rows: they all go to another process, which may be on another machine."""
        return {"part": self._part}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["part"])  # type: ignore[misc]

    def chunks(self, order: Order, size: int, steps: int) -> Iterator[Chunk]:
        """Yield the rows of the steps, in order."""
        taken = order[: size * steps]
        yield Chunk(self._rows(taken), np.arange(len(taken), dtype=np.int32), size, steps)

    def blocks(self) -> Iterator[Rows]:
        """Yield all rows, some at a time."""
        for start in range(0, self.examples, _BLOCK):
            yield self._rows(slice(start, start + _BLOCK))

    def _rows(self, which: Any) -> Rows:
        rows: Rows = tf.nest.map_structure(tf.constant, _arrays(self._part.rows(which)))
        return rows


@dataclass(frozen=True, eq=False)
class Tensors:
    """A data set as the graph takes it; inputs are scaled batch by batch.

    `targets` are those to train and to validate on; `make` makes the streams of a run, where there
    are any; `target_scale` scales amounts for the loss, while the metric stays in their unit.
    """

    splits: Mapping[Split, Feed]
    scale: Any
    task: Task
    targets: Mapping[Split, Any]
    make: Make | None = None
    target_scale: Scale | None = None

    @classmethod
    def of(cls, data: DataSet | StreamedSet) -> "Tensors":
        """Return the tensors of a data set."""
        splits: dict[Split, Feed] = {}
        for name in ("train", "validation", "test"):
            if isinstance(data, StreamedSet) and name in data.passes:
                splits[name] = Streamed(data.passes[name], name)
            elif (part := getattr(data, name)) is not None:
                mapped = any(is_on_disk(array) for _, array in part.arrays(name))
                splits[name] = Mapped(part) if mapped else InMemory(part)
        make = data.make if isinstance(data, StreamedSet) else None
        targets: dict[Split, Any] = {
            "train": data.targets("train"),
            "validation": data.targets("validation"),
        }
        return cls(splits, data.scale, data.task, targets, make, data.target_scale)

    def best_guess(self, split: Split, setup: Setup) -> Guess:
        """Return what the best constant guess gives on the part to train or to validate on."""
        y, scale = self.targets[split], self.scale_of_targets(setup)
        found = best_guess(y, setup.task)
        if scale is None:
            return found
        return replace(found, loss=best_guess(scale(y), setup.task).loss)

    def scale_of_targets(self, setup: Setup) -> Scale | None:
        """Return how amounts are standardised that the loss is of, None if they are not."""
        return self.target_scale if setup.scales_targets else None

    def inputs(self, x: Any) -> Any:
        """Return a batch as the model takes it, bit for bit as NumPy scales it."""
        return scaled(x, self.scale)


def scaled(x: Any, scale: Any) -> Any:
    """Return a tensor standardised by a scale, or several by one for each name."""
    if isinstance(scale, dict):
        return {name: scaled(tensor, scale[name]) for name, tensor in x.items()}
    if isinstance(scale, Scale):
        return (tf.cast(x, tf.float32) - scale.shift) * scale.factor
    return x


def unscaled(outputs: Any, scale: Scale) -> Any:
    """Return predictions of standardised amounts in the unit of the amounts."""

    def undone(tensor: Any) -> Any:
        return tf.cast(tensor, tf.float32) / scale.factor + scale.shift

    return tf.nest.map_structure(undone, outputs)


def _arrays(part: Part) -> Rows:
    rows = {"x": part.x, "y": part.y} | ({} if part.weight is None else {"weight": part.weight})
    return tf.nest.map_structure(_narrowed, rows)  # type: ignore[no-any-return]


def _narrowed(array: Array) -> Array:
    """Return an array as Keras takes it: all real numbers as float32."""
    return array.astype(np.float32, copy=False) if array.dtype.kind == "f" else array


def _specs(rows: Rows) -> Rows:
    found: Rows = tf.nest.map_structure(
        lambda tensor: tf.TensorSpec([None, *tensor.shape[1:]], tensor.dtype), rows
    )
    return found


def taken(rows: Rows, which: Any) -> Rows:
    """Return some rows, by their numbers."""
    picked: Rows = tf.nest.map_structure(lambda tensor: tf.gather(tensor, which), rows)
    return picked


def between(rows: Rows, start: Any, end: Any) -> Rows:
    """Return the rows from one to before another."""
    picked: Rows = tf.nest.map_structure(lambda tensor: tensor[start:end], rows)
    return picked
