"""`piecewise`: constant between boundaries."""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from lrlab.fields import Rate
from lrlab.schedules import doubts
from lrlab.schedules.doubts import Doubt
from lrlab.schedules.durations import Duration, DurationField
from lrlab.schedules.entry import GERON, Entry, Name
from lrlab.schedules.length import Length
from lrlab.schedules.schedule import OpenLoop


def piecewise(
    step: npt.ArrayLike, *, values: npt.ArrayLike, boundaries: npt.ArrayLike
) -> npt.NDArray[np.float64]:
    """Return `values[k]`, where k counts the boundaries at or before the step.

    Example:
        >>> piecewise([0, 9, 10], values=[0.1, 0.01], boundaries=[10])
        array([0.1 , 0.1 , 0.01])
    """
    # Counted, not searched: in steps, boundaries of different units may not be sorted.
    passed = np.array(step, np.float64)[..., np.newaxis] >= np.asarray(boundaries, np.float64)
    return np.asarray(np.take(values, passed.sum(axis=-1)), np.float64)


class Piecewise(OpenLoop):
    """Constant between its boundaries."""

    formula: ClassVar = staticmethod(piecewise)

    type: Literal["piecewise"]
    values: tuple[Rate, ...] = Field(
        min_length=1, strict=False, description="the rates, one more than there are boundaries"
    )
    boundaries: tuple[DurationField, ...] = Field(
        strict=False,
        description="from when on the next rate holds, counted from the start of the run",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(self.values) != len(self.boundaries) + 1:
            needed = len(self.boundaries) + 1
            raise ValueError(
                f"{len(self.boundaries)} boundaries need {needed} values, got {len(self.values)}"
            )
        refuse_disorder(self.boundaries)
        return self

    def past_the_end(self, length: Length) -> Iterator[Doubt]:
        """Yield also the boundaries that are never reached."""
        yield from super().past_the_end(length)
        left, warmup = self.after_warmup(length)
        unused = [f"; the rate {value:g} is never used" for value in self.values[1:]]
        yield from doubts.about_boundaries(self.boundaries, length, left, warmup, unused)

    def keras_code(self, length: Length) -> str | None:
        """Return Keras' `PiecewiseConstantDecay`, which keeps the old rate for one more step."""
        last = [math.ceil(boundary) - 1 for boundary in self.arguments(length)["boundaries"]]
        if not last or any(one > other for one, other in pairwise(last)):
            return None
        values = ", ".join(repr(self.scale * value) for value in self.values)
        return f"keras.optimizers.schedules.PiecewiseConstantDecay({last}, [{values}])"

    entry: ClassVar = Entry(
        family="constant between jumps",
        formula="k = sum(t >= b for b in boundaries)\nrate = values[k]",
        example="""\
# Constant, then lower in two steps.
schedule:
  type: piecewise
  values: [0.01, 0.003, 0.0005]
  boundaries: [50%, 80%]
epochs: 10
""",
        origins=(GERON,),
        names=(
            Name("Keras", "PiecewiseConstantDecay", "keeps the old value for one more step"),
            Name("PyTorch", "ConstantLR", "two values: `factor * lr`, after `total_iters` `lr`"),
        ),
        traps=(
            "At a boundary the new value holds, as in optax and PyTorch. Keras' "
            "`PiecewiseConstantDecay` keeps the old value for that one step.",
            "It takes the rates themselves. optax' `piecewise_constant_schedule` and PyTorch's "
            "`MultiStepLR` take factors: that is `multistep`.",
            "With a `warmup`, boundaries count from its end.",
        ),
    )


def refuse_disorder(boundaries: Sequence[Duration]) -> None:
    """Refuse boundaries of one unit that do not increase.

    Raises:
        ValueError: If two of them do not.
    """
    for first, second in pairwise(boundaries):
        if first.unit == second.unit and first.value >= second.value:
            raise ValueError(f"boundaries must increase, got `{first}` before `{second}`")
