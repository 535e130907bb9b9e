"""`linear_to_zero`: a straight line to 0 (D2Z)."""

from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from lrlab.fields import SteadyRate
from lrlab.schedules.durations import WHOLE, DurationField
from lrlab.schedules.entry import Entry, Name, Origin
from lrlab.schedules.schedule import OpenLoop


def linear_to_zero(step: npt.ArrayLike, *, max_lr: float, over: float) -> npt.NDArray[np.float64]:
    """Return `(1 - f) * max_lr` with `f = min(step / over, 1)`.

    Example:
        >>> linear_to_zero([0, 5, 10], max_lr=1.0, over=10)
        array([1. , 0.5, 0. ])
    """
    return (1.0 - np.clip(np.array(step, np.float64) / over, 0.0, 1.0)) * max_lr


class LinearToZero(OpenLoop):
    """A straight line to 0 (D2Z)."""

    formula: ClassVar = staticmethod(linear_to_zero)

    over: DurationField = Field(WHOLE, description="how long it takes to the last rate")
    type: Literal["linear_to_zero"]
    max_lr: SteadyRate = Field(description="the rate at the first step after the warm-up")

    entry: ClassVar = Entry(
        family="to a last rate over a given length",
        formula="f = min(t / over, 1)\nrate = (1 - f) * max_lr",
        example="""\
# A short rise, then a straight line to 0, as for large language models.
schedule:
  type: linear_to_zero
  max_lr: 0.02
  warmup: {for: 5%}
epochs: 10
""",
        origins=(
            Origin(
                "Bergsma et al.",
                "Straight to zero: why linearly decaying the learning rate to zero works best for "
                "LLMs",
                2025,
                "https://arxiv.org/abs/2502.15938",
            ),
        ),
        names=(
            Name("transformers", "get_linear_schedule_with_warmup", "with `warmup`"),
            Name("papers", "D2Z", "with `warmup`"),
        ),
        traps=(
            "The warm-up that the paper has is a `warmup` here; without one it starts at `max_lr`.",
            "Hugging Face's `num_training_steps` include the warm-up; here the line takes what is "
            "left after it.",
        ),
    )
