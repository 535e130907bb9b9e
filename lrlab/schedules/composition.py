"""Curves from configs: a schedule is a row of pieces, each a formula with a clock of its own.

A warm-up is a piece in front, a sequence one piece a phase, cycles the same pieces again; so a
plain schedule is the case of one piece, and `rates` knows no other.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from lrlab.schedules.annealing import ramp
from lrlab.schedules.catalogue import FORMULAS
from lrlab.schedules.onecycle import one_cycle_momentum
from lrlab.schedules.steps import Rates, as_steps
from lrlab.schedules.stepwise import constant

# Steps computed at a time: the formulas' intermediate values of a long run would fill the memory.
_BLOCK = 1_000_000

Epochs = int | Fraction
"""A length in epochs; a fraction where a piece is no whole number of them."""


class Schedule(Protocol):
    """What `rates` needs of a schedule's config."""

    @property
    def type(self) -> str:
        """The name of the formula."""

    def arguments(self, steps_per_epoch: int, epochs: Epochs) -> dict[str, Any]:
        """Return the keyword arguments of the formula, durations in steps."""


@dataclass(frozen=True)
class Piece:
    """A formula that holds from the step `start` until the next piece begins.

    Args:
        start: Its first step; its formula counts from there.
        end: After this step its last value holds.
        rate: The rates, a function of the steps since `start`.
        momentum: The momentum likewise, None where it is not cycled.
        epoch: Steps an epoch if it moves only where an epoch of the run begins, else 1.
    """

    start: int
    end: float
    rate: Callable[[Rates], Rates]
    momentum: Callable[[Rates], Rates] | None = None
    epoch: int = 1

    def clock(self, step: Rates) -> Rates:
        """Return the steps since `start`, as the formula counts them."""
        begun = np.maximum(step - step % self.epoch, self.start)
        return np.minimum(begun, self.end) - self.start


def rates(schedule: Schedule, steps_per_epoch: int, epochs: int) -> Rates:
    """Return the learning rate of every step of a run.

    Args:
        schedule: An open-loop schedule's config, as in `lrlab.load(path).schedule`.
        steps_per_epoch: Steps an epoch, >= 1.
        epochs: Epochs, >= 1.

    Returns:
        The rates, float64, shape `(steps_per_epoch * epochs,)`.

    Raises:
        ValueError: If the schedule is a closed loop, whose rates depend on the training, or a
            count is below 1.
    """
    return curve(schedule, np.arange(steps_per_epoch * epochs), steps_per_epoch, epochs)


def curve(schedule: Schedule, step: npt.ArrayLike, steps_per_epoch: int, epochs: int) -> Rates:
    """Return the learning rate at any steps of a run, also past its end.

    Args:
        schedule: An open-loop schedule's config.
        step: Steps, any shape.
        steps_per_epoch: Steps an epoch, >= 1.
        epochs: Epochs of the run, >= 1.

    Returns:
        The rates, float64, in the shape of `step`.

    Raises:
        ValueError: As `rates`.
    """
    plan = list(pieces(schedule, steps_per_epoch, epochs))
    found = joined(plan, [piece.rate for piece in plan], step)
    if np.isnan(found).any():
        raise ValueError(
            "a rate of the schedule is `auto`, which a sweep has to find first: `lrlab compare` "
            "does that; else put in what `lrlab find-lr` suggests"
        )
    return found


def momenta(schedule: Schedule, steps_per_epoch: int, epochs: int) -> Rates | None:
    """Return the momentum of every step of a run; None if the schedule does not cycle it.

    Returns:
        The momenta, float64, shape `(steps_per_epoch * epochs,)`.

    Raises:
        ValueError: If a count is below 1.
    """
    if schedule.type not in FORMULAS or getattr(schedule, "momentum", None) is None:
        return None
    plan = list(pieces(schedule, steps_per_epoch, epochs))
    cycled = [piece.momentum for piece in plan if piece.momentum is not None]
    return joined(plan, cycled, np.arange(steps_per_epoch * epochs))


