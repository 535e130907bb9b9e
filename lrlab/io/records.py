"""JSON from outside as frozen dataclasses: their annotations say what a file may hold.

A file that lrlab writes is signed: its last key holds the SHA-256 of all the text before it.

>>> from dataclasses import dataclass, field
>>> @dataclass(frozen=True, kw_only=True)
... class Point:
...     at: Number
...     name: Text | None = field(default=None, metadata=LEFT_OUT)
>>> checked({"at": 1, "more": []}, Point)
Point(at=1.0, name=None)
>>> to_json(Point(at=1.5))
{'at': 1.5}
"""

import functools
import hashlib
import json
import re
from collections.abc import Hashable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar, cast

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from lrlab.io import reading

MAX_BYTES = 16_000_000
"""The largest JSON that is read: in memory it may take 25 times as much."""

_LONGEST_SHOWN = 40
_SIGNATURE = "signature"
_SIGNED = re.compile(
    rb'(?P<body>.*),\n  "signature": "sha256:(?P<digest>[0-9a-f]{64})"\n}\n', re.DOTALL
)

Record = TypeVar("Record")


def _single(value: Any) -> Any:
    if isinstance(value, dict | list):
        raise ValueError(f"must be a single value, got {_shown(value)}")
    return value


Number = Annotated[float, Field(strict=True)]
"""Any number, NaN and infinity included; true and false are none."""

AtLeast0 = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(strict=True, ge=0, le=2**40)]
Positive = Annotated[int, Field(strict=True, ge=1, le=10**9)]
Whole = Annotated[int, Field(strict=True)]

Text = Annotated[str, Field(strict=True)]

Digest = Annotated[Text, Field(pattern="^[0-9a-f]{64}$")]
"""A SHA-256."""

Scalar = Annotated[Any, AfterValidator(_single)]
"""A text, a number, true, false or null."""


LEFT_OUT = {"left_out": True}
"""The metadata of a field whose key is left out of the JSON where it has its default."""


def items(least: int) -> Any:
    """Return what to annotate a tuple with that has `least` items or more."""
    return Field(min_length=least, fail_fast=True)


def keys(most: int) -> Any:
    """Return what to annotate a mapping with that has at most so many keys."""
    return Field(max_length=most)


def form(pattern: str) -> Any:
    """Return what to annotate a text with that must match a pattern as a whole."""
    return Field(pattern=f"^(?:{pattern})$")


def parse(content: bytes) -> Any:
    """Return the value that a JSON text states.

    NaN and Infinity are numbers, as Python writes them.

    Raises:
        ValueError: If it is not JSON in UTF-8, is nested too deeply or repeats a key.
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


@functools.cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def checked(value: Any, kind: type[Record]) -> Record:
    """Return a parsed JSON value as a record; keys that the record does not have are ignored.

    Raises:
        ValueError: If it does not fit; says what must hold at which place, and what was there.
    """
    try:
        record: Record = _adapter(cast(Hashable, kind)).validate_python(value)
    except ValidationError as error:
        raise ValueError(_words(error.errors(include_url=False)[0])) from None
    return record


def read_file(path: Path, kind: type[Record]) -> Record:
    """Return the record that a file holds.

    Raises:
        OSError: If it cannot be read or is too large.
        ValueError: If it is not JSON as `parse` takes it, or does not fit.
    """
    return read_signed(path, kind)[0]


def read_signed(path: Path, kind: type[Record]) -> tuple[Record, bool]:
    """Return the record that a file holds, and whether its signature shows it to be whole.

    Versions of lrlab before 0.2 did not sign; whether such a record was changed, nobody can tell.

    Raises:
        OSError: If it cannot be read or is too large.
        ValueError: If it is not JSON as `parse` takes it, does not fit, or is not as it was signed.
    """
    content = reading.read_bytes(path, MAX_BYTES)
    value = parse(content)
    signed = _SIGNED.fullmatch(content)
    if signed is None and _may_be_signed(value, kind):
        raise ValueError("its signature is not of the usual form")
    if signed and hashlib.sha256(signed["body"]).hexdigest().encode() != signed["digest"]:
        raise ValueError("its signature is not that of its content")
    return checked(value, kind), signed is not None


def _may_be_signed(value: Any, kind: type[Any]) -> bool:
    """Return whether a record has a signature that damage hides: an unknown key is its last."""
    if not isinstance(value, dict) or not value:
        return False
    last = next(reversed(value))
    return _SIGNATURE in value or last not in {"format", *(each.name for each in fields(kind))}


def sign(stated: str) -> str:
    r"""Return a JSON object as `text` gives it, with its signature.

    >>> sign(text({"a": 1}))[:34]
    '{\n  "a": 1,\n  "signature": "sha256'
    """
    body = stated.removesuffix("\n}\n")
    digest = hashlib.sha256(body.encode()).hexdigest()
    return f'{body},\n  "{_SIGNATURE}": "sha256:{digest}"\n}}\n'


def to_json(record: Any) -> Any:
    """Return what `json.dumps` takes, records in it as mappings in the order of their fields."""
    if is_dataclass(record):
        return {
            each.name: to_json(value)
            for each in fields(record)
            if (value := getattr(record, each.name)) != each.default
            or "left_out" not in each.metadata
        }
    if isinstance(record, Mapping):
        return {key: to_json(value) for key, value in record.items()}
    if isinstance(record, list | tuple):
        return [to_json(value) for value in record]
    return record


def text(record: Any) -> str:
    """Return a record as lrlab writes it into a file."""
    return json.dumps(to_json(record), indent=2) + "\n"


_WANTED = {
    "float_type": "a number",
    "finite_number": "a finite number",
    "int_type": "a whole number",
    "string_type": "a text",
    "string_pattern_mismatch": "a text of the usual form",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "dataclass_type": "a mapping",
    "greater_than_equal": "at least {ge}",
    "less_than_equal": "at most {le}",
    "enum": "{expected}",
}


def _words(detail: ErrorDetails) -> str:
    """Return what pydantic found, in lrlab's words."""
    place = ".".join(_cut(str(part)) for part in detail["loc"]) or "it"
    kind, value, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "missing":
        return f"`{place}` is missing"
    if kind == "value_error":
        return f"{place} {context['error']}"
    if kind in ("too_long", "too_short"):
        bound = "at most {max_length:,}" if kind == "too_long" else "at least {min_length:,}"
        return f"{place} must hold {bound.format(**context)} values, got {len(value):,}"
    if kind == "float_type" and isinstance(value, int) and not isinstance(value, bool):
        return f"{place} must be a number of usual size, got a huge number"
    if kind not in _WANTED:
        return f"{place} does not fit: {detail['msg']}"
    wanted = _WANTED[kind].format(**context).replace("'", "")
    return f"{place} must be {wanted}, got {_shown(value)}"


def _shown(value: Any) -> str:
    """Return a value as it stands in the file, cut to a few characters."""
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    if isinstance(value, int) and abs(value) > 10**_LONGEST_SHOWN:
        return "a huge number"  # Python refuses to write out the longest.
    return f'`"{_cut(value)}"`' if isinstance(value, str) else f"`{json.dumps(value)}`"


def _cut(value: str) -> str:
    """Return the beginning of a text, with line ends and the like as JSON writes them."""
    cut = json.dumps(value[:_LONGEST_SHOWN], ensure_ascii=False)[1:-1]
    return cut if len(value) <= _LONGEST_SHOWN else f"{cut}..."
