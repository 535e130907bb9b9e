"""What a schedule is: parameters that are checked, pieces of a curve, an entry of the guide."""

import inspect
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, get_args, get_origin

import numpy as np
import numpy.typing as npt
from pydantic import Field

from lrlab.fields import AUTO, Model, PositiveRate, Rate, auto_rates, known
from lrlab.io.docstrings import docstring
from lrlab.schedules import doubts
from lrlab.schedules.doubts import Doubt
from lrlab.schedules.durations import Duration, DurationField, PhaseField
from lrlab.schedules.entry import Entry
from lrlab.schedules.length import Length
from lrlab.schedules.pieces import Call, Piece, Rates, joined, warm_up


class Warmup(Model):
    """A rise from a low rate to the first rate of the schedule, which then begins."""

    for_: DurationField = Field(alias="for", description="how long the warm-up takes")
    from_: Rate = Field(0.0, alias="from", description="the rate of its first step")
    shape: Literal["linear", "cosine"] = Field("linear", description="how the rate rises")

    def steps(self, length: Length) -> int:
        """Return how many steps it takes in a run of that length, at least 1."""
        return whole_steps(self.for_.in_steps(length))


class Schedule(Model, ABC):
    """What all schedules share.

    A schedule is a file of this folder that defines one subclass with a `type` and an `entry`; the
    registry finds it, and everything else derives from it.
    """

    entry: ClassVar[Entry]
    added: ClassVar[tuple[str, ...]] = ("scale",)

    if TYPE_CHECKING:  # A field of each schedule's own, so that files keep their order of keys.
        type: str
    warmup: Warmup | None = Field(
        None, description="a rise to the first rate, before the schedule and its durations begin"
    )
    scale: PositiveRate = Field(
        1.0,
        description="a factor on the whole curve, the warm-up included: the shape stays, the "
        "height moves",
    )

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        """Make sure that a schedule, which is a class with a `type`, says what the guide needs.

        Raises:
            TypeError: If it does not; only who writes a schedule ever sees this.
        """
        field = cls.model_fields.get("type")
        named = field is not None and get_origin(field.annotation) is Literal
        if named and not isinstance(getattr(cls, "entry", None), Entry):
            raise TypeError(f"`{cls.__module__}.{cls.__name__}` has no `entry`")

    @classmethod
    def named(cls) -> str:
        """Return the `type` that a config names it by."""
        return str(get_args(cls.model_fields["type"].annotation)[0])

    @classmethod
    def description(cls) -> str:
        """Return what it does, in one line."""
        return docstring(cls).partition("\n")[0]

    @property
    def cycles_momentum(self) -> bool:
        """Whether it moves the momentum as well as the rate."""
        return False

    @property
    def unscaled(self) -> Self:
        """The schedule with the height that its own keys give it."""
        return self.model_copy(update={"scale": 1.0})

    def times(self, factor: float) -> Self:
        """Return the schedule with rates that are higher by a factor.

        Args:
            factor: The factor on its `scale`, > 0.
        """
        return self.model_copy(update={"scale": self.scale * factor})

    def peak(self, length: Length) -> float:
        """Return the highest rate of a run; of a closed loop that of one in which it never moves.

        Raises:
            ValueError: As `rates`.
        """
        return float(self.drawn(length)[0].max())

    def pieces(self, length: Length, start: int = 0, end: float = math.inf) -> Iterator[Piece]:
        """Yield the pieces of its curve, the warm-up first.

        Args:
            length: How long it lasts.
            start: The step of the run that it begins at.
            end: The step after which its last rate holds.

        Raises:
            ValueError: If it is a closed loop, whose rates depend on the training.
        """
        left, warmup = self.after_warmup(length)
        own = list(self.own_pieces(left, start + warmup, end))
        yield from self.whole(own, warmup, start, end)

    @abstractmethod
    def own_pieces(self, length: Length, start: int, end: float) -> Iterator[Piece]:
        """Yield the pieces of its curve after the warm-up, for the length that this leaves."""

    def whole(
        self, own: Sequence[Piece], warmup: int, start: int = 0, end: float = math.inf
    ) -> Iterator[Piece]:
        """Yield pieces with the warm-up, of so many steps, in front of them, all times `scale`."""
        if warmup:
            yield warm_up(self.warmup, warmup, own[0], start, end).scaled(self.scale)
        if start + warmup < end:
            yield from (piece.scaled(self.scale) for piece in own)

    def after_warmup(self, length: Length) -> tuple[Length, int]:
        """Return the length that the warm-up leaves, and how many steps the warm-up takes."""
        if self.warmup is None:
            return length, 0
        steps = self.warmup.steps(length)
        left = Fraction(max(length.steps - steps, 1), length.steps_per_epoch)
        return Length(length.steps_per_epoch, left), steps

    def epoch_rates(self, length: Length) -> Callable[[Sequence[Any]], Rates]:
        """Return a function that gives the rates of the epoch after a history of results.

        The rates are float64, shape `(steps_per_epoch,)`; a result has what the schedule watches,
        if it watches anything, as an attribute.
        """
        whole = rates(self, length)
        steps = length.steps_per_epoch
        return lambda history: whole[len(history) * steps : (len(history) + 1) * steps]

    def drawn(self, length: Length) -> tuple[Rates, str]:
        """Return the rates to draw before any training, and what to note about them, if anything.

        Raises:
            ValueError: As `rates`.
        """
        return rates(self, length), ""

    def doubts(self, length: Length) -> Iterator[Doubt]:
        """Yield what is allowed in it but probably a mistake, in a run of that length.

        Raises:
            ValueError: If it has no finite rate at some step, as a formula may.
        """
        late = list(self.past_the_end(length))
        yield from late
        yield from self.own_doubts(length, late)

    def past_the_end(self, length: Length) -> Iterator[Doubt]:
        """Yield what begins only after the run has ended."""
        if self.warmup is not None and self.warmup.steps(length) >= length.steps:
            long = f"it is `{self.warmup.for_}` long"
            yield (
                ("warmup", "for"),
                f"the warm-up's end is {doubts.past_the_end(length)}; {long}",
            )

    def own_doubts(self, length: Length, late: Sequence[Doubt]) -> Iterator[Doubt]:
        """Yield the doubts about its curve, given what lies past the end of the run."""
        yield from doubts.about_curve(rates(self, length), may_stay=bool(late))

    def keras_code(self, length: Length) -> str | None:
        """Return code for Keras' own schedule if it is equal to float32 rounding, else None.

        It has to be that of the whole curve, times `scale`.
        """
        return None


