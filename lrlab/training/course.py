"""The course of one run: from its seed or a checkpoint to its end, divergence, or a stop."""

import functools
import math
import time
from collections.abc import Callable, Sequence
from threading import Event

import numpy as np

from lrlab import schedules
from lrlab.analysis import chance
from lrlab.analysis.examples import Bits
from lrlab.metric import Metric
from lrlab.results.checkpoint import Checkpoint
from lrlab.results.right import Right
from lrlab.results.run import EpochResult, RunResult, Status, value_of
from lrlab.schedules import ClosedLoop, Length, Rates, Schedule
from lrlab.training.chunks import USUAL, Chunks, Pace, Stopped
from lrlab.training.engines.engine import Engine, Floats, Order, Variables
from lrlab.training.jobs import Progress, Refused, RunJob, Tell
from lrlab.training.orders import sample_order


def train_run(
    engine: Engine, job: RunJob, *, stop: Event, tell: Tell, pace: Pace = USUAL
) -> RunResult:
    """Train one run to its end or divergence, then use the test set once.

    A run that did not diverge has collapsed if it ended no better than guessing: it is the
    validation score after the last epoch that counts.

    A run that goes on from a checkpoint ends bit for bit as if it had never been cut off.

    Args:
        engine: An engine made for the job's setup.
        job: What to train.
        stop: Ends the run within a chunk of steps once it is set.
        tell: Told of the progress after every chunk, of a checkpoint that does not fit, and, if
            the job wants them, of checkpoints: after each epoch but the last, at least every 30
            seconds, and before the run stops because it was told to. Where an epoch is over in a
            moment some are left out, so that they take a tenth of the time at most.
        pace: How often that is.

    Raises:
        Stopped: If `stop` was set meanwhile.
    """
    length = Length(len(engine.sizes()), job.epochs)
    rates_of = _rates_of(job.schedule, length, engine.metric)
    momenta = schedules.momenta(job.schedule, length)
    engine.trace(cycled=momenta is not None)
    course = _Course(engine, job, stop, tell, pace)
    for epoch in range(len(course.history), job.epochs):
        steps = slice(epoch * length.steps_per_epoch, (epoch + 1) * length.steps_per_epoch)
        going_on = course.train_epoch(
            sample_order(engine.images, job.seed, epoch),
            rates_of(course.history).astype(np.float32),
            None if momenta is None else momenta[steps],
        )
        if not going_on:
            break
        if epoch + 1 < job.epochs:
            course.keep_if_due()
    lr, loss = course.curves()
    at = _diverged_at(loss, length.steps_per_epoch, _guessed(engine))
    if at is None and not course.finite:
        at = len(loss) - 1  # The very last step broke the network; no later loss shows it.
    status = Status.DIVERGED
    if at is None:
        last = course.history[-1]
        collapsed = chance.no_better(engine.guess, last.val_score, last.val_loss, engine.metric)
        status = Status.COLLAPSED if collapsed else Status.DONE
    test = engine.evaluate("test") if course.finite else None
    return RunResult(
        status=status,
        epochs=tuple(course.history),
        lr=lr,
        loss=loss,
        momentum=None if momenta is None else momenta[: len(lr)].astype(np.float32),
        diverged_at=at,
        guess=engine.guess if status is Status.COLLAPSED else None,
        test_loss=test and test.loss,
        test_score=test and test.score,
        val_right=_kept(course.right) if course.finite else None,
        test_right=_kept(test and test.right),
        train_seconds=course.seconds(),
        weights=engine.variables().model if job.keep_weights else None,
        metric=engine.metric,
    )


def _kept(right: Bits | None) -> Right | None:
    return None if right is None else Right.of(right)


