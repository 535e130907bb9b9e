"""Configs of the schedules that decay: without an end, or to a last rate over a given length."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from lrlab.config.durations import Duration, DurationField
from lrlab.config.schedules.shared import WHOLE, OpenLoop, Warmup, refuse_no_rate
from lrlab.fields import Fraction, PositiveRate, Rate, SteadyRate, SteadyRateOrZero

Position = Annotated[float, Field(ge=-20, le=20)]


class Power(OpenLoop):
    """Falls fast at first, then ever more slowly."""

    type: Literal["power"]
    initial_lr: SteadyRate = Field(description="the rate at the first step")
    s: DurationField = Field(description="after this long, the rate is `initial_lr / 2**c`")
    c: PositiveRate = Field(1.0, description="the power")


class Exponential(OpenLoop):
    """Falls by `factor` every `s`."""

    type: Literal["exponential"]
    initial_lr: SteadyRate = Field(description="the rate at the first step")
    s: DurationField = Field(description="how long it takes to fall by `factor`")
    factor: Fraction = Field(0.1, description="what the rate is multiplied by every `s`")


class InverseSqrt(OpenLoop):
    """Up to `s`, then down as 1 / sqrt(step) (Noam)."""

    type: Literal["inverse_sqrt"]
    max_lr: SteadyRate = Field(description="the peak")
    s: DurationField = Field(
        Duration(4000, "steps"), description="when the peak is; default as Vaswani et al. (2017)"
    )


class Annealing(OpenLoop):
    """What the schedules share that go to a last rate over a given length."""

    over: DurationField = Field(WHOLE, description="how long it takes to the last rate")


class Sloping(Annealing):
    """What the schedules share that may also go up, or begin at 0."""

    initial_lr: SteadyRateOrZero = Field(description="the rate at the first step")
    end_lr: Rate = Field(0.0, description="the last rate; default as PyTorch")

    @model_validator(mode="after")
    def _check(self) -> Self:
        refuse_no_rate(self.initial_lr, self.end_lr, "initial_lr and end_lr")
        return self


class Linear(Sloping):
    """A straight line to the last rate."""

    type: Literal["linear"]


class Polynomial(Sloping):
    """Falls as a power of the share that is left."""

    type: Literal["polynomial"]
    power: PositiveRate = Field(1.0, description="the power; default as Keras and PyTorch")


class Cosine(Sloping):
    """Half a cosine to the floor `end_lr`."""

    type: Literal["cosine"]


class LinearToZero(Annealing):
    """A straight line to 0 (D2Z)."""

    type: Literal["linear_to_zero"]
    max_lr: SteadyRate = Field(description="the rate at the first step after the warm-up")


class Falling(Annealing):
    """What the schedules share that only fall."""

    initial_lr: SteadyRate = Field(description="the rate at the first step")
    end_lr: Rate = Field(0.0, description="the last rate, at most `initial_lr`")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.end_lr > self.initial_lr:
            raise ValueError(
                f"end_lr must not be above initial_lr, got {self.end_lr} > {self.initial_lr}"
            )
        return self


class Rex(Falling):
    """Stays high for long, then falls ever faster."""

    type: Literal["rex"]


class Tanh(Falling):
    """Falls along a tanh: high, then fast, then low."""

    type: Literal["tanh"]
    lower: Position = Field(
        -6.0, description="where on the tangent it begins; default as Hsueh et al. (2018)"
    )
    upper: Position = Field(
        3.0, description="where on the tangent it ends; default as Hsueh et al. (2018)"
    )

    @model_validator(mode="after")
    def _check_range(self) -> Self:
        if self.lower >= self.upper:
            raise ValueError(f"lower must be less than upper, got {self.lower} and {self.upper}")
        return self


class Wsd(Annealing):
    """Warm-up, stable, then down in the last part."""

    type: Literal["wsd"]
    warmup: Warmup | None = Field(
        Warmup.model_validate({"for": Duration(5, "%")}),
        description="a rise to `max_lr`, before the other durations begin; `null` for none",
    )
    max_lr: SteadyRate = Field(description="the stable rate")
    decay: DurationField = Field(
        Duration(20, "%"), description="how long it falls; default as Hägele et al. (2024)"
    )
    end_lr: Rate = Field(0.0, description="the last rate, at most `max_lr`")
    shape: Literal["linear", "cosine", "one_minus_sqrt"] = Field(
        "one_minus_sqrt", description="how it falls; default as Hägele et al. (2024)"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.end_lr > self.max_lr:
            raise ValueError(f"end_lr must not be above max_lr, got {self.end_lr} > {self.max_lr}")
        if self.decay.unit == self.over.unit and self.decay.value > self.over.value:
            raise ValueError(
                f"decay must not be longer than over, got `{self.decay}` > `{self.over}`"
            )
        return self
