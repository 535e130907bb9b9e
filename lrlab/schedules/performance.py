"""Performance scheduling, a closed loop: the next epoch's rate from the validation history.

A pure fold, `state = after_epoch(schedule, state, result)`, so that resuming is replaying.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Protocol

# Below this, PyTorch leaves the rate as it is.
_EPS = 1e-8


class Performance(Protocol):
    """What the loop needs of the schedule's config; meanings and ranges stand there."""

    @property
    def variant(self) -> Literal["keras", "pytorch"]:
        """Whose definition it is."""

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
    def threshold_mode(self) -> Literal["absolute", "relative"] | None:
        """What `min_delta` is; None: as the variant has it."""

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
    (variant `pytorch`: one more) in which the result was not better than the best so far by more
    than `min_delta`.

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
        Keras' and PyTorch's `ReduceLROnPlateau`, each of which its variant equals epoch for
        epoch. They differ in three ways: PyTorch is patient for one epoch more, its threshold
        is a share of the best, and the last epoch of a cooldown does not count as bad in it.
    """
    mode = schedule.threshold_mode
    relative = mode == "relative" or (mode is None and schedule.variant == "pytorch")
    better = state.best is None or is_better(
        result, state.best, schedule.min_delta, relative, schedule.monitor == "val_accuracy"
    )
    after = _after_epoch_pytorch if schedule.variant == "pytorch" else _after_epoch_keras
    return after(schedule, state, result, better)


def replay(schedule: Performance, results: Iterable[float]) -> State:
    """Return the state after the whole history of results."""
    state = start(schedule)
    for result in results:
        state = after_epoch(schedule, state, result)
    return state


def is_better(result: float, best: float, min_delta: float, relative: bool, higher: bool) -> bool:
    """Return whether a result is better than the best so far by more than `min_delta`.

    Args:
        result: The result.
        best: The best so far.
        min_delta: The least change that counts, >= 0.
        relative: Whether `min_delta` is a share of the best.
        higher: Whether higher is better.
    """
    # Written as PyTorch does, since it decides at the last bit.
    if higher:
        return result > (best * (min_delta + 1.0) if relative else best + min_delta)
    return result < (best * (1.0 - min_delta) if relative else best - min_delta)


def _after_epoch_keras(schedule: Performance, state: State, result: float, better: bool) -> State:
    cooldown = max(0, state.cooldown - 1)
    bad_epochs = 0 if state.cooldown > 0 else state.bad_epochs
    if better:
        return State(state.lr, result, 0, cooldown)
    if cooldown > 0:
        return State(state.lr, state.best, 0, cooldown)
    if bad_epochs + 1 < schedule.patience or state.lr <= schedule.min_lr:
        return State(state.lr, state.best, bad_epochs + 1, cooldown)
    lr = max(state.lr * schedule.factor, schedule.min_lr)
    return State(lr, state.best, 0, schedule.cooldown)


def _after_epoch_pytorch(schedule: Performance, state: State, result: float, better: bool) -> State:
    best = result if better else state.best
    bad_epochs = 0 if better or state.cooldown > 0 else state.bad_epochs + 1
    cooldown = max(0, state.cooldown - 1)
    if bad_epochs <= schedule.patience:
        return State(state.lr, best, bad_epochs, cooldown)
    lr = max(state.lr * schedule.factor, schedule.min_lr)
    return State(lr if state.lr - lr > _EPS else state.lr, best, 0, schedule.cooldown)
