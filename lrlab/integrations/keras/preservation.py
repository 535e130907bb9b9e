"""Leaves a Keras model, and all random state, as they were before something was tried on them."""

import contextlib
from collections.abc import Iterator
from typing import Any

import keras

from lrlab.tasks.random_state import Restore, restorer


@contextlib.contextmanager
def preserved(model: Any) -> Iterator[Restore]:
    """Keep all state of a built model, and of the random generators; put it back at the end.

    The state comes back bit for bit however the block ends, also by an exception or Ctrl-C: the
    variables of the model (weights, moving statistics, seed generators), those of its metrics,
    and the global generators of Python, NumPy, TensorFlow and Keras.

    Args:
        model: A built Keras model.

    Yields:
        A function that puts the state back at once, as often as it is called.
    """
    parts = (_variables(model), restorer())

    def restore() -> None:
        for part in parts:
            part()

    try:
        yield restore
    finally:
        restore()


def _variables(model: Any) -> Restore:
    kept = [(variable, variable.numpy()) for variable in _state_of(model)]
    known = {id(variable) for variable, _ in kept}

    def restore() -> None:
        for variable, value in kept:
            variable.assign(value)
        for metric in model.metrics:
            # A loss of several outputs makes its metrics when it is first computed.
            if any(id(variable) not in known for variable in metric.variables):
                metric.reset_state()

    return restore


def _state_of(model: Any) -> list[Any]:
    metrics = [variable for metric in model.metrics for variable in metric.variables]
    return list({id(variable): variable for variable in (*model.variables, *metrics)}.values())


def fresh_optimizer(optimizer: Any) -> Any:
    """Return a new optimizer of the same settings, its learning rate a variable to be assigned.

    The given one is not touched, whatever its rate is: a number, a schedule, a function.
    """
    config = optimizer.get_config()
    if "inner_optimizer" in config:
        inner = fresh_optimizer(optimizer.inner_optimizer)
        config["inner_optimizer"] = keras.optimizers.serialize(inner)
    else:
        config["learning_rate"] = 0.0
    return type(optimizer).from_config(config)
