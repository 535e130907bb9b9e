"""GreedyLR, a closed loop: the rate rises while the loss improves and falls while it does not.

A pure fold, `state = after_epoch(schedule, state, result)`, so that resuming is replaying.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

from lrlab.schedules.performance import is_better

# Below this, Hugging Face leaves the rate as it is.
_EPS = 1e-8


class Greedy(Protocol):
    """What the loop needs of the schedule's config; meanings and ranges stand there."""

    @property
    def initial_lr(self) -> float:
        """The rate of the first epoch."""

    @property
    def factor(self) -> float:
        """What the rate is multiplied by to fall and divided by to rise."""

    @property
    def patience(self) -> int:
        """Good, or bad, epochs in a row before the one after which the rate moves."""

    @property
    def min_delta(self) -> float:
        """The least change that counts as an improvement."""

    @property
    def threshold_mode(self) -> Literal["absolute", "relative"]:
        """What `min_delta` is."""

    @property
    def cooldown(self) -> int:
        """Epochs after a fall in which nothing is counted."""

    @property
    def rise_cooldown(self) -> int:
        """Epochs after a rise in which nothing is counted."""

    @property
    def min_lr(self) -> float:
        """The rate never falls below this."""

    @property
    def max_lr(self) -> float:
        """The rate never rises above this."""

    @property
    def window(self) -> int:
        """Epochs whose results are averaged."""

    @property
    def reset_after(self) -> int:
        """Falls at `min_lr` after which it starts again."""

    @property
    def monitor(self) -> str:
        """`loss`, `val_loss` (lower is better) or `val_accuracy` (higher is better)."""


@dataclass(frozen=True)
class State:
    """Where the loop stands between two epochs.

    Args:
        lr: The rate of the next epoch.
        resets_in: Falls at `min_lr` until it starts again.
        best: The best result so far, None before the first.
        good_epochs: Epochs in a row with improvement.
        bad_epochs: Epochs in a row without improvement.
        cooldown: Epochs left, after a fall, in which nothing is counted.
        rise_cooldown: Epochs left, after a rise, in which nothing is counted.
        recent: The results that are averaged, the newest last.
    """

    lr: float
    resets_in: int
    best: float | None = None
    good_epochs: int = 0
    bad_epochs: int = 0
    cooldown: int = 0
    rise_cooldown: int = 0
    recent: tuple[float, ...] = ()


def start(schedule: Greedy) -> State:
    """Return the state before the first epoch."""
    return State(lr=schedule.initial_lr, resets_in=schedule.reset_after)


def after_epoch(schedule: Greedy, state: State, result: float) -> State:
    """Return the state after an epoch that gave the result `result`.

    After more than `patience` epochs in a row, each better than the best so far by more than
    `min_delta`, the rate is divided by `factor`; after as many that were not, it is multiplied
    by it. It is decided once an epoch, as Hugging Face's trainer does once an evaluation.

    Args:
        schedule: The schedule's config.
        state: The state before.
        result: The monitored value.

    Returns:
        The state after; `lr` is the rate of the next epoch.

    Example:
        >>> from lrlab.config.schedules import Greedy
        >>> schedule = Greedy(type="greedy", initial_lr=0.4, factor=0.5, patience=0)
        >>> after_epoch(schedule, start(schedule), 0.6).lr
        0.8

    References:
        Subramanian, Krishnamoorthy and Murthy, Dynamic learning rate scheduling based on loss
        changes leads to faster convergence (2025), https://arxiv.org/abs/2512.14527; Hugging
        Face's `GreedyLR`, which it equals.
    """
    recent = (*state.recent, result)[-schedule.window :]
    if state.cooldown > 0:
        return State(state.lr, state.resets_in, state.best, 0, 0, state.cooldown - 1,
                     state.rise_cooldown, recent)  # fmt: skip
    if state.rise_cooldown > 0:
        return State(state.lr, state.resets_in, state.best, 0, 0, 0,
                     state.rise_cooldown - 1, recent)  # fmt: skip
    mean = sum(recent) / len(recent)
    relative, higher = schedule.threshold_mode == "relative", schedule.monitor == "val_accuracy"
    if state.best is None or is_better(mean, state.best, schedule.min_delta, relative, higher):
        return _after_good(schedule, state, mean, recent)
    return _after_bad(schedule, state, recent)


def _after_good(schedule: Greedy, state: State, best: float, recent: tuple[float, ...]) -> State:
    good = state.good_epochs + 1
    if good <= schedule.patience:
        return State(state.lr, state.resets_in, best, good, recent=recent)
    lr = min(state.lr / schedule.factor, schedule.max_lr)
    return State(
        lr=lr if lr - state.lr > _EPS else state.lr,
        resets_in=schedule.reset_after,
        best=best,
        rise_cooldown=schedule.rise_cooldown,
        recent=recent,
    )


def _after_bad(schedule: Greedy, state: State, recent: tuple[float, ...]) -> State:
    bad = state.bad_epochs + 1
    if bad <= schedule.patience:
        return State(state.lr, state.resets_in, state.best, 0, bad, recent=recent)
    fallen = max(state.lr * schedule.factor, schedule.min_lr)
    lr = fallen if state.lr - fallen > _EPS else state.lr
    resets_in = state.resets_in - (lr <= schedule.min_lr)
    if resets_in <= 0:
        # Hugging Face sets the cooldown after the reset, so that it holds here too.
        return State(schedule.initial_lr, schedule.reset_after, cooldown=schedule.cooldown)
    return State(lr, resets_in, state.best, cooldown=schedule.cooldown, recent=recent)
