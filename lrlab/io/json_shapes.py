"""JSON from a results directory, checked against a stated shape before anything relies on it.

A shape is a function that takes a value and its place, and returns the value or raises a
`ValueError` that names the place; bigger shapes are made of smaller ones.

>>> point = mapping({"name": text(), "at": items(number(), most=2)})
>>> point({"name": "a", "at": [1, 2.5]}, "point")
{'name': 'a', 'at': [1.0, 2.5]}
"""

import json
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from lrlab.io.printable import printable

Shape = Callable[[Any, str], Any]

MAX_BYTES = 16_000_000
"""The largest JSON that is read: in memory it may take 25 times as much."""

_LONGEST_TEXT = 2_000
_LONGEST = 40


def parse(content: bytes) -> Any:
    """Return the value that a JSON text states.

    NaN and Infinity are numbers, as Python writes them.

    Raises:
        ValueError: If it is no JSON in UTF-8, is nested too deeply or repeats a key.
    """
    try:
        return json.loads(content.decode(), object_pairs_hook=_distinct)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("it states a key twice")
    return found


def number(least: float | None = None, most: float | None = None) -> Shape:
    """Return the shape of a number, as a float; with a bound, neither NaN nor beyond it."""

    def check(value: Any, place: str) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _wrong(place, "a number", value)
        try:
            found = float(value)
        except OverflowError:
            raise _wrong(place, "a number of usual size", "more than 1e308") from None
        if (least is not None and not found >= least) or (most is not None and not found <= most):
            raise _wrong(place, _bounds("a number", least, most), value)
        return found

    return check


def whole(least: int, most: int) -> Shape:
    """Return the shape of a whole number from `least` to `most`."""

    def check(value: Any, place: str) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise _wrong(place, _bounds("a whole number", least, most), value)
        return value

    return check


def text(pattern: str | None = None) -> Shape:
    """Return the shape of a text of usual length; what is not printable turns into escapes.

    Args:
        pattern: A regular expression that the whole text must match.
    """
    compiled = None if pattern is None else re.compile(pattern, re.ASCII)

    def check(value: Any, place: str) -> str:
        if not isinstance(value, str):
            raise _wrong(place, "a text", value)
        if len(value) > _LONGEST_TEXT:
            raise ValueError(f"{place} must be a short text, got {len(value):,} characters")
        if compiled is not None and not compiled.fullmatch(value):
            raise _wrong(place, "a text of the usual form", value)
        return printable(value)

    return check


def scalar() -> Shape:
    """Return the shape of a text, a number, true, false or null."""
    any_text = text()

    def check(value: Any, place: str) -> Any:
        if isinstance(value, str):
            return any_text(value, place)
        if isinstance(value, dict | list):
            raise _wrong(place, "a single value", value)
        return value

    return check


def one_of(*known: str) -> Shape:
    """Return the shape of a text that is one of a few."""

    def check(value: Any, place: str) -> str:
        if value not in known:
            raise _wrong(place, f"one of {', '.join(known)}", value)
        return str(value)

    return check


def maybe(shape: Shape) -> Shape:
    """Return the shape of a value that may be null."""
    return lambda value, place: None if value is None else shape(value, place)


def items(shape: Shape, *, least: int = 0, most: int) -> Shape:
    """Return the shape of a list of `least` to `most` values of one shape."""

    def check(value: Any, place: str) -> list[Any]:
        if not isinstance(value, list):
            raise _wrong(place, "a list", value)
        if not least <= len(value) <= most:
            raise ValueError(f"{place} must hold {least} to {most:,} values, got {len(value):,}")
        return [shape(item, f"{place}.{index}") for index, item in enumerate(value)]

    return check


def table(shape: Shape, *, most: int) -> Shape:
    """Return the shape of a mapping with at most so many keys, any, its values of one shape."""

    def check(value: Any, place: str) -> dict[str, Any]:
        _require_mapping(value, place)
        if len(value) > most:
            raise ValueError(f"{place} must hold at most {most:,} keys, got {len(value):,}")
        return {printable(key): shape(item, _inside(place, key)) for key, item in value.items()}

    return check


def mapping(
    required: Mapping[str, Shape], optional: Mapping[str, Shape] = MappingProxyType({})
) -> Shape:
    """Return the shape of a mapping with stated keys; what else it holds stays as it is."""

    def check(value: Any, place: str) -> dict[str, Any]:
        _require_mapping(value, place)
        missing = [key for key in required if key not in value]
        if missing:
            raise ValueError(f"`{_inside(place, missing[0])}` is missing")
        known = {**required, **{key: optional[key] for key in optional if key in value}}
        checked = {key: shape(value[key], _inside(place, key)) for key, shape in known.items()}
        return {key: checked.get(key, item) for key, item in value.items()}

    return check


def _require_mapping(value: Any, place: str) -> None:
    if not isinstance(value, dict):
        raise _wrong(place or "it", "a mapping", value)


def _inside(place: str, key: str) -> str:
    return f"{place}.{_short(key)}" if place else _short(key)


def _bounds(kind: str, least: float | None, most: float | None) -> str:
    if most is None:
        return f"{kind} of at least {least:g}"
    return f"{kind} from {least:g} to {most:g}" if least is not None else f"{kind} up to {most:g}"


def _wrong(place: str, wanted: str, value: Any) -> ValueError:
    if isinstance(value, dict | list):
        shown = "a mapping" if isinstance(value, dict) else "a list"
    elif isinstance(value, int) and abs(value) > 10**_LONGEST:
        shown = "a huge number"  # Python refuses to write out the longest.
    else:
        shown = f"`{_short(value if isinstance(value, str) else json.dumps(value))}`"
    return ValueError(f"{place} must be {wanted}, got {shown}")


def _short(value: str) -> str:
    found = printable(value[: _LONGEST + 1])
    return found if len(value) <= _LONGEST else f"{found[:_LONGEST]}..."
