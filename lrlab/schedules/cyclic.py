"""`cyclic`: a triangle between two rates, again and again."""

from typing import ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from lrlab.fields import PeakRate, Rate, Share
from lrlab.schedules.durations import Duration, DurationField
from lrlab.schedules.entry import Entry, Name, Origin
from lrlab.schedules.schedule import OpenLoop


def cyclic(
    step: npt.ArrayLike,
    *,
    min_lr: float,
    max_lr: float,
    up: float,
    down: float | None = None,
    mode: str = "triangular",
    gamma: float = 1.0,
) -> npt.NDArray[np.float64]:
    """Return `min_lr + (max_lr - min_lr) * height * scale`, a triangle that comes round again.

    The height goes linearly from 0 to 1 in `up` steps and back in `down` steps. The scale is 1
    (triangular), `1 / 2**k` in cycle k = 0, 1, ... (triangular2) or `gamma**step` (exp_range).

    Example:
        >>> cyclic([0, 2, 4, 6], min_lr=0.0, max_lr=1.0, up=2, mode="triangular2")
        array([0. , 1. , 0. , 0.5])
    """
    at = np.array(step, np.float64)
    back = up if down is None else down
    cycle = np.floor(at / (up + back))
    within = at - cycle * (up + back)
    height = np.clip(np.where(within <= up, within / up, (up + back - within) / back), 0.0, 1.0)
    if mode == "triangular2":
        height = height * np.power(0.5, cycle)
    elif mode == "exp_range":
        height = height * np.power(gamma, at)
    return min_lr + (max_lr - min_lr) * height


class Cyclic(OpenLoop):
    """A triangle between two rates, again and again."""

    formula: ClassVar = staticmethod(cyclic)

    type: Literal["cyclic"]
    min_lr: Rate = Field(description="the lowest rate")
    max_lr: PeakRate = Field(description="the peak of the first cycle")
    up: DurationField = Field(
        Duration(2, "epochs"),
        description="how long it rises; Smith (2015) advises 2 to 10 epochs",
    )
    down: DurationField | None = Field(None, description="how long it falls; default `up`")
    mode: Literal["triangular", "triangular2", "exp_range"] = Field(
        "triangular",
        description="whether the peaks stay, halve every cycle, or fall by `gamma` every step",
    )
    gamma: Share = Field(
        1.0, description="the factor per step, for `exp_range`; default as PyTorch"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        self.require_order("min_lr", "max_lr")
        if self.gamma != 1 and self.mode != "exp_range":
            raise ValueError(f"gamma is only for mode exp_range, got `{self.mode}`")
        return self

    entry: ClassVar = Entry(
        family="up and down",
        formula="down = up  # where it is not given\n"
        "k = floor(t / (up + down))\n"
        "x = t - k * (up + down)\n"
        "height = min(x / up, (up + down - x) / down)\n"
        "scale = {'triangular': 1, 'triangular2': 1 / 2**k,\n"
        "         'exp_range': gamma**t}[mode]\n"
        "rate = min_lr + (max_lr - min_lr) * height * scale",
        example="""\
# Two triangles, the second half as high.
schedule:
  type: cyclic
  min_lr: 0.001
  max_lr: 0.02
  up: 25%
  mode: triangular2
epochs: 10
""",
        origins=(
            Origin(
                "Smith",
                "Cyclical learning rates for training neural networks",
                2015,
                "https://arxiv.org/abs/1506.01186",
            ),
        ),
        names=(
            Name("PyTorch", "CyclicLR", "`step_size_up` is `up`, `base_lr` is `min_lr`"),
            Name("papers", "CLR"),
            Name("papers", "triangular", "the default `mode`"),
            Name("papers", "triangular2", "with `mode: triangular2`"),
        ),
        traps=(
            "A run that does not end with a cycle may end at a high rate: let the run be a whole "
            "number of `up` and `down`.",
            "PyTorch's `CyclicLR` cycles the momentum as well unless `cycle_momentum=False`.",
            "`gamma` is the factor of a single step: 0.999 leaves 37% after 1,000 steps.",
        ),
    )
