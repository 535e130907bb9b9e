"""`inverse_sqrt`: up, then down as one over the square root of the step (Noam)."""

from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from lrlab.fields import SteadyRate
from lrlab.schedules.durations import Duration, DurationField
from lrlab.schedules.entry import Entry, Name, Origin
from lrlab.schedules.schedule import OpenLoop


def inverse_sqrt(step: npt.ArrayLike, *, max_lr: float, s: float) -> npt.NDArray[np.float64]:
    """Return `max_lr * min(step / s, sqrt(s / step))`: up to the peak at step `s`, then down.

    Example:
        >>> inverse_sqrt([0, 2, 4, 16], max_lr=1.0, s=4)
        array([0. , 0.5, 1. , 0.5])
    """
    at = np.array(step, np.float64)
    return max_lr * np.where(at < s, at / s, np.sqrt(s / np.maximum(at, s)))


class InverseSqrt(OpenLoop):
    """Up to `s`, then down as 1 / sqrt(step) (Noam)."""

    formula: ClassVar = staticmethod(inverse_sqrt)

    type: Literal["inverse_sqrt"]
    max_lr: SteadyRate = Field(description="the peak")
    s: DurationField = Field(
        Duration(4000, "steps"), description="when the peak is; default as Vaswani et al. (2017)"
    )

    entry: ClassVar = Entry(
        family="decay without an end",
        formula="rate = max_lr * min(t / s, sqrt(s / t))",
        example="""\
# Up in an epoch, then down as 1 over the square root of the step.
schedule:
  type: inverse_sqrt
  max_lr: 0.02
  s: 1 epoch
epochs: 10
""",
        origins=(
            Origin(
                "Vaswani et al.",
                "Attention is all you need",
                2017,
                "https://arxiv.org/abs/1706.03762",
            ),
        ),
        names=(
            Name("transformers", "get_inverse_sqrt_schedule", "`num_warmup_steps` is `s`"),
            Name("papers", "Noam", "with `max_lr` of `(width * s)**-0.5`, one step earlier"),
        ),
        traps=(
            "The rise is part of the formula and `s` is its length: a `warmup` would stand before "
            "it.",
            "Noam counts its steps from 1, so that its first rate is not 0: Noam at step t is this "
            "at t + 1.",
            "Hugging Face's `get_inverse_sqrt_schedule` has a `timescale` of its own; where it is "
            "not given, it is the warm-up's length, as here.",
        ),
    )
