"""Check a suggestion by short real runs around it, side by side."""

from collections.abc import Sequence

from lrlab import schedules
from lrlab.experiment.executors.executor import Executor
from lrlab.finder import verification
from lrlab.finder.verification import ShortRun
from lrlab.schedules import Length
from lrlab.schedules.constant import Constant
from lrlab.schedules.one_cycle import OneCycle
from lrlab.tasks.setup import Setup
from lrlab.training.jobs import ShortJob


def verify(
    setup: Setup, executor: Executor, *, steady_lr: float, max_lr: float, seed: int
) -> list[ShortRun]:
    """Train at rates around `steady_lr` and, with one_cycle, around `max_lr`.

    A run takes one epoch, at most 2,000 steps.

    Args:
        setup: What is trained.
        executor: Carries out the training.
        steady_lr: The suggestion for a constant rate, > 0.
        max_lr: The suggestion for the peak of one_cycle, > 0.
        seed: Seed of the weights and the sample order, >= 0.

    Returns:
        The runs: `constant` by ascending rate, then `one_cycle` by ascending peak.

    Raises:
        TrainingError: If a run failed.
    """
    around_steady = verification.rates_around(steady_lr)
    around_peak = verification.rates_around(max_lr)
    tried: list[Constant | OneCycle] = [
        *(Constant(type="constant", lr=lr) for lr in around_steady),
        *(OneCycle(type="one_cycle", max_lr=lr) for lr in around_peak),
    ]
    length = Length(min(setup.length(1).steps_per_epoch, verification.MOST_STEPS), 1)
    jobs = [ShortJob(setup, schedules.rates(each, length), seed) for each in tried]
    scores = executor.results(jobs)
    return [
        ShortRun(each.type, lr, *(score or (None, None)))
        for each, lr, score in zip(tried, around_steady + around_peak, scores, strict=True)
    ]


def refined(runs: Sequence[ShortRun], schedule: str, highest: float) -> float | None:
    """Return the refined rate for a schedule, `constant` or `one_cycle`, at most `highest`."""
    of_schedule = [run for run in runs if run.schedule == schedule]
    return verification.refined(
        [run.lr for run in of_schedule], [run.val_loss for run in of_schedule], highest
    )
