"""The training of one run: from its seed or a checkpoint to its end, divergence, or a stop."""

import math
import time
from collections.abc import Callable
from threading import Event

import numpy as np
import numpy.typing as npt

from lrlab.config import Experiment
from lrlab.results.checkpoint import Checkpoint
from lrlab.results.run import EpochResult, RunResult, Status
from lrlab.schedules import Length, Rates
from lrlab.schedules import momenta as momenta_of
from lrlab.training.chunks import Chunks, Stopped, sample_order
from lrlab.training.trainer import Floats, Trainer

_CHECKPOINT_SECONDS = 30.0
_TRAINING_PER_CHECKPOINT = 10
"""How many times as long as a checkpoint takes is trained before the next one."""

OnProgress = Callable[[int, float, float, float | None], None]
"""Called after a chunk of steps with: steps done, rate, loss, last validation accuracy."""


def train_run(
    trainer: Trainer,
    experiment: Experiment,
    seed: int,
    *,
    stop: Event,
    on_progress: OnProgress,
    checkpoint: Checkpoint | None = None,
    keep: Callable[[Checkpoint], None] | None = None,
    keep_weights: bool = False,
) -> RunResult:
    """Train one run to its end or divergence, then use the test set once.

    A run that goes on from a checkpoint ends bit for bit as if it had never been cut off.

    Args:
        trainer: A trainer made for this experiment's model, optimizer and batch size.
        experiment: What to train.
        seed: Seed of the initial weights and of the sample order, >= 0.
        stop: Ends the run within a chunk of steps once it is set.
        on_progress: Called after every chunk, in this thread.
        checkpoint: Where the run goes on from; None: it begins.
        keep: Called, in this thread, with a checkpoint after each epoch but the last, at least
            every 30 seconds, and before the run stops because it was told to. Where an epoch is
            over in a moment some are left out, so that they take a tenth of the time at most.
        keep_weights: Whether the result holds the final weights.

    Raises:
        Stopped: If `stop` was set meanwhile.
        ValueError: If the checkpoint is not of this model and optimizer.
    """
    course = _Course(trainer, Chunks(trainer, stop), on_progress, keep)
    course.begin(seed, checkpoint)
    length = Length.of(trainer.data.train_images, experiment.batch_size, experiment.epochs)
    steps_per_epoch = length.steps_per_epoch
    rates_of = experiment.schedule.epoch_rates(length)
    momenta = momenta_of(experiment.schedule, length)
    for epoch in range(len(course.history), experiment.epochs):
        steps = slice(epoch * steps_per_epoch, (epoch + 1) * steps_per_epoch)
        going_on = course.train_epoch(
            sample_order(trainer.data.train_images, seed, epoch),
            rates_of(course.history).astype(np.float32),
            None if momenta is None else momenta[steps],
        )
        if not going_on:
            break
        if epoch + 1 < experiment.epochs:
            course.keep_if_due()
    lr, loss = course.curves()
    at = _diverged_at(loss, steps_per_epoch)
    if at is None and not course.finite:
        at = len(loss) - 1  # The very last step broke the network; no later loss shows it.
    test_loss, test_accuracy = None, None
    if course.finite and trainer.data.x_test is not None:
        test_loss, test_accuracy = trainer.evaluate(trainer.data.x_test, trainer.data.y_test)
    return RunResult(
        status=Status.DONE if at is None else Status.DIVERGED,
        epochs=tuple(course.history),
        lr=lr,
        loss=loss,
        momentum=None if momenta is None else momenta[: len(lr)].astype(np.float32),
        diverged_at=at,
        test_loss=test_loss,
        test_accuracy=test_accuracy,
        train_seconds=course.seconds(),
        weights=trainer.variables()[0] if keep_weights else None,
    )


