"""`formula`: an expression of step, epoch and progress that the user writes."""

from collections.abc import Hashable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, ValidationInfo, field_validator

from lrlab.schedules import expressions, numpy_code
from lrlab.schedules.durations import WHOLE, Duration, DurationField
from lrlab.schedules.entry import PYTORCH, Entry, Name
from lrlab.schedules.length import Length
from lrlab.schedules.pieces import Call
from lrlab.schedules.schedule import OpenLoop

_NONE: Mapping[str, float] = MappingProxyType({})


def formula(
    step: npt.ArrayLike,
    *,
    expression: str,
    over: float,
    epoch: float,
    parameters: Mapping[str, float] = _NONE,
) -> npt.NDArray[np.float64]:
    """Return the value of an expression at every step.

    It may use `step` (from 0), `epoch` (`step / steps per epoch`, not rounded), `steps` and
    `epochs` (the whole length), `progress` (`step / steps`), `pi`, its own parameters, the
    operators `+ - * / // % **`, comparisons, `a if condition else b` and the functions in
    `expressions.FUNCTIONS`. Past the end the last step's value holds.

    Raises:
        ValueError: If the expression is not allowed, or gives no finite rate >= 0 at a step.

    Example:
        >>> formula([0, 100], expression="lr0 * 0.1 ** epoch", over=200, epoch=100,
        ...         parameters={"lr0": 0.5})
        array([0.5 , 0.05])
    """
    tree = expressions.parse(expression, parameters)
    at = np.minimum(np.array(step, np.float64), over)
    values: dict[str, Any] = {
        "step": at,
        "epoch": at / epoch,
        "steps": np.float64(over),
        "epochs": np.float64(over / epoch),
        "progress": at / over,
        "pi": np.float64(np.pi),
        **{name: np.float64(value) for name, value in parameters.items()},
    }
    with np.errstate(all="ignore"):
        found = np.asarray(expressions.evaluate(tree, values), np.float64)
    curve = np.array(np.broadcast_to(found, np.shape(at)), order="C")
    bad = ~(np.isfinite(curve) & (curve >= 0))
    if bad.any():
        first = np.unravel_index(int(bad.argmax()), bad.shape)
        where = np.asarray(at)[first]
        raise ValueError(f"gives {curve[first]:g} at step {where:g}; a rate is finite and >= 0")
    return curve


class ExpressionCall(Call):
    """The call of an expression, which is written as NumPy code of its own."""

    @property
    def key(self) -> Hashable:
        """What calls that share a definition have in common."""
        return repr(sorted(self.arguments.items()))

    def definitions(self, name: str) -> Iterator[str]:
        """Yield the expression as a function `name` of the step."""
        yield numpy_code.function(name, **self.arguments)

    def written(self, name: str, step: str) -> str:
        """Return the call as code."""
        return f"{name}({step})"


class Formula(OpenLoop):
    """An expression of step, epoch and progress."""

    formula: ClassVar = staticmethod(formula)

    type: Literal["formula"]
    parameters: dict[str, float] = Field(default={}, description="named numbers for the expression")
    expression: str = Field(
        description="the rate, as in `lr0 * 0.1 ** (epoch / 20)`; it may use step, epoch (not "
        "rounded), steps, epochs, progress, pi and its parameters"
    )
    over: DurationField = Field(WHOLE, description="the length that `steps` and `progress` mean")
    epoch: DurationField = Field(
        Duration(1, "epochs"), description="the length that `epoch` and `epochs` count in"
    )

    @field_validator("expression")
    @classmethod
    def _check_expression(cls, expression: str, info: ValidationInfo) -> str:
        if "parameters" in info.data:
            # Any short run will do: constants that overflow show at its first step.
            formula(
                0, expression=expression, over=1000, epoch=100, parameters=info.data["parameters"]
            )
        return expression

    def call(self, length: Length) -> Call:
        """Return its formula with its arguments."""
        return ExpressionCall(formula, self.arguments(length))

    entry: ClassVar = Entry(
        family="put together",
        formula="rate = expression  # of step, epoch, steps, epochs, progress and parameters",
        example="""\
# A parabola: stays high, then falls ever faster.
schedule:
  type: formula
  expression: lr0 * (1 - progress ** 2)
  parameters: {lr0: 0.01}
epochs: 10
""",
        origins=(PYTORCH,),
        names=(
            Name("Keras", "LearningRateScheduler", "a callback with a function of the whole epoch"),
            Name("PyTorch", "LambdaLR", "a factor of the rate, here the rate itself"),
            Name("fastai", "SchedPoly", "`start + (end - start) * progress ** power`"),
        ),
        traps=(
            "`epoch` is not rounded: write `floor(epoch)`, or `update: epoch`, for a staircase.",
            "It is the rate, where PyTorch's `LambdaLR` takes a factor of the rate.",
            "It is not Python: arithmetic, comparisons, `a if b else c` and the functions of the "
            "reference, nothing else.",
        ),
    )
