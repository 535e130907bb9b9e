"""`performance`: a closed loop, the rate falls when the validation result stalls."""

import json
from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator

from lrlab.fields import Count, Fraction, Rate, SteadyRate, known
from lrlab.metric import Mode
from lrlab.schedules.closed_loop import ClosedLoop, Monitor, is_better, is_better_as_keras
from lrlab.schedules.entry import GERON, Entry, Name
from lrlab.schedules.length import Length

# Below this, PyTorch leaves the rate as it is.
_EPS = 1e-8


@dataclass(frozen=True)
class PlateauState:
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


class Performance(ClosedLoop):
    """Falls when the validation result stalls."""

    added: ClassVar = (*ClosedLoop.added, "mode")
    moves: ClassVar = "falls when {} stalls"

    type: Literal["performance"]
    variant: Literal["keras", "pytorch"] = Field(
        "keras", description="whose ReduceLROnPlateau it is; they count epochs differently"
    )
    initial_lr: SteadyRate = Field(description="the rate of the first epoch")
    factor: Fraction = Field(0.5, description="what the rate is multiplied by")
    patience: int = Field(
        5,
        description="epochs in a row without improvement before the rate falls; with PyTorch's "
        "variant it falls after one more",
    )
    min_delta: Rate = Field(1e-4, description="the least change that counts as an improvement")
    threshold_mode: Literal["absolute", "relative"] | None = Field(
        None,
        description="whether `min_delta` is a difference or a share of the best; Keras' is "
        "absolute, PyTorch's relative",
    )
    cooldown: Count = Field(0, description="epochs after a fall in which none is counted as bad")
    min_lr: Rate = Field(0.0, description="the rate never falls below this")
    mode: Mode | None = Field(
        None, description="`max` if higher values of `monitor` are better, else `min`; known for "
        "Keras' own names"
    )  # fmt: skip
    monitor: Monitor = Field(
        "val_loss",
        description="the result that is watched: `val_loss`, `loss`, or the metric, as "
        "`val_accuracy`",
    )

    @field_validator("patience")
    @classmethod
    def _check_patience(cls, patience: int, info: ValidationInfo) -> int:
        if info.data.get("variant") == "pytorch" and patience < 0:
            raise ValueError(f"must be at least 0, got {patience}")
        if info.data.get("variant") != "pytorch" and patience < 1:
            raise ValueError(f"must be greater than 0, got {patience}")
        return patience

    @property
    def fewest_epochs(self) -> int:
        """Epochs before the rate can have moved: the first is the best so far."""
        return self.patience + (2 if self.variant == "pytorch" else 1)

    def start(self) -> PlateauState:
        """Return the state before the first epoch."""
        return PlateauState(lr=known(self.initial_lr))

    def after_epoch(self, state: PlateauState, result: float) -> PlateauState:
        """Return the state after an epoch that gave the validation result `result`.

        The rate is multiplied by `factor`, but not below `min_lr`, after `patience` epochs in a
        row (variant `pytorch`: one more) in which the result was not better than the best so far
        by more than `min_delta`.

        Args:
            state: The state before.
            result: The monitored value.

        Returns:
            The state after; `lr` is the rate of the next epoch.

        Example:
            >>> schedule = Performance(type="performance", initial_lr=0.4, patience=1)
            >>> schedule.after_epoch(schedule.after_epoch(schedule.start(), 0.6), 0.7).lr
            0.2

        References:
            Keras' and PyTorch's `ReduceLROnPlateau`: each variant lowers the rate after the same
            epochs as its model, also where a result ties with the threshold. They differ in three
            ways: PyTorch is patient for one epoch more, its threshold is a share of the best, and
            the last epoch of a cooldown does not count as bad in it.
        """
        better = state.best is None or self._is_better(result, state.best)
        if self.variant == "pytorch":
            return self._after_epoch_pytorch(state, result, better)
        return self._after_epoch_keras(state, result, better)

    def _is_better(self, result: float, best: float) -> bool:
        mode = self.threshold_mode or ("relative" if self.variant == "pytorch" else "absolute")
        higher = self.higher_is_better
        if self.variant == "keras" and mode == "absolute":
            return is_better_as_keras(result, best, self.min_delta, higher)
        return is_better(result, best, self.min_delta, mode == "relative", higher)

    def _after_epoch_keras(self, state: PlateauState, result: float, better: bool) -> PlateauState:
        cooldown = max(0, state.cooldown - 1)
        bad_epochs = 0 if state.cooldown > 0 else state.bad_epochs
        if better:
            return PlateauState(state.lr, result, 0, cooldown)
        if cooldown > 0:
            return PlateauState(state.lr, state.best, 0, cooldown)
        if bad_epochs + 1 < self.patience or state.lr <= self.min_lr:
            return PlateauState(state.lr, state.best, bad_epochs + 1, cooldown)
        lr = max(state.lr * self.factor, self.min_lr)
        return PlateauState(lr, state.best, 0, self.cooldown)

    def _after_epoch_pytorch(
        self, state: PlateauState, result: float, better: bool
    ) -> PlateauState:
        best = result if better else state.best
        bad_epochs = 0 if better or state.cooldown > 0 else state.bad_epochs + 1
        cooldown = max(0, state.cooldown - 1)
        if bad_epochs <= self.patience:
            return PlateauState(state.lr, best, bad_epochs, cooldown)
        lr = max(state.lr * self.factor, self.min_lr)
        return PlateauState(lr if state.lr - lr > _EPS else state.lr, best, 0, self.cooldown)

    @property
    def why_not_keras(self) -> str:
        """Why no callback of Keras' own equals it; empty where one does."""
        if self.variant == "pytorch":
            return (
                "Keras' ReduceLROnPlateau counts patience and cooldown differently from PyTorch's"
            )
        if self.threshold_mode == "relative":
            return "Keras' ReduceLROnPlateau takes `min_delta` as a difference only"
        return "" if self.warmup is None else "Keras' ReduceLROnPlateau has no warm-up before it"

    def keras_code(self, length: Length) -> str | None:
        """Return Keras' own callback where it is equal."""
        keys = ("monitor", "factor", "patience", "min_delta", "cooldown", "min_lr")
        if self.why_not_keras:
            return None
        mode = "max" if self.higher_is_better else "min"
        given = {key: getattr(self, key) for key in keys} | {"min_lr": self.scale * self.min_lr}
        lines = [
            f"    {key}={json.dumps(value)}," for key, value in ({"mode": mode} | given).items()
        ]
        return "\n".join(["keras.callbacks.ReduceLROnPlateau(", *lines, ")"])

    entry: ClassVar = Entry(
        family="closed loops, which watch the training",
        formula=(
            "after `patience` epochs in a row not better than the best by `min_delta`:\n"
            "rate = max(min_lr, factor * rate)"
        ),
        example="""\
# Halved after every epoch in which the validation loss did not improve.
schedule:
  type: performance
  initial_lr: 0.01
  factor: 0.5
  patience: 1
epochs: 10
""",
        origins=(GERON,),
        names=(
            Name("Keras", "ReduceLROnPlateau", "with `variant: keras`, the default"),
            Name("PyTorch", "ReduceLROnPlateau", "with `variant: pytorch`"),
            Name("optax", "reduce_on_plateau",
                 "of `optax.contrib`, with `threshold_mode: relative`; a cooldown of c > 0 "
                 "is `cooldown: c + 1`; it counts calls of its `update`"),
            Name("timm", "PlateauLRScheduler", "with `variant: pytorch`, which it calls"),
            Name("transformers", "get_reduce_on_plateau_schedule",
                 "with `variant: pytorch`, which it calls"),
            Name("fastai", "ReduceLROnPlateau", "a callback; its `factor` divides"),
        ),
        traps=(
            "Keras reduces after `patience` bad epochs, PyTorch after one more.",
            "`min_delta` is a difference in Keras, a share of the best in PyTorch and optax.",
            "Keras counts the last epoch of a cooldown as bad; PyTorch and optax do not.",
            "Keras keeps its rate in float32 between two falls: it agrees to 1e-6, not to the bit.",
            "`factor` is 0.5 and `patience` 5 by default, as in the book; Keras and PyTorch have "
            "0.1 and 10.",
            "The curve is known only while training: its picture follows an invented history.",
        ),
        history=(0.45, 0.40, 0.37, 0.38, 0.36, 0.35, 0.351, 0.347, 0.348),
    )  # fmt: skip
