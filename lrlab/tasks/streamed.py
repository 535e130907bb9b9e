"""Data sets that make their own batches: `tf.data.Dataset` and `keras.utils.PyDataset`.

Neither is read when it is recognised; epochs and order are theirs.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from lrlab.errors import DataError
from lrlab.tasks.parts import Part

Kind = Literal["tf.data.Dataset", "keras.utils.PyDataset"]

_ENDLESS, _UNKNOWN = -1, -2


class Spec(NamedTuple):
    """What one sample's array is.

    Attributes:
        shape: Its shape without the batch; None for an axis that differs between batches.
        dtype: Its type, as NumPy calls it.
    """

    shape: tuple[int | None, ...]
    dtype: str


@dataclass(frozen=True, eq=False)
class Stream:
    """A data set that makes its own batches.

    Args:
        source: The data set.
        kind: Which of the two it is.
        name: What messages call it.
    """

    source: Any
    kind: Kind
    name: str

    @property
    def steps(self) -> int | None:
        """Batches per epoch; None if the data set does not know without making them all.

        Raises:
            DataError: If it never ends, or is empty.
        """
        if self.kind == "keras.utils.PyDataset":
            count = self.source.num_batches
            steps = _ENDLESS if count is None else int(count)
        else:
            steps = int(self.source.cardinality())
        if steps == _ENDLESS:
            raise DataError(
                f"{self.name} never ends, so nobody knows what an epoch of it is",
                "leave out `.repeat()`, or add `.take(BATCHES)`",
            )
        if steps == 0:
            raise DataError(f"{self.name} has no batches", "look at how it is made")
        return None if steps == _UNKNOWN else steps

    def batches(self) -> Iterator[tuple[Any, ...]]:
        """Yield the batches of one epoch as the data set gives them: (x, y) or (x, y, weight)."""
        if self.kind == "tf.data.Dataset":
            yield from self.source
            return
        self.source.on_epoch_begin()
        for index in range(self.steps or 0):
            yield self.source[index]
        self.source.on_epoch_end()

    def spec(self) -> tuple[Any, ...]:
        """Return what x, y and, if there is one, the weight of a sample are.

        Each is a `Spec`, or a dict or tuple of them. Of a `PyDataset` the first batch is made.

        Raises:
            DataError: If a batch is not (x, y) or (x, y, weight).
        """
        batch = self.source.element_spec if self.kind == "tf.data.Dataset" else self.source[0]
        if not isinstance(batch, tuple | list) or len(batch) not in (2, 3):
            got = f"{len(batch)} values" if isinstance(batch, tuple | list) else "one value"
            raise DataError(f"a batch of {self.name} must be (x, y) or (x, y, weight), it is {got}")
        return tuple(_spec(each) for each in batch)


@dataclass(frozen=True, eq=False)
class Streams:
    """A data set that trains on a stream.

    Args:
        train: What to train on.
        validation: What to validate on, None if there is none.
        test: What the finished model is measured on once, None if there is none.
    """

    train: Stream
    validation: Stream | Part | None = None
    test: Stream | Part | None = None

    def with_validation(self) -> "Streams":
        """Return a pair as training and validation data: a stream cannot be split."""
        return self if self.validation is not None else Streams(self.train, self.test)


def stream(value: Any, name: str) -> Stream | None:
    """Return a value as a stream, None if it is none; neither library is imported for that.

    Args:
        value: Anything.
        name: What messages call it.
    """
    for each in type(value).__mro__:
        library = each.__module__.split(".")[0]
        if (library, each.__name__) == ("tensorflow", "DatasetV2"):
            return Stream(value, "tf.data.Dataset", name)
        if (library, each.__name__) == ("keras", "PyDataset"):
            return Stream(value, "keras.utils.PyDataset", name)
    return None


def _spec(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _spec(each) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return tuple(_spec(each) for each in value)
    dtype = value.dtype
    return Spec(tuple(value.shape)[1:], getattr(dtype, "name", str(dtype)))
