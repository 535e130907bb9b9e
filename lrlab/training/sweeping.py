"""Training with a rate given for every step: one LR sweep, or one short run that checks it."""

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from lrlab.finder import sweep
from lrlab.training.chunks import Chunks, sample_order

if TYPE_CHECKING:
    from lrlab.training.trainer import Trainer


@dataclass(frozen=True)
class SweptSeed:
    """The batch losses of one sweep, shape (steps,), NaN from its end on, and why it ended."""

    losses: npt.NDArray[np.float64]
    stopped_by: sweep.StoppedBy


def sweep_order(images: int, batch_size: int, steps: int, seed: int) -> npt.NDArray[np.int32]:
    """Return the order of the training images in a sweep, epoch after epoch.

    Whole batches only: a smaller last batch would be a noisier point of the curve.
    """
    whole = images - images % batch_size or images
    epochs = -(-steps * batch_size // whole)
    return np.concatenate([sample_order(images, seed, epoch)[:whole] for epoch in range(epochs)])


def sweep_seed(
    trainer: "Trainer", rates: npt.NDArray[np.float64], seed: int, *, stop: Event
) -> SweptSeed:
    """Train one step at each rate in turn, until the stop rule ends it.

    Raises:
        Stopped: If `stop` was set meanwhile.
    """
    trainer.start(seed)
    order = sweep_order(trainer.data.train_images, trainer.batch_size, len(rates), seed)
    losses: list[float] = []
    for _, chunk, _ in Chunks(trainer, stop).run(order, rates.astype(np.float32)):
        losses += chunk.tolist()
        ended = sweep.stop(np.asarray(losses))
        if ended is not None:
            step, reason = ended
            return SweptSeed(padded(losses[:step], len(rates)), reason)
    return SweptSeed(padded(losses, len(rates)), sweep.StoppedBy.COMPLETED)


def short_run(
    trainer: "Trainer", rates: npt.NDArray[np.float64], seed: int, *, stop: Event
) -> tuple[float, float] | tuple[None, None]:
    """Train one step at each rate; return validation loss and accuracy, None if it broke down.

    Raises:
        Stopped: If `stop` was set meanwhile.
    """
    trainer.start(seed)
    order = sweep_order(trainer.data.train_images, trainer.batch_size, len(rates), seed)
    for _, losses, _ in Chunks(trainer, stop).run(order, rates.astype(np.float32)):
        if not np.isfinite(losses).all():
            return None, None
    loss, accuracy = trainer.evaluate(trainer.data.x_val, trainer.data.y_val)
    return (loss, accuracy) if np.isfinite(loss) else (None, None)


def padded(losses: Sequence[float], length: int) -> npt.NDArray[np.float64]:
    """Return the losses, filled up with NaN to the shape (length,)."""
    filled = np.full(length, np.nan)
    filled[: len(losses)] = losses
    return np.where(np.isfinite(filled), filled, np.nan)
