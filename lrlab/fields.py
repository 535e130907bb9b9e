"""Building blocks of the config models: the strict base model and numbers with their ranges."""

import math
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic.fields import FieldInfo


class Model(BaseModel):
    """A frozen config model: no unknown keys, no conversions, no NaN, no infinity.

    A key that is a word of Python's, as `for` and `from`, is a field with `_` behind it.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, serialize_by_alias=True
    )

    @classmethod
    def keys(cls) -> dict[str, FieldInfo]:
        """Return the fields by the keys that a config gives them by."""
        return {field.alias or name: field for name, field in cls.model_fields.items()}

    def identity(self) -> dict[str, Any]:
        """Return what tells this model from another: its values, defaults left out.

        A key that a later version adds does not change the identity of older configs.
        """
        return self.model_dump(mode="json", exclude_defaults=True)


PositiveRate = Annotated[float, Field(gt=0)]
Rate = Annotated[float, Field(ge=0)]

AUTO = math.nan
"""The value of a rate that a config gives as `auto`: not known until a sweep has found it."""


@dataclass(frozen=True)
class Auto:
    """Marks a field that may be `auto`, with the suggestion of the sweep that it then takes."""

    purpose: Literal["steady_lr", "max_lr"]


def _auto_or(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    return AUTO if value == "auto" else handler(value)


def _as_given(value: float) -> float | str:
    return "auto" if math.isnan(value) else value


_MAY_BE_AUTO = (WrapValidator(_auto_or), PlainSerializer(_as_given))
SteadyRate = Annotated[PositiveRate, *_MAY_BE_AUTO, Auto("steady_lr")]
SteadyRateOrZero = Annotated[Rate, *_MAY_BE_AUTO, Auto("steady_lr")]
PeakRate = Annotated[PositiveRate, *_MAY_BE_AUTO, Auto("max_lr")]
Fraction = Annotated[float, Field(gt=0, lt=1)]
