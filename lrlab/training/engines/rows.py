"""Where a part of the data gives its rows from: memory, a file that is mapped, or a stream.

The graph takes a chunk of rows and an order; what is in memory is given whole every time.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from lrlab.analysis.chance import best_guess
from lrlab.io.npz import Array
from lrlab.results.run import Guess
from lrlab.tasks import stream_set
from lrlab.tasks.data import DataSet
from lrlab.tasks.parts import Part
from lrlab.tasks.picked import is_on_disk
from lrlab.tasks.scale import Scale
from lrlab.tasks.stream_set import Make, Pass, StreamedSet
from lrlab.tasks.streamed import Stream
from lrlab.tasks.task import Task
from lrlab.training.engines.engine import Order, Split
from lrlab.training.engines.loaded import tf

Rows = dict[str, Any]
"""The tensors of a part: `x`, `y`, each an array or a structure of them, and `weight` if any."""

EVALUATION_BATCH = 1_000
_BLOCK = 10 * EVALUATION_BATCH
"""Rows of a block that is read from a disk; a multiple, so that batches are those of memory."""


class Chunk(NamedTuple):
    """Some steps' rows.

    Attributes:
        rows: The rows.
        order: In which order the steps take them.
        size: Rows of a step; the last one may get fewer.
        steps: How many steps these are.
    """

    rows: Rows
    order: Order
    size: int
    steps: int


class Feed(ABC):
    """Gives the rows of a part of the data.

    Attributes:
        examples: How many rows there are in an epoch.
        sizes: Rows of each step of an epoch, where the feed decides on that.
        specs: What a traced function takes for any number of them.
    """

    examples: int
    sizes: tuple[int, ...] | None = None
    specs: Rows

    def own(self) -> "Feed":
        """Return what an engine may use for itself; one without a state serves all."""
        return self

    def begin(self, stream: Stream) -> None:
        """Take the stream of a run; only a feed of streams is given one."""
        raise NotImplementedError

    @abstractmethod
    def chunks(self, order: Order, size: int, steps: int) -> Iterator[Chunk]:
        """Yield the rows of some steps.

        Args:
            order: Numbers of rows, of which each step takes the next ones.
            size: Rows of a step.
            steps: How many steps.
        """

    @abstractmethod
    def blocks(self) -> Iterator[Rows]:
        """Yield all rows, in an order that is always the same."""


class InMemory(Feed):
    """Rows that are tensors, in the types that they came in."""

    def __init__(self, part: Part) -> None:
        self.examples = len(part)
        self._rows = tf.nest.map_structure(tf.constant, _arrays(part))
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


class Streamed(Feed):
    """The batches of a stream, which decides on epochs and order itself.

    Args:
        counted: What is known of the stream.
        split: Which part of the data it is.
    """

    def __init__(self, counted: Pass, split: Split) -> None:
        self._pass, self._split = counted, split
        self.examples, self.sizes = counted.examples, counted.sizes
        self.specs = tf.nest.map_structure(
            lambda spec: tf.TensorSpec([None, *spec.shape], spec.dtype), counted.specs
        )
        self._stream: Stream | None = None
        self._batches: Iterator[Rows] | None = None
        self._taken = 0

    def own(self) -> "Feed":
        """Return a feed that stands at its own place in the stream."""
        return Streamed(self._pass, self._split)

    def begin(self, stream: Stream) -> None:
        """Begin with the stream of a run, so that nothing depends on runs before."""
        self._stream, self._batches, self._taken = stream, None, 0

    def chunks(self, order: Order, size: int, steps: int) -> Iterator[Chunk]:
        """Yield the batches of some steps, those of one size together."""
        together: list[Rows] = []
        for _ in range(steps):
            batch = self._next()
            if together and not _alike(together[-1], batch):
                yield _joined(together)
                together = []
            together.append(batch)
        if together:
            yield _joined(together)

    def blocks(self) -> Iterator[Rows]:
        """Yield the batches of an epoch."""
        for _ in range(self._pass.steps):
            yield _joined([self._next()]).rows

    def _next(self) -> Rows:
        if self._batches is None:
            assert self._stream is not None
            self._batches = stream_set.batches(self._stream)
        try:
            batch = next(self._batches)
        except StopIteration:
            raise self._changed(f"only {self._taken}") from None
        self._taken += 1
        if self._taken == self._pass.steps:
            self._end()
        return batch

    def _end(self) -> None:
        """Let the epoch end, which a stream may take note of."""
        if self._batches is not None and next(self._batches, None) is not None:
            raise self._changed("more")
        self._batches, self._taken = None, 0

    def _changed(self, found: str) -> ValueError:
        return ValueError(
            f"the {self._split} data gave {self._pass.steps} batches when they were counted, and "
            f"{found} now; every epoch has to have the same number"
        )


def _alike(one: Rows, other: Rows) -> bool:
    shapes = [[array.shape for array in tf.nest.flatten(rows)] for rows in (one, other)]
    return shapes[0] == shapes[1]


def _joined(batches: list[Rows]) -> Chunk:
    size = _count(batches[0])
    rows = tf.nest.map_structure(lambda *arrays: tf.constant(np.concatenate(arrays)), *batches)
    order = np.arange(size * len(batches), dtype=np.int32)
    return Chunk(rows, order, size, len(batches))


@dataclass(frozen=True, eq=False)
class Tensors:
    """A data set as the graph takes it; inputs are scaled batch by batch.

    `targets` are those to train and to validate on; `make` makes the streams of a run, where there
    are any.
    """

    splits: Mapping[Split, Feed]
    scale: Any
    task: Task
    targets: Mapping[Split, Any]
    make: Make | None = None

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
        return cls(splits, data.scale, data.task, targets, make)

    def best_guess(self, split: Split, task: Task) -> Guess:
        """Return what the best constant guess gives on the part to train or to validate on."""
        return best_guess(self.targets[split], task)

    def inputs(self, x: Any) -> Any:
        """Return a batch as the model takes it, bit for bit as NumPy scales it."""
        return _scaled(x, self.scale)


def _scaled(x: Any, scale: Any) -> Any:
    if isinstance(scale, dict):
        return {name: _scaled(tensor, scale[name]) for name, tensor in x.items()}
    if isinstance(scale, Scale):
        return (tf.cast(x, tf.float32) - scale.shift) * scale.factor
    return x


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


def _count(rows: Rows) -> int:
    return int(tf.nest.flatten(rows["x"])[0].shape[0])


def taken(rows: Rows, which: Any) -> Rows:
    """Return some rows, by their numbers."""
    picked: Rows = tf.nest.map_structure(lambda tensor: tf.gather(tensor, which), rows)
    return picked


def between(rows: Rows, start: Any, end: Any) -> Rows:
    """Return the rows from one to before another."""
    picked: Rows = tf.nest.map_structure(lambda tensor: tensor[start:end], rows)
    return picked
