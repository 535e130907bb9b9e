"""The LR sweep of any compiled Keras model, which is left as it was."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import keras
import numpy as np

from lrlab.config.given import whole
from lrlab.errors import UsageError
from lrlab.finder import extending, span, sweep
from lrlab.finder.extending import Span, Stated, Tried
from lrlab.finder.suggestion import Verdict, suggest
from lrlab.finder.sweep import StoppedBy
from lrlab.integrations.keras.found_rates import FoundRates
from lrlab.integrations.keras.preservation import preserved
from lrlab.integrations.keras.sweep_batches import Batch, batches
from lrlab.integrations.keras.swept_step import SweptStep
from lrlab.tasks import sizes
from lrlab.training.sweeping import padded


def find_lr(
    model: Any,
    x: Any = None,
    y: Any = None,
    *,
    sample_weight: Any = None,
    class_weight: Mapping[int, float] | None = None,
    validation_data: Any = None,
    batch_size: int | None = None,
    min_lr: float | None = None,
    max_lr: float | None = None,
    steps: int | None = None,
    seed: int = 0,
    seeds: int = span.SEEDS,
    chance: float | None = None,
) -> FoundRates:
    """Sweep the learning rate of a compiled Keras model and suggest rates for it.

    It takes what `fit` takes. Every step is the model's own training step, `train_step` or
    `compute_loss` of its class included, with a new optimizer of the same settings; every sweep
    begins at the model's present weights. Afterwards, also after an exception or Ctrl-C, all is as
    before, bit for bit: the model's variables, its optimizer, and Python's, NumPy's, TensorFlow's
    and Keras' random state. A generator has moved on.

    Of several optimizers in one (`keras.optimizers.MultiOptimizer`) the fastest gets the swept
    rate, and the others keep their distance to it. Under a `tf.distribute` strategy each replica
    gets its share of every batch.

    Args:
        model: A built and compiled model.
        x: Inputs, an array of shape (samples, ...) or a list, tuple or dictionary of such; or
            batches: a `tf.data.Dataset`, a `keras.utils.PyDataset` or a generator, begun again
            where one ends, a generator apart.
        y: Targets in the same manner; None for a model without a loss of targets, or batches.
        sample_weight: What each sample counts in the loss, shape (samples,).
        class_weight: What the samples of each class count in the loss, by the class' number.
        validation_data: Taken so that the arguments of a `fit` can be passed on; a sweep goes by
            the losses of training, and does not look at it.
        batch_size: Samples a step, > 0; default 32. Not for batches.
        min_lr: The first rate, > 0; default 1e-6.
        max_lr: The last rate, > `min_lr`; default 10.
        steps: Steps of a sweep, >= 2; default one epoch, but at least 200 and at most 500; 200
            where nobody knows how long an epoch is. Where that gives no number, another sweep
            follows, and a third one, with other rates or more steps unless they are given.
        seed: Seed of the first sweep's sample order, >= 0; the others take the next ones.
        seeds: How many sweeps, >= 1.
        chance: Loss of a guess that ignores the input, if it is known; see `suggest`.

    Returns:
        The sweeps, the suggested rates and the verdict; no rates unless the verdict is `ok`.

    Raises:
        UsageError: If the model is not built and compiled, its step reports no `loss`, its
            optimizer's rate cannot be set, the data do not match, or a number is out of its range.

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
    _check_model(model)
    if class_weight is not None and sample_weight is not None:
        raise UsageError(
            "`class_weight` and `sample_weight` cannot both be given, as in `fit`",
            "multiply them into one `sample_weight`",
        )
    if batch_size is not None:
        batch_size = _at_least(1, "batch_size", batch_size)
    source = batches(x, y, sample_weight, batch_size, targets=model.loss is not None)
    seed, seeds = _at_least(0, "seed", seed), _at_least(1, "seeds", seeds)
    stated = Stated(
        None if min_lr is None else _positive("min_lr", min_lr),
        None if max_lr is None else _positive("max_lr", max_lr),
        None if steps is None else _at_least(2, "steps", steps),
    )
    if stated.low >= stated.high:
        given = f"{stated.high:g} and {stated.low:g}"
        raise UsageError(f"`max_lr` must be greater than `min_lr`, got {given}")
    if chance is not None:
        chance = _number("chance", chance)
    epoch = source.steps_per_epoch or span.FEWEST_STEPS
    at: Span | None = stated.first(epoch)
    sweeps: list[Tried] = []
    with preserved(model) as restore, SweptStep.of(model, class_weight) as step:

        def one(number: int, rates: sweep.Floats) -> tuple[list[float], StoppedBy]:
            swept = _sweep(step, source.of_sweep(number, rates.size), rates)
            restore()
            step.reset()
            return swept

        while at is not None:
            rates = sweep.rates(min_lr=at.min_lr, max_lr=at.max_lr, steps=at.steps)
            swept = [one(number, rates) for number in range(seed, seed + seeds)]
            losses = np.stack([padded(each, at.steps) for each, _ in swept])
            found = suggest(rates, losses, chance=chance)
            sweeps.append(extending.tried(at, found.verdict, losses))
            at = extending.next_span(sweeps, stated, epoch)
    kept = {field.name: getattr(found, field.name) for field in dataclasses.fields(found)}
    return FoundRates(
        **kept,
        lr=rates,
        losses=losses,
        stopped_by=tuple(reason for _, reason in swept),
        sweeps=len(sweeps),
        tip=_tip(model, found.verdict, x, y),
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


def _tip(model: Any, verdict: Verdict, x: Any, y: Any) -> str:
    """Return what else may help where there is no rate; empty where nothing would."""
    if verdict in (Verdict.OK, Verdict.TOO_SHORT):
        return ""
    found = []
    if sizes.is_far(x):
        found.append("inputs of mean 0 and deviation 1")
    if sizes.is_far(y) and model.loss is not None:
        found.append("targets of mean 0 and deviation 1")
    if verdict is not Verdict.DIVERGED_AT_ONCE and isinstance(
        model.optimizer, keras.optimizers.SGD
    ):
        found.append('`compile(optimizer="adam", ...)`')
    return "or try " + ", or ".join(found) if found else ""


def _check_model(model: Any) -> None:
    """Make sure that there is something to train."""
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
    if not model.trainable_variables:
        raise UsageError("the model has nothing to train: all its weights are frozen")


def _sweep(
    step: SweptStep, given: Iterator[Batch], rates: sweep.Floats
) -> tuple[list[float], StoppedBy]:
    """Train one step at each rate; return the losses up to the sweep's end, and what ended it."""
    losses: list[float] = []
    for lr in rates:
        losses.append(step(next(given), float(lr)))
        ended = sweep.stop(losses)
        if ended is not None:
            return losses[: ended[0]], ended[1]
    return losses, StoppedBy.COMPLETED
