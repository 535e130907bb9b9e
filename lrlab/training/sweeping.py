"""Training with a rate given for every step: one LR sweep, or one short run that checks it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from threading import Event

import numpy as np
import numpy.typing as npt

from lrlab.finder import sweep
from lrlab.training.chunks import Chunks, Pace
from lrlab.training.engines.engine import Engine, Score
from lrlab.training.jobs import Progress, ShortJob, SweepJob, Tell
from lrlab.training.orders import sweep_order


@dataclass(frozen=True)
class SweptSeed:
    """The batch losses of one sweep, shape (steps,), NaN from its end on, and why it ended."""

    losses: npt.NDArray[np.float64]
    stopped_by: sweep.StoppedBy


def sweep_seed(engine: Engine, job: SweepJob, *, stop: Event, tell: Tell, pace: Pace) -> SweptSeed:
    """Train one step at each rate in turn, until the stop rule ends it; tell of each chunk.

    Raises:
        Stopped: If `stop` was set meanwhile.
    """
    losses: list[float] = []
    for chunk in _losses(engine, job, stop, tell, pace):
        losses += chunk.tolist()
        ended = sweep.stop(np.asarray(losses))
        if ended is not None:
            step, reason = ended
            return SweptSeed(padded(losses[:step], len(job.rates)), reason)
    return SweptSeed(padded(losses, len(job.rates)), sweep.StoppedBy.COMPLETED)


def short_run(
    engine: Engine, job: ShortJob, *, stop: Event, tell: Tell, pace: Pace
) -> Score | None:
    """Train one step at each rate, telling of each chunk, then validate.

    Returns:
        The validation score, None if the run broke down.

    Raises:
        Stopped: If `stop` was set meanwhile.
    """
    for losses in _losses(engine, job, stop, tell, pace):
        if not np.isfinite(losses).all():
            return None
    score = engine.evaluate("validation")
    return score if score is not None and np.isfinite(score.loss) else None


def _losses(
    engine: Engine, job: SweepJob | ShortJob, stop: Event, tell: Tell, pace: Pace
) -> Iterator[npt.NDArray[np.float32]]:
    """Yield the losses of each chunk of steps."""
    engine.start(job.seed)
    order = sweep_order(engine.images, engine.batch_size, len(job.rates), job.seed)
    done = 0
    for rates, losses in Chunks(engine, stop, pace).run(order, job.rates.astype(np.float32)):
        done += len(losses)
        tell(Progress(done, float(rates[-1]), float(losses[-1]), None))
        yield losses


def padded(losses: Sequence[float], length: int) -> npt.NDArray[np.float64]:
    """Return the losses, filled up with NaN to the shape (length,)."""
    filled = np.full(length, np.nan)
    filled[: len(losses)] = losses
    return np.where(np.isfinite(filled), filled, np.nan)
