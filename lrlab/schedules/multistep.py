"""`multistep`: falls by a factor at every boundary."""

from collections.abc import Iterator
from typing import ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from lrlab.fields import Fraction, SteadyRate
from lrlab.schedules import doubts
from lrlab.schedules.doubts import Doubt
from lrlab.schedules.durations import DurationField
from lrlab.schedules.entry import Entry, Name, Origin
from lrlab.schedules.length import Length
from lrlab.schedules.piecewise import refuse_disorder
from lrlab.schedules.schedule import OpenLoop


def multistep(
    step: npt.ArrayLike, *, initial_lr: float, boundaries: npt.ArrayLike, factor: float = 0.1
) -> npt.NDArray[np.float64]:
    """Return `initial_lr * factor**k`, where k counts the boundaries at or before the step.

    Example:
        >>> multistep([0, 10, 30], initial_lr=0.5, boundaries=[10, 20])
        array([0.5  , 0.05 , 0.005])
    """
    passed = np.array(step, np.float64)[..., np.newaxis] >= np.asarray(boundaries, np.float64)
    return initial_lr * np.power(factor, np.asarray(passed.sum(axis=-1), np.float64))


class MultiStep(OpenLoop):
    """Falls by `factor` at every boundary."""

    formula: ClassVar = staticmethod(multistep)

    type: Literal["multistep"]
    initial_lr: SteadyRate = Field(description="the rate at the first step")
    boundaries: tuple[DurationField, ...] = Field(
        min_length=1, strict=False, description="when the rate falls"
    )
    factor: Fraction = Field(
        0.1, description="what the rate is multiplied by at each boundary; default as PyTorch"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        refuse_disorder(self.boundaries)
        return self

    def past_the_end(self, length: Length) -> Iterator[Doubt]:
        """Yield also the boundaries that are never reached."""
        yield from super().past_the_end(length)
        left, warmup = self.after_warmup(length)
        unused = [""] * len(self.boundaries)
        yield from doubts.about_boundaries(self.boundaries, length, left, warmup, unused)

    entry: ClassVar = Entry(
        family="constant between jumps",
        formula="k = sum(t >= b for b in boundaries)\nrate = initial_lr * factor**k",
        example="""\
# Falls to a fifth at the half and near the end.
schedule:
  type: multistep
  initial_lr: 0.01
  boundaries: [50%, 80%]
  factor: 0.2
epochs: 10
""",
        origins=(
            Origin(
                "He et al.",
                "Deep residual learning for image recognition",
                2015,
                "https://arxiv.org/abs/1512.03385",
            ),
        ),
        names=(
            Name("PyTorch", "MultiStepLR", "`milestones` are `boundaries`, `gamma` is `factor`"),
            Name("optax", "piecewise_constant_schedule", "equal factors at its boundaries"),
            Name("timm", "MultiStepLRScheduler", "falls one step earlier than its `decay_t`"),
        ),
        traps=(
            "timm's `MultiStepLRScheduler` falls at `decay_t - 1`: a boundary here is its "
            "`decay_t` less one.",
            "It falls at a boundary, not after it; with a `warmup`, boundaries count from its end.",
        ),
    )
