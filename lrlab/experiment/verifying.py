"""Check a suggestion by short real runs around it, side by side."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lrlab.config import Experiment
from lrlab.experiment import pool
from lrlab.finder import verification
from lrlab.finder.verification import ShortRun
from lrlab.schedules.constant import constant
from lrlab.schedules.one_cycle import one_cycle
from lrlab.tasks import models
from lrlab.tasks.data import DataSource

FORMULAS: dict[str, Callable[..., Any]] = {
    "constant": lambda lr, step: constant(step, lr=lr),
    "one_cycle": lambda lr, step: one_cycle(step, max_lr=lr, over=len(step)),
}
"""What each suggestion is for: rates of every step, given the suggestion and the steps."""


def verify(
    experiment: Experiment,
    source: DataSource,
    tensors: Callable[[DataSource], Any],
    *,
    steady_lr: float,
    max_lr: float,
    seed: int,
    build: models.Build | None = None,
) -> list[ShortRun]:
    """Train at rates around `steady_lr` and, with one_cycle, around `max_lr`.

    A run takes one epoch, at most 2,000 steps.

    Args:
        experiment: Model, optimizer and batch size; its schedule plays no part.
        source: The data.
        tensors: Returns the tensors of the data.
        steady_lr: The suggestion for a constant rate, > 0.
        max_lr: The suggestion for the peak of one_cycle, > 0.
        seed: Seed of the weights and the sample order, >= 0.
        build: Makes the model, in place of the experiment's.

    Returns:
        The runs: `constant` by ascending rate, then `one_cycle` by ascending peak.

    Raises:
        RuntimeError: If a run failed.
    """
    tried = [("constant", lr) for lr in verification.rates_around(steady_lr)]
    tried += [("one_cycle", lr) for lr in verification.rates_around(max_lr)]
    steps = min(source.steps_per_epoch(experiment.batch_size), verification.MOST_STEPS)

    def work(schedule: str, lr: float, trainer: Any, stop: Any, _: Any) -> ShortRun:
        from lrlab import training

        rates = FORMULAS[schedule](lr, np.arange(steps))
        return ShortRun(schedule, lr, *training.short_run(trainer, rates, seed, stop=stop))

    jobs = [
        pool.Job(experiment, source, functools.partial(work, schedule, lr), build)
        for schedule, lr in tried
    ]
    found: list[ShortRun] = pool.results(jobs, tensors)
    return found


def refined(runs: Sequence[ShortRun], schedule: str, highest: float) -> float | None:
    """Return the refined rate for a schedule, `constant` or `one_cycle`, at most `highest`."""
    of_schedule = [run for run in runs if run.schedule == schedule]
    return verification.refined(
        [run.lr for run in of_schedule], [run.val_loss for run in of_schedule], highest
    )
