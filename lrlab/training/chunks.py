"""Steps in chunks: training a piece at a time, at a pace, until told to stop."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Event

from lrlab.schedules import Rates
from lrlab.training.engines.engine import Engine, Floats, Order


class Stopped(Exception):
    """The run was told to stop before it ended."""


@dataclass(frozen=True)
class Pace:
    """How often a run looks up from its work; none of it changes a result.

    Args:
        chunk_seconds: How long a chunk of steps should take.
        first_chunk: Steps of the first chunk, whose time is not known yet.
        longest_chunk: Most steps of a chunk.
        checkpoint_seconds: After so long there is a checkpoint within an epoch.
        training_per_checkpoint: How many times as long as a checkpoint took is trained before
            the next one at the end of an epoch.
    """

    chunk_seconds: float = 0.15
    first_chunk: int = 20
    longest_chunk: int = 250
    checkpoint_seconds: float = 30.0
    training_per_checkpoint: float = 10.0


USUAL = Pace()


class Chunks:
    """Cuts steps into chunks, so that progress and Ctrl-C are prompt."""

    def __init__(self, engine: Engine, stop: Event, pace: Pace) -> None:
        self._engine = engine
        self._stop = stop
        self._pace = pace
        self._size = min(pace.first_chunk, pace.longest_chunk)

    def run(
        self, order: Order, rates: Floats, momenta: Rates | None = None
    ) -> Iterator[tuple[Floats, Floats]]:
        """Yield the rates and losses of each chunk.

        Raises:
            Stopped: Between two chunks, once the stop event is set.
        """
        batch = self._engine.batch_size
        first = 0
        while first < len(rates):
            if self._stop.is_set():
                raise Stopped
            last = min(first + self._size, len(rates))
            began = time.perf_counter()
            losses = self._engine.train(
                order[first * batch : last * batch],
                rates[first:last],
                None if momenta is None else momenta[first:last],
            )
            seconds = max(time.perf_counter() - began, 1e-6)
            yield rates[first:last], losses
            ideal = int((last - first) * self._pace.chunk_seconds / seconds)
            self._size = max(1, min(ideal, 2 * self._size, self._pace.longest_chunk))
            first = last
