"""An executor for tests: one job after the other, in the thread that asks."""

from collections.abc import Sequence
from contextlib import suppress
from threading import Event as Stop

from lrlab.experiment.executors.executor import Executor, MakeEngine, OnEvent
from lrlab.training.chunks import Stopped
from lrlab.training.jobs import Event, Job
from lrlab.training.performing import Worker


class Inline(Executor):
    """Does one job after the other in the caller's thread.

    Args:
        make: Makes engines.
        workers: For the interface's sake; there is one.
    """

    def __init__(self, make: MakeEngine, workers: int = 1) -> None:
        self._make = make

    def carry_out(self, jobs: Sequence[Job], on_event: OnEvent) -> None:
        """Do all jobs."""
        worker, stop = Worker(self._make), Stop()
        raised: list[BaseException] = []
        for index, job in enumerate(jobs):

            def tell(event: Event, index: int = index) -> None:
                try:
                    on_event(index, event)
                except BaseException as error:  # The job ends first: it has a checkpoint to give.
                    raised.append(error)
                    stop.set()

            with suppress(Stopped):
                worker.do(job, stop, tell)
            if raised:
                raise raised[0]
