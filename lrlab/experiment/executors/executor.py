"""The executor: carries out jobs somewhere and tells the driver what happens."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from lrlab.errors import TrainingError
from lrlab.experiment.executors import cores
from lrlab.tasks.setup import Setup
from lrlab.training.engines.engine import Engine
from lrlab.training.jobs import Event, Failure, Job, Result

OnEvent = Callable[[int, Event], None]
"""Takes a job's index and what it tells."""

MakeEngine = Callable[[Setup], Engine]

_MOST_PER_CORE = 8
"""Workers for each core: more only get in each other's way, Ctrl-C's first."""


class MakeExecutor(Protocol):
    """Returns an executor that does so many jobs side by side, on engines so made."""

    def __call__(self, make: MakeEngine, workers: int, /) -> "Executor":
        """Return the executor."""

    def default_workers(self, jobs: int, /) -> int:
        """Return how many jobs run side by side, never more than there are jobs."""

    def most_workers(self) -> int:
        """Return how many jobs may run side by side."""


class Executor(ABC):
    """Carries out jobs; nothing but jobs goes to its workers, nothing but events comes back."""

    @staticmethod
    def default_workers(jobs: int) -> int:
        """Return how many jobs run side by side here: one per core, at most as many as jobs."""
        return max(1, min(cores.available(), jobs))

    @staticmethod
    def most_workers() -> int:
        """Return how many jobs may run side by side on this machine."""
        return _MOST_PER_CORE * cores.available()

    @abstractmethod
    def carry_out(self, jobs: Sequence[Job], on_event: OnEvent) -> None:
        """Do all jobs.

        A job that raises ends with a `Failure` and does not stop the others. Ctrl-C, or an
        exception in `on_event`, stops all of them within a chunk of steps and is passed on, after
        `on_event` was told of their last checkpoints.

        Args:
            jobs: The jobs; they are started in this order.
            on_event: Called, in the thread that called this, with every event of every job. On
                this machine, a job that gives a checkpoint goes on when this has returned.
        """

    def results(self, jobs: Sequence[Job], told: OnEvent = lambda index, event: None) -> list[Any]:
        """Do all jobs; return what each gave, in their order.

        Args:
            jobs: The jobs.
            told: Called with every event of every job.

        Raises:
            TrainingError: If a job failed.
        """
        given: dict[int, Any] = {}

        def on_event(index: int, event: Event) -> None:
            told(index, event)
            if isinstance(event, Failure):
                raise TrainingError(event.error)
            if isinstance(event, Result):
                given[index] = event.value

        self.carry_out(jobs, on_event)
        return [given[index] for index in range(len(jobs))]
