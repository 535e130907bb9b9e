"""What a worker does with a job: it gets an engine for it, performs it and tells what happens."""

import traceback
from collections.abc import Callable
from threading import Event as Stop
from typing import Any

from lrlab.tasks.setup import Setup
from lrlab.training.chunks import USUAL, Pace, Stopped
from lrlab.training.course import train_run
from lrlab.training.engines.engine import Engine
from lrlab.training.jobs import Failure, Job, Result, RunJob, SweepJob, Tell
from lrlab.training.sweeping import short_run, sweep_seed

_ENGINES_KEPT = 2


def perform(job: Job, engine: Engine, stop: Stop, tell: Tell, pace: Pace = USUAL) -> Any:
    """Do a job on an engine that was made for its setup; return what it gives.

    Raises:
        Stopped: If `stop` was set meanwhile.
    """
    if isinstance(job, RunJob):
        return train_run(engine, job, stop=stop, tell=tell, pace=pace)
    if isinstance(job, SweepJob):
        return sweep_seed(engine, job, stop=stop, tell=tell, pace=pace)
    return short_run(engine, job, stop=stop, tell=tell, pace=pace)


class Worker:
    """Does one job after the other and keeps the engines that it used last: making one is slow.

    Args:
        make: Makes the engine for a setup.
    """

    def __init__(self, make: Callable[[Setup], Engine]) -> None:
        self._make = make
        self._engines: dict[Setup, Engine] = {}

    def do(self, job: Job, stop: Stop, tell: Tell, pace: Pace = USUAL) -> None:
        """Do a job and tell its result; one that raises is a `Failure`.

        Raises:
            Stopped: If `stop` was set meanwhile.
        """
        try:
            result = perform(job, self._engine(job.setup), stop, tell, pace)
        except Stopped:
            raise
        except BaseException as error:  # Whatever it is, somebody waits for the job to end.
            text = " ".join(str(error).split())[:300]
            tell(Failure(f"{type(error).__name__}: {text}", traceback.format_exc()))
        else:
            tell(Result(result))

    def _engine(self, setup: Setup) -> Engine:
        engine = self._engines.pop(setup, None) or self._make(setup)
        self._engines[setup] = engine
        if len(self._engines) > _ENGINES_KEPT:
            del self._engines[next(iter(self._engines))]
        return engine
