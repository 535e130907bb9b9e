"""Configs of the schedules that cycle: one_cycle, cyclic, cosine_restarts."""

import fractions
import math
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from lrlab.config.durations import Duration, DurationField
from lrlab.config.schedules.shared import WHOLE, OpenLoop
from lrlab.fields import Fraction, Model, PeakRate, PositiveRate, Rate, SteadyRate

_MOST_CYCLES = 1_000_000

Share = Annotated[float, Field(gt=0, le=1)]
Beta = Annotated[float, Field(ge=0, lt=1)]


class MomentumCycle(Model):
    """Momentum that cycles inversely to the rate; in the Adam family `beta_1`."""

    low: Beta = Field(0.85, description="the momentum at the peak; default as fastai and PyTorch")
    high: Beta = Field(
        0.95, description="the momentum at start and end; default as fastai and PyTorch"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.low > self.high:
            raise ValueError(f"low must not be above high, got {self.low} > {self.high}")
        return self


class OneCycle(OpenLoop):
    """Up to the peak, back down, then far below."""

    type: Literal["one_cycle"]
    max_lr: PeakRate = Field(description="the peak, from `lrlab find-lr`")
    start_lr: PositiveRate | None = Field(
        None, description="the first rate; `max_lr / 10`, of fastai and PyTorch `max_lr / 25`"
    )
    end_lr: Rate | None = Field(
        None,
        description="the rate at the end; `start_lr / 1000`, of fastai `max_lr / 1e5`, of "
        "PyTorch `start_lr / 1e4`",
    )
    over: DurationField = Field(WHOLE, description="how long the cycle takes")
    variant: Literal["book", "fastai", "pytorch"] = Field(
        "book", description="whose definition of 1cycle it is"
    )
    pct_start: Fraction | None = Field(
        None,
        description="the share of the cycle at which the peak is; of fastai 0.25, of PyTorch 0.3",
    )
    shape: Literal["linear", "cosine"] | None = Field(
        None, description="how it rises and falls; of fastai and PyTorch cosine"
    )
    three_phase: bool = Field(
        False, description="of PyTorch alone: back to `start_lr` first, then down to `end_lr`"
    )
    momentum: MomentumCycle | None = Field(
        None, description="momentum that cycles inversely to the rate"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.start_lr is not None and self.start_lr > self.max_lr:
            raise ValueError(
                f"start_lr must not be above max_lr, got {self.start_lr} > {self.max_lr}"
            )
        if self.variant == "book" and self.pct_start is not None:
            raise ValueError("pct_start is for fastai and pytorch; the book's is the middle")
        if self.variant == "book" and self.shape == "cosine":
            raise ValueError("shape must be linear in the book's variant, got `cosine`")
        if self.three_phase and self.variant != "pytorch":
            raise ValueError(f"three_phase is for variant pytorch alone, got `{self.variant}`")
        if self.three_phase and self.pct_start is not None and self.pct_start > 0.5:
            raise ValueError(f"pct_start must be at most 0.5 here, got {self.pct_start}")
        return self


class Cyclic(OpenLoop):
    """A triangle between two rates, again and again."""

    type: Literal["cyclic"]
    min_lr: Rate = Field(description="the lowest rate")
    max_lr: PeakRate = Field(description="the peak of the first cycle")
    up: DurationField = Field(
        Duration(2, "epochs"),
        description="how long it rises; Smith (2015) advises 2 to 10 epochs",
    )
    down: DurationField | None = Field(None, description="how long it falls; default `up`")
    mode: Literal["triangular", "triangular2", "exp_range"] = Field(
        "triangular",
        description="whether the peaks stay, halve every cycle, or fall by `gamma` every step",
    )
    gamma: Share = Field(1.0, description="the factor a step, of `exp_range`; default as PyTorch")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.min_lr > self.max_lr:
            raise ValueError(f"min_lr must not be above max_lr, got {self.min_lr} > {self.max_lr}")
        if self.gamma != 1 and self.mode != "exp_range":
            raise ValueError(f"gamma is for mode exp_range alone, got `{self.mode}`")
        return self


class CosineRestarts(OpenLoop):
    """Cosines down, each slower than the last (SGDR)."""

    type: Literal["cosine_restarts"]
    initial_lr: SteadyRate = Field(description="the rate at the first step")
    period: DurationField = Field(description="how long the first cycle takes")
    growth: Annotated[float, Field(ge=1, le=1000)] = Field(
        2.0, description="how much longer each cycle is than the one before; default as Keras"
    )
    decay: Share = Field(
        1.0, description="how much lower above `min_lr` each peak is than the one before"
    )
    min_lr: Rate = Field(0.0, description="the floor, at most `initial_lr`")

    def arguments(self, steps_per_epoch: int, epochs: int | fractions.Fraction) -> dict[str, Any]:
        """Return the keyword arguments of the formula.

        Raises:
            ValueError: If the run has more than a million cycles; each has to be computed.
        """
        arguments = super().arguments(steps_per_epoch, epochs)
        if self.growth > 1:
            periods = steps_per_epoch * epochs / arguments["period"]
            if math.log1p(periods * (self.growth - 1)) / math.log(self.growth) > _MOST_CYCLES:
                raise ValueError(
                    f"the period `{self.period}` comes more than {_MOST_CYCLES:,} times"
                )
        return arguments

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.min_lr > self.initial_lr:
            raise ValueError(
                f"min_lr must not be above initial_lr, got {self.min_lr} > {self.initial_lr}"
            )
        return self
