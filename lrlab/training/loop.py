"""The training loop: one run of an experiment, or one LR sweep, on a trainer."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from threading import Event

import numpy as np
import numpy.typing as npt

from lrlab import closed_loop, schedules, sweep
from lrlab.config import Experiment
from lrlab.runs import EpochResult, RunResult, Status
from lrlab.training.trainer import Floats, Trainer

_CHUNK_SECONDS = 0.15
_MAX_CHUNK = 250

OnProgress = Callable[[int, float, float, float | None], None]
"""Called after a chunk of steps with: steps done, rate, loss, last validation accuracy."""


class Stopped(Exception):
    """The run was told to stop before it ended."""


@dataclass(frozen=True)
class SweptSeed:
    """The batch losses of one sweep, shape (steps,), NaN from its end on, and why it ended."""

    losses: npt.NDArray[np.float64]
    stopped_by: sweep.StoppedBy


def sample_order(images: int, seed: int, epoch: int) -> npt.NDArray[np.int32]:
    """Return the order of the training images, a function of seed and epoch alone."""
    return np.random.default_rng([seed, epoch]).permutation(images).astype(np.int32)


def sweep_order(images: int, batch_size: int, steps: int, seed: int) -> npt.NDArray[np.int32]:
    """Return the order of the training images in a sweep, epoch after epoch.

    Whole batches only: a smaller last batch would be a noisier point of the curve.
    """
    whole = images - images % batch_size or images
    epochs = -(-steps * batch_size // whole)
    return np.concatenate([sample_order(images, seed, epoch)[:whole] for epoch in range(epochs)])


def train_run(
    trainer: Trainer,
    experiment: Experiment,
    seed: int,
    *,
    stop: Event,
    on_progress: OnProgress,
) -> RunResult:
    """Train one run from its seed to its end or divergence, then use the test set once.

    Args:
        trainer: A trainer made for this experiment's model, optimizer and batch size.
        experiment: What to train.
        seed: Seed of the initial weights and of the sample order, >= 0.
        stop: Ends the run within a chunk of steps once it is set.
        on_progress: Called after every chunk, in this thread.

    Raises:
        Stopped: If `stop` was set meanwhile.
    """
    began = time.perf_counter()
    steps_per_epoch = -(-trainer.data.train_images // experiment.batch_size)
    rates_of = _epoch_rates(experiment, steps_per_epoch)
    momenta = schedules.momenta(experiment.schedule, steps_per_epoch, experiment.epochs)
    recorder = _Recorder(trainer, _Chunks(trainer, stop), on_progress)
    trainer.start(seed)
    for epoch in range(experiment.epochs):
        rates = rates_of(epoch, recorder.history).astype(np.float32)
        order = sample_order(trainer.data.train_images, seed, epoch)
        steps = slice(epoch * steps_per_epoch, (epoch + 1) * steps_per_epoch)
        if not recorder.train_epoch(
            epoch, order, rates, None if momenta is None else momenta[steps]
        ):
            break
    lr, loss = recorder.curves()
    at = _diverged_at(loss, steps_per_epoch)
    if at is None and not recorder.finite:
        at = len(loss) - 1  # The very last step broke the network; no later loss shows it.
    test_loss, test_accuracy = None, None
    if recorder.finite and trainer.data.x_test is not None:
        test_loss, test_accuracy = trainer.evaluate(trainer.data.x_test, trainer.data.y_test)
    return RunResult(
        status=Status.DONE if at is None else Status.DIVERGED,
        epochs=tuple(recorder.history),
        lr=lr,
        loss=loss,
        momentum=None if momenta is None else momenta[: len(lr)].astype(np.float32),
        diverged_at=at,
        test_loss=test_loss,
        test_accuracy=test_accuracy,
        train_seconds=time.perf_counter() - began,
    )


class _Recorder:
    """Trains epoch after epoch and keeps what came out: the history and every step's loss."""

    def __init__(self, trainer: Trainer, chunks: "_Chunks", on_progress: OnProgress) -> None:
        self.history: list[EpochResult] = []
        self.finite = True
        self._trainer = trainer
        self._chunks = chunks
        self._on_progress = on_progress
        self._rates: list[Floats] = []
        self._losses: list[Floats] = []
        self._steps = 0

    def train_epoch(
        self,
        epoch: int,
        order: npt.NDArray[np.int32],
        rates: Floats,
        momenta: schedules.Rates | None,
    ) -> bool:
        """Train and validate one epoch; return False if a loss was not finite."""
        correct = 0
        first = len(self._losses)
        accuracy = self.history[-1].val_accuracy if self.history else None
        for chunk_rates, losses, hits in self._chunks.run(order, rates, momenta):
            self._rates.append(chunk_rates)
            self._losses.append(losses)
            self._steps += len(losses)
            correct += hits
            self._on_progress(self._steps, float(chunk_rates[-1]), float(losses[-1]), accuracy)
            if not np.isfinite(losses).all():
                self.finite = False
                return False
        val_loss, val_accuracy = self._trainer.evaluate(
            self._trainer.data.x_val, self._trainer.data.y_val
        )
        self.finite = math.isfinite(val_loss)
        self.history.append(
            EpochResult(
                epoch=epoch,
                lr=float(rates[-1]),
                loss=self._mean_loss(np.concatenate(self._losses[first:]), len(order)),
                accuracy=correct / len(order),
                val_loss=val_loss,
                val_accuracy=val_accuracy,
            )
        )
        return True

    def curves(self) -> tuple[Floats, Floats]:
        """Return rate and loss of every step, up to the first loss that is not finite."""
        lr, loss = np.concatenate(self._rates), np.concatenate(self._losses)
        bad = np.flatnonzero(~np.isfinite(loss))
        end = int(bad[0]) + 1 if len(bad) else len(loss)
        return lr[:end], loss[:end]

    def _mean_loss(self, losses: Floats, images: int) -> float:
        sizes = np.full(len(losses), self._trainer.batch_size)
        sizes[-1] = images - self._trainer.batch_size * (len(losses) - 1)
        return float(np.average(losses.astype(np.float64), weights=sizes))


