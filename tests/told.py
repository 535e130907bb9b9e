"""A report that keeps what it is told, for tests that carry something out in their own process."""

import threading
from contextlib import contextmanager

from lrlab.reporter import Reporter


class Told(Reporter):
    """Keeps what a comparison or a sweep reports, and holds it to the one thread it promises.

    Args:
        at_plan: Called when the training is about to begin.
    """

    def __init__(self, at_plan=lambda: None) -> None:
        self.warnings: list[str] = []
        self.notes: list[str] = []
        self.trained: list[str] = []
        self.finished_runs: list[str] = []
        self.reused = self.resumed = self.workers = 0
        self.first_step: int | None = None
        self._at_plan = at_plan

    def warn(self, text):
        self.warnings.append(text)

    def note(self, text):
        self.notes.append(text)

    @contextmanager
    def planned(self, to_train, reused, resumed, workers):
        self.trained = sorted(f"{run.name} {run.seed}" for run in to_train)
        self.reused, self.resumed, self.workers = reused, resumed, workers
        self._at_plan()
        yield

    def progress(self, run, progress):
        assert 0 < progress.step <= run.length.steps
        assert threading.current_thread() is threading.main_thread()
        self.first_step = self.first_step or progress.step

    def finished(self, run, result):
        self.finished_runs.append(f"{run.name} {run.seed}: {result.status}")
