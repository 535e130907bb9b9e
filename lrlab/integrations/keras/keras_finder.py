"""The LR sweep of any compiled Keras model, which is left as it was."""

import dataclasses
import inspect
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from lrlab.config.given import whole
from lrlab.errors import UsageError
from lrlab.finder import span, sweep
from lrlab.finder.suggestion import suggest
from lrlab.finder.sweep import StoppedBy
from lrlab.integrations.keras.found_rates import FoundRates
from lrlab.integrations.keras.preservation import fresh_optimizer, preserved
from lrlab.schedules import Length
from lrlab.training.orders import sweep_order
from lrlab.training.sweeping import padded

Step = Callable[[Any, Any, float], float]


def find_lr(
    model: Any,
    x: Any,
    y: Any,
    *,
    batch_size: int = 32,
    min_lr: float = span.MIN_LR,
    max_lr: float = span.MAX_LR,
    steps: int | None = None,
    seed: int = 0,
    seeds: int = span.SEEDS,
    chance: float | None = None,
) -> FoundRates:
    """Sweep the learning rate of a compiled Keras model and suggest rates for it.

    Every sweep trains from the model's present weights, with a new optimizer of the same
    settings. Afterwards, also after an exception or Ctrl-C, all is as before, bit for bit: the
    model's variables, its optimizer, and Python's, NumPy's, TensorFlow's and Keras' random state.

    Args:
        model: A built and compiled model; its own `train_step`, if any, is not used.
        x: Inputs, an array of shape (samples, ...) or a list, tuple or dictionary of such.
        y: Targets in the same manner.
        batch_size: Samples a step, > 0.
        min_lr: The first rate, > 0.
        max_lr: The last rate, > `min_lr`.
        steps: Steps of a sweep, >= 2; default one epoch, but at least 200 and at most 500.
        seed: Seed of the first sweep's sample order, >= 0; the others take the next ones.
        seeds: How many sweeps, >= 1.
        chance: Loss of a guess that ignores the input, if it is known; see `suggest`.

    Returns:
        The sweeps, the suggested rates and the verdict; no rates unless the verdict is `ok`.

    Raises:
        UsageError: If the model is not built and compiled, `x` and `y` do not match, or a number
            is out of its range.

    Example:
        >>> keras.utils.set_random_seed(0)
        >>> x = np.random.default_rng(0).normal(size=(640, 8)).astype("float32")
        >>> model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(1)])
        >>> model.compile(keras.optimizers.SGD(0.01), loss="mse")
        >>> found = find_lr(model, x, 3 * x[:, :1], seeds=1)
        >>> print(found.verdict, found.losses.shape)
        ok (1, 200)

    References:
        Leslie N. Smith, Cyclical Learning Rates for Training Neural Networks, 2017, section 3.3,
        https://arxiv.org/abs/1506.01186
    """
    samples = _samples(model, x, y)
    batch_size = _at_least(1, "batch_size", batch_size)
    seed, seeds = _at_least(0, "seed", seed), _at_least(1, "seeds", seeds)
    if steps is None:
        steps = span.default_steps(Length.of(samples, batch_size, 1).steps_per_epoch)
    steps = _at_least(2, "steps", steps)
    min_lr, max_lr = _positive("min_lr", min_lr), _positive("max_lr", max_lr)
    if min_lr >= max_lr:
        raise UsageError(f"`max_lr` must be greater than `min_lr`, got {max_lr:g} and {min_lr:g}")
    if chance is not None:
        chance = _number("chance", chance)
    rates = sweep.rates(min_lr=min_lr, max_lr=max_lr, steps=steps)
    swept = []
    with preserved(model) as restore:
        step, reset = _step_of(model)
        for number in range(seed, seed + seeds):
            order = sweep_order(samples, batch_size, steps, number)[: steps * batch_size]
            batches = order.reshape(steps, batch_size)
            swept.append(_sweep(step, x, y, rates, batches))
            restore()
            reset()
    losses = np.stack([padded(one, steps) for one, _ in swept])
    found = suggest(rates, losses, chance=chance)
    kept = {field.name: getattr(found, field.name) for field in dataclasses.fields(found)}
    return FoundRates(
        **kept, lr=rates, losses=losses, stopped_by=tuple(reason for _, reason in swept)
    )


