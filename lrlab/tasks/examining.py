"""A user's model held against its data once, before anything is trained.

Keras is imported inside functions only.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lrlab import metric
from lrlab.errors import CodeError
from lrlab.metric import Metric
from lrlab.tasks.data_source import DataSource
from lrlab.tasks.own_model import OwnModel, variables_of
from lrlab.tasks.own_optimizer import CompiledOptimizer, check
from lrlab.tasks.stated_task import SCALABLE
from lrlab.tasks.task import Task, of_kind


@dataclass(frozen=True)
class Examined:
    """What is known of a user's model once it has been built.

    Args:
        task: The task with the model's own loss and metric, where it is compiled.
        optimizer: Its own optimizer, None where it has none.
        parameters: How many weights are trained.
        batch: The number of examples that each batch must have, None if it may be any.
        raw_targets: Whether it is compiled with a loss that wants amounts as they are.
    """

    task: Task
    optimizer: CompiledOptimizer | None
    parameters: int
    batch: int | None = None
    raw_targets: bool = False


def examine(model: OwnModel, source: DataSource, stated: Task | None) -> Examined:
    """Build a user's model twice and check it against its data, before anything is trained.

    Args:
        model: The model.
        source: What it will be trained on.
        stated: The task as the experiment states it; None: as the targets ask for it.

    Raises:
        CodeError: If it cannot be built, gives other weights the second time, has nothing to
            train, training steps or randomness of its own that lrlab's loop would not reach, or
            cannot take the data.
    """
    import keras

    task = stated or source.task
    first, second = (model(source.shape, task.outputs, 0, source.sample()) for _ in range(2))
    _check_training(first, model)
    _check_equal(first, second, model)
    batch = _batch_of(first)
    sample = source.sample(batch or 2)
    outputs = keras.tree.map_structure(lambda y: tuple(y.shape), model.call(first, sample))
    if task.kind == "classification" and task.outputs == 2 and _gives_one(outputs):
        task = replace(of_kind("binary", 1), metric=task.metric, measure=task.measure)
    optimizer = None
    if first.compiled:
        check(first.optimizer, f"the optimizer that `{model.label}` is compiled with")
        if stated is None:
            task = replace(task, loss=None)
            task = _with_own_metric(task, first)
        optimizer = CompiledOptimizer.of(first.optimizer)
    _check_outputs(outputs, task, model, source)
    trained = sum(int(np.prod(v.shape)) for v in first.trainable_variables)
    return Examined(task, optimizer, trained, batch, first.compiled and _wants_raw(first.loss))


def _wants_raw(loss: Any) -> bool:
    """Return whether the loss that a model is compiled with is not one of those of any unit."""
    import keras

    if isinstance(loss, keras.losses.MeanSquaredError | keras.losses.MeanAbsoluteError):
        return False
    return (loss if isinstance(loss, str) else getattr(loss, "__name__", "")) not in SCALABLE


def _check_training(built: Any, model: OwnModel) -> None:
    import keras

    for name in ("train_step", "make_train_function"):
        own = getattr(getattr(built, name), "__func__", None)
        if own is not getattr(keras.Model, name):
            raise CodeError(
                f"`{model.label}` has a `{name}` of its own, which lrlab's loop would not call",
                "override `compute_loss` instead, or use `lrlab.KerasSchedule` with your own `fit`",
            )


def _batch_of(built: Any) -> int | None:
    """Return how many examples a model wants in each batch, None if it does not say."""
    inputs = getattr(built, "inputs", None) or []
    return next((int(each.shape[0]) for each in inputs if each.shape[0] is not None), None)


def _check_equal(first: Any, second: Any, model: OwnModel) -> None:
    ones, others = variables_of(first), variables_of(second)
    pairs = list(zip(ones, others, strict=False))
    if len(ones) != len(others) or any(a.shape != b.shape for a, b in pairs):
        raise CodeError(
            f"`{model.label}` is another model each time it is built",
            "its layers must not depend on chance or on what was built before",
        )
    for one, other in pairs:
        if not np.array_equal(one.numpy(), other.numpy()):
            raise CodeError(
                f"`{model.label}` begins with other weights (`{one.path}`) each time it is built, "
                "although the seed is the same",
                "draw random numbers from `keras.random` or from the parameter `seed`",
            )
    if not first.trainable_variables:
        raise CodeError(f"`{model.label}` has nothing to train: all its weights are frozen")


def _gives_one(outputs: Any) -> bool:
    return isinstance(outputs, tuple) and outputs[1:] in ((1,), ())


def _check_outputs(outputs: Any, task: Task, model: OwnModel, source: DataSource) -> None:
    """Make sure that a single output has as many values as the targets ask for."""
    single = isinstance(outputs, tuple) and all(isinstance(n, int) for n in outputs)
    if not single or task.parts is not None or task.loss is None:
        return
    given = outputs[-1] if len(outputs) > 1 else 1
    classes = task.activation == "softmax"
    # More outputs than classes are spare; of anything else there must be as many as targets.
    if given < task.outputs or (given > task.outputs and not classes):
        wanted = f"{task.outputs} {'classes' if classes else 'values'}"
        raise CodeError(
            f"`{model.label}` gives {given} values per example; `{source.name}` asks for {wanted}",
            "take the number of outputs from the parameter `outputs`",
        )


def _with_own_metric(task: Task, built: Any) -> Task:
    """Return the task with the first metric that a model was compiled with."""
    stated = built.get_compile_config() or {}
    names = stated.get("metrics")
    first = names[0] if isinstance(names, list) and names else None
    if not isinstance(first, str) or first in ("accuracy", "acc"):
        return task
    try:
        judged: Metric = metric.known(first)
    except ValueError:
        return task
    return replace(task, metric=judged)
