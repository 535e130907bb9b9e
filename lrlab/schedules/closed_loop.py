"""Closed loops: schedules whose rates are known an epoch at a time, from the history so far.

A loop is a pair of pure functions, `start(schedule)` and `after_epoch(schedule, state, result)`;
the state is never kept, it is folded anew from the history, so that resuming is replaying.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from lrlab.schedules import Rates, constant, greedy, performance
from lrlab.schedules.composition import Piece, joined, warm_up, warmup_steps

LOOPS: dict[str, tuple[Callable[[Any], Any], Callable[[Any, Any, float], Any]]] = {
    "performance": (performance.start, performance.after_epoch),
    "greedy": (greedy.start, greedy.after_epoch),
}


def replay(schedule: Any, results: Sequence[float]) -> Any:
    """Return the state of a loop after the whole history of results."""
    start, after_epoch = LOOPS[schedule.type]
    state = start(schedule)
    for result in results:
        state = after_epoch(schedule, state, result)
    return state


def epoch_rates(schedule: Any, steps_per_epoch: int, epochs: int, history: Sequence[Any]) -> Rates:
    """Return the rates of the epoch that follows a history.

    While a warm-up goes on nothing is judged: the loop begins with the first epoch that was
    trained without it.

    Args:
        schedule: The config of a closed loop.
        steps_per_epoch: Steps an epoch, >= 1.
        epochs: Epochs of the whole run, of which a warm-up may be a percentage.
        history: The results of the epochs so far, each with the attribute `schedule.monitor`.

    Returns:
        The rates, float64, shape `(steps_per_epoch,)`.

    Example:
        >>> from lrlab.config.schedules import Performance, Warmup
        >>> warmup = Warmup.model_validate({"for": "2 steps"})
        >>> schedule = Performance(type="performance", initial_lr=0.4, warmup=warmup)
        >>> epoch_rates(schedule, 4, 1, [])
        array([0. , 0.2, 0.4, 0.4])
    """
    warmup = warmup_steps(schedule, steps_per_epoch, epochs)
    judged = history[math.ceil(warmup / steps_per_epoch) :]
    state = replay(schedule, [getattr(epoch, schedule.monitor) for epoch in judged])
    plan = _plan(schedule, state.lr, warmup)
    step = np.arange(steps_per_epoch) + len(history) * steps_per_epoch
    return joined(plan, [piece.rate for piece in plan], step)


def undisturbed(schedule: Any, steps_per_epoch: int, epochs: int) -> Rates:
    """Return the rates of every step of a run in which the loop never has a reason to move."""
    plan = _plan(schedule, schedule.initial_lr, warmup_steps(schedule, steps_per_epoch, epochs))
    return joined(plan, [piece.rate for piece in plan], np.arange(steps_per_epoch * epochs))


def _plan(schedule: Any, lr: float, warmup: int) -> list[Piece]:
    """Return the pieces of a run: a rate that stays, before it the warm-up to it."""
    after = Piece(warmup, math.inf, partial(constant, lr=lr))
    return [warm_up(schedule.warmup, warmup, after), after] if warmup else [after]
