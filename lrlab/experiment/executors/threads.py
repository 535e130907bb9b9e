"""The executor of one machine: worker threads do the jobs, the caller's thread listens to them."""

import queue
import threading
import time
from collections.abc import Sequence

from lrlab.experiment.executors.executor import Executor, MakeEngine, OnEvent
from lrlab.results.checkpoint import Checkpoint
from lrlab.training.chunks import Stopped
from lrlab.training.jobs import Event, Failure, Job, Progress, Result
from lrlab.training.performing import Worker

_POLL_SECONDS = 0.2
_STOP_SECONDS = 2.0


default_workers, most_workers = Executor.default_workers, Executor.most_workers


class Threads(Executor):
    """Does jobs in threads of this process.

    Args:
        make: Makes engines; called in the workers' threads.
        workers: How many threads, >= 1.
    """

    def __init__(self, make: MakeEngine, workers: int) -> None:
        self._make = make
        self._workers = workers

    def carry_out(self, jobs: Sequence[Job], on_event: OnEvent) -> None:
        """Do all jobs, `workers` at a time."""
        shift = _Shift(jobs, self._make)
        shift.begin(self._workers)
        try:
            while shift.left:
                shift.pass_on(on_event, _POLL_SECONDS)
        finally:
            shift.end(on_event)


class _Shift:
    """The threads that do some jobs, what waits for them, and what they have told."""

    def __init__(self, jobs: Sequence[Job], make: MakeEngine) -> None:
        self.left = len(jobs)
        self._make = make
        self._waiting: queue.SimpleQueue[tuple[int, Job]] = queue.SimpleQueue()
        for numbered in enumerate(jobs):
            self._waiting.put(numbered)
        self._told: queue.SimpleQueue[tuple[int, Event, threading.Event]] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def begin(self, workers: int) -> None:
        """Start the threads."""
        for _ in range(workers):
            self._threads.append(threading.Thread(target=self._work, daemon=True))
            self._threads[-1].start()

    def pass_on(self, on_event: OnEvent, seconds: float) -> bool:
        """Pass on an event, waiting for it so long at most; return whether there was one."""
        try:
            index, event, handled = self._told.get(timeout=seconds)
        except queue.Empty:
            return False
        try:
            on_event(index, event)
        finally:
            self.left -= isinstance(event, Result | Failure)
            handled.set()
        return True

    def end(self, on_event: OnEvent) -> None:
        """Let the threads end, and pass on what they still tell, progress apart."""
        self._stop.set()
        broken = False

        def last(index: int, event: Event) -> None:
            nonlocal broken
            if broken or isinstance(event, Progress):
                return
            try:
                on_event(index, event)
            except Exception:  # Another one is on its way already; the threads must end.
                broken = True

        until = time.monotonic() + _STOP_SECONDS
        while any(t.is_alive() for t in self._threads) and time.monotonic() < until:
            if self.pass_on(last, _POLL_SECONDS / 10):
                until = time.monotonic() + _STOP_SECONDS
        while self.pass_on(last, 0):
            pass

    def _work(self) -> None:
        """Do jobs until there is none left."""
        worker = Worker(self._make)
        while not self._stop.is_set():
            try:
                index, job = self._waiting.get_nowait()
            except queue.Empty:
                return

            def tell(event: Event, index: int = index) -> None:
                handled = threading.Event()
                self._told.put((index, event, handled))
                if isinstance(event, Checkpoint):
                    handled.wait()

            try:
                worker.do(job, self._stop, tell)
            except Stopped:
                return
