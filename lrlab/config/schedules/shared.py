"""What the configs of all schedules share: durations in steps, the warm-up, the update rhythm."""

from fractions import Fraction
from typing import Any, Literal

from pydantic import Field

from lrlab.config.durations import Duration, DurationField, PhaseField
from lrlab.fields import Model, Rate

WHOLE = Duration(100, "%")

# Keys that say how a formula is used, and are no arguments of it.
_NOT_OF_THE_FORMULA = {"type", "update", "warmup", "momentum", "for_"}


class Warmup(Model):
    """A rise from a low rate to the first rate of the schedule, which then begins."""

    for_: DurationField = Field(alias="for", description="how long the warm-up takes")
    from_: Rate = Field(0.0, alias="from", description="the rate of its first step")
    shape: Literal["linear", "cosine"] = Field("linear", description="how the rate rises")


class ScheduleModel(Model):
    """What all schedules share."""

    warmup: Warmup | None = Field(
        None, description="a rise to the first rate, before the schedule and its durations begin"
    )

    def arguments(self, steps_per_epoch: int, epochs: int | Fraction) -> dict[str, Any]:
        """Return the keyword arguments of the schedule's formula, durations turned into steps."""

        def plain(value: Any) -> Any:
            if isinstance(value, Duration):
                return value.in_steps(steps_per_epoch, epochs)
            if isinstance(value, tuple):
                return tuple(plain(item) for item in value)
            return value

        fields = type(self).model_fields.keys() - _NOT_OF_THE_FORMULA
        return {name: plain(getattr(self, name)) for name in fields}


class OpenLoop(ScheduleModel):
    """A schedule that is a function of the step alone."""

    update: Literal["step", "epoch"] = Field(
        "step", description="whether the rate moves every step or only at the start of an epoch"
    )
    for_: PhaseField = Field(
        None,
        alias="for",
        description="in a phase of a `sequence` alone: how long it lasts; `rest` in the last",
    )


def refuse_no_rate(first: float, last: float, names: str) -> None:
    """Refuse a schedule that is 0 throughout.

    Raises:
        ValueError: If both rates are 0.
    """
    if first == last == 0:
        raise ValueError(f"{names} must not both be 0: nothing would be trained")
