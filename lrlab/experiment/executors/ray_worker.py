"""What a worker process of a Ray cluster does: a job, whose events it yields.

Nothing heavy is imported before the versions were compared and the process was set up.
"""

import os
import platform
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lrlab.experiment.executors import versions
from lrlab.results.checkpoint import Checkpoint
from lrlab.training.chunks import Pace, Stopped
from lrlab.training.jobs import Began, Event, Failure, Job, Progress, Result
from lrlab.training.performing import Worker

_POLL_SECONDS = 0.1

_kept: dict[str, Worker] = {}
"""The worker that did the last job, by what makes its engines; one process does many jobs."""


@dataclass(frozen=True)
class Terms:
    """What holds for every job of a driver.

    Args:
        versions: The driver's versions.
        variables: Environment variables that change what TensorFlow computes, as the driver has
            them; those that it lacks are empty.
        progress_seconds: A job tells its progress no more often.
        pace: How often it looks up from its work.
    """

    versions: dict[str, str]
    variables: Mapping[str, str]
    progress_seconds: float
    pace: Pace


@dataclass(frozen=True)
class Unlike:
    """The first and only thing that a worker tells whose versions are not the driver's."""

    host: str
    what: str


def work(
    terms: Terms, make: Sequence[Any], packed: bytes, stopper: Any, shift: int
) -> Iterator[Any]:
    """Do a job; yield its events, `Unlike` where the versions differ.

    Args:
        terms: What holds for every job.
        make: The reference to what makes engines. In a list, so that it is not fetched, and
            TensorFlow is not imported, before the versions were compared.
        packed: The job.
        stopper: The actor that says when to stop.
        shift: The number that it is told with.
    """
    what = versions.unlike(terms.versions, versions.installed())
    if what:
        yield Unlike(platform.node(), what)
        return
    _set_up(terms.variables)
    told: queue.SimpleQueue[Any] = queue.SimpleQueue()
    stop = threading.Event()
    threading.Thread(
        target=_do, args=(make[0], packed, stop, told, terms.pace), daemon=True
    ).start()
    yield from _events(told, stop, _stop_signal(stopper, shift), terms.progress_seconds)


def _set_up(variables: Mapping[str, str]) -> None:
    """Set the process up as the driver is; TensorFlow reads all of it when it is imported."""
    from lrlab.io import device

    os.environ["KERAS_BACKEND"] = "tensorflow"
    device.hide()  # Runs of one processor each are what a cluster is asked for.
    for name, value in variables.items():
        if value:
            os.environ[name] = value
        else:
            os.environ.pop(name, None)


def _do(
    make: Any, packed: bytes, stop: threading.Event, told: "queue.SimpleQueue[Any]", pace: Pace
) -> None:
    """Do a job in a thread of its own, so that the task can pass on what it tells."""

    def tell(event: Any) -> None:
        passed_on = threading.Event()
        told.put((event, passed_on))
        if isinstance(event, Checkpoint):
            passed_on.wait()

    try:
        from ray import cloudpickle

        job: Job = cloudpickle.loads(packed)
        worker = _worker(make)
        if "tensorflow" in sys.modules:
            from lrlab.experiment import environment

            tell(Began(environment.record()))
        worker.do(job, stop, tell, pace)
    except Stopped:
        tell(_Ended())
    except BaseException as error:  # What fails before the job has begun is not the job's fault.
        tell(_Ended(error))


@dataclass(frozen=True)
class _Ended:
    """A job that ended without a result, and why if it was not told to."""

    error: BaseException | None = None


def _worker(make: Any) -> Worker:
    import ray

    key = make.hex()
    if key not in _kept:
        _kept.clear()
        _kept[key] = Worker(ray.get(make))
    return _kept[key]


def _events(
    told: "queue.SimpleQueue[Any]",
    stop: threading.Event,
    is_stopped: Callable[[], bool],
    seconds: float,
) -> Iterator[Event]:
    """Yield what a job tells until it has ended; of its progress only the newest, now and then."""
    progress: Progress | None = None
    last = -seconds
    while True:
        try:
            event, passed_on = told.get(timeout=_POLL_SECONDS)
        except queue.Empty:
            event, passed_on = None, threading.Event()
        if is_stopped():
            stop.set()
        if isinstance(event, Progress):
            progress, event = event, None
        now = time.monotonic()
        if progress is not None and (event is not None or now - last >= seconds):
            yield progress
            progress, last = None, now
        if isinstance(event, _Ended):
            if event.error is not None:
                raise event.error
            return
        if event is not None:
            yield event
            passed_on.set()
        if isinstance(event, Result | Failure):
            return


def _stop_signal(stopper: Any, shift: int) -> Callable[[], bool]:
    """Return what tells whether the driver has said to stop; asking it costs the driver nothing.

    Where the actor that would say so is gone, the driver is too, or it will end the task.
    """
    import ray

    said = stopper.wait.remote(shift)

    def is_stopped() -> bool:
        return bool(ray.wait([said], timeout=0)[0])

    return is_stopped
