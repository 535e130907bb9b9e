"""All entries by family, and what stands about them in the config models."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from types import SimpleNamespace
from typing import Any, get_args

import numpy as np

from lrlab import config, schedules
from lrlab.config import Experiment, Schedule
from lrlab.config.schedules import OpenLoop
from lrlab.fields import Model
from lrlab.guide import annealing, closed, composed, cycling, decaying, holding, stepwise
from lrlab.guide.entry import Entry
from lrlab.schedules import Rates, closed_loop

FAMILIES: dict[str, tuple[Entry, ...]] = {
    "constant between jumps": (
        stepwise.CONSTANT,
        stepwise.PIECEWISE,
        stepwise.STEP,
        stepwise.MULTISTEP,
    ),
    "decay without an end": (decaying.POWER, decaying.EXPONENTIAL, decaying.INVERSE_SQRT),
    "to a last rate over a given length": (
        annealing.LINEAR,
        annealing.LINEAR_TO_ZERO,
        annealing.POLYNOMIAL,
        annealing.COSINE,
        holding.WSD,
        holding.REX,
        holding.TANH,
    ),
    "up and down": (cycling.ONE_CYCLE, cycling.CYCLIC, cycling.COSINE_RESTARTS),
    "closed loops, which watch the training": (closed.PERFORMANCE, closed.GREEDY),
    "put together": (composed.FORMULA, composed.SEQUENCE),
}

ENTRIES: dict[str, Entry] = {entry.type: entry for family in FAMILIES.values() for entry in family}

MODELS: dict[str, type[Model]] = {
    get_args(model.model_fields["type"].annotation)[0]: model
    for model in get_args(get_args(Schedule)[0])
}

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
    shared = OpenLoop.keys()
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


def description(entry: Entry) -> str:
    """Return what a schedule does, in one line."""
    return (MODELS[entry.type].__doc__ or "").splitlines()[0]


def experiment(entry: Entry) -> Experiment:
    """Return the experiment that an entry's example states."""
    return config.parse(entry.example, f"{entry.type}.yaml").experiment


def curve(entry: Entry, steps_per_epoch: int = STEPS_PER_EPOCH) -> Rates:
    """Return the rates of an entry's example; of a closed loop those after its invented history.

    Returns:
        The rates, float64, one a step.
    """
    stated = experiment(entry)
    schedule: Any = stated.schedule
    epochs = stated.epochs
    if entry.type not in schedules.CLOSED_LOOPS:
        return schedules.rates(schedule, steps_per_epoch, epochs)
    results = [SimpleNamespace(**{schedule.monitor: value}) for value in entry.history]
    by_epoch = [
        closed_loop.epoch_rates(schedule, steps_per_epoch, epochs, results[:epoch])
        for epoch in range(epochs)
    ]
    return np.concatenate(by_epoch)


def to_dict(entry: Entry) -> dict[str, Any]:
    """Return an entry with its description and parameters, as JSON can hold it."""
    found = asdict(entry)
    found["family"] = next(name for name, family in FAMILIES.items() if entry in family)
    found["description"] = description(entry)
    found["parameters"] = [
        {"key": p.key, "default": p.default, "meaning": p.meaning}
        for p in parameters(MODELS[entry.type])
    ]
    order = ("type", "family", "description", "formula", "parameters", "origins", "example",
             "names", "traps")  # fmt: skip
    return {key: found[key] for key in order}


def to_json(entry: Entry | None) -> str:
    """Return an entry as JSON, or the list of all."""
    content = to_dict(entry) if entry else [to_dict(one) for one in ENTRIES.values()]
    return json.dumps(content, indent=2) + "\n"
