"""Leaves a Keras model, and all random state, as they were before something was tried on them."""

import contextlib
import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from lrlab.training.engines.loaded import keras

Restore = Callable[[], None]


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
    parts = (_variables(model), _python(), _numpy(), _tensorflow(), _keras())

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


def _python() -> Restore:
    state = random.getstate()
    return lambda: random.setstate(state)


def _numpy() -> Restore:
    state = np.random.get_state()  # noqa: NPY002 - the model's own code may draw from it.
    return lambda: np.random.set_state(state)  # noqa: NPY002


def _tensorflow() -> Restore:
    from tensorflow.python.eager import context
    from tensorflow.python.ops import stateful_random_ops

    # There is no public access to either, short of making a global generator that was not there:
    # `tf.random.set_seed` keeps the seeds of eager operations in the first.
    seeds = getattr(context.context(), "_rng", None)
    kept_seeds = seeds.getstate() if seeds is not None else None
    generator = getattr(stateful_random_ops, "global_generator", None)
    kept = generator.state.numpy() if generator is not None else None

    def restore() -> None:
        if seeds is not None:
            seeds.setstate(kept_seeds)
        if generator is not None:
            generator.state.assign(kept)

    return restore


def _keras() -> Restore:
    from keras.src.backend.common import global_state

    # `keras.random` without a seed draws from here, and makes it when it is first needed.
    name = "global_seed_generator"
    generator = global_state.get_global_attribute(name)
    kept = generator.state.numpy() if generator is not None else None

    def restore() -> None:
        if generator is not None:
            generator.state.assign(kept)
        global_state.set_global_attribute(name, generator)

    return restore


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
