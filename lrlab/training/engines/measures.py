"""Metrics inside the compiled graph: what is summed up over steps, and what it comes to."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lrlab.io.npz import Array
from lrlab.tasks.task import Task
from lrlab.training.engines.loaded import keras, tf

Tally = tuple[Any, ...]
"""What has been summed up so far: tensors in the graph, arrays outside."""


class Measure(ABC):
    """A metric as a fold over batches: `update` is traced, `result` is not."""

    zero: tuple[Array, ...]
    """The tally before the first batch."""

    @abstractmethod
    def update(self, tally: Tally, y: Any, predicted: Any) -> Tally:
        """Return the tally after another batch."""

    @abstractmethod
    def result(self, tally: Sequence[Array], examples: int) -> float:
        """Return the metric's value over so many examples."""

    def right(self, y: Any, predicted: Any) -> Any:
        """Return of each example whether it is right, shape (batch,); of no use by default."""
        return tf.zeros([0], tf.bool)


class ShareOfRight(Measure):
    """The accuracy: how many examples are right, counted in whole numbers."""

    zero = (np.int32(0),)  # type: ignore[assignment]

    def __init__(self, task: Task, logits: bool) -> None:
        self._kind = task.kind
        self._threshold = 0.0 if logits else 0.5

    def update(self, tally: Tally, y: Any, predicted: Any) -> Tally:
        """Count those of another batch."""
        (correct,) = tally
        return (correct + tf.reduce_sum(tf.cast(self.right(y, predicted), tf.int32)),)

    def result(self, tally: Sequence[Array], examples: int) -> float:
        """Return the share."""
        return int(tally[0]) / examples

    def right(self, y: Any, predicted: Any) -> Any:
        """Return which examples are right; ties go to the first class, as in Keras."""
        if self._kind == "binary":
            found = tf.reshape(predicted, [-1]) > self._threshold
            return tf.equal(found, tf.cast(tf.reshape(y, [-1]), tf.bool))
        found = tf.argmax(predicted, axis=-1, output_type=tf.int32)
        if self._kind == "one-hot":
            return tf.equal(found, tf.argmax(y, axis=-1, output_type=tf.int32))
        return tf.equal(found, tf.cast(tf.reshape(y, [-1]), tf.int32))


class OfKeras(Measure):
    """A metric of Keras, or a function as its mean, with its state handed from step to step.

    Args:
        make: Makes the metric.
        picked: Picks the output that it is of out of a structure of them.
    """

    def __init__(self, make: Callable[[], Any], picked: Callable[[Any], Any]) -> None:
        self._metric = make()
        self._picked = picked
        self.zero = tuple(variable.numpy() for variable in self._metric.variables)

    def update(self, tally: Tally, y: Any, predicted: Any) -> Tally:
        """Let Keras' metric sum up another batch."""
        y, predicted = self._picked(y), self._picked(predicted)
        return tuple(self._metric.stateless_update_state(list(tally), y, predicted))

    def result(self, tally: Sequence[Array], examples: int) -> float:
        """Return what Keras' metric makes of it."""
        found = self._metric.stateless_result([tf.constant(value) for value in tally])
        return float(np.mean(found.numpy()))  # F1 and the like have a value for each class.


def measure(task: Task, picked: Callable[[Any], Any], *, logits: bool = False) -> Measure:
    """Return the measure of a task's metric.

    Args:
        task: The task.
        picked: Picks the output that the metric is of out of a structure of outputs.
        logits: Whether the model gives logits, in which 0 is the middle between two classes.

    Raises:
        ValueError: If Keras has no metric of the name.
    """
    if task.counts_right and task.of_output is None:
        return ShareOfRight(task, logits)
    return OfKeras(lambda: _keras_metric(task, logits), picked)


_ACCURACIES = {
    "classification": "SparseCategoricalAccuracy",
    "tokens": "SparseCategoricalAccuracy",
    "one-hot": "CategoricalAccuracy",
    "binary": "BinaryAccuracy",
    "multi-label": "BinaryAccuracy",
}


def _keras_metric(task: Task, logits: bool) -> Any:
    name = task.metric.key
    if task.of_output is not None:
        name = name.removeprefix(f"{task.of_output}_")
    judged = task.measure
    if isinstance(judged, type):
        return judged()
    if isinstance(judged, keras.metrics.Metric):
        return judged.__class__.from_config(judged.get_config())
    if judged is not None:
        return keras.metrics.MeanMetricWrapper(judged, name=name)
    part = task.parts[task.of_output] if task.parts and task.of_output is not None else task
    if name in ("accuracy", "acc", "binary_accuracy"):
        settings = {"threshold": 0.0} if logits and part.activation == "sigmoid" else {}
        return getattr(keras.metrics, _ACCURACIES[part.kind])(name=name, **settings)
    found = keras.metrics.get(name)
    if isinstance(found, keras.metrics.Metric):
        return found
    return found() if isinstance(found, type) else keras.metrics.MeanMetricWrapper(found, name=name)
