"""The feed of a stream, which decides on epochs and order itself."""

from collections.abc import Iterator

import numpy as np

from lrlab.tasks import stream_set
from lrlab.tasks.stream_set import Pass
from lrlab.tasks.streamed import Stream
from lrlab.training.engines.engine import Order, Split
from lrlab.training.engines.feed import Chunk, Feed, Rows
from lrlab.training.engines.loaded import tf


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
    size = int(tf.nest.flatten(batches[0]["x"])[0].shape[0])
    rows = tf.nest.map_structure(lambda *arrays: tf.constant(np.concatenate(arrays)), *batches)
    order = np.arange(size * len(batches), dtype=np.int32)
    return Chunk(rows, order, size, len(batches))
