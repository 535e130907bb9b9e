"""What keeps a data set from being trained on, whatever its task, told in words with a remedy."""

import math
from dataclasses import fields

import numpy as np

from lrlab.errors import DataError
from lrlab.io.npz import Array
from lrlab.tasks.labels import Flaw
from lrlab.tasks.parts import Given, Part, Tree, blocks, leaves

LARGEST = 1e18
"""The square of a larger value is infinite in float32, so it cannot be standardised."""

_NUMBERS = "biuf"
_MOST_DIGITS = 6


def flaw(given: Given) -> Flaw | None:
    """Return what keeps a data set from being trained on, None if nothing does.

    Checked are: that there are numbers, rows, equal lengths in a part, equal shapes over the
    parts, and finite values; of what is to be standardised also that float32 holds its squares.
    What the targets mean is not checked.

    Example:
        >>> flaw(Given(Part(np.zeros((100, 2)), np.zeros(99)))).found
        '`x_train` has 100 rows, `y_train` has 99'
    """
    for name, part in given.parts().items():
        found = _flaw_of_kind(part, name)
        if given.standardise and found is None:
            found = _flaw_of_axes(part, name)
        found = found or _flaw_of_lengths(part, name)
        if found := found or _flaw_beside(given.train, part, name):
            return found
    values = (_flaw_of_values(*each, given.standardise) for each in given.arrays())
    return next(filter(None, values), None)


def require_sound(given: Given, source: str) -> None:
    """Make sure that a data set can be trained on.

    Args:
        given: The data set.
        source: Where it is from, with backticks.

    Raises:
        DataError: If it has a flaw.
    """
    if found := flaw(given):
        raise DataError(f"{source}: {found.found}", found.remedy)


def _flaw_of_kind(part: Part, name: str) -> Flaw | None:
    for tree, label in ((part.x, f"x_{name}"), (part.y, f"y_{name}")):
        if not isinstance(tree, np.ndarray) and not tree:
            return Flaw(f"`{label}` holds no array", "give at least one")
    for label, array in part.arrays(name):
        if array.dtype.kind == "O" and not isinstance(next(array.flat, None), str):
            return Flaw(
                f"`{label}` holds Python objects (an array of dtype object)",
                "its rows probably differ in length: pad or cut them to one length",
            )
        if array.dtype.kind not in _NUMBERS:
            held = "text" if array.dtype.kind in "OUST" else str(array.dtype)
            return Flaw(
                f"`{label}` holds {held}, not numbers",
                "turn it into numbers, as `names, values = np.unique(values, return_inverse=True)`",
            )
        if not array.shape:
            return Flaw(f"`{label}` is a single number", "the first axis has to count the samples")
        if 0 in array.shape:
            return Flaw(f"`{label}` is empty: its shape is {array.shape}", "look at how it is made")
    return None


def _flaw_of_axes(part: Part, name: str) -> Flaw | None:
    for label, array in leaves(part.x, f"x_{name}"):
        if array.ndim == 1:
            return Flaw(
                f"`{label}` has shape {array.shape}, one number per sample",
                f"give each sample an axis of its own: write `{label}[:, None]`",
            )
    return None


def _flaw_of_lengths(part: Part, name: str) -> Flaw | None:
    if part.weight is not None and part.weight.ndim != 1:
        return Flaw(
            f"`weight_{name}` has shape {part.weight.shape}", "give one weight per sample, (n,)"
        )
    (first, array), *others = part.arrays(name)
    for label, other in others:
        if len(other) != len(array):
            return Flaw(
                f"`{first}` has {len(array):,} rows, `{label}` has {len(other):,}",
                "each row of one belongs to the same row of the other",
            )
    return None


def _flaw_beside(train: Part, part: Part, name: str) -> Flaw | None:
    """Return where a part does not look like the training part."""
    for field in fields(part)[:2]:
        ours, theirs = (list(leaves(getattr(each, field.name), "")) for each in (train, part))
        if [label for label, _ in ours] != [label for label, _ in theirs]:
            return Flaw(
                f"`{field.name}_train` holds {_listed(getattr(train, field.name))}, "
                f"`{field.name}_{name}` {_listed(getattr(part, field.name))}",
                "all parts need the same arrays",
            )
        for (label, array), (_, other) in zip(ours, theirs, strict=True):
            if array.shape[1:] != other.shape[1:]:
                return Flaw(
                    f"rows of `{field.name}_{name}{label}` have shape {other.shape[1:]}, those of "
                    f"`{field.name}_train{label}` {array.shape[1:]}",
                    "all parts need rows of one shape",
                )
    return None


def _listed(tree: Tree) -> str:
    if isinstance(tree, dict):
        return "the arrays " + ", ".join(f"`{key}`" for key in sorted(tree))
    if isinstance(tree, tuple):
        return f"a tuple of {len(tree)}"
    return "one array"


def _flaw_of_values(label: str, array: Array, standardise: bool) -> Flaw | None:
    if array.dtype.kind != "f":
        return None
    bad, first = 0, None
    limit = LARGEST if standardise and label.startswith("x_") else math.inf
    for start, block in blocks(array):
        with np.errstate(invalid="ignore"):
            wrong = ~(np.abs(block) < np.float64(limit))
        here = int(np.count_nonzero(wrong))
        if here and first is None:
            place = np.unravel_index(int(np.argmax(wrong)), block.shape)
            first = (start + int(place[0]), *(int(axis) for axis in place[1:]))
        bad += here
    if first is None:
        return None
    value = float(array[first])
    kind = "too large to be standardised" if math.isfinite(value) else "NaN or infinite"
    values = f"{bad:,} value{'s' if bad > 1 else ''} that {'are' if bad > 1 else 'is'}"
    where = f"in row {first[0]}" if len(first) == 1 else f"at {list(first)}"
    return Flaw(
        f"`{label}` holds {values} {kind}; the first, {value:.{_MOST_DIGITS}g}, is {where}",
        "fill in or leave out what is missing, and scale what is too large",
    )
