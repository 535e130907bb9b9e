"""Targets: what keeps them from being learned, or is probably a mistake, in words with a remedy."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lrlab.io.npz import Array
from lrlab.tasks.parts import Given, Part, Tree, leaves, mapped
from lrlab.tasks.task import Task, of_targets

MOST_CLASSES = 10_000

_WANTED = "class labels are whole numbers from 0, one per example"
_MOST_NAMED = 5
_FEW = 20
"""Distinct whole numbers below this look like classes."""


class Flaw(NamedTuple):
    """What was found in place of something sound, and what to do about it."""

    found: str
    remedy: str


def flaw(given: Given) -> Flaw | None:
    """Return what keeps the targets of a data set from being learned, None if nothing does.

    Lengths, kinds and finite values are `part_flaws`' to check first.

    Example:
        >>> from lrlab.tasks.parts import Part
        >>> flaw(Given(Part(np.zeros((3, 2)), np.array([-1, 1, 1])))).found
        '`y_train` holds -1 and 1'
    """
    for name, part in given.parts().items():
        for label, array in leaves(part.y, f"y_{name}"):
            if found := _flaw_of_classes(array, label):
                return found
    for label, array in leaves(given.train.y, "y_train"):
        if (array == array[0]).all():
            return _of_one_value(array, label)
    return None


def _flaw_of_classes(array: Array, name: str) -> Flaw | None:
    if array.dtype.kind == "f":
        return None
    if array.dtype.kind == "i" and array.min() < 0:
        return _of_negative_ones(array, name)
    if array.max() >= MOST_CLASSES:
        return Flaw(
            f"`{name}` holds {array.max()}, and classes go up to {MOST_CLASSES - 1}",
            f"{_numbering(name)}; if these are amounts, write `{name}.astype(float)`",
        )
    return None


def _of_one_value(array: Array, name: str) -> Flaw:
    value = array[0] if array.ndim == 1 else "the same row everywhere"
    if array.dtype.kind == "f" or array.ndim > 1:
        return Flaw(f"`{name}` is constant: {value}", "there is nothing to learn")
    return Flaw(
        f"`{name}` holds a single class, {value}",
        "with one class there is nothing to learn: check how the labels were made",
    )


def flaw_of_kind(descr: str, name: str) -> Flaw:
    """Return what is wrong with labels that are no numbers.

    Args:
        descr: The type, as NumPy's files call it: `<U3`, `|O`.
        name: What the array is called.
    """
    kind = descr.lstrip("<>|=")[:1]
    if kind == "O":
        objects = f"`{name}` holds Python objects (an array of dtype object)"
        return Flaw(objects, _numbering(name))
    if kind in "US":
        return Flaw(f"`{name}` holds text, not class numbers", _numbering(name))
    return Flaw(f"`{name}` holds {descr}, not class numbers", _WANTED)


def tidied(given: Given) -> Given:
    """Return a data set whose class numbers are int32, in one axis where they were a column."""

    def tidied_part(part: Part) -> Part:
        return replace(part, y=mapped(part.y, tidy))

    return replace(
        given,
        train=tidied_part(given.train),
        validation=given.validation and tidied_part(given.validation),
        test=given.test and tidied_part(given.test),
    )


def tidy(array: Array) -> Array:
    """Return targets as float32, or as int32 and then in one axis where they were a column."""
    if array.dtype.kind == "f":
        return array.astype(np.float32)
    column = array.ndim == 2 and array.shape[1] == 1
    return (array[:, 0] if column else array).astype(np.int32)


def classes(y: Tree, task: Task) -> npt.NDArray[np.int64] | None:
    """Return the class of each example, shape (examples,); None where there are no classes."""
    if not isinstance(y, np.ndarray) or task.kind not in ("classification", "one-hot", "binary"):
        return None
    return (y.argmax(axis=1) if task.kind == "one-hot" else y).astype(np.int64)


def doubts(train: Tree, validation: Tree, task: Task, test: Tree | None = None) -> Iterator[str]:
    """Yield what is allowed in the targets but probably a mistake.

    Args:
        train: The targets to train on.
        validation: Those that are held out.
        task: What they ask for.
        test: Those of the test set, None without one.
    """
    trained, held = classes(train, task), classes(validation, task)
    if trained is None or held is None:
        for label, array in leaves(train, "y_train"):
            if of_targets(array).kind == "regression" and _looks_like_classes(array):
                yield (
                    f"`{label}` holds whole numbers as {array.dtype}, taken as amounts; if they "
                    f"are classes, write `{label}.astype(int)`"
                )
        return
    tested = None if test is None else classes(test, task)
    if tested is not None and len(unknown := np.setdiff1d(tested, np.union1d(trained, held))):
        yield f"no example to train on is of {_classes(unknown)}, which the test set has"
    counts, beside = (np.bincount(each, minlength=task.outputs) for each in (trained, held))
    absent = np.flatnonzero(counts + beside == 0)
    if len(absent):
        yield f"there is no example of {_classes(absent)}; classes count from 0"
    single = np.flatnonzero(counts + beside == 1)
    if len(single):
        yield f"there is a single example of {_classes(single)}"
    lost = np.flatnonzero((counts == 0) & (beside > 1))
    if len(lost):
        yield f"all examples of {_classes(lost)} are held out for validation"
    unseen = np.flatnonzero((beside == 0) & (counts > 1))
    if len(unseen):
        yield f"no example of {_classes(unseen)} is held out for validation"


def _looks_like_classes(array: Array) -> bool:
    values = np.unique(array)
    return len(values) <= _FEW and bool((values == np.round(values)).all()) and values.min() >= 0


def _classes(which: Sequence[int] | Array) -> str:
    named = ", ".join(str(each) for each in which[:_MOST_NAMED])
    more = f" and {len(which) - _MOST_NAMED} more" if len(which) > _MOST_NAMED else ""
    return f"class{'es' if len(which) > 1 else ''} {named}{more}"


def _of_negative_ones(labels: Array, name: str) -> Flaw:
    values = np.unique(labels)
    if values.tolist() == [-1, 1]:
        return Flaw(f"`{name}` holds -1 and 1", f"{_WANTED}: write `({name} > 0).astype(int)`")
    amounts = f"; if these are amounts, write `{name}.astype(float)`"
    return Flaw(f"`{name}` holds negative numbers, as {values[0]:g}", _numbering(name) + amounts)


def _numbering(name: str) -> str:
    code = f"classes, {name} = np.unique({name}, return_inverse=True)"
    if name == "y_test":
        code = "y_test = np.searchsorted(classes, y_test)"
        return f"{_WANTED}: write `{code}` with the `classes` of `y_train`"
    return f"{_WANTED}: write `{code}`, and for test labels `np.searchsorted(classes, y_test)`"
