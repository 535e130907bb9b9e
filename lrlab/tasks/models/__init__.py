"""The reference Keras models, by name; Keras itself is imported inside the functions.

All of them are small enough for two cores, and their weights are a function of the seed alone.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any

from lrlab.tasks.models import attention, convolutional, dense, residual
from lrlab.tasks.models.reference import Head, Reference

Build = Callable[[Sequence[int], int, int], Any]
"""Returns a fresh model for an input shape, a number of outputs and a seed."""

MOST_PARAMETERS = 100_000_000
"""Training takes about 20 bytes for each of them."""

_LAYER_SEEDS = 1_000
"""How far apart the seeds of two runs are; each layer of a run takes the next."""

_MODELS: dict[str, Reference] = {
    "mlp": dense.MLP,
    "cnn": convolutional.CNN,
    "linear": dense.LINEAR,
    "lenet": convolutional.LENET,
    "cnn_bn": convolutional.CNN_BN,
    "resnet8": residual.RESNET8,
    "attention": attention.ATTENTION,
}

NAMES = tuple(_MODELS)
"""The names of the reference models."""


def build(
    model: str | Build,
    input_shape: Sequence[int],
    outputs: int,
    seed: int,
    *,
    activation: str | None = "softmax",
    vocabulary: int | None = None,
    per_position: bool = False,
) -> Any:
    """Return a freshly initialised Keras model.

    Its weights, and what its Dropout drops, are functions of the seed alone; no global random
    state is read or changed.

    Args:
        model: The name of a reference model, or a function that makes the model.
        input_shape: Shape of one sample: (features,), (height, width), (height, width, channels)
            or, of tokens, (length,).
        outputs: Units of the last layer: classes, labels or targets, >= 1.
        seed: Seed of the weights, >= 0.
        activation: Of the last layer: `softmax` for classes, `sigmoid` for labels, None for real
            numbers.
        vocabulary: How many tokens there are, for sequences of tokens; None for anything else.
        per_position: Whether a sequence has outputs for each of its tokens.

    Raises:
        ValueError: If the model cannot take samples of that shape, or would be too large.
    """
    if not isinstance(model, str):
        return model(input_shape, outputs, seed)
    if wrong := misfit(model, input_shape, vocabulary):
        raise ValueError(f"model {wrong}")
    _check_size(model, input_shape, outputs, vocabulary)
    head = Head(outputs, activation, vocabulary, per_position)
    return _MODELS[model].make(tuple(input_shape), head, count(_LAYER_SEEDS * seed))


def misfit(model: str | Build, shape: Any, vocabulary: int | None = None) -> str | None:
    """Return why a reference model cannot take samples of a shape, None if it can.

    Args:
        model: The name of a reference model; a function may take anything.
        shape: Shape of one sample, or a dict or tuple of them where there are several inputs.
        vocabulary: How many tokens there are, None if the input is no sequence of tokens.

    Example:
        >>> misfit("cnn", (8,))
        '`cnn` needs images of at least 4x4 pixels, got features of shape (8,)'
        >>> misfit("mlp", {"left": (8,), "right": (8,)})
        '`mlp` has one input, and the data have 2: `left`, `right`'
    """
    if not isinstance(model, str):
        return None
    if several := _inputs(shape):
        listed = ", ".join(f"`{name}`" for name in several)
        return f"`{model}` has one input, and the data have {len(several)}: {listed}"
    return _MODELS[model].misfit(model, tuple(shape), vocabulary)


def about(model: str) -> str:
    """Return what a reference model is, with its source."""
    return _MODELS[model].about


def _inputs(shape: Any) -> list[str]:
    """Return the names of several inputs; none if there is only one."""
    if isinstance(shape, Mapping):
        return [str(name) for name in shape]
    return [str(i) for i, axis in enumerate(shape) if not isinstance(axis, int)]


def _check_size(model: str, shape: Sequence[int], outputs: int, vocabulary: int | None) -> None:
    """Refuse what would fill the memory before any of it is made."""
    values = math.prod(shape)
    count = _MODELS[model].parameters(values, outputs, vocabulary or 0)
    if count > MOST_PARAMETERS:
        what = f"{values:,} values an image" if vocabulary is None else f"{vocabulary:,} tokens"
        remedy = "images" if vocabulary is None else "vocabularies"
        raise ValueError(
            f"model `{model}` would have {count:,} parameters for {what} and "
            f"{outputs:,} classes, more than {MOST_PARAMETERS:,}: use smaller {remedy}"
        )
