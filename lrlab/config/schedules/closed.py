"""Configs of the closed loops, whose rates depend on the training: performance and greedy."""

from typing import Annotated, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from lrlab.config.schedules.shared import ScheduleModel
from lrlab.fields import Fraction, PositiveRate, Rate, SteadyRate

Count = Annotated[int, Field(ge=0)]


class Performance(ScheduleModel):
    """Falls when the validation result stalls."""

    type: Literal["performance"]
    variant: Literal["keras", "pytorch"] = Field(
        "keras", description="whose ReduceLROnPlateau it is; they count epochs differently"
    )
    initial_lr: SteadyRate = Field(description="the rate of the first epoch")
    factor: Fraction = Field(0.5, description="what the rate is multiplied by")
    patience: int = Field(
        5,
        description="epochs in a row without improvement before the rate falls; of PyTorch it "
        "falls after one more",
    )
    min_delta: Rate = Field(1e-4, description="the least change that counts as an improvement")
    threshold_mode: Literal["absolute", "relative"] | None = Field(
        None,
        description="whether `min_delta` is a difference or a share of the best; of Keras "
        "absolute, of PyTorch relative",
    )
    cooldown: Count = Field(0, description="epochs after a fall in which none is counted as bad")
    min_lr: Rate = Field(0.0, description="the rate never falls below this")
    monitor: Literal["val_loss", "val_accuracy"] = Field(
        "val_loss", description="the validation result that is watched"
    )

    @field_validator("patience")
    @classmethod
    def _check_patience(cls, patience: int, info: ValidationInfo) -> int:
        if info.data.get("variant") == "pytorch" and patience < 0:
            raise ValueError(f"must be at least 0, got {patience}")
        if info.data.get("variant") != "pytorch" and patience < 1:
            raise ValueError(f"must be greater than 0, got {patience}")
        return patience


class Greedy(ScheduleModel):
    """Rises while the loss improves, else falls."""

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
    monitor: Literal["loss", "val_loss", "val_accuracy"] = Field(
        "loss", description="the result that is watched; `loss` is the epoch's training loss"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.min_lr <= self.initial_lr <= self.max_lr:
            raise ValueError(
                f"initial_lr must lie between min_lr ({self.min_lr}) and max_lr "
                f"({self.max_lr}), got {self.initial_lr}"
            )
        return self
