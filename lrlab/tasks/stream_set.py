"""A data set of streams: counted in a first pass, then made anew for every run.

That pass finds what arrays would show at once: how many batches and examples there are, the
targets, whether all values are finite, and a fingerprint.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from lrlab.errors import DataError
from lrlab.io.npz import Array
from lrlab.tasks import labels
from lrlab.tasks.parts import Given, Part, Tree, count, joined, leaves, mapped
from lrlab.tasks.streamed import Stream, Streams
from lrlab.tasks.task import CLASSIFICATION, Task

Split = Literal["train", "validation", "test"]
Rows = dict[str, Any]
Make = Callable[[int], Streams]
"""Makes the streams of a run from its seed."""


@dataclass(frozen=True)
class RowSpec:
    """What a row of an array is: its shape, None for an axis that differs, and its type."""

    shape: tuple[int | None, ...]
    dtype: str

    def merged(self, other: "RowSpec") -> "RowSpec":
        """Return what rows of both kinds are."""
        if self.dtype != other.dtype or len(self.shape) != len(other.shape):
            raise ValueError(f"{self.shape} of {self.dtype} and {other.shape} of {other.dtype}")
        axes = (a if a == b else None for a, b in zip(self.shape, other.shape, strict=True))
        return replace(self, shape=tuple(axes))


@dataclass(frozen=True, eq=False)
class Pass:
    """What one pass over a stream has found.

    Args:
        sizes: The examples of each batch.
        specs: What a row of `x`, `y` and, if there is one, `weight` is.
        sample: The first batch.
        targets: The targets of all examples.
        digest: A hash of all examples that does not depend on their order.
    """

    sizes: tuple[int, ...]
    specs: Rows
    sample: Rows
    targets: Tree
    digest: str

    @property
    def steps(self) -> int:
        """Batches of an epoch."""
        return len(self.sizes)

    @property
    def examples(self) -> int:
        """Examples of an epoch."""
        return sum(self.sizes)

    def row_shapes(self) -> Any:
        """Return the shape of one example, or a dict or tuple of them; None in it may differ."""
        shapes: Any = mapped(self.specs["x"], lambda spec: spec.shape)  # type: ignore[arg-type, return-value]
        return shapes


@dataclass(frozen=True, eq=False)
class StreamedSet:
    """What is trained on where it is a stream; inputs are as it gives them.

    Args:
        make: Makes the streams of a run.
        passes: What was found in each part that is a stream.
        validation: What to validate on, where that is arrays.
        test: What a finished model is measured on once, where that is arrays.
        task: What the targets ask for.
    """

    make: Make
    passes: Mapping[Split, Pass]
    validation: Part | None
    test: Part | None
    task: Task = CLASSIFICATION
    scale = None
    target_scale = None
    train = None

    def targets(self, split: Literal["train", "validation"]) -> Tree:
        """Return the targets to train or to validate on."""
        part = None if split in self.passes else self.validation
        return self.passes[split].targets if part is None else part.y


def counted(make: Make) -> StreamedSet:
    """Return the streams of seed 0 as a data set, after a pass over each.

    Raises:
        DataError: If a stream never ends, cannot be trained on, or there is none to validate on.
    """
    streams = make(0)
    parts = {name: getattr(streams, name) for name in ("train", "validation", "test")}
    if parts["validation"] is None:
        raise DataError(
            f"{streams.train.name} cannot be split, since it is a stream",
            "return what to validate on beside it: `(train, validation)`",
        )
    passes: dict[Split, Pass] = {
        name: _pass(part)  # type: ignore[misc]
        for name, part in parts.items()
        if isinstance(part, Stream)
    }
    # Only targets are looked at here; the pass has looked at everything else.
    y = {name: _targets(passes, name, part) for name, part in parts.items() if part is not None}
    given: Any = {name: Part(each, each) for name, each in y.items()}
    if flaw := labels.flaw(Given(**given)):
        raise DataError(f"{streams.train.name}: {flaw.found}", flaw.remedy)
    return StreamedSet(make, passes, _tidied(parts["validation"]), _tidied(parts["test"]))


def _targets(passes: Mapping[Split, Pass], name: Any, part: Any) -> Tree:
    found: Tree = passes[name].targets if name in passes else part.y
    return found


def _tidied(part: Stream | Part | None) -> Part | None:
    return replace(part, y=mapped(part.y, labels.tidy)) if isinstance(part, Part) else None


def batches(stream: Stream) -> Iterator[Rows]:
    """Yield the batches of one epoch as arrays; targets as `labels.tidy` has them.

    Raises:
        DataError: If one is not (x, y) or (x, y, weight), or its arrays do not fit together.
    """
    for number, batch in enumerate(stream.batches()):
        if not isinstance(batch, tuple | list) or len(batch) not in (2, 3):
            raise DataError(f"batch {number} of {stream.name} must be (x, y) or (x, y, weight)")
        x, y = (_arrays(each) for each in batch[:2])
        rows = {"x": x, "y": mapped(y, labels.tidy)}
        if len(batch) == 3 and batch[2] is not None:
            rows["weight"] = _array(batch[2])
        sizes = {len(array) for _, array in _all(rows)}
        if len(sizes) != 1:
            raise DataError(
                f"batch {number} of {stream.name} has arrays of {sorted(sizes)} rows",
                "each row of one belongs to the same row of the other",
            )
        yield rows


def _pass(stream: Stream) -> Pass:
    if stream.steps == 0:
        raise DataError(f"{stream.name} has no batches", "look at how it is made")
    sizes, targets, specs, sample, total = [], [], None, None, 0
    for number, rows in enumerate(batches(stream)):
        _check_finite(rows, stream, number)
        found = _specs(rows)
        sample = sample or rows
        specs = found if specs is None else _merged(specs, found, stream, number)
        sizes.append(count(rows["x"]))
        targets.append(rows["y"])
        total = (total + _digest(rows)) % 2**256
    if not sizes or specs is None or sample is None:
        raise DataError(f"{stream.name} has no batches", "look at how it is made")
    return Pass(tuple(sizes), specs, sample, joined(targets), f"{total:064x}")


def _arrays(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _array(each) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return tuple(_array(each) for each in value)
    return _array(value)


def _array(value: Any) -> Array:
    array: Array = np.asarray(value)
    return array.astype(np.float32) if array.dtype == np.float64 else array


def _all(rows: Rows) -> Iterator[tuple[str, Array]]:
    for key in sorted(rows):
        yield from leaves(rows[key], key)


def _check_finite(rows: Rows, stream: Stream, number: int) -> None:
    for label, array in _all(rows):
        if array.dtype.kind not in "biuf":
            raise DataError(f"`{label}` in batch {number} of {stream.name} holds no numbers")
        bad = int(np.count_nonzero(~np.isfinite(array))) if array.dtype.kind == "f" else 0
        if bad:
            raise DataError(
                f"`{label}` in batch {number} of {stream.name} holds {bad:,} "
                f"value{'s' if bad > 1 else ''} NaN or infinite",
                "fill in or leave out what is missing",
            )


def _specs(rows: Rows) -> Rows:
    return {
        key: mapped(tree, lambda each: RowSpec(each.shape[1:], each.dtype.name))  # type: ignore[arg-type, return-value]
        for key, tree in rows.items()
    }


def _merged(one: Rows, other: Rows, stream: Stream, number: int) -> Rows:
    ours, theirs = dict(_all(one)), dict(_all(other))
    if ours.keys() == theirs.keys():
        try:
            merged = {label: ours[label].merged(theirs[label]) for label in ours}  # type: ignore[attr-defined]
        except ValueError as error:
            raise DataError(
                f"batches of {stream.name} differ: {error}", "all need rows of one kind"
            ) from error
        names = iter(merged.values())
        ordered = {key: one[key] for key in sorted(one)}
        return {
            key: {name: next(names) for name in sorted(tree)}
            if isinstance(tree, dict)
            else tuple(next(names) for _ in tree)
            if isinstance(tree, tuple)
            else next(names)
            for key, tree in ordered.items()
        }
    raise DataError(
        f"batch {number} of {stream.name} holds other arrays than those before it",
        "all batches need the same ones",
    )


def _digest(rows: Rows) -> int:
    """Return a number of a batch's rows: the sum of their hashes, whatever their order."""
    arrays = [np.ascontiguousarray(array) for _, array in _all(rows)]
    total = 0
    for row in zip(*arrays, strict=True):
        digest = hashlib.blake2b(digest_size=32)
        for value in row:
            digest.update(value.tobytes() + b"|")
        total += int.from_bytes(digest.digest())
    return total
