"""What `compile` would add to a model: its loss and optimizer, as `fit` would use them."""

import inspect
from collections.abc import Callable
from typing import Any

from lrlab.tasks.own_model import OwnModel
from lrlab.tasks.setup import Setup
from lrlab.tasks.task import Task
from lrlab.training.engines.loaded import keras, tf

LossOf = Callable[..., Any]
"""`loss(x, batch, predicted, training=...)`: the scalar that `fit` would report for a batch."""


def predicted(model: Any, x: Any, *, training: bool) -> Any:
    """Return a model's outputs for a batch; some `call` methods do not know of training."""
    if getattr(model, "_call_has_training_arg", True):
        return model(x, training=training)
    return model(x)


def loss_of(model: Any, setup: Setup) -> LossOf:
    """Compile a model for a setup and return its loss.

    A model of the user's that is compiled keeps its loss unless the experiment states another.
    """
    if not (isinstance(setup.model, OwnModel) and setup.task.loss is None and model.compiled):
        model.compile(optimizer="sgd", loss=_loss(model, setup), jit_compile=False)
    knows = "training" in inspect.signature(model.compute_loss).parameters
    weighted = _class_weights(setup)

    def loss(x: Any, batch: dict[str, Any], outputs: Any, *, training: bool) -> Any:
        weight = batch.get("weight")
        if weighted is not None:
            of_class = tf.gather(weighted, batch["y"])
            weight = of_class if weight is None else of_class * tf.cast(weight, of_class.dtype)
        more = {"training": training} if knows else {}
        return model.compute_loss(x=x, y=batch["y"], y_pred=outputs, sample_weight=weight, **more)

    return loss


def _class_weights(setup: Setup) -> Any:
    if setup.class_weight is None:
        return None
    weights = dict(setup.class_weight)
    return tf.constant([weights.get(i, 1.0) for i in range(setup.task.outputs)], tf.float32)


def _loss(model: Any, setup: Setup) -> Any:
    """Return the loss to compile with: stated, or usual for the targets of each output."""
    task = setup.task
    if task.parts is None:
        return _with_logits(model, task.loss, model_output(model))
    found = {
        name: _with_logits(model, part.loss, model_output(model, name))
        for name, part in task.parts.items()
    }
    return found if all(isinstance(name, str) for name in found) else list(found.values())


_ACTIVATED = ("softmax", "sigmoid")
_FROM_LOGITS = {
    "sparse_categorical_crossentropy": "SparseCategoricalCrossentropy",
    "categorical_crossentropy": "CategoricalCrossentropy",
    "binary_crossentropy": "BinaryCrossentropy",
}


def _with_logits(model: Any, loss: Any, output: Any) -> Any:
    """Return a cross-entropy that knows whether the model ends in probabilities or logits."""
    if loss not in _FROM_LOGITS:
        return loss
    return getattr(keras.losses, _FROM_LOGITS[loss])(from_logits=not ends_in_probabilities(output))


def model_output(model: Any, name: str | int | None = None) -> Any:
    """Return the symbolic output of a model, None where it has none, as subclassed ones."""
    outputs = getattr(model, "outputs", None)
    if not outputs:
        return None
    if name is None or isinstance(name, int):
        return outputs[name or 0]
    return outputs[list(model.output_names).index(name)] if name in model.output_names else None


def ends_in_probabilities(output: Any) -> bool:
    """Return whether what a model gives has gone through softmax or sigmoid.

    Of a subclassed model nobody can tell; as Keras does, it is taken to end in probabilities.
    """
    if output is None:
        return True
    layer = getattr(getattr(output, "_keras_history", None), "operation", None)
    if type(layer).__name__ in ("Softmax", "Sigmoid"):
        return True
    activation = getattr(layer, "activation", None)
    return getattr(activation, "__name__", None) in _ACTIVATED


def gives_logits(model: Any, task: Task) -> bool:
    """Return whether what the metric is of, of a task of yes or no, is a logit."""
    part = task.parts[task.of_output] if task.parts and task.of_output is not None else task
    output = model_output(model, task.of_output)
    return part.activation == "sigmoid" and not ends_in_probabilities(output)


def optimizer_of(model: Any, setup: Setup) -> Any:
    """Return a new optimizer for a setup, built for the model's variables."""
    optimizer = setup.optimizer.build()
    if any(getattr(layer.dtype_policy, "name", "") == "mixed_float16" for layer in model.layers):
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)  # As `compile` does.
    optimizer.build(model.trainable_variables)
    return optimizer
