"""What is checked about anything that a user states: strict frozen models, numbers with ranges.

`auto` stands for a rate that is not known until a sweep has found it.
"""

import enum
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
)
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, core_schema


class Model(BaseModel):
    """A frozen model: no unknown keys, no conversions, no NaN, no infinity.

    A key that is a word of Python's, as `for` and `from`, is a field with `_` behind it.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, serialize_by_alias=True
    )

    added: ClassVar[tuple[str, ...]] = ()
    """Keys of later versions: left out of what is written where they have their default."""

    @model_serializer(mode="wrap")
    def _written(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        found: dict[str, Any] = write(self)
        fields = type(self).model_fields
        for name in self.added:
            if name in found and getattr(self, name) == fields[name].default:
                del found[name]
        return found

    @classmethod
    def keys(cls) -> dict[str, FieldInfo]:
        """Return the fields by the keys that a config gives them by."""
        return {field.alias or name: field for name, field in cls.model_fields.items()}

    def identity(self) -> dict[str, Any]:
        """Return what tells this model from another: its values, defaults left out.

        A key that a later version adds does not change the identity of older configs.
        """
        return self.model_dump(mode="json", exclude_defaults=True)

    def require_order(self, low: str, high: str) -> None:
        """Make sure that one field is at most another; one that is `auto` is not known yet.

        Raises:
            ValueError: If it is above it.
        """
        first, second = getattr(self, low), getattr(self, high)
        if AUTO not in (first, second) and first > second:
            raise ValueError(f"{low} must not be above {high}, got {first} > {second}")


class Auto(enum.Enum):
    """The type of `auto`."""

    AUTO = "auto"

    def __str__(self) -> str:
        return "auto"


AUTO = Auto.AUTO
"""A rate that a config leaves to a sweep."""

TEXT, MAPPING, KNOWN = "(text)", "(mapping)", "(known)"
"""How pydantic tells apart what a key may hold; no key of a file is called so."""

Purpose = Literal["steady_lr", "max_lr"]
"""What a sweep suggests: a rate for constant and decaying schedules, a peak."""


@dataclass(frozen=True)
class OrAuto:
    """Marks a number that may be `auto`, with the suggestion of the sweep that it then takes."""

    purpose: Purpose
    number: Any

    def __get_pydantic_core_schema__(self, _: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return how pydantic checks it: `auto`, or else the number."""
        return core_schema.no_info_wrap_validator_function(
            lambda value, number: AUTO if value in ("auto", AUTO) else number(value),
            handler.generate_schema(self.number),
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda value: "auto" if value is AUTO else value
            ),
        )

    def __get_pydantic_json_schema__(
        self, found: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Return how a JSON Schema states it."""
        return {"anyOf": [handler(found), {"const": str(AUTO)}]}


PositiveRate = Annotated[float, Field(gt=0)]
Rate = Annotated[float, Field(ge=0)]
Fraction = Annotated[float, Field(gt=0, lt=1)]
Share = Annotated[float, Field(gt=0, le=1)]
Beta = Annotated[float, Field(ge=0, lt=1)]
Count = Annotated[int, Field(ge=0)]
SteadyRate = Annotated[float | Auto, OrAuto("steady_lr", PositiveRate)]
SteadyRateOrZero = Annotated[float | Auto, OrAuto("steady_lr", Rate)]
PeakRate = Annotated[float | Auto, OrAuto("max_lr", PositiveRate)]

AnyModel = TypeVar("AnyModel", bound=Model)


def known(rate: float | Auto) -> float:
    """Return a rate that is known.

    Raises:
        ValueError: If it is `auto`.
    """
    if isinstance(rate, Auto):
        raise ValueError(
            "a rate of the schedule is `auto`, which a sweep has to find first: `lrlab compare` "
            "does that; otherwise put in what `lrlab find-lr` suggests"
        )
    return rate


def auto_rates(model: Model) -> dict[str, Purpose]:
    """Return the rates of a model that are `auto`, as `{dotted key: suggestion it takes}`."""
    found: dict[str, Purpose] = {}
    for name, value in model:
        if value is AUTO:
            found[name] = _purpose(model, name)
        for index, inner in _models_in(value):
            place = name if index is None else f"{name}.{index}"
            found |= {f"{place}.{key}": purpose for key, purpose in auto_rates(inner).items()}
    return found


def purpose_of(model: Model) -> Purpose:
    """Return which suggestion of a sweep is meant for a schedule's highest rate.

    That of its own rate that may be `auto`, or a peak where one within it is; else a steady rate.
    """
    for key, field in type(model).model_fields.items():
        if any(isinstance(mark, OrAuto) for mark in field.metadata):
            return _purpose(model, key)
    inner = [purpose_of(one) for _, value in model for _, one in _models_in(value)]
    return "max_lr" if "max_lr" in inner else "steady_lr"


def filled(model: AnyModel, suggestions: Mapping[Purpose, float]) -> AnyModel:
    """Return a model with every `auto` replaced by the suggestion that it takes.

    Args:
        model: For example a schedule.
        suggestions: `steady_lr` and `max_lr` of a sweep.

    Raises:
        ValueError: If a suggestion does not fit the model's other rates.
    """

    def known(name: str, value: Any) -> Any:
        if value is AUTO:
            return suggestions[_purpose(model, name)]
        inner = {index: filled(one, suggestions) for index, one in _models_in(value)}
        return inner[None] if None in inner else tuple(inner.values()) if inner else value

    if not auto_rates(model):
        return model
    try:
        return type(model).model_validate(
            {name: known(name, value) for name, value in model}, by_name=True
        )
    except ValidationError as error:
        raise ValueError(error.errors()[0]["msg"].removeprefix("Value error, ")) from error


def _purpose(model: Model, name: str) -> Purpose:
    marks = type(model).model_fields[name].metadata
    return next(mark.purpose for mark in marks if isinstance(mark, OrAuto))


def _models_in(value: Any) -> list[tuple[int | None, Model]]:
    """Return the models that a field holds: itself, with the index None, or a tuple of them."""
    if isinstance(value, Model):
        return [(None, value)]
    items = value if isinstance(value, tuple) else ()
    return [(index, item) for index, item in enumerate(items) if isinstance(item, Model)]


def shown(value: Any) -> str:
    """Return a value as a config would write it, cut to one short line."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and not math.isfinite(value):
        return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."