def _diverged_at(loss: Floats, steps_per_epoch: int) -> int | None:
    """Return the step at which a run diverged, None if it did not.

    That is the first loss that is not finite; or, where the median loss of the last epoch is above
    1.5 times the untrained network's, the first step above that in the first of the epochs that
    stayed so. The median, since single steps may leap and come back.
    """
    bad = np.flatnonzero(~np.isfinite(loss))
    if len(bad):
        return int(bad[0])
    limit = 1.5 * loss[0]
    first = None
    for start in range(len(loss) - steps_per_epoch, -1, -steps_per_epoch):
        epoch = loss[start : start + steps_per_epoch]
        if np.median(epoch) <= limit:
            break
        first = start + int(np.argmax(epoch > limit))
    return first


def sweep_seed(
    trainer: Trainer, rates: npt.NDArray[np.float64], seed: int, *, stop: Event
) -> SweptSeed:
    """Train one step at each rate in turn, until the stop rule ends it.

    Raises:
        Stopped: If `stop` was set meanwhile.
    """
    trainer.start(seed)
    order = sweep_order(trainer.data.train_images, trainer.batch_size, len(rates), seed)
    losses: list[float] = []
    for _, chunk, _ in _Chunks(trainer, stop).run(order, rates.astype(np.float32)):
        losses += chunk.tolist()
        ended = sweep.stop(np.asarray(losses))
        if ended is not None:
            step, reason = ended
            return SweptSeed(padded(losses[:step], len(rates)), reason)
    return SweptSeed(padded(losses, len(rates)), sweep.StoppedBy.COMPLETED)


def short_run(
    trainer: Trainer, rates: npt.NDArray[np.float64], seed: int, *, stop: Event
) -> tuple[float, float] | tuple[None, None]:
    """Train one step at each rate; return validation loss and accuracy, None if it broke down.

    Raises:
        Stopped: If `stop` was set meanwhile.
    """
    trainer.start(seed)
    order = sweep_order(trainer.data.train_images, trainer.batch_size, len(rates), seed)
    for _, losses, _ in _Chunks(trainer, stop).run(order, rates.astype(np.float32)):
        if not np.isfinite(losses).all():
            return None, None
    loss, accuracy = trainer.evaluate(trainer.data.x_val, trainer.data.y_val)
    return (loss, accuracy) if np.isfinite(loss) else (None, None)


def padded(losses: Sequence[float], length: int) -> npt.NDArray[np.float64]:
    """Return the losses, filled up with NaN to the shape (length,)."""
    filled = np.full(length, np.nan)
    filled[: len(losses)] = losses
    return np.where(np.isfinite(filled), filled, np.nan)


class _Chunks:
    """Cuts steps into chunks of about 0.15 s, so that progress and Ctrl-C are prompt."""

    def __init__(self, trainer: Trainer, stop: Event) -> None:
        self._trainer = trainer
        self._stop = stop
        self._size = 20

    def run(
        self,
        order: npt.NDArray[np.int32],
        rates: Floats,
        momenta: schedules.Rates | None = None,
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


def _epoch_rates(
    experiment: Experiment, steps_per_epoch: int
) -> Callable[[int, Sequence[EpochResult]], schedules.Rates]:
    """Return a function of epoch and history that gives the epoch's rates."""
    schedule = experiment.schedule
    if schedule.type in closed_loop.LOOPS:
        return lambda _, history: closed_loop.epoch_rates(
            schedule, steps_per_epoch, experiment.epochs, history
        )
    curve = schedules.rates(schedule, steps_per_epoch, experiment.epochs)
    return lambda epoch, _: curve[epoch * steps_per_epoch : (epoch + 1) * steps_per_epoch]
