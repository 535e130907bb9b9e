"""Where in a config the paths of files can stand; they count from the folder of the config."""

from collections.abc import Callable
from typing import Any

from lrlab.tasks.wanted import is_file

_PLACES = (
    ("data",),
    ("data", "load"),
    ("model",),
    ("model", "build"),
    ("loss",),
    ("metric",),
    ("metric", "name"),
    ("optimizer", "type"),
    ("schedule", "type"),
)
"""The keys under which a file can stand."""


def relocate(stated: dict[str, Any], moved: Callable[[str], str]) -> None:
    """Put another path in the place of every path that a config states.

    Args:
        stated: What the config states; it is changed.
        moved: Gives the other path; `:FUNCTION` may stand behind it.
    """
    for *above, key in _PLACES:
        inner: Any = stated
        for name in above:
            inner = inner.get(name)
        _relocate_in(inner, key, moved)
    for phase in _phases(stated.get("schedule")):
        _relocate_in(phase, "type", moved)


def _relocate_in(mapping: Any, key: str, moved: Callable[[str], str]) -> None:
    text = mapping.get(key) if isinstance(mapping, dict) else None
    if isinstance(text, str) and is_file(text):
        mapping[key] = moved(text)


def _phases(schedule: Any) -> list[Any]:
    phases = schedule.get("phases") if isinstance(schedule, dict) else None
    return phases if isinstance(phases, list) else []
