"""The feed: what gives the rows of a part of the data to the graph, a chunk of steps at a time."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, NamedTuple

from lrlab.tasks.streamed import Stream
from lrlab.training.engines.engine import Order

Rows = dict[str, Any]
"""The tensors of a part: `x`, `y`, each an array or a structure of them, and `weight` if any."""


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
