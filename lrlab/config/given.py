"""Schedules as Python users give them: a mapping, the path of a config, an experiment."""

import operator
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lrlab import config, schedules
from lrlab.config.experiment import Experiment
from lrlab.config.source import Source
from lrlab.errors import UsageError
from lrlab.fields import OrAuto
from lrlab.schedules import SCHEDULES, Length, Rates, Schedule, own_schedule
from lrlab.schedules.own_schedule import OwnSchedule
from lrlab.tasks.given_code import PYTHON
from lrlab.tasks.own_curve import OwnCurve

Given = Schedule | Experiment | Mapping[str, Any] | str | Path | Callable[..., Any]
"""A schedule, the mapping that a config has under `schedule`, an experiment, a config's path, or a
function of the step."""


def schedule_of(given: Given) -> Schedule:
    """Return the schedule that is meant.

    Raises:
        ConfigError: If a mapping or a config is wrong; all problems at once.
        UsageError: If it is something else.
    """
    if isinstance(given, Schedule):
        return given
    if isinstance(given, Experiment):
        return given.schedule
    if isinstance(given, str | Path):
        return config.load(given).schedule
    if isinstance(given, Mapping) or callable(given):
        stated, functions = named(given)
        source = Source("the schedule", data={"schedule": stated})
        return with_given(config.checked(source).experiment.schedule, functions)
    raise UsageError(
        f"a schedule is needed, got {type(given).__name__}",
        "give a mapping as in a config, the path of a config, what `lrlab.load` returns, or a "
        "function of the step",
    )


def named(given: Any) -> tuple[dict[str, Any], list[Any]]:
    """Return a schedule's mapping with names in place of functions, and the functions.

    Args:
        given: A function of the step, or a mapping whose `type`, or that of phases, may be one.

    Example:
        >>> named({"type": abs, "warmup": {"for": "1 epoch"}})
        ({'type': 'python:abs', 'warmup': {'for': '1 epoch'}}, [<built-in function abs>])
    """
    if not isinstance(given, Mapping):
        return {"type": OwnCurve.of_function(given, {}).reference.text}, [given]
    stated: dict[str, Any] = dict(given)
    _refuse_none(stated)
    functions: list[Any] = []
    if callable(given.get("type")):
        name, functions = named(given["type"])
        stated |= name
    if isinstance(given.get("phases"), list | tuple):
        phases = [
            named(each) if isinstance(each, Mapping) else (each, []) for each in given["phases"]
        ]
        stated["phases"] = [phase for phase, _ in phases]
        functions += [function for _, of_phase in phases for function in of_phase]
    return stated, functions


def _refuse_none(given: Mapping[str, Any]) -> None:
    """Refuse a rate that is None, as that of a finder that found none.

    Raises:
        UsageError: If there is one.
    """
    kind = given.get("type")
    model = SCHEDULES.get(kind) if isinstance(kind, str) else None
    for key, field in model.keys().items() if model is not None else ():
        is_rate = any(isinstance(mark, OrAuto) for mark in field.metadata)
        if is_rate and key in given and given[key] is None:
            raise UsageError(
                f"`{key}` of `{kind}` is None, which is what `lrlab.find_lr` gives where it found "
                "no rate",
                'print what it found, which says why; or give a number, or "auto"',
            )


def with_given(schedule: Schedule, functions: Sequence[Any]) -> Schedule:
    """Return a schedule with the functions in place of which `named` put names."""
    left = iter(functions)

    def curve(own: OwnSchedule) -> OwnCurve | None:
        given = own.type.startswith(f"{PYTHON}:")
        return OwnCurve.of_function(next(left), own.args) if given else None

    if not functions:
        return schedule
    found: Schedule = own_schedule.with_functions(schedule, curve)
    return found


def length_of(steps_per_epoch: int, epochs: int) -> Length:
    """Return the length of a run.

    Raises:
        UsageError: If a count is not a whole number of at least 1, or the run is too long.
    """
    counts = []
    for name, given in (("steps_per_epoch", steps_per_epoch), ("epochs", epochs)):
        count = whole(name, given)
        if count < 1:
            raise UsageError(f"`{name}` must be at least 1, got {count}")
        counts.append(count)
    length = Length(*counts)
    if length.steps > config.MOST_STEPS:
        raise UsageError(
            f"{length.steps_per_epoch:,} steps per epoch and {length.epochs:,} epochs are more "
            f"than the {config.MOST_STEPS:,} steps that a run may have"
        )
    return length


def whole(name: str, given: Any) -> int:
    """Return a whole number, of Python's or NumPy's, as an int.

    Raises:
        UsageError: If it is none, as `2.0`, `True` or `"2"` are not.
    """
    try:
        if isinstance(given, bool | np.bool_):
            raise TypeError
        return operator.index(given)
    except TypeError:
        raise UsageError(f"`{name}` must be a whole number, got {given!r}") from None


def rates(schedule: Given, steps_per_epoch: int, epochs: int) -> Rates:
    """Return the learning rate of every step of a run.

    Args:
        schedule: An open-loop schedule: the mapping that a config has under `schedule`, the path
            of a config, an experiment, or its schedule; or a function that takes the steps, a
            float64 array of whole numbers from 0, and returns their rates, and that may have the
            parameters `steps`, `epochs` and `steps_per_epoch`.
        steps_per_epoch: Steps in an epoch, >= 1.
        epochs: Epochs, >= 1.

    Returns:
        The rates, float64, shape `(steps_per_epoch * epochs,)`.

    Raises:
        LrlabError: If the schedule is wrong, or a closed loop, whose rates depend on the training,
            or a count is below 1.

    Example:
        >>> rates({"type": "linear", "initial_lr": 0.4}, steps_per_epoch=2, epochs=2)
        array([0.4, 0.3, 0.2, 0.1])
        >>> rates(lambda step, steps: 0.4 * (1 - step / steps), steps_per_epoch=2, epochs=2)
        array([0.4, 0.3, 0.2, 0.1])
    """
    try:
        return schedules.rates(schedule_of(schedule), length_of(steps_per_epoch, epochs))
    except ValueError as error:
        raise UsageError(str(error)) from error
