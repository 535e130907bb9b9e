"""Configs of the schedules that are constant between jumps."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, Self

from pydantic import Field, model_validator

from lrlab.config.durations import Duration, DurationField
from lrlab.config.schedules.shared import OpenLoop
from lrlab.fields import Fraction, Rate, SteadyRate


class Constant(OpenLoop):
    """The same rate throughout."""

    type: Literal["constant"]
    lr: SteadyRate = Field(description="the rate")


class Piecewise(OpenLoop):
    """Constant between its boundaries."""

    type: Literal["piecewise"]
    values: tuple[Rate, ...] = Field(
        min_length=1, strict=False, description="the rates, one more than there are boundaries"
    )
    boundaries: tuple[DurationField, ...] = Field(
        strict=False,
        description="from when on the next rate holds, counted from the start of the run",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(self.values) != len(self.boundaries) + 1:
            needed = len(self.boundaries) + 1
            raise ValueError(
                f"{len(self.boundaries)} boundaries need {needed} values, got {len(self.values)}"
            )
        _refuse_disorder(self.boundaries)
        return self


class Step(OpenLoop):
    """Falls by `factor` every so often."""

    type: Literal["step"]
    initial_lr: SteadyRate = Field(description="the rate at the first step")
    every: DurationField = Field(description="how long it takes from one fall to the next")
    factor: Fraction = Field(
        0.1, description="what the rate is multiplied by at each fall; default as PyTorch"
    )


class MultiStep(OpenLoop):
    """Falls by `factor` at every boundary."""

    type: Literal["multistep"]
    initial_lr: SteadyRate = Field(description="the rate at the first step")
    boundaries: tuple[DurationField, ...] = Field(
        min_length=1, strict=False, description="when the rate falls"
    )
    factor: Fraction = Field(
        0.1, description="what the rate is multiplied by at each boundary; default as PyTorch"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        _refuse_disorder(self.boundaries)
        return self


def _refuse_disorder(boundaries: Sequence[Duration]) -> None:
    for first, second in pairwise(boundaries):
        if first.unit == second.unit and first.value >= second.value:
            raise ValueError(f"boundaries must increase, got `{first}` before `{second}`")