def _at_least(least: int, name: str, given: Any) -> int:
    number = whole(name, given)
    if number < least:
        raise UsageError(f"`{name}` must be at least {least}, got {number}")
    return number


def _positive(name: str, given: Any) -> float:
    number = _number(name, given)
    if number <= 0:
        raise UsageError(f"`{name}` must be greater than 0, got {number:g}")
    return number


def _number(name: str, given: Any) -> float:
    number = isinstance(given, int | float | np.integer | np.floating)
    if not number or isinstance(given, bool) or not -np.inf < given < np.inf:
        raise UsageError(f"`{name}` must be a finite number, got {given!r}")
    return float(given)


def _samples(model: Any, x: Any, y: Any) -> int:
    """Return the number of samples; check that there is something to train."""
    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise UsageError(
            f"`find_lr` needs Keras' backend `tensorflow`, got `{backend}`",
            "set the environment variable KERAS_BACKEND=tensorflow before Keras is imported",
        )
    if not isinstance(model, keras.Model):
        raise UsageError(f"`model` must be a Keras model, got {type(model).__name__}")
    if not model.built:
        raise UsageError(
            "the model has no weights yet", "call it on a batch, or give it a `keras.Input`"
        )
    if not model.compiled:
        raise UsageError("the model has no optimizer and loss yet", "call its `compile` first")
    parts = [part for given in (x, y) for part in keras.tree.flatten(given)]
    if not all(hasattr(part, "__array__") and getattr(part, "shape", (1,)) != () for part in parts):
        raise UsageError(
            f"`x` and `y` must be arrays, got {type(x).__name__} and {type(y).__name__}",
            "give arrays, or lists, tuples or dictionaries of arrays; turn a data set into them",
        )
    sizes = {len(part) for part in parts}
    if len(sizes) != 1 or 0 in sizes:
        raise UsageError(f"`x` and `y` must hold equally many samples, got {sorted(sizes)}")
    return int(sizes.pop())


def _sweep(
    step: Step, x: Any, y: Any, rates: sweep.Floats, batches: npt.NDArray[np.int32]
) -> tuple[list[float], StoppedBy]:
    """Train one step at each rate; return the losses up to the sweep's end, and what ended it."""
    losses: list[float] = []
    for lr, picked in zip(rates, batches, strict=True):
        losses.append(step(_picked(x, picked), _picked(y, picked), lr))
        ended = sweep.stop(losses)
        if ended is not None:
            return losses[: ended[0]], ended[1]
    return losses, StoppedBy.COMPLETED


def _picked(arrays: Any, picked: npt.NDArray[np.int32]) -> Any:
    def take(array: Any) -> Any:
        if tf.is_tensor(array):
            return tf.gather(array, picked)
        return tf.convert_to_tensor(np.asarray(array)[picked])

    return keras.tree.map_structure(take, arrays)


def _step_of(model: Any) -> tuple[Step, Callable[[], None]]:
    """Return a function that trains a batch and returns its loss before the step, and a reset.

    The reset makes its optimizer as if new, so that one trace serves all sweeps.
    """
    optimizer = fresh_optimizer(model.optimizer)
    weights = model.trainable_variables
    optimizer.build(weights)
    fresh = [variable.numpy() for variable in optimizer.variables]
    # Keras passes `training` on only to models whose `call` takes it.
    training = {"training": True} if "training" in inspect.signature(model.call).parameters else {}

    def step(x: Any, y: Any, lr: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = model.compute_loss(
                x=x, y=y, y_pred=model(x, **training), sample_weight=None, training=True
            )
            scaled = optimizer.scale_loss(loss)
        optimizer.learning_rate.assign(lr)
        optimizer.apply(tape.gradient(scaled, weights), weights)
        return loss

    def reset() -> None:
        for variable, value in zip(optimizer.variables, fresh, strict=True):
            variable.assign(value)

    compiled = tf.function(step, autograph=False)
    return lambda x, y, lr: float(compiled(x, y, tf.constant(lr, tf.float32))), reset
