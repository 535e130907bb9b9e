"""The parts of a data set as they were read: trees of arrays, and their fingerprint.

A part is a training, validation or test set. Nothing here splits or scales.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from lrlab.io.npz import Array
from lrlab.tasks.picked import rows_of

Tree: TypeAlias = Array | dict[str, Array] | tuple[Array, ...]
"""What a model takes or gives: one array, arrays by name, or arrays in order."""

# Rows of a memory map are looked at in blocks, so that it never fills the memory.
_BLOCK_BYTES = 16_000_000


@dataclass(frozen=True, eq=False)
class Part:
    """Inputs, targets and weights of some samples; the first axis of each array counts them.

    Args:
        x: The inputs.
        y: The targets.
        weight: What each sample counts in the loss, shape (n,); None if all count alike.

    Example:
        >>> import numpy as np
        >>> part = Part({"left": np.zeros((3, 2)), "right": np.ones((3, 4))}, np.arange(3))
        >>> len(part), part.rows(slice(1, None)).y.tolist()
        (3, [1, 2])
    """

    x: Tree
    y: Tree
    weight: Array | None = None

    def __len__(self) -> int:
        return count(self.x)

    def rows(self, which: Any) -> "Part":
        """Return the part of some samples: a slice, a mask or their numbers in order."""
        weight = None if self.weight is None else self.weight[which]
        return Part(rows(self.x, which), rows(self.y, which), weight)

    def picked(self, numbers: npt.NDArray[np.int64]) -> "Part":
        """Return the part of some samples; inputs on a disk stay there until they are needed."""
        x = mapped(self.x, lambda array: rows_of(array, numbers))
        weight = None if self.weight is None else self.weight[numbers]
        return Part(x, rows(self.y, numbers), weight)

    def arrays(self, name: str) -> Iterator[tuple[str, Array]]:
        """Yield all arrays with what to call them, as `x_train` or `y_train["price"]`.

        Args:
            name: The part's: `train`, `validation` or `test`.
        """
        yield from leaves(self.x, f"x_{name}")
        yield from leaves(self.y, f"y_{name}")
        if self.weight is not None:
            yield f"weight_{name}", self.weight


@dataclass(frozen=True, eq=False)
class Given:
    """A data set as a reader found it, before it is split and scaled.

    Args:
        train: What to train on; where there is no validation part, that is split off from it.
        validation: What to validate on, None if the data set has no such part.
        test: What the finished model is measured on once, None if the data set has no such part.
        standardise: Whether inputs are to be standardised; what a user's function returns is not.
        standardise_targets: Whether targets are to be as well, if they are amounts.
        classes: What the class numbers stand for, in order; empty if nobody knows.
        features: What the columns of a table stand for, in order; empty if nobody knows.
        notes: What the user should know about how the data were read, one sentence each.
    """

    train: Part
    validation: Part | None = None
    test: Part | None = None
    standardise: bool = False
    standardise_targets: bool = False
    classes: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def scaled(self, standardise: bool) -> "Given":
        """Return the data set with everything standardised that can be, or nothing."""
        return replace(self, standardise=standardise, standardise_targets=standardise)

    def parts(self) -> dict[str, Part]:
        """Return the parts that there are, by name."""
        named = {name: getattr(self, name) for name in ("train", "validation", "test")}
        return {name: part for name, part in named.items() if part is not None}

    def arrays(self) -> Iterator[tuple[str, Array]]:
        """Yield all arrays with what to call them."""
        for name, part in self.parts().items():
            yield from part.arrays(name)


# --- trees ---


def leaves(tree: Tree, name: str) -> Iterator[tuple[str, Array]]:
    """Yield the arrays of a tree with what Python calls them; names of a dict are sorted.

    Example:
        >>> import numpy as np
        >>> [label for label, _ in leaves((np.zeros(1), np.zeros(1)), "x")]
        ['x[0]', 'x[1]']
    """
    if isinstance(tree, dict):
        yield from ((f'{name}["{key}"]', tree[key]) for key in sorted(tree))
    elif isinstance(tree, tuple):
        yield from ((f"{name}[{index}]", array) for index, array in enumerate(tree))
    else:
        yield name, tree


def mapped(tree: Tree, function: Callable[[Array], Array]) -> Tree:
    """Return a tree of the same structure with a function applied to every array."""
    if isinstance(tree, dict):
        return {key: function(array) for key, array in tree.items()}
    if isinstance(tree, tuple):
        return tuple(function(array) for array in tree)
    return function(tree)


def rows(tree: Tree, which: Any) -> Tree:
    """Return some rows of every array: a slice, a mask or their numbers in order."""
    return mapped(tree, lambda array: array[which])


def joined(trees: list[Tree]) -> Tree:
    """Return trees of one structure as one, their rows one after the other."""
    if isinstance(trees[0], dict):
        return {name: np.concatenate([t[name] for t in trees]) for name in trees[0]}  # type: ignore[call-overload]
    if isinstance(trees[0], tuple):
        return tuple(np.concatenate(arrays) for arrays in zip(*trees, strict=True))
    return np.concatenate(trees)  # type: ignore[arg-type]


def count(tree: Tree) -> int:
    """Return the number of rows of a tree's first array; 0 for one without rows."""
    first = next((array for _, array in leaves(tree, "")), None)
    return 0 if first is None or not first.shape else len(first)


def row_shapes(tree: Tree) -> Any:
    """Return the shape of one row: a tuple, or a dict or tuple of them as the tree has arrays."""
    if isinstance(tree, dict):
        return {key: array.shape[1:] for key, array in tree.items()}
    if isinstance(tree, tuple):
        return tuple(array.shape[1:] for array in tree)
    return tree.shape[1:]


# --- fingerprints ---


class _Hash(Protocol):
    def update(self, data: Any, /) -> None: ...


def fingerprint(given: Given) -> str:
    """Return the SHA-256 of names, types, shapes and bytes of all arrays.

    Neither how it is split nor whether it is standardised is in it.
    """
    digest = hashlib.sha256()
    for name, array in given.arrays():
        add_to(digest, name, array)
    return digest.hexdigest()


def add_to(digest: _Hash, name: str, array: Array) -> None:
    """Add one array to a hash, a memory map in blocks."""
    digest.update(f"{name}\0{array.dtype.str}\0{array.shape}\0".encode())
    if not array.size:
        return
    for _, block in blocks(array):
        digest.update(block.tobytes())


def blocks(array: Array) -> Iterator[tuple[int, Array]]:
    """Yield an array in blocks of rows of some megabytes, each with the number of its first row."""
    if not array.shape:
        yield 0, array
        return
    row = max(1, array.nbytes // max(1, len(array)))
    step = max(1, _BLOCK_BYTES // row)
    for start in range(0, len(array), step):
        yield start, array[start : start + step]