class _Course:
    """Trains epoch after epoch and keeps what came out: the history and every step's loss."""

    def __init__(self, engine: Engine, job: RunJob, stop: Event, tell: Tell, pace: Pace) -> None:
        self.history: list[EpochResult] = []
        self.finite = True
        self.right: Bits | None = None
        self._engine = engine
        self._chunks = Chunks(engine, stop, pace)
        self._tell = tell
        self._pace = pace
        self._keeps = job.keep_checkpoints and engine.resumable
        self._rates: list[Floats] = []
        self._losses: list[Floats] = []
        self._steps = 0
        self._began = self._kept = time.monotonic()
        self._keeping_took = 0.0
        self._begin(job.seed, job.checkpoint)

    def _begin(self, seed: int, checkpoint: Checkpoint | None) -> None:
        """Begin where the checkpoint stands; at the seed's weights where none fits."""
        if checkpoint is not None:
            try:
                state = Variables(checkpoint.model, checkpoint.optimizer, checkpoint.tally)
                self._engine.restore(state)
            except ValueError as error:
                self._tell(Refused(str(error)))
                checkpoint = None
        if checkpoint is None:
            self._engine.start(seed)
            return
        self.history = list(checkpoint.history)
        self._rates, self._losses = [checkpoint.lr], [checkpoint.loss]
        self._steps = len(checkpoint.loss)
        self._began -= checkpoint.train_seconds

    def train_epoch(self, order: Order, rates: Floats, momenta: schedules.Rates | None) -> bool:
        """Train and validate one epoch, or what is left of it; False if a loss was not finite."""
        done = self._steps - len(self.history) * len(rates)
        score = self.history[-1].val_score if self.history else None
        try:
            for chunk_rates, losses in self._chunks.run(
                order[done * self._engine.batch_size :],
                rates[done:],
                None if momenta is None else momenta[done:],
            ):
                self._rates.append(chunk_rates)
                self._losses.append(losses)
                self._steps += len(losses)
                lr, loss = float(chunk_rates[-1]), float(losses[-1])
                self._tell(Progress(self._steps, lr, loss, score))
                if not np.isfinite(losses).all():
                    self.finite = False
                    return False
                if time.monotonic() - self._kept > self._pace.checkpoint_seconds:
                    self._keep()
        except Stopped:
            self._keep()
            raise
        self._end_epoch(len(order), rates)
        return True

    def keep_if_due(self) -> None:
        """Tell of a checkpoint unless the last one has only just been."""
        due = self._pace.training_per_checkpoint * self._keeping_took
        if time.monotonic() - self._kept >= due:
            self._keep()

    def _keep(self) -> None:
        """Tell of a checkpoint, if it is wanted, and wait until it is kept."""
        if not self._keeps or not self._steps:
            return
        began = time.monotonic()
        values = self._engine.variables()
        lr, loss = np.concatenate(self._rates), np.concatenate(self._losses)
        self._rates, self._losses = [lr], [loss]
        self._tell(
            Checkpoint(
                model=values.model,
                optimizer=values.optimizer,
                history=tuple(self.history),
                lr=lr,
                loss=loss,
                tally=values.tally,
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
        trained = self._engine.take_score(images)
        score = self._engine.evaluate("validation")
        assert score is not None  # Every data set has validation images.
        self.finite = math.isfinite(score.loss)
        self.right = score.right
        losses = np.concatenate(self._losses)[-len(rates) :]
        self.history.append(
            EpochResult(
                epoch=len(self.history),
                lr=float(rates[-1]),
                loss=float(np.average(losses.astype(np.float64), weights=self._engine.sizes())),
                score=trained,
                val_loss=score.loss,
                val_score=score.score,
            )
        )


def _rates_of(
    schedule: Schedule, length: Length, metric: Metric
) -> Callable[[Sequence[EpochResult]], Rates]:
    """Return what gives the rates of an epoch after the history; a closed loop reads its result."""
    if not isinstance(schedule, ClosedLoop):
        return schedule.epoch_rates(length)
    read = functools.partial(value_of, quantity=schedule.monitor, metric=metric)
    return schedule.epoch_rates(length, read)


def _guessed(engine: Engine) -> float:
    return 0.0 if engine.metric.points else engine.guess.loss or 0.0


def _diverged_at(loss: Floats, steps_per_epoch: int, guess: float = 0.0) -> int | None:
    """Return the step at which a run diverged, None if it did not.

    That is the first loss that is not finite; or, where the median loss of the last epoch is above
    1.5 times the untrained network's (of a regression also that of guessing, which the first
    batch may be below by luck), the first step above that in the first of the epochs that
    stayed so. The median, since single steps may leap and come back.
    """
    bad = np.flatnonzero(~np.isfinite(loss))
    if len(bad):
        return int(bad[0])
    limit = max(1.5 * loss[0], loss[0] + 0.5 * abs(loss[0]), 1.5 * guess)
    first = None
    for start in range(len(loss) - steps_per_epoch, -1, -steps_per_epoch):
        epoch = loss[start : start + steps_per_epoch]
        if np.median(epoch) <= limit:
            break
        first = start + int(np.argmax(epoch > limit))
    return first
