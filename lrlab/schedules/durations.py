"""Lengths of training time that carry their unit: `20 epochs`, `500 steps`, `30%`."""

import math
import re
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from lrlab.fields import shown
from lrlab.schedules.length import Length

SHORTEST, LONGEST = 1e-6, 1e9

Unit = Literal["epochs", "steps", "%"]

_PATTERN = re.compile(r"\s*([0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)\s*(epochs?|steps?|%)\s*", re.ASCII)


@dataclass(frozen=True)
class Duration:
    """A length of training time.

    Args:
        value: The amount, > 0.
        unit: `epochs`, `steps`, or `%` of the whole run.

    Example:
        >>> Duration(30, "%").in_steps(Length(steps_per_epoch=100, epochs=10))
        300.0
    """

    value: float
    unit: Unit

    def in_steps(self, length: Length) -> float:
        """Return the duration in steps, not rounded, within a run or phase of that length."""
        if self.unit == "steps":
            return float(self.value)
        if self.unit == "epochs":
            return float(self.value * length.steps_per_epoch)
        # Multiply before dividing: 30 % of 17,190 steps is then exactly 5157.
        return float(self.value * (length.steps_per_epoch * length.epochs) / 100)

    def __str__(self) -> str:
        amount = _amount(self.value)
        if self.unit == "%":
            return f"{amount}%"
        return f"{amount} {self.unit[:-1] if self.value == 1 else self.unit}"


WHOLE = Duration(100, "%")


def parse(value: object) -> Duration:
    """Return the duration that a config value states.

    Raises:
        ValueError: If the unit is missing or unknown, or the amount is not above 0 or absurd.
    """
    if isinstance(value, Duration):
        return value
    match = _PATTERN.fullmatch(value) if isinstance(value, str) and len(value) < 64 else None
    if match is not None:
        amount = float(match[1])
    elif isinstance(value, int | float) and not isinstance(value, bool):
        amount = float(value)
    else:
        raise ValueError(f"must be a duration, got `{shown(value)}`; {_ways('20')}")
    if not 0 < amount < math.inf:
        raise ValueError(f"must be longer than 0 and finite, got `{shown(value)}`")
    if not SHORTEST <= amount <= LONGEST:
        raise ValueError(f"must be from {SHORTEST:g} to {LONGEST:g}, got `{shown(value)}`")
    if match is None:
        raise ValueError(f"needs a unit: {_ways(_amount(amount))}")
    unit: Unit = "%" if match[2] == "%" else "steps" if match[2].startswith("step") else "epochs"
    return Duration(amount, unit)


def _ways(amount: str) -> str:
    return f"write `{amount} epochs`, `{amount} steps` or `{amount}%` (of the run)"


def _amount(value: float) -> str:
    short = f"{value:.15g}"
    return short if float(short) == value else repr(value)


def parse_phase(value: object) -> Duration | Literal["rest"] | None:
    """Return how long a phase lasts: a duration, the rest, or None where nothing is said.

    Raises:
        ValueError: If it is none of them.
    """
    if value is None:
        return None
    return "rest" if value == "rest" else parse(value)


_STATED = {"type": "string", "pattern": f"^{_PATTERN.pattern}$"}

DurationField = Annotated[
    Duration,
    PlainValidator(parse),
    PlainSerializer(str, return_type=str),
    WithJsonSchema(_STATED),
]
PhaseField = Annotated[
    Duration | Literal["rest"] | None,
    PlainValidator(parse_phase),
    PlainSerializer(lambda value: None if value is None else str(value)),
    WithJsonSchema({"anyOf": [_STATED, {"const": "rest"}, {"type": "null"}]}),
]
