"""`polynomial`: falls as a power of the share of the run that is left."""

from typing import ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from lrlab.fields import PositiveRate, Rate, SteadyRateOrZero
from lrlab.schedules.durations import WHOLE, DurationField
from lrlab.schedules.entry import KERAS, Entry, Name, Origin
from lrlab.schedules.schedule import OpenLoop, refuse_no_rate


def polynomial(
    step: npt.ArrayLike,
    *,
    initial_lr: float,
    over: float,
    end_lr: float = 0.0,
    power: float = 1.0,
) -> npt.NDArray[np.float64]:
    """Return `end_lr + (initial_lr - end_lr) * (1 - f)**power` with `f = min(step / over, 1)`.

    Example:
        >>> polynomial([0, 5, 10], initial_lr=1.0, over=10, power=2)
        array([1.  , 0.25, 0.  ])
    """
    left = 1.0 - np.clip(np.array(step, np.float64) / over, 0.0, 1.0)
    return end_lr + (initial_lr - end_lr) * np.power(left, power)


class Polynomial(OpenLoop):
    """Falls as a power of the share that is left."""

    formula: ClassVar = staticmethod(polynomial)

    over: DurationField = Field(WHOLE, description="how long it takes to the last rate")
    initial_lr: SteadyRateOrZero = Field(description="the rate at the first step")
    end_lr: Rate = Field(0.0, description="the last rate; default as PyTorch")
    type: Literal["polynomial"]
    power: PositiveRate = Field(1.0, description="the power; default as Keras and PyTorch")

    @model_validator(mode="after")
    def _check(self) -> Self:
        refuse_no_rate(self.initial_lr, self.end_lr, "initial_lr and end_lr")
        return self

    entry: ClassVar = Entry(
        family="to a last rate over a given length",
        formula="f = min(t / over, 1)\nrate = end_lr + (initial_lr - end_lr) * (1 - f)**power",
        example="""\
# Falls with the square of what is left of the run.
schedule:
  type: polynomial
  initial_lr: 0.02
  power: 2.0
epochs: 10
""",
        origins=(
            Origin(
                "Chen et al.",
                "DeepLab: semantic image segmentation with deep convolutional nets, atrous "
                "convolution, and fully connected CRFs",
                2016,
                "https://arxiv.org/abs/1606.00915",
            ),
            KERAS,
        ),
        names=(
            Name("Keras", "PolynomialDecay", "ends at 1e-4 unless told 0"),
            Name("PyTorch", "PolynomialLR", "always to 0"),
            Name("optax", "polynomial_schedule"),
            Name("timm", "PolyLRScheduler", "whose power is 0.5 by default"),
            Name("transformers", "get_polynomial_decay_schedule_with_warmup", "ends at 1e-7"),
            Name("papers", "poly", "with `power: 0.9` in DeepLab"),
        ),
        traps=(
            "`power` is 1 by default, a straight line, as in Keras and PyTorch; timm's is 0.5.",
            "Keras' ends at 1e-4 and Hugging Face's at 1e-7 unless told otherwise, this one at 0.",
            "fastai's `SchedPoly` raises the share that has passed, not the one that is left: with "
            "power 2 it stays high where this falls at once.",
            "Keras' `cycle=True` is not part of it.",
        ),
    )
