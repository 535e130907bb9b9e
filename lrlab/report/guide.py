"""The guide to the schedules as pages and JSON, made from what each schedule says of itself."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from lrlab import config
from lrlab.config import Experiment
from lrlab.errors import UsageError
from lrlab.fields import Model
from lrlab.schedules import (
    SCHEDULES,
    ClosedLoop,
    Length,
    OpenLoop,
    Rates,
    Schedule,
    rates,
    registry,
)
from lrlab.schedules.entry import Library

STEPS_PER_EPOCH = 1719
"""Of the reference experiment: 55,000 images in batches of 32."""


@dataclass(frozen=True)
class Parameter:
    """A key of a config model.

    Args:
        key: Its name in a config.
        default: Its default as a config would state it; `required` or `none` where it has none.
        stated: Whether `default` is a value that can be written into a config.
        meaning: What it means.
    """

    key: str
    default: str
    stated: bool
    meaning: str


def parameters(model: type[Model]) -> Iterator[Parameter]:
    """Yield the keys of a config model, `type` left out; its own before those of all schedules."""
    shared = OpenLoop.keys() if issubclass(model, Schedule) else {}
    keys = [pair for pair in model.keys().items() if pair[0] != "type"]
    for key, field in sorted(keys, key=lambda pair: pair[0] in shared):
        stated = not field.is_required() and field.default is not None
        default = "required" if field.is_required() else _as_config(field.default)
        yield Parameter(key, default, stated, field.description or "")


def _as_config(value: Any) -> str:
    """Return a default as it would stand in a config."""
    if value is None:
        return "none"
    if isinstance(value, Model):
        stated = value.model_dump(exclude_defaults=True)
        return "{" + ", ".join(f"{key}: {_as_config(v)}" for key, v in stated.items()) + "}"
    return str(value).lower() if isinstance(value, bool) else str(value)


def experiment(schedule: type[Schedule]) -> Experiment:
    """Return the experiment that a schedule's example states."""
    return config.parse(schedule.entry.example, f"{schedule.named()}.yaml").experiment


def curve(schedule: type[Schedule], steps_per_epoch: int = STEPS_PER_EPOCH) -> Rates:
    """Return the rates of a schedule's example; for a closed loop after its invented history.

    Returns:
        The rates, float64, one a step.
    """
    stated = experiment(schedule)
    length = Length(steps_per_epoch, stated.epochs)
    if not isinstance(stated.schedule, ClosedLoop):
        return rates(stated.schedule, length)
    watched = stated.schedule.monitor
    history = [SimpleNamespace(**{watched: result}) for result in schedule.entry.history]
    after = stated.schedule.epoch_rates(length)
    return np.concatenate([after(history[:epoch]) for epoch in range(stated.epochs)])


def find(name: str) -> tuple[type[Schedule], tuple[Library, ...]]:
    """Return the schedule of a name, however it is capitalised, and the libraries that use it.

    Args:
        name: A schedule's type, or what a library or a paper calls it.

    Returns:
        The schedule, and the libraries; none where the name is lrlab's own.

    Raises:
        UsageError: If nothing is called so; the hint names what is nearest.

    Example:
        >>> schedule, libraries = find("StepLR")
        >>> schedule.named(), libraries
        ('step', ('PyTorch',))
    """
    found = registry.find(name)
    if found is None:
        near = registry.nearest(name)
        meant = f"did you mean `{near}`? " if near else ""
        raise UsageError(f"unknown schedule `{name}`", f"{meant}`lrlab schedules` lists all")
    return found


def to_dict(schedule: type[Schedule]) -> dict[str, Any]:
    """Return all about a schedule, as JSON can hold it."""
    entry = asdict(schedule.entry)
    keys = [
        {"key": p.key, "default": p.default, "meaning": p.meaning} for p in parameters(schedule)
    ]
    return {
        "type": schedule.named(),
        "family": entry["family"],
        "description": schedule.description(),
        "formula": entry["formula"],
        "parameters": keys,
        **{key: entry[key] for key in ("origins", "example", "names", "traps")},
    }


def to_json(schedule: type[Schedule] | None) -> str:
    """Return a schedule as JSON, or the list of all."""
    content = to_dict(schedule) if schedule else [to_dict(one) for one in SCHEDULES.values()]
    return json.dumps(content, indent=2) + "\n"
