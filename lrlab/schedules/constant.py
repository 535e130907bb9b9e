"""`constant`: the same rate throughout."""

from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from lrlab.fields import SteadyRate
from lrlab.schedules import doubts
from lrlab.schedules.doubts import Doubt
from lrlab.schedules.entry import GERON, Entry, Name
from lrlab.schedules.length import Length
from lrlab.schedules.pieces import number
from lrlab.schedules.schedule import OpenLoop, rates


def constant(step: npt.ArrayLike, *, lr: float) -> npt.NDArray[np.float64]:
    """Return the same rate at every step.

    Example:
        >>> constant([0, 1], lr=0.5)
        array([0.5, 0.5])
    """
    return np.full(np.shape(step), lr, np.float64)


class Constant(OpenLoop):
    """The same rate throughout."""

    formula: ClassVar = staticmethod(constant)

    type: Literal["constant"]
    lr: SteadyRate = Field(description="the rate")

    def own_doubts(self, length: Length, late: Sequence[Doubt]) -> Iterator[Doubt]:
        """Yield the doubts about its curve, which is meant not to change."""
        yield from doubts.about_curve(rates(self, length), may_stay=True)

    def keras_code(self, length: Length) -> str | None:
        """Return the rate as a number, which is what Keras takes."""
        return number(self.scale * self.arguments(length)["lr"])

    entry: ClassVar = Entry(
        family="constant between jumps",
        formula="rate = lr",
        example="""\
# The baseline: one rate all the way. `lr: auto` asks a sweep for it.
schedule:
  type: constant
  lr: 0.005
epochs: 10
""",
        origins=(GERON,),
        names=(
            Name("Keras", "SGD(learning_rate=lr)", "a number in place of a schedule"),
            Name("optax", "constant_schedule"),
            Name("optax", "warmup_constant_schedule", "with `warmup`"),
            Name("transformers", "get_constant_schedule"),
            Name("transformers", "get_constant_schedule_with_warmup", "with `warmup`"),
            Name("fastai", "SchedNo"),
        ),
        traps=(
            "PyTorch's `ConstantLR` is something else: `factor` times the rate at first, then the "
            "rate; here that is a `piecewise` with two values.",
            "Nothing anneals the noise of the last batches: compare the best epoch with the last "
            "one.",
        ),
    )
