"""Sizes: inputs and amounts that lie so far from 1 that good rates lie far from usual ones."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from lrlab.io.npz import Array
from lrlab.tasks.data_source import DataSource
from lrlab.tasks.parts import Tree, leaves
from lrlab.tasks.task import Task

USUAL = (0.01, 100.0)
"""Deviations of amounts, and of inputs, for which usual rates are good ones."""

NEAR_1 = (0.3, 3.0)
"""Sizes that standardising would hardly change."""

_ROWS = 1_000
"""Inputs that are looked at; there may be many."""


def doubts(x: Tree, y: Tree, task: Task, *, scaled: bool, scaled_targets: bool) -> Iterator[str]:
    """Yield which inputs or amounts are so large or small that good rates are far from usual ones.

    Args:
        x: The inputs to train on.
        y: The targets to train on.
        task: What they ask for.
        scaled: Whether inputs are standardised.
        scaled_targets: Whether amounts are.
    """
    if task.kind == "regression" and not scaled_targets:
        for label, array in leaves(y, "y_train"):
            deviation = _deviation(array)
            if not USUAL[0] <= deviation <= USUAL[1]:
                yield (
                    f"`{label}` varies by {deviation:.3g} and is not standardised: good rates are "
                    "far from usual ones, and a sweep may miss them; state `scale: standard`"
                )
    for label, array in leaves(x, "x_train"):
        if not scaled and array.dtype.kind == "f" and array.size:
            deviation = _deviation(array[:_ROWS])
            if deviation > USUAL[1]:
                yield (
                    f"`{label}` varies by {deviation:.3g} and is not standardised: unless the "
                    "model scales it, state `scale: standard`"
                )


def unscaled(source: DataSource) -> list[str]:
    """Return what of the data is neither standardised nor near 1: "inputs", "targets"."""
    given = source.given
    if given is None:
        return []
    found = []
    x = [array for _, array in leaves(given.train.x, "x") if array.dtype.kind == "f"]
    if not (given.standardise and source.standardise) and any(_far(each[:_ROWS]) for each in x):
        found.append("inputs")
    y = [array for _, array in leaves(given.train.y, "y") if array.dtype.kind == "f"]
    if source.task.kind == "regression" and not source.scales_targets and any(map(_far, y)):
        found.append("targets")
    return found


def is_far(given: Any) -> bool:
    """Return whether numbers that somebody gave to `fit`, if they are arrays, lie far from 1."""
    arrays = list(given.values()) if isinstance(given, dict) else given
    arrays = arrays if isinstance(arrays, list | tuple) else [arrays]
    found = [each for each in arrays if isinstance(each, np.ndarray) and each.dtype.kind == "f"]
    return any(_far(each[:_ROWS]) for each in found)


def _far(array: Array) -> bool:
    """Return whether the values lie far from 1, or far from 0 for how much they vary."""
    size = float(np.sqrt(np.square(array.astype(np.float64)).mean())) if array.size else 1.0
    return not NEAR_1[0] <= size <= NEAR_1[1]


def _deviation(array: Array) -> float:
    return float(array.astype(np.float64).std())
