"""`cosine`: half a cosine down to a floor."""

from typing import ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from lrlab.fields import Rate, SteadyRateOrZero
from lrlab.schedules.durations import WHOLE, DurationField
from lrlab.schedules.entry import SGDR, Entry, Name
from lrlab.schedules.schedule import OpenLoop, refuse_no_rate


def cosine(
    step: npt.ArrayLike, *, initial_lr: float, over: float, end_lr: float = 0.0
) -> npt.NDArray[np.float64]:
    """Return `end_lr + (initial_lr - end_lr) * (1 + cos(pi * f)) / 2`, f = min(step / over, 1).

    Example:
        >>> cosine([0, 5, 10, 99], initial_lr=1.0, over=10, end_lr=0.5)
        array([1.  , 0.75, 0.5 , 0.5 ])
    """
    f = np.clip(np.array(step, np.float64) / over, 0.0, 1.0)
    return end_lr + (initial_lr - end_lr) * ((1.0 + np.cos(np.pi * f)) / 2.0)


class Cosine(OpenLoop):
    """Half a cosine to the floor `end_lr`."""

    formula: ClassVar = staticmethod(cosine)

    over: DurationField = Field(WHOLE, description="how long it takes to the last rate")
    initial_lr: SteadyRateOrZero = Field(description="the rate at the first step")
    end_lr: Rate = Field(0.0, description="the last rate; default as PyTorch")
    type: Literal["cosine"]

    @model_validator(mode="after")
    def _check(self) -> Self:
        refuse_no_rate(self.initial_lr, self.end_lr, "initial_lr and end_lr")
        return self

    entry: ClassVar = Entry(
        family="to a last rate over a given length",
        formula="f = min(t / over, 1)\n"
        "rate = end_lr + (initial_lr - end_lr) * (1 + cos(pi * f)) / 2",
        example="""\
# A short rise, then half a cosine to 0.
schedule:
  type: cosine
  initial_lr: 0.02
  warmup: {for: 5%}
epochs: 10
""",
        origins=(SGDR,),
        names=(
            Name("Keras", "CosineDecay", "`alpha` is `end_lr / initial_lr`"),
            Name("PyTorch", "CosineAnnealingLR", "`eta_min` is `end_lr`"),
            Name("optax", "cosine_decay_schedule", "`alpha` is `end_lr / initial_lr`"),
            Name("optax", "warmup_cosine_decay_schedule", "with `warmup`"),
            Name("timm", "CosineLRScheduler", "`lr_min` is `end_lr`"),
            Name("transformers", "get_cosine_schedule_with_warmup", "with `warmup`"),
            Name("transformers", "get_cosine_with_min_lr_schedule_with_warmup", "with `warmup`"),
            Name("fastai", "SchedCos"),
        ),
        traps=(
            "PyTorch's `CosineAnnealingLR` rises again when it goes on past `T_max`; here the last "
            "rate holds.",
            "`end_lr` is a rate; `alpha` of Keras and optax is a share of the first rate.",
            "Keras' `decay_steps` exclude the warm-up, those of optax and Hugging Face include it. "
            "Here `over` is 100% of what the warm-up leaves; timm's `t_initial` counts like that "
            "only with `warmup_prefix=True`.",
        ),
    )
