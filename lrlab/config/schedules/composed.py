"""Configs of the schedules that a user puts together: formula and sequence."""

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from lrlab.config.durations import Duration, DurationField
from lrlab.config.schedules.cycling import CosineRestarts, Cyclic, OneCycle
from lrlab.config.schedules.decaying import (
    Cosine,
    Exponential,
    InverseSqrt,
    Linear,
    LinearToZero,
    Polynomial,
    Power,
    Rex,
    Tanh,
    Wsd,
)
from lrlab.config.schedules.shared import WHOLE, OpenLoop, ScheduleModel
from lrlab.config.schedules.stepwise import Constant, MultiStep, Piecewise, Step


class Formula(OpenLoop):
    """An expression of step, epoch and progress."""

    type: Literal["formula"]
    parameters: dict[str, float] = Field(default={}, description="named numbers for the expression")
    expression: str = Field(
        description="the rate, as in `lr0 * 0.1 ** (epoch / 20)`; it may use step, epoch (not "
        "rounded), steps, epochs, progress, pi and its parameters"
    )
    over: DurationField = Field(WHOLE, description="the length that `steps` and `progress` mean")
    epoch: DurationField = Field(
        Duration(1, "epochs"), description="the length that `epoch` and `epochs` count in"
    )

    @field_validator("expression")
    @classmethod
    def _check_expression(cls, expression: str, info: ValidationInfo) -> str:
        from lrlab.schedules import formula

        if "parameters" in info.data:
            parameters = info.data["parameters"]
            # Any short run will do: constants that overflow show at its first step.
            formula(0, expression=expression, over=1000, epoch=100, parameters=parameters)
        return expression


Phase = Annotated[
    Constant
    | Power
    | Exponential
    | Piecewise
    | OneCycle
    | Linear
    | LinearToZero
    | Polynomial
    | Cosine
    | CosineRestarts
    | Cyclic
    | Step
    | MultiStep
    | InverseSqrt
    | Wsd
    | Rex
    | Tanh
    | Formula,
    Field(discriminator="type"),
]


class Sequence(ScheduleModel):
    """One schedule after another."""

    type: Literal["sequence"]
    phases: tuple[Phase, ...] = Field(
        strict=False,
        description="schedules, each with `for`, how long it lasts; the last may last the `rest`; "
        "durations in a phase are relative to it",
    )
    cycles: Annotated[int, Field(gt=0, le=1000)] = Field(
        1, description="how often the phases come; `%` and `rest` are then of one cycle"
    )

    @field_validator("phases")
    @classmethod
    def _check_phases(cls, phases: tuple[Phase, ...]) -> tuple[Phase, ...]:
        if not 1 <= len(phases) <= 100:
            raise ValueError(f"must hold 1 to 100 phases, got {len(phases)}")
        for index, phase in enumerate(phases):
            if index < len(phases) - 1 and phase.for_ in (None, "rest"):
                raise ValueError(
                    f"phase {index} needs `for`, how long it lasts; only the last may be the rest"
                )
            if isinstance(phase, OneCycle) and phase.momentum is not None:
                raise ValueError(
                    f"phase {index} cycles the momentum; only a one_cycle that is the whole "
                    "schedule can"
                )
        return phases
