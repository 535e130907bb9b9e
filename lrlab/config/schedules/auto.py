"""Rates that a config leaves to a sweep: where they stand, and the schedule with them filled in."""

import math
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from lrlab.fields import Auto, Model

AnyModel = TypeVar("AnyModel", bound=Model)


def auto_rates(schedule: Model) -> dict[str, str]:
    """Return the rates that are `auto`, as `{dotted key: suggestion it takes}`.

    Example:
        >>> from lrlab.config.schedules import OneCycle
        >>> auto_rates(OneCycle(type="one_cycle", max_lr="auto"))
        {'max_lr': 'max_lr'}
    """
    found = {}
    for name, value in schedule:
        if _is_auto(value):
            found[name] = _purpose(schedule, name)
        for place, inner in _inside(name, value):
            found |= {f"{place}.{key}": purpose for key, purpose in auto_rates(inner).items()}
    return found


def filled(schedule: AnyModel, suggestions: Mapping[str, float]) -> AnyModel:
    """Return the schedule with every `auto` replaced by the suggestion it takes.

    Args:
        schedule: A schedule's config.
        suggestions: `steady_lr` and `max_lr` of a sweep.

    Raises:
        ValueError: If a suggestion does not fit the schedule's other rates.
    """
    new: dict[str, Any] = {}
    for name, value in schedule:
        new[name] = value
        if _is_auto(value):
            new[name] = suggestions[_purpose(schedule, name)]
        elif isinstance(value, tuple) and any(isinstance(item, Model) for item in value):
            new[name] = tuple(filled(item, suggestions) for item in value)
    try:
        return type(schedule).model_validate(new, by_name=True)
    except ValidationError as error:
        raise ValueError(error.errors()[0]["msg"].removeprefix("Value error, ")) from error


def _is_auto(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _purpose(schedule: Model, name: str) -> str:
    marks = [m for m in type(schedule).model_fields[name].metadata if isinstance(m, Auto)]
    return marks[0].purpose


def _inside(name: str, value: Any) -> list[tuple[str, Model]]:
    if not isinstance(value, tuple):
        return []
    return [(f"{name}.{i}", item) for i, item in enumerate(value) if isinstance(item, Model)]
