"""The learning-rate schedules as configs: one model a schedule, fields named as in its formula.

To add an open-loop schedule: a formula in `lrlab/schedules.py`, a model here, a row in both
tables, an example in `configs/`.
"""

from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from lrlab.config.durations import Duration, DurationField
from lrlab.config.fields import Fraction, Model, PositiveRate, Rate


class ScheduleModel(Model):
    """What all schedules share."""

    def parameters(self, steps_per_epoch: int, epochs: int) -> dict[str, Any]:
        """Return the keyword arguments of the schedule's formula, durations turned into steps."""

        def plain(value: Any) -> Any:
            if isinstance(value, Duration):
                return value.in_steps(steps_per_epoch, epochs)
            if isinstance(value, tuple):
                return tuple(plain(item) for item in value)
            return value

        fields = type(self).model_fields.keys() - {"type", "update"}
        return {name: plain(getattr(self, name)) for name in fields}


class OpenLoop(ScheduleModel):
    """A schedule that is a function of the step alone."""

    update: Literal["step", "epoch"] = Field(
        "step", description="whether the rate moves every step or only at the start of an epoch"
    )


class Constant(OpenLoop):
    """The same rate throughout."""

    type: Literal["constant"]
    lr: PositiveRate = Field(description="the rate")


class Power(OpenLoop):
    """Falls fast at first, then ever more slowly."""

    type: Literal["power"]
    initial_lr: PositiveRate = Field(description="the rate at the first step")
    s: DurationField = Field(description="after this long, the rate is `initial_lr / 2**c`")
    c: PositiveRate = Field(1.0, description="the power")


class Exponential(OpenLoop):
    """Falls by `factor` every `s`."""

    type: Literal["exponential"]
    initial_lr: PositiveRate = Field(description="the rate at the first step")
    s: DurationField = Field(description="how long it takes to fall by `factor`")
    factor: Fraction = Field(0.1, description="what the rate is multiplied by every `s`")


class Piecewise(OpenLoop):
    """Constant between boundaries; at a boundary the new value holds."""

    type: Literal["piecewise"]
    values: tuple[Rate, ...] = Field(
        min_length=1, strict=False, description="the rates, one more than there are boundaries"
    )
    boundaries: tuple[DurationField, ...] = Field(
        strict=False, description="when the next rate begins, counted from the start of the run"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(self.values) != len(self.boundaries) + 1:
            needed = len(self.boundaries) + 1
            raise ValueError(
                f"{len(self.boundaries)} boundaries need {needed} values, got {len(self.values)}"
            )
        for first, second in pairwise(self.boundaries):
            if first.unit == second.unit and first.value >= second.value:
                raise ValueError(f"boundaries must increase, got `{first}` before `{second}`")
        return self


class Performance(ScheduleModel):
    """Falls by `factor` when the validation result has stopped improving (closed loop)."""

    type: Literal["performance"]
    initial_lr: PositiveRate = Field(description="the rate of the first epoch")
    factor: Fraction = Field(0.5, description="what the rate is multiplied by")
    patience: Annotated[int, Field(gt=0)] = Field(
        5, description="epochs in a row without improvement before the rate falls"
    )
    min_delta: Rate = Field(1e-4, description="the least change that counts as an improvement")
    cooldown: Annotated[int, Field(ge=0)] = Field(
        0, description="epochs after a fall in which none is counted as bad"
    )
    min_lr: Rate = Field(0.0, description="the rate never falls below this")
    monitor: Literal["val_loss", "val_accuracy"] = Field(
        "val_loss", description="the validation result that is watched"
    )


class OneCycle(OpenLoop):
    """Up to the peak, back down, then far below where it started."""

    type: Literal["one_cycle"]
    max_lr: PositiveRate = Field(description="the peak, from `lrlab find-lr`")
    start_lr: PositiveRate | None = Field(None, description="the first rate; `max_lr / 10`")
    end_lr: Rate | None = Field(None, description="the rate at the end; `start_lr / 1000`")
    over: DurationField = Field(Duration(100, "%"), description="how long the cycle takes")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.start_lr is not None and self.start_lr > self.max_lr:
            raise ValueError(
                f"start_lr must not be above max_lr, got {self.start_lr} > {self.max_lr}"
            )
        return self


Schedule = Annotated[
    Constant | Power | Exponential | Piecewise | Performance | OneCycle,
    Field(discriminator="type"),
]
