"""The registry: every schedule of this folder under the `type` that a config names it by.

A module of the folder that defines a `Schedule` with an `entry` is a schedule; nothing else lists
them.
"""

import difflib
import importlib
import pkgutil
from collections.abc import Iterator, Sequence
from functools import reduce
from operator import or_
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

from pydantic import Discriminator, Field, Tag

from lrlab.fields import KNOWN, MAPPING
from lrlab.schedules.entry import Family, Library
from lrlab.schedules.own_schedule import OwnSchedule, is_own
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


def _form(value: Any) -> str:
    stated = value.get("type") if isinstance(value, dict) else getattr(value, "type", None)
    return MAPPING if is_own(stated) else KNOWN


def _union(models: Sequence[type[Schedule]]) -> Any:
    """Return what a config may hold: one of the models, or a function of the user's own."""
    known: Any = Annotated[reduce(or_, models), Field(discriminator="type")]
    return Annotated[
        Annotated[known, Tag(KNOWN)] | Annotated[OwnSchedule, Tag(MAPPING)], Discriminator(_form)
    ]


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


def find(name: str) -> tuple[type[Schedule], tuple[Library, ...]] | None:
    """Return the schedule of a name, however it is capitalised, and the libraries that use it.

    Args:
        name: A schedule's type, or what a library or a paper calls it.

    Returns:
        The schedule, and the libraries, none where the name is lrlab's own; None if nothing is
        called so.

    Example:
        >>> schedule, libraries = find("StepLR")
        >>> schedule.named(), libraries
        ('step', ('PyTorch',))
    """
    wanted = plain(name)
    for schedule in SCHEDULES.values():
        if wanted == plain(schedule.named()):
            return schedule, ()
    for schedule in SCHEDULES.values():
        names = schedule.entry.names
        libraries = [given.library for given in names if wanted == plain(given.name)]
        if libraries:
            return schedule, tuple(libraries)
    return None


def nearest(name: str) -> str | None:
    """Return the name of a schedule, lrlab's or another library's, that is nearest to one."""
    others = [given.name for schedule in SCHEDULES.values() for given in schedule.entry.names]
    known = {plain(each): each for each in [*others, *SCHEDULES]}
    near = difflib.get_close_matches(plain(name), known, n=1, cutoff=0.6)
    return known[near[0]] if near else None


def plain(name: str) -> str:
    """Return a name as it is compared: capitals, hyphens and spaces do not count."""
    return name.strip().casefold().replace("-", "_").replace(" ", "_")
