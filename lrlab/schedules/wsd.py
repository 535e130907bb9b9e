"""`wsd`: warm-up, stable, then down in the last part."""

from typing import ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from lrlab.fields import Rate, SteadyRate
from lrlab.schedules.durations import WHOLE, Duration, DurationField
from lrlab.schedules.entry import Entry, Name, Origin
from lrlab.schedules.schedule import OpenLoop, Warmup


def wsd(
    step: npt.ArrayLike,
    *,
    max_lr: float,
    over: float,
    decay: float,
    end_lr: float = 0.0,
    shape: str = "one_minus_sqrt",
) -> npt.NDArray[np.float64]:
    """Return `max_lr`, which in the last `decay` of `over` steps falls to `end_lr`.

    With g, the share of the decay that has passed, it falls as `1 - g` (linear),
    `(1 + cos(pi * g)) / 2` (cosine) or `1 - sqrt(g)` (one_minus_sqrt). The warm-up stands before
    it as before any schedule.

    Example:
        >>> wsd([0, 6, 8, 10], max_lr=1.0, over=10, decay=4, shape="linear")
        array([1. , 1. , 0.5, 0. ])
    """
    # Counted back from the end, so that it is exactly 1 there.
    g = np.clip(1.0 - (over - np.array(step, np.float64)) / decay, 0.0, 1.0)
    if shape == "linear":
        fall = 1.0 - g
    elif shape == "cosine":
        fall = (1.0 + np.cos(np.pi * g)) / 2.0
    else:
        fall = 1.0 - np.sqrt(g)
    return end_lr + (max_lr - end_lr) * fall


class Wsd(OpenLoop):
    """Warm-up, stable, then down in the last part."""

    formula: ClassVar = staticmethod(wsd)

    over: DurationField = Field(WHOLE, description="how long it takes to the last rate")
    type: Literal["wsd"]
    warmup: Warmup | None = Field(
        Warmup.model_validate({"for": Duration(5, "%")}),
        description="a rise to `max_lr`, before the other durations begin; `null` for none",
    )
    max_lr: SteadyRate = Field(description="the stable rate")
    decay: DurationField = Field(
        Duration(20, "%"), description="how long it falls; default as Hägele et al. (2024)"
    )
    end_lr: Rate = Field(0.0, description="the last rate, at most `max_lr`")
    shape: Literal["linear", "cosine", "one_minus_sqrt"] = Field(
        "one_minus_sqrt", description="how it falls; default as Hägele et al. (2024)"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        self.require_order("end_lr", "max_lr")
        if self.decay.unit == self.over.unit and self.decay.value > self.over.value:
            raise ValueError(
                f"decay must not be longer than over, got `{self.decay}` > `{self.over}`"
            )
        return self

    entry: ClassVar = Entry(
        family="to a last rate over a given length",
        formula="g = clip(1 - (over - t) / decay, 0, 1)\n"
        "fall = {'linear': 1 - g, 'cosine': (1 + cos(pi * g)) / 2,\n"
        "        'one_minus_sqrt': 1 - sqrt(g)}[shape]\n"
        "rate = end_lr + (max_lr - end_lr) * fall",
        example="""\
# Up in 5% of the run, constant, and down in the last fifth of the rest.
schedule:
  type: wsd
  max_lr: 0.01
epochs: 10
""",
        origins=(
            Origin(
                "Hu et al.",
                "MiniCPM: unveiling the potential of small language models",
                2024,
                "https://arxiv.org/abs/2404.06395",
            ),
            Origin(
                "Hägele et al.",
                "Scaling laws and compute-optimal training beyond fixed training durations",
                2024,
                "https://arxiv.org/abs/2405.18392",
            ),
        ),
        names=(
            Name("transformers", "get_wsd_schedule", "`num_decay_steps` is `decay`"),
            Name("fastai", "fit_flat_cos", "with `shape: cosine`, `decay: 25%`, `warmup: null`"),
            Name("papers", "trapezoidal", "with `shape: linear`"),
        ),
        traps=(
            "It is the only schedule with a warm-up by default, of 5%; `warmup: null` is without "
            "one.",
            "`decay` counts back from the end of `over`, which begins after the warm-up.",
            "Hugging Face's falls along a cosine by default, and its warm-up begins at its floor "
            "`min_lr_ratio`, here at 0 unless `from` says otherwise.",
        ),
    )
