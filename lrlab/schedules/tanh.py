"""`tanh`: falls along a hyperbolic tangent."""

from typing import Annotated, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from lrlab.fields import Rate, SteadyRate
from lrlab.schedules.durations import WHOLE, DurationField
from lrlab.schedules.entry import Entry, Name, Origin
from lrlab.schedules.schedule import OpenLoop

Position = Annotated[float, Field(ge=-20, le=20)]


def tanh(
    step: npt.ArrayLike,
    *,
    initial_lr: float,
    over: float,
    end_lr: float = 0.0,
    lower: float = -6.0,
    upper: float = 3.0,
) -> npt.NDArray[np.float64]:
    """Return a fall along a hyperbolic tangent.

    It is `end_lr + (initial_lr - end_lr) * (1 - tanh((1 - f) * lower + f * upper)) / 2`, with
    `f = min(step / over, 1)`.

    Example:
        >>> tanh([0, 10, 15], initial_lr=1.0, over=15).round(3)
        array([1.   , 0.5  , 0.002])
    """
    f = np.clip(np.array(step, np.float64) / over, 0.0, 1.0)
    fall = (1.0 - np.tanh((1.0 - f) * lower + f * upper)) / 2.0
    return end_lr + (initial_lr - end_lr) * fall


class Tanh(OpenLoop):
    """Falls along a tanh: high, then fast, then low."""

    formula: ClassVar = staticmethod(tanh)

    over: DurationField = Field(WHOLE, description="how long it takes to the last rate")
    initial_lr: SteadyRate = Field(description="the rate at the first step")
    end_lr: Rate = Field(0.0, description="the last rate, at most `initial_lr`")
    type: Literal["tanh"]
    lower: Position = Field(
        -6.0, description="where on the tangent it begins; default as Hsueh et al. (2018)"
    )
    upper: Position = Field(
        3.0, description="where on the tangent it ends; default as Hsueh et al. (2018)"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        self.require_order("end_lr", "initial_lr")
        if self.lower >= self.upper:
            raise ValueError(f"lower must be less than upper, got {self.lower} and {self.upper}")
        return self

    entry: ClassVar = Entry(
        family="to a last rate over a given length",
        formula="f = min(t / over, 1)\n"
        "fall = (1 - tanh((1 - f) * lower + f * upper)) / 2\n"
        "rate = end_lr + (initial_lr - end_lr) * fall",
        example="""\
# High for the first half, then down fast, then low.
schedule:
  type: tanh
  initial_lr: 0.02
epochs: 10
""",
        origins=(
            Origin(
                "Hsueh, Li and Wu",
                "Stochastic gradient descent with hyperbolic-tangent decay on classification",
                2018,
                "https://arxiv.org/abs/1806.01593",
            ),
        ),
        names=(
            Name("timm", "TanhLRScheduler", "`lb` is `lower`, -7 by default; `ub` is `upper`"),
            Name("papers", "HTD"),
        ),
        traps=(
            "The tangent reaches neither end: the last rate is 0.25% of the first, not `end_lr`, "
            "and the first is a little below `initial_lr`.",
            "Past the end timm falls to `lr_min`; here the last rate holds.",
        ),
    )
