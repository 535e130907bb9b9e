"""Steps in chunks: the order of the images, and training a piece at a time until told to stop."""

import time
from collections.abc import Iterator
from threading import Event

import numpy as np
import numpy.typing as npt

from lrlab.schedules import Rates
from lrlab.training.trainer import Floats, Trainer

_CHUNK_SECONDS = 0.15
_FIRST_CHUNK = 20
_MAX_CHUNK = 250


class Stopped(Exception):
    """The run was told to stop before it ended."""


def sample_order(images: int, seed: int, epoch: int) -> npt.NDArray[np.int32]:
    """Return the order of the training images, a function of seed and epoch alone."""
    return np.random.default_rng([seed, epoch]).permutation(images).astype(np.int32)


class Chunks:
    """Cuts steps into chunks of about 0.15 s, so that progress and Ctrl-C are prompt."""

    def __init__(self, trainer: Trainer, stop: Event) -> None:
        self._trainer = trainer
        self._stop = stop
        self._size = min(_FIRST_CHUNK, _MAX_CHUNK)

    def run(
        self,
        order: npt.NDArray[np.int32],
        rates: Floats,
        momenta: Rates | None = None,
    ) -> Iterator[tuple[Floats, Floats, int]]:
        """Yield the rates, losses and correct count of each chunk.

        Raises:
            Stopped: Between two chunks, once the stop event is set.
        """
        batch = self._trainer.batch_size
        first = 0
        while first < len(rates):
            if self._stop.is_set():
                raise Stopped
            last = min(first + self._size, len(rates))
            began = time.perf_counter()
            losses, correct = self._trainer.train(
                order[first * batch : last * batch],
                rates[first:last],
                None if momenta is None else momenta[first:last],
            )
            seconds = max(time.perf_counter() - began, 1e-6)
            yield rates[first:last], losses, correct
            ideal = int((last - first) * _CHUNK_SECONDS / seconds)
            self._size = max(1, min(ideal, 2 * self._size, _MAX_CHUNK))
            first = last
