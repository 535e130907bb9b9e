"""The executor of a cluster: a Ray task for each job, whose events stream back to the driver."""

import itertools
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lrlab.errors import ClusterError, UsageError
from lrlab.experiment.executors.executor import Executor, MakeEngine, OnEvent
from lrlab.experiment.executors.ray_worker import Unlike
from lrlab.results.checkpoint import Checkpoint
from lrlab.tasks.data_source import DataSource
from lrlab.tasks.setup import Setup
from lrlab.training.jobs import Event, Failure, Job, Lost, Progress, Result, RunJob

if TYPE_CHECKING:
    from lrlab.experiment.executors.cluster import Cluster

MOST_FAULTS = 3
"""How often a job may lose its worker without having got any further; then it has failed."""

_numbers = itertools.count()

_POLL_SECONDS = 0.05
_STOP_SECONDS = 1.3


class RayJobs(Executor):
    """Does jobs as Ray tasks, one for each.

    Ray itself never repeats a task. Where a worker is lost, the job is submitted again with the
    last checkpoint that the driver holds, so that its result is the same bit for bit.

    Args:
        cluster: Where to.
        make: Makes engines; it travels to each node once.
        workers: How many jobs at a time.
    """

    def __init__(self, cluster: "Cluster", make: MakeEngine, workers: int) -> None:
        self._cluster = cluster
        self._make = make
        self._workers = workers
        self._shared: Any = None

    def carry_out(self, jobs: Sequence[Job], on_event: OnEvent) -> None:
        """Do all jobs, as many at a time as the cluster has processors for."""
        for job in jobs:
            if job.setup.data.streamed is not None:
                raise UsageError(
                    f"`{job.setup.data.name}` is a stream, which cannot be sent to other machines",
                    "leave out `--cluster`, or let the function return arrays",
                )
        if self._shared is None:
            self.share()
        shift = _Shift(jobs, self._cluster, self, self._workers)
        try:
            while shift.left:
                shift.pass_on(on_event)
        finally:
            shift.end(on_event)

    def submit(self, job: Job, shift: int) -> Any:
        """Submit a job; return the generator of the references to its events."""
        return self._cluster.submit(self._shared, replace(job, setup=_slim(job.setup)), shift)

    def share(self) -> None:
        """Put what all jobs share into the object store, anew where it was lost."""
        self._shared = self._cluster.ray.put(self._make)


def _slim(setup: Setup) -> Setup:
    """Return a setup without its data, of which building a model needs only a sample."""
    return replace(setup, data=_sample(setup.data))


def _sample(source: DataSource) -> DataSource:
    if source.given is None:
        return source
    few = source.given.train.rows(slice(0, 2))
    return replace(source, given=replace(source.given, train=few, validation=None, test=None))


class _Shift:
    """The tasks that do some jobs, what waits for them, and what they have told."""

    def __init__(
        self,
        jobs: Sequence[Job],
        cluster: "Cluster",
        executor: RayJobs,
        workers: int,
    ) -> None:
        self.left = len(jobs)
        self._jobs: list[Any] = list(jobs)
        self._cluster = cluster
        self._executor = executor
        self._workers = workers
        self._waiting = deque(range(len(jobs)))
        self._faults = [0] * len(jobs)
        self._flying: dict[Any, int] = {}
        self._ending = False
        self._number = next(_numbers)

    def pass_on(self, on_event: OnEvent) -> None:
        """Submit what there is room for, and pass on what has come, waiting for it a moment."""
        room = 0 if self._ending else self._cluster.room(self._workers)
        while self._waiting and len(self._flying) < room:
            index = self._waiting.popleft()
            self._flying[self._executor.submit(self._jobs[index], self._number)] = index
        tasks = list(self._flying)
        ready, _ = self._cluster.ray.wait(tasks, num_returns=len(tasks), timeout=_POLL_SECONDS)
        for task in ready:
            self._take(task, on_event)

    def end(self, on_event: OnEvent) -> None:
        """Let the tasks end that are still at work, and pass on what they tell, progress apart."""
        if not self._flying:
            return
        broken = False

        def last(index: int, event: Event) -> None:
            nonlocal broken
            if broken or isinstance(event, Progress | Lost):
                return
            try:
                on_event(index, event)
            except Exception:  # Another one is on its way already; the tasks must end.
                broken = True

        self._ending = True
        self._cluster.stop(self._number)
        until = time.monotonic() + _STOP_SECONDS
        try:
            while self._flying and time.monotonic() < until:
                self.pass_on(last)
        finally:
            for task in self._flying:
                self._cluster.ray.cancel(task, force=True)

    def _take(self, task: Any, on_event: OnEvent) -> None:
        """Pass on the next event of a task."""
        ray, index = self._cluster.ray, self._flying[task]
        try:
            event = ray.get(next(task))
        except StopIteration:
            self._lose(task, "its task ended early", on_event)
        except ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, ray.exceptions.ObjectLostError):
                self._executor.share()
            self._lose(task, "it was stopped" if self._ending else _why(error), on_event)
        except ray.exceptions.RayError as error:
            self._lose(task, f"its worker was lost ({_kind(error)})", on_event)
        else:
            if isinstance(event, Unlike):
                raise ClusterError(
                    f"`{event.host}` has {event.what}",
                    "install the same versions on all machines of the cluster; what is finished is "
                    "kept",
                )
            self._heed(task, index, event, on_event)

    def _heed(self, task: Any, index: int, event: Event, on_event: OnEvent) -> None:
        if isinstance(event, Checkpoint):
            self._faults[index] = 0
            self._jobs[index] = replace(self._jobs[index], checkpoint=event)
        ended = isinstance(event, Result | Failure)
        if ended:
            del self._flying[task]
        try:
            on_event(index, event)
        finally:
            self.left -= ended

    def _lose(self, task: Any, reason: str, on_event: OnEvent) -> None:
        """Submit the job of a lost task again, unless that was in vain too often."""
        index = self._flying.pop(task)
        if self._ending:
            return
        self._faults[index] += 1
        job = self._jobs[index]
        kept = job.checkpoint if isinstance(job, RunJob) else None
        if self._faults[index] >= MOST_FAULTS:
            self.left -= 1
            times = f"{MOST_FAULTS} times without getting further"
            on_event(index, Failure(f"it lost its worker {times}; the last time {reason}", ""))
            return
        self._waiting.appendleft(index)
        on_event(index, Lost(reason, 0 if kept is None else len(kept.loss)))


def _why(error: Any) -> str:
    """Return why a task raised before its job could fail by itself.

    Raises:
        ClusterError: If it will be so for every task.
    """
    text = str(error)
    if "No module named 'lrlab" in text or "No module named 'ray_worker" in text:
        raise ClusterError(
            "a machine of the cluster has no lrlab, or another version of it",
            "install the same lrlab, with `lrlab[ray]`, on all machines",
        )
    cause = getattr(error, "cause", None) or error
    return f"its task failed ({_kind(cause)}: {str(cause).strip().splitlines()[-1][:200]})"


def _kind(error: BaseException) -> str:
    return type(error).__name__
