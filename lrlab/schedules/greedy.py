"""`greedy`: a closed loop, the rate rises while the loss improves and falls while it does not."""

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from lrlab.fields import AUTO, Count, Fraction, PositiveRate, Rate, SteadyRate, known
from lrlab.metric import Mode
from lrlab.schedules.closed_loop import ClosedLoop, Monitor, is_better
from lrlab.schedules.entry import Entry, Name, Origin

# Below this, Hugging Face leaves the rate as it is.
_EPS = 1e-8


@dataclass(frozen=True)
class GreedyState:
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


class Greedy(ClosedLoop):
    """Rises while the loss improves, else falls."""

    added: ClassVar = (*ClosedLoop.added, "mode")
    moves: ClassVar = "rises or falls as {} does"

    type: Literal["greedy"]
    initial_lr: SteadyRate = Field(description="the rate of the first epoch")
    factor: Fraction = Field(
        0.95, description="the rate is divided by it to rise, multiplied to fall; default as "
        "Hugging Face, as all here"
    )  # fmt: skip
    patience: Count = Field(
        10, description="it moves after more than so many good, or bad, epochs in a row"
    )
    min_delta: Rate = Field(1e-6, description="the least change that counts as an improvement")
    threshold_mode: Literal["absolute", "relative"] = Field(
        "absolute", description="whether `min_delta` is a difference or a share of the best"
    )
    cooldown: Count = Field(0, description="epochs after a fall in which nothing is counted")
    rise_cooldown: Count = Field(
        0, description="epochs after a rise in which nothing is counted (Hugging Face: `warmup`)"
    )
    min_lr: Rate = Field(0.001, description="the rate never falls below this")
    max_lr: PositiveRate = Field(1.0, description="the rate never rises above this")
    window: Annotated[int, Field(gt=0, le=10_000)] = Field(
        1, description="epochs whose results are averaged (Hugging Face: `smooth`, `window_size`)"
    )
    reset_after: Annotated[int, Field(gt=0)] = Field(
        500, description="falls at `min_lr` after which it starts again from `initial_lr`"
    )
    mode: Mode | None = Field(
        None, description="`max` if higher values of `monitor` are better, else `min`; known for "
        "Keras' own names"
    )  # fmt: skip
    monitor: Monitor = Field(
        "loss",
        description="the result that is watched: `loss`, the epoch's training loss, `val_loss`, or "
        "the metric, as `val_accuracy`",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        first = self.initial_lr
        if first is not AUTO and not self.min_lr <= first <= self.max_lr:
            raise ValueError(
                f"initial_lr must lie between min_lr ({self.min_lr}) and max_lr "
                f"({self.max_lr}), got {first}"
            )
        return self

    @property
    def fewest_epochs(self) -> int:
        """Epochs before the rate can have moved: the first is the best so far."""
        return self.patience + 1

    @property
    def why_not_keras(self) -> str:
        """Why no callback of Keras' own equals it."""
        return "Keras has no GreedyLR"

    def start(self) -> GreedyState:
        """Return the state before the first epoch."""
        return GreedyState(lr=known(self.initial_lr), resets_in=self.reset_after)

    def after_epoch(self, state: GreedyState, result: float) -> GreedyState:
        """Return the state after an epoch that gave the result `result`.

        After more than `patience` epochs in a row, each better than the best so far by more than
        `min_delta`, the rate is divided by `factor`; after as many that were not, it is multiplied
        by it. It is decided once an epoch, as Hugging Face's trainer does once an evaluation.

        Args:
            state: The state before.
            result: The monitored value.

        Returns:
            The state after; `lr` is the rate of the next epoch.

        Example:
            >>> schedule = Greedy(type="greedy", initial_lr=0.4, factor=0.5, patience=0)
            >>> schedule.after_epoch(schedule.start(), 0.6).lr
            0.8

        References:
            Subramanian, Krishnamoorthy and Murthy, Dynamic learning rate scheduling based on loss
            changes leads to faster convergence (2025), https://arxiv.org/abs/2512.14527; Hugging
            Face's `GreedyLR`, which it equals.
        """
        recent = (*state.recent, result)[-self.window :]
        if state.cooldown > 0:
            left = state.cooldown - 1
            return replace(state, good_epochs=0, bad_epochs=0, cooldown=left, recent=recent)
        if state.rise_cooldown > 0:
            left = state.rise_cooldown - 1
            return replace(state, good_epochs=0, bad_epochs=0, rise_cooldown=left, recent=recent)
        mean = sum(recent) / len(recent)
        relative, higher = self.threshold_mode == "relative", self.higher_is_better
        if state.best is None or is_better(mean, state.best, self.min_delta, relative, higher):
            return self._after_good(state, mean, recent)
        return self._after_bad(state, recent)

    def _after_good(
        self, state: GreedyState, best: float, recent: tuple[float, ...]
    ) -> GreedyState:
        good = state.good_epochs + 1
        if good <= self.patience:
            return GreedyState(state.lr, state.resets_in, best, good, recent=recent)
        lr = min(state.lr / self.factor, self.max_lr)
        return GreedyState(
            lr=lr if lr - state.lr > _EPS else state.lr,
            resets_in=self.reset_after,
            best=best,
            rise_cooldown=self.rise_cooldown,
            recent=recent,
        )

    def _after_bad(self, state: GreedyState, recent: tuple[float, ...]) -> GreedyState:
        bad = state.bad_epochs + 1
        if bad <= self.patience:
            return GreedyState(state.lr, state.resets_in, state.best, 0, bad, recent=recent)
        fallen = max(state.lr * self.factor, self.min_lr)
        lr = fallen if state.lr - fallen > _EPS else state.lr
        resets_in = state.resets_in - (lr <= self.min_lr)
        if resets_in <= 0:
            # Hugging Face sets the cooldown after the reset, so that it holds here too.
            return GreedyState(known(self.initial_lr), self.reset_after, cooldown=self.cooldown)
        return GreedyState(lr, resets_in, state.best, cooldown=self.cooldown, recent=recent)

    entry: ClassVar = Entry(
        family="closed loops, which watch the training",
        formula=(
            "after more than `patience` epochs in a row that are better by `min_delta`:\n"
            "rate = min(max_lr, rate / factor)\n"
            "after more than `patience` that were not:\n"
            "rate = max(min_lr, rate * factor)"
        ),
        example="""\
# A quarter up after a better epoch, a fifth down after a worse one.
schedule:
  type: greedy
  initial_lr: 0.005
  factor: 0.8
  patience: 0
  max_lr: 0.02
  monitor: val_loss
epochs: 10
""",
        origins=(
            Origin(
                "Subramanian, Krishnamoorthy and Murthy",
                "Dynamic learning rate scheduling based on loss changes leads to faster "
                "convergence",
                2025,
                "https://arxiv.org/abs/2512.14527",
            ),
        ),
        names=(Name("transformers", "GreedyLR", "`warmup` is `rise_cooldown`"),),
        traps=(
            "`patience` is 10 by default, longer than many runs here: the rate would never move.",
            "`min_lr` is 0.001 by default: a lower `initial_lr` is refused.",
            "It is decided once an epoch, in Hugging Face once an evaluation.",
            "The curve is known only while training: its picture follows an invented history.",
        ),
        history=(0.60, 0.45, 0.40, 0.37, 0.36, 0.37, 0.355, 0.36, 0.37),
    )  # fmt: skip
