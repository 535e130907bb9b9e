"""The executor: carries out jobs somewhere and tells the driver what happens."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

from lrlab.errors import TrainingError
from lrlab.tasks.setup import Setup
from lrlab.training.engines.engine import Engine
from lrlab.training.jobs import Event, Failure, Job, Result

OnEvent = Callable[[int, Event], None]
"""Takes a job's index and what it tells."""

MakeEngine = Callable[[Setup], Engine]
MakeExecutor = Callable[[MakeEngine, int], "Executor"]
"""Returns an executor that does so many jobs side by side, on engines so made."""


class Executor(ABC):
    """Carries out jobs; nothing but jobs goes to its workers, nothing but events comes back."""

    @abstractmethod
    def carry_out(self, jobs: Sequence[Job], on_event: OnEvent) -> None:
        """Do all jobs.

        A job that raises ends with a `Failure` and does not stop the others. Ctrl-C, or an
        exception in `on_event`, stops all of them within a chunk of steps and is passed on, after
        `on_event` was told of their last checkpoints.

        Args:
            jobs: The jobs; they are started in this order.
            on_event: Called, in the thread that called this, with every event of every job. A
                job that gives a checkpoint goes on when this has returned.
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
