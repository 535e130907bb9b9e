"""Schedules as Python users give them: a mapping, the path of a config, an experiment."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lrlab import config, schedules
from lrlab.config.experiment import Experiment
from lrlab.config.source import Source
from lrlab.errors import UsageError
from lrlab.schedules import Length, Rates, Schedule

Given = Schedule | Experiment | Mapping[str, Any] | str | Path
"""A schedule, the mapping that a config has under `schedule`, an experiment, a config's path."""


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
    if isinstance(given, Mapping):
        source = Source("the schedule", data={"schedule": dict(given)})
        return config.checked(source).experiment.schedule
    raise UsageError(
        f"a schedule is needed, got {type(given).__name__}",
        "give a mapping as in a config, the path of a config, or what `lrlab.load` returns",
    )


def length_of(steps_per_epoch: int, epochs: int) -> Length:
    """Return the length of a run.

    Raises:
        UsageError: If a count is not a whole number of at least 1.
    """
    for name, count in (("steps_per_epoch", steps_per_epoch), ("epochs", epochs)):
        whole = hasattr(count, "__index__") and not isinstance(count, bool)
        if not whole or count < 1:
            raise UsageError(f"`{name}` must be a whole number of at least 1, got {count!r}")
    return Length(int(steps_per_epoch), int(epochs))


def rates(schedule: Given, steps_per_epoch: int, epochs: int) -> Rates:
    """Return the learning rate of every step of a run.

    Args:
        schedule: An open-loop schedule: the mapping that a config has under `schedule`, the path
            of a config, an experiment, or its schedule.
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
    """
    try:
        return schedules.rates(schedule_of(schedule), length_of(steps_per_epoch, epochs))
    except ValueError as error:
        raise UsageError(str(error)) from error
