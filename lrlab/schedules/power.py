"""`power`: falls fast at first, then ever more slowly."""

from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from lrlab.fields import PositiveRate, SteadyRate
from lrlab.schedules.durations import DurationField
from lrlab.schedules.entry import GERON, Entry, Name
from lrlab.schedules.length import Length
from lrlab.schedules.pieces import number
from lrlab.schedules.schedule import OpenLoop


def power(
    step: npt.ArrayLike, *, initial_lr: float, s: float, c: float = 1.0
) -> npt.NDArray[np.float64]:
    """Return `initial_lr / (1 + step / s)**c`.

    Example:
        >>> power([0, 100, 300], initial_lr=0.4, s=100)
        array([0.4, 0.2, 0.1])
    """
    return initial_lr / np.power(1.0 + np.array(step, np.float64) / s, c)


class Power(OpenLoop):
    """Falls fast at first, then ever more slowly."""

    formula: ClassVar = staticmethod(power)

    type: Literal["power"]
    initial_lr: SteadyRate = Field(description="the rate at the first step")
    s: DurationField = Field(description="after this long, the rate is `initial_lr / 2**c`")
    c: PositiveRate = Field(1.0, description="the power")

    def keras_code(self, length: Length) -> str | None:
        """Return Keras' `InverseTimeDecay`, which has no power."""
        if self.c != 1:
            return None
        given = self.arguments(length)
        first, s = number(self.scale * given["initial_lr"]), number(given["s"])
        return f"keras.optimizers.schedules.InverseTimeDecay({first}, {s}, 1)"

    entry: ClassVar = Entry(
        family="decay without an end",
        formula="rate = initial_lr / (1 + t / s)**c",
        example="""\
# Falls fast, then ever more slowly: a half in 2 epochs, a sixth in the end.
schedule:
  type: power
  initial_lr: 0.01
  s: 2 epochs
epochs: 10
""",
        origins=(GERON,),
        names=(
            Name("Keras", "InverseTimeDecay", "with `c: 1`; `s` is `decay_steps / decay_rate`"),
            Name("Keras", "SGD(decay=d)", "of TensorFlow before 2.11, with `s` of `1 / d` steps"),
        ),
        traps=(
            "It has no end: how far it falls depends on the length of the run.",
            "Keras' `InverseTimeDecay` with `staircase=True` moves every `decay_steps` only; with "
            "an epoch as `decay_steps` that is `update: epoch`.",
        ),
    )
