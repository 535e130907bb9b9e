"""Closed loops: schedules whose rates are known one epoch at a time, from the history so far.

The state of a loop is never in a file, it is folded again from the history: resuming is replaying.
Within a run it is carried from epoch to epoch.
"""

import math
import operator
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Protocol

import numpy as np
from pydantic import Field, ValidationInfo, field_validator

from lrlab.fields import SteadyRate, known
from lrlab.metric import Mode, mode_of
from lrlab.schedules.doubts import Doubt
from lrlab.schedules.length import Length
from lrlab.schedules.pieces import Piece, Rates, held, joined
from lrlab.schedules.schedule import Schedule, refuse_auto

Monitor = Annotated[str, Field(pattern="^[A-Za-z_][A-Za-z0-9_]{0,63}$")]
"""The name of a result of an epoch: `loss`, `accuracy`, or the same after `val_`."""


class LoopState(Protocol):
    """Where a loop stands between two epochs."""

    @property
    def lr(self) -> float:
        """The rate of the next epoch."""


class ClosedLoop(Schedule):
    """A schedule that watches the training: `state = after_epoch(state, result)`, a pure fold.

    The fold knows nothing of `scale`, which is a factor on all that it gives, its floors included.
    """

    moves: ClassVar[str]
    """What a preview says about it; `{}` stands for what is watched."""

    if TYPE_CHECKING:
        initial_lr: SteadyRate
        monitor: str
        mode: Mode | None

    @field_validator("monitor", check_fields=False)
    @classmethod
    def _check_monitor(cls, monitor: str, info: ValidationInfo) -> str:
        if info.data.get("mode") is None and mode_of(monitor) is None:
            raise ValueError(
                "must be loss, val_loss, or a metric such as val_accuracy; for another name say "
                f"`mode: max` or `mode: min`, got `{monitor}`"
            )
        return monitor

    @property
    def higher_is_better(self) -> bool:
        """Whether higher values of what is watched are better."""
        return (self.mode or mode_of(self.monitor)) == "max"

    @property
    @abstractmethod
    def fewest_epochs(self) -> int:
        """Epochs, the first ones after the warm-up, before the rate can have moved."""

    @property
    def why_not_keras(self) -> str:
        """Why no callback of Keras' own equals it; empty where one does."""
        return f"Keras has no `{self.type}`"

    @abstractmethod
    def start(self) -> LoopState:
        """Return the state before the first epoch."""

    @abstractmethod
    def after_epoch(self, state: Any, result: float) -> LoopState:
        """Return the state after an epoch that gave a result."""

    def replay(self, results: Sequence[float]) -> LoopState:
        """Return the state after the whole history of results."""
        state = self.start()
        for result in results:
            state = self.after_epoch(state, result)
        return state

    def own_pieces(self, length: Length, start: int, end: float) -> Iterator[Piece]:
        """Refuse: its curve is not known before the training.

        Raises:
            ValueError: Always.
        """
        raise ValueError(f"the rates of a `{self.type}` schedule are known only while training")

    def epoch_rates(
        self, length: Length, result: Callable[[Any], float | None] | None = None
    ) -> Callable[[Sequence[Any]], Rates]:
        """Return a function that gives the rates of the epoch after a history of results.

        While a warm-up goes on nothing is judged: the loop begins with the first epoch that was
        trained without it.

        Args:
            length: The length of the run.
            result: Reads the watched value from an epoch, None where it has none, which leaves the
                epoch out; by default its attribute `monitor`.

        Example:
            >>> from lrlab.schedules.performance import Performance
            >>> warmup = {"for": "2 steps"}
            >>> schedule = Performance(type="performance", initial_lr=0.4, warmup=warmup)
            >>> schedule.epoch_rates(Length(4, 1))([])
            array([0. , 0.2, 0.4, 0.4])
        """
        refuse_auto(self)
        _, warmup = self.after_warmup(length)
        begins = math.ceil(warmup / length.steps_per_epoch)
        folded: list[Any] = []
        state = self.start()
        read = result or operator.attrgetter(self.monitor)

        def after(history: Sequence[Any]) -> Rates:
            nonlocal folded, state
            if folded != list(history[: len(folded)]):  # Another history than that of before.
                folded, state = [], self.start()
            for epoch in history[len(folded) :]:
                value = read(epoch) if len(folded) >= begins else None
                if value is not None:
                    state = self.after_epoch(state, value)
                folded.append(epoch)
            step = np.arange(length.steps_per_epoch) + len(history) * length.steps_per_epoch
            return self._at(state.lr, warmup, step)

        return after

    def drawn(self, length: Length) -> tuple[Rates, str]:
        """Return the rates of a run in which the loop never moves, and what would move it."""
        refuse_auto(self)
        _, warmup = self.after_warmup(length)
        whole = self._at(self.start().lr, warmup, np.arange(length.steps))
        return whole, self.moves.format(self.monitor)

    def _at(self, lr: float, warmup: int, step: Any) -> Rates:
        """Return the rates at steps of a run: one that stays, before it the warm-up to it."""
        plan = list(self.whole([Piece(warmup, math.inf, held(lr))], warmup))
        return joined(plan, [piece.rate for piece in plan], step)

    def own_doubts(self, length: Length, late: Sequence[Doubt]) -> Iterator[Doubt]:
        """Yield that its patience is too long for it to move once."""
        _, warmup = self.after_warmup(length)
        needed = math.ceil(warmup / length.steps_per_epoch) + self.fewest_epochs
        if not late and needed >= length.epochs:
            first = self.scale * known(self.initial_lr)
            yield (
                ("patience",),
                f"the rate stays at {first:g}: it cannot move before the end of epoch "
                f"{needed}, and the run has {length.epochs}",
            )


def is_better(result: float, best: float, min_delta: float, relative: bool, higher: bool) -> bool:
    """Return whether a result is better than the best so far by more than `min_delta`.

        result < best - min_delta        relative: result < best * (1 - min_delta)

    Args:
        result: The result.
        best: The best so far.
        min_delta: The least change that counts, >= 0.
        relative: Whether `min_delta` is a share of the best.
        higher: Whether higher is better; then `>`, and `+` in place of `-`.
    """
    # Written as PyTorch does, since it decides at the last bit.
    if higher:
        return result > (best * (min_delta + 1.0) if relative else best + min_delta)
    return result < (best * (1.0 - min_delta) if relative else best - min_delta)


def is_better_as_keras(result: float, best: float, min_delta: float, higher: bool) -> bool:
    """Return whether Keras' callbacks take a result as better than the best so far.

        result + min_delta < best        higher: result - min_delta > best

    The left side is computed in float64, then both are rounded to float32 and compared. So an
    accuracy of 0.8501 after 0.85 is no gain of more than 1e-4, whatever the last bits of the two.

    Args:
        result: The result.
        best: The best so far.
        min_delta: The least change that counts, >= 0.
        higher: Whether higher is better.

    References:
        Keras 3.15, `MonitorCallback._is_improvement`, with its default float type.
    """
    with np.errstate(over="ignore"):
        rounded = np.float32(result - min_delta if higher else result + min_delta)
        return bool(rounded > np.float32(best) if higher else rounded < np.float32(best))
