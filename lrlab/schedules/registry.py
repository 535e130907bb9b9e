"""The registry: every schedule of this folder under the `type` that a config names it by.

A module of the folder that defines a `Schedule` with an `entry` is a schedule; nothing else lists
them.
"""

import importlib
import pkgutil
from collections.abc import Iterator, Sequence
from functools import reduce
from operator import or_
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

from pydantic import Field

from lrlab.schedules.entry import Family
from lrlab.schedules.schedule import OpenLoop, Schedule


def _rooms() -> Iterator[type[Schedule]]:
    """Yield the schedules that the modules of the folder define."""
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
        room = importlib.import_module(f"lrlab.schedules.{module.name}")
        for value in vars(room).values():
            here = isinstance(value, type) and value.__module__ == room.__name__
            if here and issubclass(value, Schedule) and "entry" in vars(value):
                yield value


def _by_family(model: type[Schedule]) -> tuple[int, str]:
    return get_args(Family).index(model.entry.family), model.named()


def _union(models: Sequence[type[Schedule]]) -> Any:
    return Annotated[reduce(or_, models), Field(discriminator="type")]


def _registered() -> dict[str, type[Schedule]]:
    """Return every schedule by its type, family after family.

    Raises:
        TypeError: If two share a type, or one has a longer name than listings have room for.
    """
    found: dict[str, type[Schedule]] = {}
    for model in sorted(_rooms(), key=_by_family):
        name = model.named()
        if name in found:
            both = f"`{found[name].__module__}` and `{model.__module__}`"
            raise TypeError(f"two schedules have the type `{name}`: {both}")
        if len(name) > LONGEST_NAME:
            raise TypeError(f"the type `{name}` has more than {LONGEST_NAME} characters")
        found[name] = model
    return found


LONGEST_NAME = 15

SCHEDULES = _registered()
"""Every schedule by its type, family after family."""

for _model in SCHEDULES.values():
    _phases = [model for model in SCHEDULES.values() if issubclass(model, OpenLoop)]
    _model.model_rebuild(_types_namespace={"AnyOpenLoop": _union(_phases)})

if TYPE_CHECKING:
    AnySchedule = Schedule
else:
    AnySchedule = _union(list(SCHEDULES.values()))


def families() -> dict[Family, list[type[Schedule]]]:
    """Return the schedules of each family."""
    return {
        family: [model for model in SCHEDULES.values() if model.entry.family == family]
        for family in get_args(Family)
    }
