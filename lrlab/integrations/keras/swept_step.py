"""One training step of a Keras model at a given rate, as `fit` would make it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf

from lrlab.errors import UsageError
from lrlab.integrations.keras.preservation import fresh_optimizer
from lrlab.integrations.keras.sweep_batches import Batch

_CHANGED = ("optimizer", "train_function", "steps_per_execution", "jit_compile")
"""What a model is lent while it is swept; XLA would take longer to compile than all steps take."""


class SweptStep:
    """Trains a model that has an optimizer of the same settings in place of its own.

    Args:
        model: A built and compiled model.
        class_weight: What the samples of each class count in the loss.
    """

    def __init__(self, model: Any, class_weight: Mapping[int, float] | None) -> None:
        self._model = model
        self._class_weight = dict(class_weight) if class_weight else None
        self._strategy = model.distribute_strategy
        with self._strategy.scope():
            optimizer, self._set_rate = fresh_optimizer(model.optimizer)
            optimizer.build(model.trainable_variables)
        model.optimizer, model.train_function = optimizer, None
        model.steps_per_execution, model.jit_compile = 1, False
        self._fresh = [(variable, variable.numpy()) for variable in optimizer.variables]
        self._is_split = self._strategy.num_replicas_in_sync > 1

    @classmethod
    @contextmanager
    def of(cls, model: Any, class_weight: Mapping[int, float] | None) -> Iterator["SweptStep"]:
        """Lend a model what a sweep needs, and give it its own back at the end."""
        own = {name: getattr(model, name) for name in _CHANGED}
        try:
            yield cls(model, class_weight)
        finally:
            for name, value in own.items():
                setattr(model, name, value)

    def reset(self) -> None:
        """Make the optimizer as if new, so that one trace serves all sweeps."""
        for variable, value in self._fresh:
            variable.assign(value)

    def __call__(self, batch: Batch, lr: float) -> float:
        """Train a batch and return its loss before the step.

        Raises:
            UsageError: If the model's own training step reports no loss.
        """
        self._set_rate(lr)
        x, y, weight = batch
        if self._is_split and self._model.train_function is not None:
            logs = self._on_replicas(x, y, weight)
        else:
            logs = self._model.train_on_batch(
                x, y, weight, class_weight=self._class_weight, return_dict=True
            )
        if "loss" not in logs:
            listed = ", ".join(f"`{name}`" for name in logs) or "nothing"
            raise UsageError(
                f"the model's own `train_step` reports {listed}, and no `loss` to sweep by",
                "let it return its loss under that name",
            )
        return float(logs["loss"])

    def _on_replicas(self, x: Any, y: Any, weight: Any) -> Any:
        """Train a batch of which every replica gets a share."""
        if self._class_weight is not None:
            weight = _weights_of(y, self._class_weight)
        count = self._strategy.num_replicas_in_sync

        def share(array: Any) -> Any:
            return self._strategy.experimental_distribute_values_from_function(
                lambda context: tf.convert_to_tensor(array)[
                    context.replica_id_in_sync_group :: count
                ]
            )

        self._model.reset_metrics()
        spread = tuple(
            None if part is None else keras.tree.map_structure(share, part)
            for part in (x, y, weight)
        )
        return self._model.train_function(iter([spread]))


def _weights_of(y: Any, class_weight: Mapping[int, float]) -> Any:
    targets = tf.convert_to_tensor(y)
    if len(targets.shape) > 1 and targets.shape[-1] > 1:
        targets = tf.argmax(targets, axis=-1)
    targets = tf.reshape(tf.cast(targets, tf.int32), [-1])
    known = [class_weight.get(i, 1.0) for i in range(int(tf.reduce_max(targets)) + 1)]
    return tf.gather(tf.constant(known, tf.float32), targets)
