"""`cosine_restarts`: cosines down, each slower than the last (SGDR)."""

import math
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from lrlab.fields import Rate, Share, SteadyRate
from lrlab.schedules.durations import DurationField
from lrlab.schedules.entry import SGDR, Entry, Name
from lrlab.schedules.length import Length
from lrlab.schedules.schedule import OpenLoop

_MOST_CYCLES = 1_000_000


def cosine_restarts(
    step: npt.ArrayLike,
    *,
    initial_lr: float,
    period: float,
    growth: float = 2.0,
    decay: float = 1.0,
    min_lr: float = 0.0,
) -> npt.NDArray[np.float64]:
    """Return `min_lr + (initial_lr - min_lr) * decay**k * (1 + cos(pi * f)) / 2`.

    Cycle k = 0, 1, ... takes `period * growth**k` steps, of which the share f has passed.

    Example:
        >>> cosine_restarts([0, 2, 4, 8], initial_lr=1.0, period=4, decay=0.5)
        array([1.  , 0.5 , 0.5 , 0.25])
    """
    at = np.array(step, np.float64)
    if growth == 1.0:
        k = np.floor(at / period)
        f = at / period - k
    else:
        last = float(at.max(initial=0.0))
        cycles = int(np.log1p(last / period * (growth - 1.0)) / np.log(growth)) + 2
        edges = period * np.expm1(np.arange(cycles) * np.log(growth)) / (growth - 1.0)
        # Whole numbers stay whole: a cycle must begin at its step, not a rounding error after it.
        edges = np.where(
            np.isclose(edges, np.rint(edges), rtol=1e-12, atol=0), np.rint(edges), edges
        )
        k = np.searchsorted(edges, at, side="right").astype(np.float64) - 1.0
        f = (at - edges[k.astype(np.intp)]) / (period * np.power(growth, k))
    fall = (1.0 + np.cos(np.pi * np.clip(f, 0.0, 1.0))) / 2.0
    return min_lr + (initial_lr - min_lr) * np.power(decay, k) * fall


class CosineRestarts(OpenLoop):
    """Cosines down, each slower than the last (SGDR)."""

    formula: ClassVar = staticmethod(cosine_restarts)

    type: Literal["cosine_restarts"]
    initial_lr: SteadyRate = Field(description="the rate at the first step")
    period: DurationField = Field(description="how long the first cycle takes")
    growth: Annotated[float, Field(ge=1, le=1000)] = Field(
        2.0, description="how much longer each cycle is than the one before; default as Keras"
    )
    decay: Share = Field(
        1.0, description="how much lower above `min_lr` each peak is than the one before"
    )
    min_lr: Rate = Field(0.0, description="the floor, at most `initial_lr`")

    def arguments(self, length: Length) -> dict[str, Any]:
        """Return the keyword arguments of the formula.

        Raises:
            ValueError: If the run has more than a million cycles; each has to be computed.
        """
        arguments = super().arguments(length)
        if self.growth > 1:
            periods = length.steps_per_epoch * length.epochs / arguments["period"]
            if math.log1p(periods * (self.growth - 1)) / math.log(self.growth) > _MOST_CYCLES:
                raise ValueError(
                    f"the period `{self.period}` comes more than {_MOST_CYCLES:,} times"
                )
        return arguments

    @model_validator(mode="after")
    def _check(self) -> Self:
        self.require_order("min_lr", "initial_lr")
        return self

    entry: ClassVar = Entry(
        family="up and down",
        formula="k, begin = 0, 0  # the cycle, and the step that it begins at\n"
        "while t >= begin + period * growth**k:\n"
        "    k, begin = k + 1, begin + period * growth**k\n"
        "f = (t - begin) / (period * growth**k)\n"
        "rate = min_lr + (initial_lr - min_lr) * decay**k * (1 + cos(pi * f)) / 2",
        example="""\
# Two cosines, the second four times as long and starting half as high.
schedule:
  type: cosine_restarts
  initial_lr: 0.02
  period: 20%
  growth: 4.0
  decay: 0.5
epochs: 10
""",
        origins=(SGDR,),
        names=(
            Name("Keras", "CosineDecayRestarts", "`t_mul` is `growth`, `m_mul` is `decay`"),
            Name(
                "PyTorch",
                "CosineAnnealingWarmRestarts",
                "`T_0` is `period`, `T_mult` is `growth`",
            ),
            Name("timm", "CosineLRScheduler(cycle_limit=n)", "`cycle_mul`, `cycle_decay`"),
            Name(
                "transformers",
                "get_cosine_with_hard_restarts_schedule_with_warmup",
                "with `growth: 1.0` and `warmup`",
            ),
            Name("fastai", "fit_sgdr", "`cycle_len` is `period`, `cycle_mult` is `growth`"),
            Name("papers", "SGDR"),
        ),
        traps=(
            "A run that ends within a cycle ends at a high rate: with `growth` 2, choose 1, 3, 7 "
            "or 15 periods.",
            "`growth` is 2 by default, as in Keras and fastai; PyTorch's `T_mult` is 1.",
            "With both `decay` and `min_lr`, timm lowers the whole peak, this its height above the "
            "floor, as Keras does.",
            "Hugging Face's hard restarts end at 0, where this would begin the next cycle.",
        ),
    )
