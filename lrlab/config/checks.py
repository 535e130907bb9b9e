"""What is allowed in a schedule but surely not meant, found on its curve before any training."""

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from lrlab.config.durations import Duration
from lrlab.config.experiment import Experiment
from lrlab.config.schedules import Constant, Greedy, MultiStep, Performance, Piecewise, Sequence
from lrlab.config.source import Location

if TYPE_CHECKING:
    from lrlab.schedules import Rates

MOST_STEPS = 10_000_000
"""Steps of a run; the rates of more, and what is computed on the way, fill a gigabyte."""

HIGHEST_RATE = 10.0
FEWEST_PEAK_STEPS = 10

Finding = tuple[Location, str]
"""The place in the file, and what would happen."""


def findings(experiment: Experiment, steps_per_epoch: int) -> Iterator[Finding]:
    """Yield what an experiment's schedule does on a run that is surely not meant.

    Args:
        experiment: The experiment.
        steps_per_epoch: Steps an epoch on the data that it will be trained on.

    Raises:
        ValueError: If the schedule has no finite rate at some step, as a formula may.
    """
    from lrlab import schedules

    schedule = experiment.schedule
    late = list(_past_the_end(schedule, steps_per_epoch, experiment.epochs))
    yield from late
    if isinstance(schedule, Greedy | Performance):
        if not late:
            yield from _never_judged(schedule, steps_per_epoch, experiment.epochs)
        return
    curve = schedules.rates(schedule, steps_per_epoch, experiment.epochs)
    if not late:
        yield from _never_changes(schedule, curve)
    yield from _extreme(curve)
    yield from _short_peak(curve)


def _past_the_end(schedule: Any, steps_per_epoch: int, epochs: int) -> Iterator[Finding]:
    from lrlab.schedules.composition import warmup_steps

    run = steps_per_epoch * epochs
    of_run = f"past the end of the run ({Duration(epochs, 'epochs')}, {run:,} steps)"
    warmup = warmup_steps(schedule, steps_per_epoch, epochs)
    if warmup >= run:
        rate = f"it is `{schedule.warmup.for_}` long"
        yield ("schedule", "warmup", "for"), f"the warm-up's end is {of_run}; {rate}"
    left = Fraction(max(run - warmup, 1), steps_per_epoch)
    if isinstance(schedule, Piecewise | MultiStep):
        yield from _boundaries(schedule, warmup, steps_per_epoch, left, of_run)
    if isinstance(schedule, Sequence) and schedule.cycles == 1:
        plan = _starts(schedule, warmup, steps_per_epoch, left)
        for index, start in enumerate(plan):
            if start >= run:
                yield ("schedule", "phases", index), f"begins at step {start:,}, {of_run}"


def _boundaries(
    schedule: Piecewise | MultiStep, warmup: int, steps_per_epoch: int, left: Fraction, of_run: str
) -> Iterator[Finding]:
    before, run = -1.0, warmup + int(steps_per_epoch * left)
    for index, boundary in enumerate(schedule.boundaries):
        step = warmup + boundary.in_steps(steps_per_epoch, left)
        place: Location = ("schedule", "boundaries", index)
        if step <= before:
            yield (
                place,
                f"`{boundary}` is not after `{schedule.boundaries[index - 1]}`, with "
                f"{steps_per_epoch:,} steps an epoch; boundaries must increase",
            )
        elif step >= run:
            unused = ""
            if isinstance(schedule, Piecewise):
                unused = f"; the rate {schedule.values[index + 1]:g} is never used"
            yield place, f"`{boundary}` is {of_run}{unused}"
        before = step


def _starts(schedule: Sequence, start: int, steps_per_epoch: int, left: Fraction) -> Iterator[int]:
    """Yield where the phases of a sequence begin, to the nearest step."""
    at = float(start)
    for phase in schedule.phases:
        yield round(at)
        if isinstance(phase.for_, Duration):
            at += phase.for_.in_steps(steps_per_epoch, left)


def _never_judged(
    schedule: Greedy | Performance, steps_per_epoch: int, epochs: int
) -> Iterator[Finding]:
    """Yield a closed loop whose patience is too long for it to move once."""
    from lrlab.schedules.composition import warmup_steps

    first = -(-warmup_steps(schedule, steps_per_epoch, epochs) // steps_per_epoch)
    one_more = isinstance(schedule, Performance) and schedule.variant == "pytorch"
    # The first epoch that is judged is the best so far; the rate then moves for a later one.
    needed = first + schedule.patience + (2 if one_more else 1)
    if needed >= epochs:
        yield (
            ("schedule", "patience"),
            f"the rate stays at {schedule.initial_lr:g}: it cannot move before {needed} epochs, "
            f"and the run has {epochs}",
        )


def _never_changes(schedule: Any, curve: "Rates") -> Iterator[Finding]:
    if len(curve) > 1 and not isinstance(schedule, Constant) and curve.min() == curve.max():
        yield ("schedule",), f"the rate stays at {curve[0]:g} for all {len(curve):,} steps"


def _extreme(curve: "Rates") -> Iterator[Finding]:
    # A warm-up's first step and the ends of a cycle may be 0; two steps in a row are no training.
    still = ((curve[1:] == 0) & (curve[:-1] == 0)).nonzero()[0]
    if len(still):
        count = int((curve == 0).sum())
        yield ("schedule",), f"the rate is 0 for {count:,} steps, from step {still[0]:,} on"
    if curve.max() > HIGHEST_RATE:
        first = int((curve > HIGHEST_RATE).argmax())
        yield (
            ("schedule",),
            f"the rate is above {HIGHEST_RATE:g} from step {first:,} on and reaches "
            f"{curve.max():g}; hardly any network can be trained so",
        )


def _short_peak(curve: "Rates") -> Iterator[Finding]:
    at = int(curve.argmax())
    near = int((curve >= 0.9 * curve.max()).sum())
    inside = curve[0] < 0.9 * curve[at] and curve[-1] < 0.9 * curve[at]
    if inside and near < FEWEST_PEAK_STEPS:
        yield (
            ("schedule",),
            f"the rate is near its peak {curve[at]:g} for {near} steps only, around step {at:,} "
            f"of {len(curve):,}; it will hardly tell",
        )
