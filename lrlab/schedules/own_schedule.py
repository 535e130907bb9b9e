"""A schedule that is a function of the user's own: `type: FILE.py:FUNCTION`.

It is data until somebody gives it the function, loaded with consent; nothing here loads any.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Annotated, Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt
from pydantic import AfterValidator, Field, PrivateAttr, WithJsonSchema

from lrlab.fields import Model, shown
from lrlab.schedules.length import Length
from lrlab.schedules.pieces import Call, Rates
from lrlab.schedules.schedule import OpenLoop, Schedule

Place = tuple[str | int, ...]
"""Where a part of a schedule stands within it: `()`, or `("phases", 0)`."""


class StepFunction(Protocol):
    """A user's function of the step, with the arguments that a config states for it."""

    @property
    def name(self) -> str:
        """Its name in its source."""

    def arguments(self, length: Length) -> dict[str, Any]:
        """Return all its arguments but the steps, in a run of that length."""

    def __call__(self, step: Rates, /, **arguments: Any) -> Any:
        """Return what it gives for steps, shape (n,)."""

    def check(self, length: Length) -> None:
        """Make sure that it gives sound rates for every step of a run of that length."""

    def identity(self) -> dict[str, Any]:
        """Return what tells it from others, as JSON."""

    def definitions(self) -> list[str]:
        """Return its source with all that it needs, in an order in which it can run."""


def own(
    step: npt.ArrayLike,
    *,
    function: "Callable[..., npt.ArrayLike]",
    last: float,
    arguments: "dict[str, Any]",
) -> npt.NDArray[np.float64]:
    """Return what a function gives for steps, as one row of numbers; after `last` its rate holds.

    Example:
        >>> own([0, 5, 99], function=lambda step, top: top / (1 + step), last=9,
        ...     arguments={"top": 0.6})
        array([0.6 , 0.1 , 0.06])
    """
    at = np.minimum(np.asarray(step, np.float64), last)
    found = function(at.reshape(-1), **arguments)
    return np.array(found, np.float64).reshape(at.shape)


@dataclass(frozen=True)
class OwnCall(Call):
    """A user's function with its arguments."""

    function: Any = field(kw_only=True)

    @property
    def key(self) -> Any:
        """What calls that share a definition have in common."""
        return ("own", tuple(self.function.definitions()))

    @property
    def name(self) -> str:
        """What the defined function is called."""
        return str(self.function.name)

    def definitions(self, name: str) -> Iterator[str]:
        """Yield the function's source with all that it needs."""
        yield from self.function.definitions()
        yield from Call(own, {}).definitions("own")

    def written(self, name: str, step: str) -> str:
        """Return the call as code."""
        stated, last = self.arguments["arguments"], self.arguments["last"]
        return f"own({step}, function={self.name}, last={last}, arguments={stated!r})"


def is_own(kind: object) -> bool:
    """Return whether the `type` of a schedule is meant as a function of the user's own.

    Example:
        >>> [is_own(kind) for kind in ("mine.py:warp", "mine.py", "my.rates:warp", "cosine")]
        [True, True, True, False]
    """
    return isinstance(kind, str) and (":" in kind or kind.endswith((".py", ".keras")))


def _check_type(kind: str) -> str:
    if not is_own(kind):
        raise ValueError(
            f"must be FILE.py:FUNCTION or package.module:FUNCTION, got `{shown(kind)}`"
        )
    return kind


_OWN_TYPE = WithJsonSchema({"type": "string", "pattern": r":|\.py$|\.keras$"})


class OwnSchedule(OpenLoop):
    """A function of the step: NumPy array in, array of the same shape out."""

    formula: ClassVar = staticmethod(own)

    type: Annotated[str, AfterValidator(_check_type), _OWN_TYPE] = Field(
        description="FILE.py:FUNCTION or package.module:FUNCTION, which gets the steps, a float64 "
        "array of whole numbers from 0, and returns their rates"
    )
    args: dict[str, Any] = Field(
        default={},
        max_length=100,
        description="arguments of the function; `steps`, `epochs` and `steps_per_epoch` it gets "
        "unasked if it has such a parameter",
    )

    _function: StepFunction | None = PrivateAttr(None)

    @classmethod
    def parameter_names(cls) -> list[str]:
        """Return nothing: the function's parameters are not fields."""
        return []

    @property
    def function(self) -> StepFunction:
        """The function.

        Raises:
            ValueError: If it has not been loaded.
        """
        if self._function is None:
            raise ValueError(
                f"the rates of `{self.type}` are what its code gives, and no code has been loaded; "
                "from Python give the function itself in place of its name"
            )
        return self._function

    @property
    def is_loaded(self) -> bool:
        """Whether it has its function."""
        return self._function is not None

    def with_function(self, function: StepFunction) -> "OwnSchedule":
        """Return the schedule with its function, so that it has rates."""
        other = self.model_copy()
        other._function = function
        return other

    def call(self, length: Length) -> Call:
        """Return the function with its arguments, once it has been checked.

        Raises:
            ValueError: If it has not been loaded, or gives no sound rates.
        """
        function = self.function
        function.check(length)
        arguments = {
            "function": function,
            "last": length.steps - 1,
            "arguments": function.arguments(length),
        }
        return OwnCall(own, arguments, function=function)


def own_parts(schedule: Model, place: Place = ()) -> Iterator[tuple[Place, OwnSchedule]]:
    """Yield the user's functions in a schedule, itself or phases of it, each with its place."""
    if isinstance(schedule, OwnSchedule):
        yield place, schedule
    for index, phase in enumerate(getattr(schedule, "phases", ())):
        yield from own_parts(phase, (*place, "phases", index))


def with_functions(schedule: Any, load: Callable[[OwnSchedule], StepFunction | None]) -> Any:
    """Return a schedule whose user's functions are loaded, as far as they were not.

    Args:
        schedule: The schedule.
        load: Loads the function of one; None leaves it as it is.
    """
    if isinstance(schedule, OwnSchedule):
        function = schedule._function or load(schedule)
        return schedule if function is None else schedule.with_function(function)
    if not any(own_parts(schedule)):
        return schedule
    phases = tuple(with_functions(phase, load) for phase in schedule.phases)
    return schedule.model_copy(update={"phases": phases})


def code_identity(schedule: Schedule) -> dict[str, Any] | None:
    """Return what tells a schedule with loaded code from others, as JSON; None where it has none.

    Where the code lies does not count, what it holds does.
    """
    parts = list(own_parts(schedule))
    if not parts or any(part._function is None for _, part in parts):
        return None
    found: dict[str, Any] = schedule.identity()
    for place, part in parts:
        inner: Any = found
        for key in place:
            inner = inner[key]
        inner.pop("args", None)
        inner["type"] = part.function.identity()
    return found


def whole(epochs: int | Fraction) -> int | float:
    """Return a number of epochs as a function gets it."""
    return int(epochs) if epochs == int(epochs) else float(epochs)
