"""Leaves a Keras model, and all random state, as they were before something was tried on them."""

import contextlib
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import keras

from lrlab.errors import UsageError
from lrlab.tasks.random_state import Restore, restorer

SetRate = Callable[[float], None]


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


def fresh_optimizer(optimizer: Any) -> tuple[Any, SetRate]:
    """Return a new optimizer of the same settings, and a function that sets its learning rate.

    The given one is not touched, whatever its rate is: a number, a schedule, a function. Of several
    in one, the function sets the fastest, and the others in proportion.

    Raises:
        UsageError: If it cannot be made again, or its rate cannot be set.
    """
    if isinstance(optimizer, getattr(keras.optimizers, "MultiOptimizer", ())):
        return _fresh_multi_optimizer(optimizer)
    config = optimizer.get_config()
    if "inner_optimizer" in config:
        inner, _ = fresh_optimizer(optimizer.inner_optimizer)
        config["inner_optimizer"] = keras.optimizers.serialize(inner)
    else:
        config["learning_rate"] = 0.0
    fresh = _made(type(optimizer), config)
    return fresh, _rate_of(fresh, 1.0)


def _fresh_multi_optimizer(optimizer: Any) -> tuple[Any, SetRate]:
    try:
        with warnings.catch_warnings():  # Of lambdas: they are refused below.
            warnings.simplefilter("ignore")
            config = optimizer.get_config()
        usual = type(optimizer).from_config(config)
        inner = config["optimizer_map"]["config"]
        members = [inner["default_optimizer"], *inner["optimizer_map"].values()]
        for member in members:
            member["config"]["learning_rate"] = 0.0
    except Exception as error:  # Whatever a function in place of a map leads to.
        raise UsageError(
            "the `MultiOptimizer` chooses by a function, which cannot be made again for a sweep",
            "give it a `keras.optimizers.OptimizerMap`",
        ) from error
    rates = [float(each.learning_rate) for each in usual.optimizers]
    fresh = _made(type(optimizer), config)
    most = max(rates)
    each = [
        _rate_of(one, rate / most if most else 1.0)
        for one, rate in zip(fresh.optimizers, rates, strict=True)
    ]

    def set_rate(lr: float) -> None:
        for set_one in each:
            set_one(lr)

    return fresh, set_rate


def _made(kind: Any, config: dict[str, Any]) -> Any:
    try:
        return kind.from_config(config)
    except Exception as error:  # A class of the user's raises whatever it likes.
        text = " ".join(str(error).split())[:300]
        raise UsageError(
            f"no optimizer like the model's, `{kind.__name__}`, can be made for the sweep: {text}",
            "its `from_config` must take what its `get_config` returns, `learning_rate` included",
        ) from error


def _rate_of(optimizer: Any, share: float) -> SetRate:
    try:
        optimizer.learning_rate = 0.0
    except (AttributeError, TypeError, ValueError) as error:
        raise UsageError(
            f"the learning rate of `{type(optimizer).__name__}` cannot be set: {error}",
            "a sweep needs an optimizer with one rate that can",
        ) from error

    def set_rate(lr: float) -> None:
        optimizer.learning_rate = share * lr

    return set_rate
