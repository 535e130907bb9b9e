"""What a user's function returns as data, or a notebook gives: pairs of arrays, frames, streams.

Nothing is standardised: it is used as it is.
"""

from typing import Any

import numpy as np

from lrlab.errors import CodeError
from lrlab.io.npz import Array
from lrlab.tasks.code_errors import described
from lrlab.tasks.part_flaws import require_sound
from lrlab.tasks.parts import Given, Part, Tree
from lrlab.tasks.readers.frames import columns, is_frame, is_series, values
from lrlab.tasks.streamed import Stream, Streams, stream

EXPECTED = (
    "`(x, y), (x_test, y_test)`, three pairs with validation in the middle, `(x, y)` alone, or a "
    "dict with `train`, `validation`, `test`"
)
_KEYS = {"train": "train", "validation": "validation", "val": "validation", "test": "test"}


def given(value: Any, source: str) -> Given | Streams:
    """Return a data set that somebody's code has made.

    A pair is (x, y) or (x, y, weight); x and y are arrays, dicts or tuples of arrays, pandas or
    polars frames, memory maps, tensors or lists of numbers. In place of a pair there may be a
    `tf.data.Dataset` or a `keras.utils.PyDataset`.

    Args:
        value: What it returned.
        source: Who that was, with backticks: "`sets.py:load`".

    Raises:
        CodeError: If it is something else.
        DataError: If the arrays cannot be trained on.
    """
    parts = {name: _part(each, name, source) for name, each in _named(value, source).items()}
    train, validation, test = (parts.get(name) for name in ("train", "validation", "test"))
    if isinstance(train, Stream):
        return Streams(train, validation, test)
    if train is None or isinstance(validation, Stream) or isinstance(test, Stream):
        raise CodeError(
            f"{source} gives arrays to train on, and a stream beside them",
            "give arrays for all parts, or a stream to train on",
        )
    found = Given(train, validation, test, features=_features(value))
    require_sound(found, source)
    return found


def _named(value: Any, source: str) -> dict[str, Any]:
    """Return the parts by name, as they came."""
    if isinstance(value, dict):
        known = {_KEYS[key]: each for key, each in value.items() if key in _KEYS}
        if "train" in known and len(known) == len(value):
            return {name: each for name, each in known.items() if each is not None}
        raise _wrong(value, source)
    if stream(value, source):
        return {"train": value}
    if not isinstance(value, tuple | list) or not 1 <= len(value) <= 3:
        raise _wrong(value, source)
    if all(_is_part(each) for each in value):
        names = ("train", "validation", "test") if len(value) == 3 else ("train", "test")
        return dict(zip(names, value, strict=False))
    if len(value) > 1 and not any(stream(each, source) for each in value):
        return {"train": value}
    raise _wrong(value, source)


def _is_part(value: Any) -> bool:
    """Return whether a value is a pair or triple of arrays, or a stream."""
    if stream(value, ""):
        return True
    return isinstance(value, tuple | list) and len(value) in (2, 3) and not _is_numbers(value)


def _is_numbers(value: Any) -> bool:
    """Return whether a list holds numbers, or lists of them, in place of arrays."""
    return isinstance(value, list) and all(isinstance(each, int | float | list) for each in value)


def _part(value: Any, name: str, source: str) -> Part | Stream:
    if found := stream(value, f"the {name} data of {source}"):
        return found
    if not isinstance(value, tuple | list) or len(value) not in (2, 3):
        raise _wrong(value, source, f"for `{name}` a pair (x, y) or a triple (x, y, weight)")
    x, y, *weight = value
    counts = next((each for each in weight if each is not None), None)
    weights = None if counts is None else _array(counts, f"weight_{name}", source)
    return Part(_tree(x, f"x_{name}", source), _tree(y, f"y_{name}", source), weights)


def _tree(value: Any, name: str, source: str) -> Tree:
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise CodeError(
                    f"{source} names an array of `{name}` {key!r}", "names of arrays are texts"
                )
        return {key: _array(each, f'{name}["{key}"]', source) for key, each in value.items()}
    if isinstance(value, tuple | list) and not _is_numbers(value):
        return tuple(_array(each, f"{name}[{i}]", source) for i, each in enumerate(value))
    return _array(value, name, source)


def _array(value: Any, name: str, source: str) -> Array:
    if isinstance(value, np.ndarray):
        return value
    if is_frame(value):
        return columns(value, name, source)
    if is_series(value):
        return values(value)
    if hasattr(value, "toarray"):
        raise CodeError(
            f"{source} gives `{name}` as a sparse {type(value).__name__}",
            "write `.toarray()` behind it",
        )
    if not (hasattr(value, "__array__") or _is_numbers(value)):
        raise CodeError(
            f"{source} gives `{name}` as {described(value)}; an array was expected",
            _remedy(value),
        )
    try:
        return np.asarray(value)
    except (ValueError, TypeError) as error:
        raise CodeError(f"{source}: `{name}` is no array: {error}", _remedy(value)) from error


def _features(value: Any) -> tuple[str, ...]:
    """Return the columns of a frame that is the only input to train on."""
    while isinstance(value, tuple | list | dict) and value:
        value = value.get("train") if isinstance(value, dict) else value[0]
    return tuple(str(name) for name in value.columns) if is_frame(value) else ()


def _remedy(value: Any) -> str | None:
    if isinstance(value, list):
        return "its rows probably differ in length: pad or cut them to one length"
    if hasattr(value, "__next__"):
        return "a generator is read once only: return a `keras.utils.PyDataset` or arrays"
    return None


def _wrong(value: Any, source: str, expected: str = EXPECTED) -> CodeError:
    hint = "does it end with `return`?" if value is None else None
    if hasattr(value, "__next__"):
        hint = _remedy(value)
    return CodeError(f"{source} must give {expected}; got {described(value)}", hint)
