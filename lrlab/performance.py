"""Performance scheduling, the closed loop: the next epoch's rate from the validation history.

A pure fold, `state = after_epoch(schedule, state, result)`, so that resuming is replaying.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol


class Performance(Protocol):
    """What the loop needs of the schedule's config; meanings and ranges stand there."""

    @property
    def initial_lr(self) -> float:
        """The rate of the first epoch."""

    @property
    def factor(self) -> float:
        """What the rate is multiplied by."""

    @property
    def patience(self) -> int:
        """Bad epochs in a row before the rate falls."""

    @property
    def min_delta(self) -> float:
        """The least change that counts as an improvement."""

    @property
    def cooldown(self) -> int:
        """Epochs after a fall in which none is counted as bad."""

    @property
    def min_lr(self) -> float:
        """The rate never falls below this."""

    @property
    def monitor(self) -> str:
        """`val_loss` (lower is better) or `val_accuracy` (higher is better)."""


@dataclass(frozen=True)
class State:
    """Where the loop stands between two epochs.

    Args:
        lr: The rate of the next epoch.
        best: The best result so far, None before the first.
        bad_epochs: Epochs in a row without improvement.
        cooldown: Epochs left in which none is counted as bad.
    """

    lr: float
    best: float | None = None
    bad_epochs: int = 0
    cooldown: int = 0


def start(schedule: Performance) -> State:
    """Return the state before the first epoch."""
    return State(lr=schedule.initial_lr)


def after_epoch(schedule: Performance, state: State, result: float) -> State:
    """Return the state after an epoch that gave the validation result `result`.

    The rate is multiplied by `factor`, but not below `min_lr`, after `patience` epochs in a row
    in which the result was not better than the best so far by more than `min_delta`.

    Args:
        schedule: The schedule's config.
        state: The state before.
        result: The monitored value.

    Returns:
        The state after; `lr` is the rate of the next epoch.

    Example:
        >>> from lrlab.config.schedules import Performance
        >>> schedule = Performance(type="performance", initial_lr=0.4, patience=1)
        >>> after_epoch(schedule, after_epoch(schedule, start(schedule), 0.6), 0.7).lr
        0.2

    References:
        Keras' `ReduceLROnPlateau`, which it equals epoch for epoch. PyTorch's of that name
        reduces after `patience + 1` bad epochs.
    """
    cooldown = max(0, state.cooldown - 1)
    bad_epochs = 0 if state.cooldown > 0 else state.bad_epochs
    if state.best is None or _better(schedule, result, state.best):
        return State(state.lr, result, 0, cooldown)
    if cooldown > 0:
        return State(state.lr, state.best, 0, cooldown)
    if bad_epochs + 1 < schedule.patience or state.lr <= schedule.min_lr:
        return State(state.lr, state.best, bad_epochs + 1, cooldown)
    lr = max(state.lr * schedule.factor, schedule.min_lr)
    return State(lr, state.best, 0, schedule.cooldown)


def replay(schedule: Performance, results: Iterable[float]) -> State:
    """Return the state after the whole history of results."""
    state = start(schedule)
    for result in results:
        state = after_epoch(schedule, state, result)
    return state


def _better(schedule: Performance, result: float, best: float) -> bool:
    if schedule.monitor == "val_accuracy":
        return result > best + schedule.min_delta
    return result < best - schedule.min_delta
