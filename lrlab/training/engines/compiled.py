"""What `compile` would add to a model: its loss and optimizer, as `fit` would use them."""

import inspect
from collections.abc import Callable
from typing import Any

from lrlab.tasks.own_model import OwnModel
from lrlab.tasks.own_optimizer import CompiledOptimizer
from lrlab.tasks.setup import Setup
from lrlab.tasks.task import Task
from lrlab.training.engines.fused import fuse
from lrlab.training.engines.loaded import keras, tf

LossOf = Callable[..., Any]
"""`loss(x, batch, predicted, training=...)`: the scalar that `fit` would report for a batch."""


def loss_of(model: Any, setup: Setup) -> LossOf:
    """Compile a model for a setup and return its loss.

    A model of the user's that is compiled keeps its loss unless the experiment states another. As
    in `fit`, what a class counts plays a part in training only.
    """
    if not (isinstance(setup.model, OwnModel) and setup.task.loss is None and model.compiled):
        model.compile(optimizer="sgd", loss=_loss(model, setup), jit_compile=False)
    knows = "training" in inspect.signature(model.compute_loss).parameters
    counts = _class_counts(setup)

    def loss(x: Any, batch: dict[str, Any], outputs: Any, *, training: bool) -> Any:
        weight = batch.get("weight")
        if counts is not None and training:
            weight = counts(batch["y"])
        more = {"training": training} if knows else {}
        return model.compute_loss(x=x, y=batch["y"], y_pred=outputs, sample_weight=weight, **more)

    return loss


def _class_counts(setup: Setup) -> Callable[[Any], Any] | None:
    """Return what gives the weight of each example by its class, None where all count alike."""
    if setup.class_weight is None:
        return None
    stated = dict(setup.class_weight)
    classes = max(2, setup.task.outputs)
    table = tf.constant([stated.get(i, 1.0) for i in range(classes)], tf.float32)

    def counts(y: Any) -> Any:
        of_rows = setup.task.kind == "one-hot"
        return tf.gather(table, tf.argmax(y, axis=-1, output_type=tf.int32) if of_rows else y)

    return counts


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


def output_of(model: Any, name: str | int | None) -> Callable[[Any], Any]:
    """Return what picks an output out of a structure of outputs, or of targets.

    Args:
        model: The model, whose outputs may have names.
        name: The output's name or number, None where there is only one.
    """
    names = list(getattr(model, "output_names", None) or [])

    def picked(outputs: Any) -> Any:
        if name is None:
            return outputs
        if isinstance(outputs, dict):
            return outputs[name] if name in outputs else outputs[names[int(name)]]
        return outputs[names.index(name) if isinstance(name, str) else name]

    return picked


def gives_logits(model: Any, task: Task) -> bool:
    """Return whether what the metric is of, of a task of yes or no, is a logit."""
    part = task.parts[task.of_output] if task.parts and task.of_output is not None else task
    output = model_output(model, task.of_output)
    return part.activation == "sigmoid" and not ends_in_probabilities(output)


def optimizer_of(model: Any, setup: Setup, own: Any) -> Any:
    """Return a new optimizer for a setup, built for the model's variables.

    Args:
        model: The model.
        setup: The setup.
        own: The optimizer that the model was compiled with when it was built.
    """
    stated = setup.optimizer
    optimizer = own if isinstance(stated, CompiledOptimizer) else stated.build()
    scaled = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
    if model.dtype_policy.name == "mixed_float16" and not scaled:
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)  # As `compile` does.
    optimizer.build(model.trainable_variables)
    fuse(optimizer)
    return optimizer