def joined(
    plan: Sequence[Piece], functions: Sequence[Callable[[Rates], Rates]], step: npt.ArrayLike
) -> Rates:
    """Return what the pieces' functions give, each from its piece's start to the next one's."""
    at = as_steps(step)
    result = np.empty(at.size, np.float64)
    starts = [piece.start for piece in plan]
    for first in range(0, at.size, _BLOCK):
        block = at.reshape(-1)[first : first + _BLOCK]
        holds = np.searchsorted(starts, block, side="right") - 1
        order = np.argsort(holds, kind="stable")
        indices, ends = np.unique(holds[order], return_index=True)
        for index, here in zip(indices, np.split(order, ends[1:]), strict=True):
            with np.errstate(over="ignore"):  # A power may be infinite where the rate is 0.
                result[first + here] = functions[index](plan[index].clock(block[here]))
    return result.reshape(at.shape)


def pieces(
    schedule: Any, steps_per_epoch: int, epochs: Epochs, start: int = 0, end: float = math.inf
) -> Iterator[Piece]:
    """Yield the pieces of a schedule that begins at the step `start` and lasts `epochs`.

    Raises:
        ValueError: As `rates`.
    """
    if steps_per_epoch < 1 or epochs <= 0:
        raise ValueError(f"need at least 1 step and 1 epoch, got {steps_per_epoch} and {epochs}")
    if schedule.type not in FORMULAS and schedule.type != "sequence":
        raise ValueError(
            f"the rates of a `{schedule.type}` schedule are known only while training; "
            "see `lrlab.schedules.closed_loop`"
        )
    warmup = warmup_steps(schedule, steps_per_epoch, epochs)
    left = Fraction(max(int(steps_per_epoch * epochs) - warmup, 1), steps_per_epoch)
    inner = _phases if schedule.type == "sequence" else _plain
    own = list(inner(schedule, steps_per_epoch, left, start + warmup, end))
    if warmup:
        yield warm_up(schedule.warmup, warmup, own[0], start, end)
    if start + warmup < end:
        yield from own


def warmup_steps(schedule: Any, steps_per_epoch: int, epochs: Epochs) -> int:
    """Return how many steps the warm-up before a schedule takes, 0 without one."""
    warmup = getattr(schedule, "warmup", None)
    return 0 if warmup is None else _whole(warmup.for_.in_steps(steps_per_epoch, epochs))


def warm_up(warmup: Any, steps: int, before: Piece, start: int = 0, end: float = math.inf) -> Piece:
    """Return the piece that goes from the warm-up's first rate to the first rate of `before`."""
    first = float(before.rate(np.zeros(())))
    rise = partial(ramp, initial_lr=warmup.from_, end_lr=first, over=steps, shape=warmup.shape)
    high = None
    if before.momentum is not None:
        high = partial(constant, lr=float(before.momentum(np.zeros(()))))
    return Piece(start, min(start + steps, end), rise, high)


def _plain(
    schedule: Any, steps_per_epoch: int, epochs: Epochs, start: int, end: float
) -> Iterator[Piece]:
    arguments = schedule.arguments(steps_per_epoch, epochs)
    momentum = None
    if getattr(schedule, "momentum", None) is not None:
        shared = {k: v for k, v in arguments.items() if not k.endswith("_lr")}
        low, high = schedule.momentum.low, schedule.momentum.high
        momentum = partial(one_cycle_momentum, low=low, high=high, **shared)
    by_epoch = getattr(schedule, "update", "step") == "epoch"
    rate = partial(FORMULAS[schedule.type], **arguments)
    yield Piece(start, end, rate, momentum, steps_per_epoch if by_epoch else 1)


def _phases(
    schedule: Any, steps_per_epoch: int, epochs: Epochs, start: int, end: float
) -> Iterator[Piece]:
    whole = int(steps_per_epoch * epochs)
    for cycle in range(schedule.cycles):
        length = whole * (cycle + 1) // schedule.cycles - whole * cycle // schedule.cycles
        cycle_end = start + length
        for phase in schedule.phases:
            if phase.for_ in (None, "rest"):
                steps = max(cycle_end - start, 1)
            else:
                steps = _whole(
                    phase.for_.in_steps(steps_per_epoch, _epochs(length, steps_per_epoch))
                )
            lasts = _epochs(steps, steps_per_epoch)
            yield from pieces(phase, steps_per_epoch, lasts, start, start + steps)
            start += steps


def _epochs(steps: int, steps_per_epoch: int) -> Fraction:
    return Fraction(max(steps, 1), steps_per_epoch)


def _whole(steps: float) -> int:
    """Return the nearest whole number of steps, at least 1."""
    return max(1, math.floor(steps + 0.5))