class _Course:
    """Trains epoch after epoch and keeps what came out: the history and every step's loss."""

    def __init__(
        self,
        trainer: Trainer,
        chunks: Chunks,
        on_progress: OnProgress,
        keep: Callable[[Checkpoint], None] | None,
    ) -> None:
        self.history: list[EpochResult] = []
        self.finite = True
        self._trainer = trainer
        self._chunks = chunks
        self._on_progress = on_progress
        self._keep = keep
        self._rates: list[Floats] = []
        self._losses: list[Floats] = []
        self._steps = 0
        self._correct = 0
        self._began = self._kept = time.monotonic()
        self._keeping_took = 0.0

    def begin(self, seed: int, checkpoint: Checkpoint | None) -> None:
        """Begin at the seed's weights, or where the checkpoint stands."""
        if checkpoint is None:
            self._trainer.start(seed)
            return
        self._trainer.restore(checkpoint.model, checkpoint.optimizer)
        self.history = list(checkpoint.history)
        self._rates, self._losses = [checkpoint.lr], [checkpoint.loss]
        self._steps = len(checkpoint.loss)
        self._correct = checkpoint.correct
        self._began -= checkpoint.train_seconds

    def train_epoch(
        self, order: npt.NDArray[np.int32], rates: Floats, momenta: Rates | None
    ) -> bool:
        """Train and validate one epoch, or what is left of it; False if a loss was not finite."""
        done = self._steps - len(self.history) * len(rates)
        accuracy = self.history[-1].val_accuracy if self.history else None
        try:
            for chunk_rates, losses, hits in self._chunks.run(
                order[done * self._trainer.batch_size :],
                rates[done:],
                None if momenta is None else momenta[done:],
            ):
                self._rates.append(chunk_rates)
                self._losses.append(losses)
                self._steps += len(losses)
                self._correct += hits
                self._on_progress(self._steps, float(chunk_rates[-1]), float(losses[-1]), accuracy)
                if not np.isfinite(losses).all():
                    self.finite = False
                    return False
                if time.monotonic() - self._kept > _CHECKPOINT_SECONDS:
                    self.keep()
        except Stopped:
            self.keep()
            raise
        self._end_epoch(len(order), rates)
        return True

    def keep_if_due(self) -> None:
        """Hand out a checkpoint unless the last one has only just been."""
        if time.monotonic() - self._kept >= _TRAINING_PER_CHECKPOINT * self._keeping_took:
            self.keep()

    def keep(self) -> None:
        """Hand out a checkpoint, if anyone wants it."""
        if self._keep is None or not self._steps:
            return
        began = time.monotonic()
        model, optimizer = self._trainer.variables()
        lr, loss = np.concatenate(self._rates), np.concatenate(self._losses)
        self._rates, self._losses = [lr], [loss]
        self._keep(
            Checkpoint(
                model=model,
                optimizer=optimizer,
                history=tuple(self.history),
                lr=lr,
                loss=loss,
                correct=self._correct,
                train_seconds=self.seconds(),
            )
        )
        self._kept = time.monotonic()
        self._keeping_took = self._kept - began

    def curves(self) -> tuple[Floats, Floats]:
        """Return rate and loss of every step, up to the first loss that is not finite."""
        lr, loss = np.concatenate(self._rates), np.concatenate(self._losses)
        bad = np.flatnonzero(~np.isfinite(loss))
        end = int(bad[0]) + 1 if len(bad) else len(loss)
        return lr[:end], loss[:end]

    def seconds(self) -> float:
        """Return how long the run has been trained, the time before its checkpoint included."""
        return time.monotonic() - self._began

    def _end_epoch(self, images: int, rates: Floats) -> None:
        val_loss, val_accuracy = self._trainer.evaluate(
            self._trainer.data.x_val, self._trainer.data.y_val
        )
        self.finite = math.isfinite(val_loss)
        losses = np.concatenate(self._losses)[-len(rates) :]
        self.history.append(
            EpochResult(
                epoch=len(self.history),
                lr=float(rates[-1]),
                loss=self._mean_loss(losses, images),
                accuracy=self._correct / images,
                val_loss=val_loss,
                val_accuracy=val_accuracy,
            )
        )
        self._correct = 0

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
