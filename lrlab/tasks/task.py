"""The task: what the targets ask of a model, and by which loss and metric a run is judged."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

import numpy as np

from lrlab import metric
from lrlab.io.npz import Array
from lrlab.metric import ACCURACY, Metric
from lrlab.tasks.parts import Tree

Kind = Literal[
    "classification", "one-hot", "binary", "multi-label", "regression", "tokens", "several"
]
Loss: TypeAlias = str | Callable[..., Any] | None
"""A loss as Keras names it, a function, or None: the model's own, or several outputs' defaults."""

_LOSSES: dict[Kind, str] = {
    "classification": "sparse_categorical_crossentropy",
    "one-hot": "categorical_crossentropy",
    "binary": "binary_crossentropy",
    "multi-label": "binary_crossentropy",
    "regression": "mean_squared_error",
    "tokens": "sparse_categorical_crossentropy",
}

_ACTIVATIONS: dict[Kind, str | None] = {
    "classification": "softmax",
    "one-hot": "softmax",
    "tokens": "softmax",
    "binary": "sigmoid",
    "multi-label": "sigmoid",
    "regression": None,
}

MAE = metric.known("mae")
BINARY_ACCURACY = replace(ACCURACY, key="binary_accuracy")


@dataclass(frozen=True)
class Task:
    """What a model learns, and how it is judged.

    Args:
        kind: What the targets are.
        outputs: Values that the last layer gives for an example: classes, labels or targets.
        loss: The loss as Keras names it, or a function; None: the model's own.
        metric: The metric, of training, validation and test set alike.
        measure: The function that computes the metric; None: it is known by its name.
        of_output: Which output the metric is of, where there are several; None: the only one.
        parts: The task of each output, where there are several.
    """

    kind: Kind
    outputs: int
    loss: Loss
    metric: Metric
    measure: Callable[..., Any] | None = field(default=None, compare=False)
    of_output: str | int | None = None
    parts: Mapping[str | int, "Task"] | None = field(default=None, compare=False)

    def identity(self) -> list[Any]:
        """Return what tells how runs are judged, as JSON."""

        def own(function: Any) -> Any:
            return function.identity() if hasattr(function, "identity") else function

        judged = [self.metric.key, self.metric.mode, own(self.measure)]
        return [self.kind, own(self.loss), *judged]

    @property
    def loss_name(self) -> str | None:
        """What an axis calls the loss, None if it is the cross-entropy of classes."""
        if self.loss is None:
            return "loss"
        name = self.loss if isinstance(self.loss, str) else getattr(self.loss, "name", "loss")
        return None if name.endswith("categorical_crossentropy") else name.replace("_", " ")

    @property
    def activation(self) -> str | None:
        """The activation of a reference model's last layer."""
        return _ACTIVATIONS[self.kind]

    @property
    def counts_right(self) -> bool:
        """Whether the metric is the share of examples that are right."""
        return self.measure is None and self.metric.key == "accuracy" and self.kind != "tokens"


def of_kind(kind: Kind, outputs: int) -> Task:
    """Return the task of some kind of targets with its usual loss and metric."""
    judged = {"regression": MAE, "multi-label": BINARY_ACCURACY}.get(kind, ACCURACY)
    return Task(kind, outputs, _LOSSES[kind], judged)


CLASSIFICATION = of_kind("classification", 10)
"""The task of the built-in pictures of garments."""


def of_targets(y: Tree) -> Task:
    """Return what sound targets ask for.

    * whole numbers, one per example: classification
    * rows of zeros and a one: one-hot classification; of zeros and ones: several labels
    * real numbers, one or several per example: regression
    * whole numbers, several per example: tokens, one class per position

    Args:
        y: The targets of all parts together; arrays whose first axis counts examples. Several
            arrays are several outputs; the metric is then that of the first.

    Example:
        >>> of_targets(np.array([0, 2, 1])).loss, of_targets(np.array([0.5, 1.5])).metric.key
        ('sparse_categorical_crossentropy', 'mae')
    """
    if not isinstance(y, np.ndarray):
        pairs = y.items() if isinstance(y, dict) else enumerate(y)
        parts = {name: of_targets(array) for name, array in pairs}
        first = next(iter(parts))
        judged = parts[first].metric
        if isinstance(first, str):
            judged = replace(judged, key=f"{first}_{judged.key}")
        return Task("several", parts[first].outputs, None, judged, of_output=first, parts=parts)
    if y.dtype.kind == "f":
        return of_kind("regression", 1 if y.ndim == 1 else int(np.prod(y.shape[1:])))
    if y.ndim == 1 or y.shape[1:] == (1,):
        return of_kind("classification", int(y.max()) + 1)
    if _is_binary(y) and y.ndim == 2:
        one_hot = bool((y.sum(axis=1, dtype=np.int64) == 1).all())
        return of_kind("one-hot" if one_hot else "multi-label", y.shape[1])
    return of_kind("tokens", int(y.max()) + 1)


def _is_binary(y: Array) -> bool:
    return bool(((y == 0) | (y == 1)).all())
