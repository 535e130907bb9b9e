"""`step`: falls by a factor every so often."""

from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from lrlab.fields import Fraction, SteadyRate
from lrlab.schedules.durations import DurationField
from lrlab.schedules.entry import PYTORCH, Entry, Name
from lrlab.schedules.schedule import OpenLoop


def step_decay(
    step: npt.ArrayLike, *, initial_lr: float, every: float, factor: float = 0.1
) -> npt.NDArray[np.float64]:
    """Return `initial_lr * factor**floor(step / every)`.

    Example:
        >>> step_decay([0, 9, 10], initial_lr=0.5, every=10)
        array([0.5 , 0.5 , 0.05])
    """
    return initial_lr * np.power(factor, np.floor(np.array(step, np.float64) / every))


class Step(OpenLoop):
    """Falls by `factor` every so often."""

    formula: ClassVar = staticmethod(step_decay)

    type: Literal["step"]
    initial_lr: SteadyRate = Field(description="the rate at the first step")
    every: DurationField = Field(description="how long it takes from one fall to the next")
    factor: Fraction = Field(
        0.1, description="what the rate is multiplied by at each fall; default as PyTorch"
    )

    entry: ClassVar = Entry(
        family="constant between jumps",
        formula="rate = initial_lr * factor**floor(t / every)",
        example="""\
# Falls to a third, three times.
schedule:
  type: step
  initial_lr: 0.01
  every: 30%
  factor: 0.33
epochs: 10
""",
        origins=(PYTORCH,),
        names=(
            Name("Keras", "ExponentialDecay(staircase=True)"),
            Name("PyTorch", "StepLR", "`step_size` is `every`, `gamma` is `factor`"),
            Name("optax", "exponential_decay(staircase=True)"),
            Name("timm", "StepLRScheduler", "`decay_t` is `every`, `decay_rate` is `factor`"),
        ),
        traps=(
            "PyTorch counts `step_size` in calls of `step()`, mostly epochs; `every` carries its "
            "unit.",
            "timm's `decay_rate` is 1 unless told otherwise, so the rate never falls; `factor` is "
            "0.1, as PyTorch's `gamma`.",
        ),
    )
