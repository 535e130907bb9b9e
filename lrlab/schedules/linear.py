"""`linear`: a straight line to the last rate."""

from typing import ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from lrlab.fields import Rate, SteadyRateOrZero
from lrlab.schedules.durations import WHOLE, DurationField
from lrlab.schedules.entry import PYTORCH, Entry, Name
from lrlab.schedules.schedule import OpenLoop, refuse_no_rate


def linear(
    step: npt.ArrayLike, *, initial_lr: float, over: float, end_lr: float = 0.0
) -> npt.NDArray[np.float64]:
    """Return `(1 - f) * initial_lr + f * end_lr` with `f = min(step / over, 1)`.

    Example:
        >>> linear([0, 5, 10, 99], initial_lr=1.0, over=10)
        array([1. , 0.5, 0. , 0. ])
    """
    f = np.clip(np.array(step, np.float64) / over, 0.0, 1.0)
    return (1.0 - f) * initial_lr + f * end_lr


class Linear(OpenLoop):
    """A straight line to the last rate."""

    formula: ClassVar = staticmethod(linear)

    over: DurationField = Field(WHOLE, description="how long it takes to the last rate")
    initial_lr: SteadyRateOrZero = Field(description="the rate at the first step")
    end_lr: Rate = Field(0.0, description="the last rate; default as PyTorch")
    type: Literal["linear"]

    @model_validator(mode="after")
    def _check(self) -> Self:
        refuse_no_rate(self.initial_lr, self.end_lr, "initial_lr and end_lr")
        return self

    entry: ClassVar = Entry(
        family="to a last rate over a given length",
        formula="f = min(t / over, 1)\nrate = (1 - f) * initial_lr + f * end_lr",
        example="""\
# A straight line down to a hundredth.
schedule:
  type: linear
  initial_lr: 0.01
  end_lr: 0.0001
epochs: 10
""",
        origins=(PYTORCH,),
        names=(
            Name("Keras", "PolynomialDecay(power=1)", "its default; ends at 1e-4 unless told 0"),
            Name("PyTorch", "LinearLR", "`end_lr` is `end_factor` times the rate"),
            Name("optax", "linear_schedule"),
            Name("fastai", "SchedLin"),
        ),
        traps=(
            "PyTorch's `LinearLR` is a warm-up by default: 5 calls up from a third of the rate. "
            "Here that is `warmup`.",
            "It ends at 0 unless `end_lr` is given.",
        ),
    )
