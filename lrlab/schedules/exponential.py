"""`exponential`: falls by a factor in every stretch of a given length."""

import math
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from lrlab.fields import Fraction, SteadyRate
from lrlab.schedules.durations import DurationField
from lrlab.schedules.entry import GERON, KERAS, Entry, Name
from lrlab.schedules.length import Length
from lrlab.schedules.pieces import number
from lrlab.schedules.schedule import OpenLoop

# Keras computes in float32: beyond this many e-folds its power loses the last digits.
_MAX_FOLDS = 10.0


def exponential(
    step: npt.ArrayLike, *, initial_lr: float, s: float, factor: float = 0.1
) -> npt.NDArray[np.float64]:
    """Return `initial_lr * factor**(step / s)`.

    Example:
        >>> exponential([0, 20], initial_lr=1.0, s=20)
        array([1. , 0.1])
    """
    return initial_lr * np.power(factor, np.array(step, np.float64) / s)


class Exponential(OpenLoop):
    """Falls by `factor` every `s`."""

    formula: ClassVar = staticmethod(exponential)

    type: Literal["exponential"]
    initial_lr: SteadyRate = Field(description="the rate at the first step")
    s: DurationField = Field(description="how long it takes to fall by `factor`")
    factor: Fraction = Field(0.1, description="what the rate is multiplied by every `s`")

    def keras_code(self, length: Length) -> str | None:
        """Return Keras' `ExponentialDecay`, unless it falls too far for float32."""
        given = self.arguments(length)
        if -math.log(self.factor) * length.steps / given["s"] > _MAX_FOLDS:
            return None
        first, s = number(self.scale * given["initial_lr"]), number(given["s"])
        return f"keras.optimizers.schedules.ExponentialDecay({first}, {s}, {self.factor!r})"

    entry: ClassVar = Entry(
        family="decay without an end",
        formula="rate = initial_lr * factor**(t / s)",
        example="""\
# Falls evenly on a logarithmic scale, to a hundredth at the end.
schedule:
  type: exponential
  initial_lr: 0.01
  s: 5 epochs
epochs: 10
""",
        origins=(GERON, KERAS),
        names=(
            Name("Keras", "ExponentialDecay", "`decay_steps` is `s`, `decay_rate` is `factor`"),
            Name("PyTorch", "ExponentialLR", "with `s` of one step; `gamma` is `factor`"),
            Name("optax", "exponential_decay", "`transition_steps` is `s`"),
            Name("optax", "warmup_exponential_decay_schedule", "with `warmup`"),
            Name("fastai", "SchedExp", "`factor` is `end / start`, `s: 100%`"),
        ),
        traps=(
            "PyTorch's `gamma` is the factor of one call of `step()`, mostly an epoch; `factor` is "
            "that of the length `s`.",
            "`staircase=True` of Keras and optax is `step` here.",
            "It has no floor, where optax takes `end_value`.",
        ),
    )
