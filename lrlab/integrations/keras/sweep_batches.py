"""What a sweep trains on: whatever `fit` takes, as batches, each sweep in an order of its own."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from lrlab.errors import UsageError
from lrlab.schedules import Length
from lrlab.tasks.streamed import Stream, stream
from lrlab.training.orders import sweep_order

Batch = tuple[Any, Any, Any]
"""Inputs, targets and weights of some samples; the last two may be None."""

_USUAL_BATCH = 32
_SHUFFLED = 64
"""Batches of a `tf.data.Dataset` that are in memory at a time, to be shuffled."""

_EXPECTED = (
    "arrays, lists, tuples or dictionaries of them, a `tf.data.Dataset`, a `keras.utils.PyDataset` "
    "or a generator of batches"
)


class Batches(ABC):
    """Where the batches of a sweep come from.

    Attributes:
        steps_per_epoch: Batches in an epoch, None where nobody knows.
    """

    steps_per_epoch: int | None = None

    @abstractmethod
    def of_sweep(self, number: int, steps: int) -> Iterator[Batch]:
        """Yield the batches of a sweep.

        Args:
            number: Which sweep it is: its order is a function of this number.
            steps: How many.

        Raises:
            UsageError: If there are not that many.
        """


def batches(
    x: Any, y: Any, weight: Any, batch_size: int | None, *, targets: bool = True
) -> Batches:
    """Return where the batches come from, for data as they are given to `fit`.

    Args:
        x: Inputs, or batches.
        y: Targets, None with batches.
        weight: What each sample counts in the loss, None with batches.
        batch_size: Samples a step; None: 32, or as many as a batch has.
        targets: Whether the model's loss needs targets.

    Raises:
        UsageError: If they are nothing to train on.
    """
    if (found := stream(x, "`x`")) is None and not hasattr(x, "__next__"):
        if y is None and targets:
            raise UsageError("`y` is missing, and the model's loss needs it")
        return _Arrays(x, y, weight, batch_size)
    for name, given in (("y", y), ("sample_weight", weight), ("batch_size", batch_size)):
        if given is not None:
            raise UsageError(
                f"`{name}` cannot be given beside batches that `x` makes itself",
                "let each batch be (inputs, targets) or (inputs, targets, weights)",
            )
    return _Streamed(found) if found is not None else _Generated(x)


class _Arrays(Batches):
    def __init__(self, x: Any, y: Any, weight: Any, batch_size: int | None) -> None:
        self._given = (x, y, weight)
        self._size = batch_size or _USUAL_BATCH
        self._samples = _samples(x, y, weight)
        self.steps_per_epoch = Length.of(self._samples, self._size, 1).steps_per_epoch

    def of_sweep(self, number: int, steps: int) -> Iterator[Batch]:
        """Yield batches of shuffled samples, epoch after epoch."""
        order = sweep_order(self._samples, self._size, steps, number)[: steps * self._size]
        x, y, weight = self._given
        for picked in order.reshape(steps, self._size):
            yield _picked(x, picked), _picked(y, picked), _picked(weight, picked)


def _samples(x: Any, y: Any, weight: Any) -> int:
    named = {"x": x, "y": y, "sample_weight": weight}
    parts = {name: keras.tree.flatten(each) for name, each in named.items() if each is not None}
    for name, arrays in parts.items():
        for array in arrays:
            if not hasattr(array, "__array__") or getattr(array, "shape", (1,)) == ():
                raise UsageError(f"`{name}` must be {_EXPECTED}, got {type(named[name]).__name__}")
    if x is None:
        raise UsageError(f"`x` must be {_EXPECTED}, got nothing")
    sizes = {name: {len(array) for array in arrays} for name, arrays in parts.items()}
    together = set().union(*sizes.values())
    if len(together) != 1 or 0 in together:
        listed = " and ".join(f"`{name}`" for name in sizes) or "`x`"
        raise UsageError(f"{listed} must hold equally many samples, got {sorted(together)}")
    return together.pop()


def _picked(arrays: Any, picked: npt.NDArray[np.int32]) -> Any:
    def take(array: Any) -> Any:
        if tf.is_tensor(array):
            return tf.gather(array, picked)
        return np.asarray(array)[picked]

    return None if arrays is None else keras.tree.map_structure(take, arrays)


class _Streamed(Batches):
    """A data set that makes its own batches; it is begun again as often as steps are needed."""

    def __init__(self, source: Stream) -> None:
        self._source = source.source
        self._is_tf = source.kind == "tf.data.Dataset"
        count = int(self._source.cardinality()) if self._is_tf else self._source.num_batches
        self.steps_per_epoch = None if count is None or count < 0 else int(count)
        if self.steps_per_epoch == 0:
            raise UsageError("`x` has no batches", "look at how it is made")

    def of_sweep(self, number: int, steps: int) -> Iterator[Batch]:
        """Yield batches in shuffled order."""
        epochs = self._shuffled(number) if self._is_tf else self._indexed(number)
        for _ in range(steps):
            batch = next(epochs, None)
            if batch is None:
                raise UsageError("`x` has no batches", "look at how it is made")
            yield _whole(batch)

    def _shuffled(self, number: int) -> Iterator[Any]:
        shuffled = self._source.shuffle(_SHUFFLED, seed=number)
        found = True
        while found:
            found = False
            for batch in shuffled:
                found = True
                yield batch

    def _indexed(self, number: int) -> Iterator[Any]:
        rng = np.random.default_rng(number)
        count, start = self.steps_per_epoch, 0
        while True:
            self._source.on_epoch_begin()
            for index in rng.permutation(count) if count else range(start, start + _SHUFFLED):
                yield self._source[int(index)]
            self._source.on_epoch_end()
            start += _SHUFFLED


class _Generated(Batches):
    """A generator: it cannot be begun again, so each sweep goes on where the last one was."""

    def __init__(self, source: Iterator[Any]) -> None:
        self._source = source
        self._read = 0

    def of_sweep(self, number: int, steps: int) -> Iterator[Batch]:
        """Yield the next batches."""
        for _ in range(steps):
            try:
                batch = next(self._source)
            except StopIteration:
                raise UsageError(
                    f"the generator ended after {self._read} batches; a sweep takes {steps}",
                    "give one that goes on, or lower `steps=` or `seeds=`",
                ) from None
            self._read += 1
            yield _whole(batch)


def _whole(batch: Any) -> Batch:
    x, y, weight = keras.utils.unpack_x_y_sample_weight(batch)
    return x, y, weight