class OpenLoop(Schedule):
    """A schedule that is a formula of the step alone.

    The formula takes the steps first, counted from 0, of any shape, and returns the rates as
    float64 in the same shape. Its other arguments are the fields of the schedule, durations in
    steps; ranges are checked by the fields.
    """

    formula: ClassVar[Callable[..., Rates]]
    helpers: ClassVar[tuple[Callable[..., Any], ...]] = ()

    update: Literal["step", "epoch"] = Field(
        "step", description="whether the rate moves every step or only at the start of an epoch"
    )
    for_: PhaseField = Field(
        None,
        alias="for",
        description="in a phase of a `sequence` only: how long it lasts; `rest` in the last",
    )

    @classmethod
    def __pydantic_init_subclass__(cls, **more: Any) -> None:
        """Make sure that the formula's arguments are fields.

        Raises:
            TypeError: If one is not.
        """
        super().__pydantic_init_subclass__(**more)
        unknown = set(cls.parameter_names()) - cls.model_fields.keys()
        if unknown:
            names = ", ".join(f"`{name}`" for name in sorted(unknown))
            raise TypeError(
                f"the formula of `{cls.__module__}.{cls.__name__}` takes {names}: give the class "
                "a field of that name"
            )

    @classmethod
    def parameter_names(cls) -> list[str]:
        """Return the names of the formula's parameters, in its order."""
        return list(inspect.signature(cls.formula).parameters)[1:]

    def arguments(self, length: Length) -> dict[str, Any]:
        """Return the keyword arguments of the formula, durations turned into steps."""

        def plain(value: Any) -> Any:
            if isinstance(value, Duration):
                return value.in_steps(length)
            return tuple(map(plain, value)) if isinstance(value, tuple) else value

        return {name: plain(getattr(self, name)) for name in self.parameter_names()}

    def own_pieces(self, length: Length, start: int, end: float) -> Iterator[Piece]:
        """Yield its single piece."""
        epoch = length.steps_per_epoch if self.update == "epoch" else 1
        yield Piece(start, end, self.call(length), self.momentum_call(length), epoch)

    def call(self, length: Length) -> Call:
        """Return its formula with its arguments."""
        return Call(type(self).formula, self.arguments(length), self.helpers)

    def momentum_call(self, length: Length) -> Call | None:
        """Return the formula of its momentum, None if it does not cycle it."""
        return None


def rates(schedule: Schedule, length: Length) -> Rates:
    """Return the learning rate of every step of a run.

    Args:
        schedule: An open-loop schedule.
        length: How long the run is.

    Returns:
        The rates, float64, shape `(length.steps,)`.

    Raises:
        ValueError: If the schedule is a closed loop, whose rates depend on the training, or a rate
            of it is `auto`.
    """
    return curve(schedule, np.arange(length.steps), length)


def curve(schedule: Schedule, step: npt.ArrayLike, length: Length) -> Rates:
    """Return the learning rate at any steps of a run, also past its end.

    Args:
        schedule: An open-loop schedule.
        step: Steps, any shape.
        length: How long the run is.

    Returns:
        The rates, float64, in the shape of `step`.

    Raises:
        ValueError: As `rates`.
    """
    refuse_auto(schedule)
    plan = list(schedule.pieces(length))
    return joined(plan, [piece.rate for piece in plan], step)


def momenta(schedule: Schedule, length: Length) -> Rates | None:
    """Return the momentum of every step of a run; None if the schedule does not cycle it.

    Returns:
        The momenta, float64, shape `(length.steps,)`.
    """
    if not schedule.cycles_momentum:
        return None
    plan = list(schedule.pieces(length))
    calls = [piece.momentum for piece in plan if piece.momentum is not None]
    return joined(plan, calls, np.arange(length.steps))


def refuse_auto(schedule: Schedule) -> None:
    """Refuse a schedule with a rate that is not known yet.

    Raises:
        ValueError: If there is one.
    """
    if auto_rates(schedule):
        known(AUTO)


def refuse_no_rate(first: object, last: float, names: str) -> None:
    """Refuse a schedule that is 0 throughout.

    Raises:
        ValueError: If both rates are 0.
    """
    if first is not AUTO and first == last == 0:
        raise ValueError(f"{names} must not both be 0: nothing would be trained")


def whole_steps(steps: float) -> int:
    """Return the nearest whole number of steps, at least 1."""
    return max(1, math.floor(steps + 0.5))
