"""Training side by side: worker threads that take jobs, and the thread that listens to them.

All callbacks run in the thread that called `carry_out`, so nothing else needs a lock.
"""

import os
import queue
import threading
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lrlab.config import Experiment
from lrlab.tasks import models
from lrlab.tasks.data import DataSource

if TYPE_CHECKING:
    from lrlab.training import Tensors, Trainer

_TRAINERS_KEPT = 2
_STOP_SECONDS = 2.0


@dataclass(frozen=True)
class Progress:
    """Where a job stands: steps done, the last rate and loss, the last validation accuracy."""

    job: int
    step: int
    lr: float
    loss: float
    val_accuracy: float | None


@dataclass(frozen=True)
class Warned:
    """Something that the user should know about a running job."""

    job: int
    text: str


class Told:
    """What a job tells while it goes on; its calls come from a worker thread."""

    def __init__(self, job: int, events: "queue.SimpleQueue[_Event]") -> None:
        self._job = job
        self._events = events

    def progress(self, step: int, lr: float, loss: float, val_accuracy: float | None) -> None:
        """Say how far the job is."""
        self._events.put(Progress(self._job, step, lr, loss, val_accuracy))

    def warn(self, text: str) -> None:
        """Say something that the user should know."""
        self._events.put(Warned(self._job, text))


@dataclass(frozen=True)
class Job:
    """A piece of work on a trainer made for `experiment` on the data `source`.

    `work` is called in a worker thread with the trainer, the event that stops it, and what it can
    tell meanwhile. `build` makes the model where it is not the experiment's.
    """

    experiment: Experiment
    source: DataSource
    work: Callable[["Trainer", threading.Event, Told], Any]
    build: models.Build | None = None


@dataclass(frozen=True)
class Failure:
    """A job that raised: the error in one line, and where it came from."""

    error: str
    trace: str


_Event = Progress | Warned | tuple[int, Any]


def default_workers(jobs: int) -> int:
    """Return how many jobs run side by side: one a core, never more than there are jobs."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(cores or 1, jobs))


def carry_out(
    jobs: Sequence[Job],
    tensors: Callable[[DataSource], "Tensors"],
    *,
    workers: int,
    on_progress: Callable[[Progress], None],
    on_done: Callable[[int, Any], None],
    on_warning: Callable[[Warned], None] = lambda _: None,
) -> None:
    """Do all jobs, `workers` at a time.

    A job that raises becomes a `Failure` and does not stop the others. Ctrl-C, or an exception
    in a callback, stops all workers within a chunk of steps and is passed on.

    Args:
        jobs: The jobs; they are started in this order.
        tensors: Returns the tensors of a data set.
        workers: Threads, >= 1.
        on_progress: Called with the progress of a running job.
        on_done: Called with a job's index and what its `work` returned, or a `Failure`.
        on_warning: Called with what a running job warns of.
    """
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    for index in range(len(jobs)):
        waiting.put(index)
    events: queue.SimpleQueue[_Event] = queue.SimpleQueue()
    stop = threading.Event()
    threads = [
        threading.Thread(target=_worker, args=(jobs, waiting, events, tensors, stop), daemon=True)
        for _ in range(workers)
    ]
    for thread in threads:
        thread.start()
    try:
        left = len(jobs)
        while left:
            try:
                event = events.get(timeout=0.2)
            except queue.Empty:
                continue
            if isinstance(event, Progress):
                on_progress(event)
            elif isinstance(event, Warned):
                on_warning(event)
            else:
                left -= 1
                on_done(*event)
    finally:
        stop.set()
        for thread in threads:
            thread.join(_STOP_SECONDS)


def results(jobs: Sequence[Job], tensors: Callable[[DataSource], "Tensors"]) -> list[Any]:
    """Do all jobs, one a core at a time; return what each `work` returned, in their order.

    Raises:
        RuntimeError: If a job failed, with where it came from.
    """
    found: dict[int, Any] = {}
    carry_out(
        jobs,
        tensors,
        workers=default_workers(len(jobs)),
        on_progress=lambda _: None,
        on_done=found.__setitem__,
    )
    for outcome in found.values():
        if isinstance(outcome, Failure):
            raise RuntimeError(f"{outcome.error}\n{outcome.trace}")
    return [found[index] for index in range(len(jobs))]


def _worker(
    jobs: Sequence[Job],
    waiting: "queue.SimpleQueue[int]",
    events: "queue.SimpleQueue[_Event]",
    tensors: Callable[[DataSource], "Tensors"],
    stop: threading.Event,
) -> None:
    from lrlab.training import Stopped, Trainer

    trainers: dict[str, Trainer] = {}
    while not stop.is_set():
        try:
            index = waiting.get_nowait()
        except queue.Empty:
            return
        job = jobs[index]
        try:
            key = _trainer_key(job)
            trainer = trainers.pop(key, None)
            if trainer is None:
                trainer = Trainer(job.experiment, tensors(job.source), job.build)
            trainers[key] = trainer
            if len(trainers) > _TRAINERS_KEPT:
                del trainers[next(iter(trainers))]
            events.put((index, job.work(trainer, stop, Told(index, events))))
        except Stopped:
            return
        except BaseException as error:  # Whatever it is, somebody waits for the job to end.
            text = " ".join(str(error).split())[:300]
            failure = Failure(f"{type(error).__name__}: {text}", traceback.format_exc())
            events.put((index, failure))


def _trainer_key(job: Job) -> str:
    e = job.experiment
    return repr((job.build or e.model, e.optimizer, e.batch_size, job.source.fingerprint))
