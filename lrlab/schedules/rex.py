"""`rex`: stays high for long, then falls ever faster."""

from typing import ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from lrlab.fields import Rate, SteadyRate
from lrlab.schedules.durations import WHOLE, DurationField
from lrlab.schedules.entry import Entry, Name, Origin
from lrlab.schedules.schedule import OpenLoop


def rex(
    step: npt.ArrayLike, *, initial_lr: float, over: float, end_lr: float = 0.0
) -> npt.NDArray[np.float64]:
    """Return `end_lr + (initial_lr - end_lr) * (1 - f) / (1 - f / 2)`, f = min(step / over, 1).

    Example:
        >>> rex([0, 10, 15], initial_lr=1.0, over=15).round(3)
        array([1. , 0.5, 0. ])
    """
    f = np.clip(np.array(step, np.float64) / over, 0.0, 1.0)
    return end_lr + (initial_lr - end_lr) * (1.0 - f) / (1.0 - f / 2.0)


class Rex(OpenLoop):
    """Stays high for long, then falls ever faster."""

    formula: ClassVar = staticmethod(rex)

    over: DurationField = Field(WHOLE, description="how long it takes to the last rate")
    initial_lr: SteadyRate = Field(description="the rate at the first step")
    end_lr: Rate = Field(0.0, description="the last rate, at most `initial_lr`")
    type: Literal["rex"]

    @model_validator(mode="after")
    def _check(self) -> Self:
        self.require_order("end_lr", "initial_lr")
        return self

    entry: ClassVar = Entry(
        family="to a last rate over a given length",
        formula="f = min(t / over, 1)\n"
        "rate = end_lr + (initial_lr - end_lr) * (1 - f) / (1 - f / 2)",
        example="""\
# Stays high for long, then falls ever faster to 0.
schedule:
  type: rex
  initial_lr: 0.01
epochs: 10
""",
        origins=(
            Origin(
                "Chen, Wolfe and Kyrillidis",
                "REX: revisiting budgeted training with an improved schedule",
                2021,
                "https://arxiv.org/abs/2107.04197",
            ),
        ),
        names=(Name("papers", "reflected exponential"),),
        traps=(
            "None of these libraries has it, so it is checked against its formula only.",
            "It was made for short budgets: half-way through, two thirds of the rate are left.",
        ),
    )
