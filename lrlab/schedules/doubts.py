"""What is allowed in a schedule but probably a mistake, seen on its curve before any training."""

from collections.abc import Iterator, Sequence

from lrlab.schedules.durations import Duration
from lrlab.schedules.length import Length
from lrlab.schedules.pieces import Rates

HIGHEST_RATE = 10.0
FEWEST_PEAK_STEPS = 10

Doubt = tuple[tuple[str | int, ...], str]
"""The place within the schedule, and what would happen."""


def past_the_end(length: Length) -> str:
    """Return the words for what lies after a run."""
    epochs = Duration(float(length.epochs), "epochs")
    return f"past the end of the run ({epochs}, {length.steps:,} steps)"


def about_boundaries(
    boundaries: Sequence[Duration], whole: Length, left: Length, warmup: int, unused: Sequence[str]
) -> Iterator[Doubt]:
    """Yield the boundaries that come too late, or not after the one before.

    Args:
        boundaries: The boundaries.
        whole: The length of the run.
        left: The length after the warm-up, within which they are counted.
        warmup: Steps of the warm-up.
        unused: For each boundary what would never be used, for the message.
    """
    before, run = -1.0, warmup + left.steps
    for index, boundary in enumerate(boundaries):
        step = warmup + boundary.in_steps(left)
        place = ("boundaries", index)
        if step <= before:
            yield (
                place,
                f"`{boundary}` is not after `{boundaries[index - 1]}`, with "
                f"{whole.steps_per_epoch:,} steps an epoch; boundaries must increase",
            )
        elif step >= run:
            yield place, f"`{boundary}` is {past_the_end(whole)}{unused[index]}"
        before = step


def about_curve(curve: Rates, *, may_stay: bool) -> Iterator[Doubt]:
    """Yield what is odd about the rates of a run, shape (steps,).

    Args:
        curve: The rates.
        may_stay: Whether it is no surprise if they never change.
    """
    if not may_stay and len(curve) > 1 and curve.min() == curve.max():
        yield (), f"the rate stays at {curve[0]:g} for all {len(curve):,} steps"
    yield from _extreme(curve)
    yield from _short_peak(curve)


def _extreme(curve: Rates) -> Iterator[Doubt]:
    # A warm-up's first step and the ends of a cycle may be 0; two steps in a row train nothing.
    still = ((curve[1:] == 0) & (curve[:-1] == 0)).nonzero()[0]
    if len(still):
        count = int((curve == 0).sum())
        yield (), f"the rate is 0 for {count:,} steps, from step {still[0]:,} on"
    if curve.max() > HIGHEST_RATE:
        first = int((curve > HIGHEST_RATE).argmax())
        yield (
            (),
            f"the rate is above {HIGHEST_RATE:g} from step {first:,} on and reaches "
            f"{curve.max():g}; hardly any network can be trained at such a rate",
        )


def _short_peak(curve: Rates) -> Iterator[Doubt]:
    at = int(curve.argmax())
    near = int((curve >= 0.9 * curve.max()).sum())
    inside = curve[0] < 0.9 * curve[at] and curve[-1] < 0.9 * curve[at]
    if inside and near < FEWEST_PEAK_STEPS:
        yield (
            (),
            f"the rate is near its peak {curve[at]:g} for only {near} steps, around step {at:,} "
            f"of {len(curve):,}; that is too short to matter",
        )
