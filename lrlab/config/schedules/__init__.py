"""The learning-rate schedules as configs: one model a schedule, fields named as in its formula.

To add an open-loop schedule: a formula in `lrlab/schedules/`, a row in its catalogue, a model
here and in the unions of `Schedule` and `Phase`, an example in `configs/`.
"""

from typing import Annotated

from pydantic import Field

from lrlab.config.schedules.closed import Greedy, Performance
from lrlab.config.schedules.composed import Formula, Phase, Sequence
from lrlab.config.schedules.cycling import CosineRestarts, Cyclic, MomentumCycle, OneCycle
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
from lrlab.config.schedules.shared import OpenLoop, ScheduleModel, Warmup
from lrlab.config.schedules.stepwise import Constant, MultiStep, Piecewise, Step

Schedule = Annotated[
    Constant
    | Power
    | Exponential
    | Piecewise
    | Performance
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
    | Formula
    | Greedy
    | Sequence,
    Field(discriminator="type"),
]

__all__ = [
    "Constant",
    "Cosine",
    "CosineRestarts",
    "Cyclic",
    "Exponential",
    "Formula",
    "Greedy",
    "InverseSqrt",
    "Linear",
    "LinearToZero",
    "MomentumCycle",
    "MultiStep",
    "OneCycle",
    "OpenLoop",
    "Performance",
    "Phase",
    "Piecewise",
    "Polynomial",
    "Power",
    "Rex",
    "Schedule",
    "ScheduleModel",
    "Sequence",
    "Step",
    "Tanh",
    "Warmup",
    "Wsd",
]
