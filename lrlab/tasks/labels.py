"""Labels of classes: what else people bring, told in words with its remedy, before any training."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from lrlab.io.npz import Array
from lrlab.tasks.data_source import validation_images

MOST_CLASSES = 10_000

_WANTED = "labels are class numbers, one whole number from 0 per image"
_MOST_NAMED = 5


class Flaw(NamedTuple):
    """What was found in place of class labels, and what to do about it."""

    found: str
    remedy: str


def flaw(labels: Array, name: str, images: int) -> Flaw | None:
    """Return what keeps an array from being the labels of so many images, None if nothing does.

    Args:
        labels: The array, of numbers.
        name: What it is called.
        images: How many images there are, >= 1.

    Example:
        >>> flaw(np.array([-1, 1, 1]), "y_train", 3).found
        '`y_train` holds -1 and 1'
    """
    if labels.shape != (images,):
        return _of_another_shape(labels, name, images)
    kind = labels.dtype.kind
    if kind == "b":
        return Flaw(f"`{name}` holds True and False", _write(f"{name}.astype(int)"))
    if kind == "f" and not np.isfinite(labels).all():
        return Flaw(f"`{name}` holds NaN or infinity", f"{_WANTED}; leave out what has none")
    if kind == "f" and (labels != np.round(labels)).any():
        span = f"{float(labels.min()):.4g} to {float(labels.max()):.4g}"
        return Flaw(
            f"`{name}` holds real numbers from {span}",
            f"{_WANTED}; regression is not supported yet",
        )
    if labels.min() < 0:
        return _of_negative_ones(labels, name)
    if kind == "f":
        return Flaw(
            f"`{name}` holds whole numbers as {labels.dtype}", _write(f"{name}.astype(int)")
        )
    if labels.max() >= MOST_CLASSES:
        return Flaw(
            f"`{name}` holds {labels.max()}, and classes go up to {MOST_CLASSES - 1}",
            _numbering(name),
        )
    return None


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


def flaw_for_training(labels: Array, name: str) -> Flaw | None:
    """Return why nothing can be learned from sound labels, None if something can.

    Args:
        labels: Class numbers, the validation images' first.
        name: What they are called.
    """
    if (labels == labels[0]).all():
        return Flaw(
            f"`{name}` holds a single class, {labels[0]}",
            "with one class there is nothing to learn: check how the labels were made",
        )
    held_out = labels[: validation_images(len(labels))]
    if len(held_out) > 1 and (held_out == held_out[0]).all() and _sorted(labels):
        return Flaw(
            f"`{name}` is sorted, so the first {len(held_out)} images, which are held out for "
            f"validation, are all of class {labels[0]}",
            "shuffle images and labels alike: `order = np.random.default_rng(0).permutation("
            f"len({name}))`, then `x_train[order]` and `{name}[order]`",
        )
    return None


def doubts(labels: Array, name: str) -> Iterator[str]:
    """Yield what is allowed in the labels to train on but probably a mistake."""
    counts = np.bincount(labels.astype(np.int64))
    trained = np.bincount(
        labels[validation_images(len(labels)) :].astype(np.int64), minlength=len(counts)
    )
    absent = np.flatnonzero(counts == 0)
    if len(absent):
        yield f"`{name}` has no image of {_classes(absent)}; classes count from 0"
    single = np.flatnonzero(counts == 1)
    if len(single):
        yield f"`{name}` has a single image of {_classes(single)}"
    lost = np.flatnonzero((counts > 1) & (trained == 0))
    if len(lost):
        yield (
            f"all images of {_classes(lost)} are among the first {validation_images(len(labels))}, "
            "which are held out for validation; shuffle the images"
        )


def _sorted(labels: Array) -> bool:
    return bool((labels[1:] >= labels[:-1]).all())


def _classes(which: Sequence[int] | Array) -> str:
    named = ", ".join(str(each) for each in which[:_MOST_NAMED])
    more = f" and {len(which) - _MOST_NAMED} more" if len(which) > _MOST_NAMED else ""
    return f"class{'es' if len(which) > 1 else ''} {named}{more}"


def _of_another_shape(labels: Array, name: str, images: int) -> Flaw:
    shape = labels.shape
    if len(shape) == 2 and len(labels) == images and shape[1] == 1:
        return Flaw(f"`{name}` has shape {shape}, a column", _write(f"{name}.ravel()"))
    if len(shape) == 2 and len(labels) == images and shape[1] > 1:
        if ((labels == 0) | (labels == 1)).all():
            if (labels.sum(axis=1, dtype=np.int64) == 1).all():
                found = f"`{name}` holds one-hot rows of {shape[1]} classes"
                return Flaw(found, _write(f"{name}.argmax(axis=1)"))
            return Flaw(
                f"`{name}` holds rows of zeros and ones, several labels per image",
                f"{_WANTED}; several are not supported yet",
            )
        return Flaw(
            f"`{name}` has shape {shape}, several values per image",
            f"{_WANTED}; if they are scores of the classes, write `{name}.argmax(axis=1)`",
        )
    return Flaw(f"`{name}` has shape {shape}, which does not fit {images} images", _WANTED)


def _of_negative_ones(labels: Array, name: str) -> Flaw:
    values = np.unique(labels)
    if values.tolist() == [-1, 1]:
        return Flaw(f"`{name}` holds -1 and 1", _write(f"({name} > 0).astype(int)"))
    return Flaw(f"`{name}` holds negative numbers, as {values[0]:g}", _numbering(name))


def _write(code: str) -> str:
    return f"{_WANTED}: write `{code}`"


def _numbering(name: str) -> str:
    code = f"classes, {name} = np.unique({name}, return_inverse=True)"
    if name == "y_test":
        code = "y_test = np.searchsorted(classes, y_test)"
        return f"{_WANTED}: write `{code}` with the `classes` of `y_train`"
    return f"{_WANTED}: write `{code}`, and for test labels `np.searchsorted(classes, y_test)`"
