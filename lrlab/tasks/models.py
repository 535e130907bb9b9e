"""The reference Keras models; Keras itself is imported inside the functions."""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import count
from typing import Any

Build = Callable[[Sequence[int], int, int], Any]
"""Returns a fresh model for an input shape, a number of classes and a seed."""

MOST_PARAMETERS = 100_000_000
"""Training takes about 20 bytes for each of them."""

_LAYER_SEEDS = 1_000
"""How far apart the seeds of two runs are; each layer of a run takes the next."""


def build(model: str | Build, input_shape: Sequence[int], classes: int, seed: int) -> Any:
    """Return a freshly initialised Keras model that ends in class probabilities.

    Its weights are a function of the seed alone; no global random state is read or changed.

    * `mlp`: Dense 300 selu, Dense 100 selu, softmax; lecun_normal (Géron, Hands-On Machine
      Learning, 2nd edition, chapter 11).
    * `cnn`: convolutions 3x3 to 16 and to 32 channels, stride 2 in place of pooling
      (Springenberg et al., 2014, https://arxiv.org/abs/1412.6806: on a processor pooling costs
      as much as the convolutions), Dense 64, relu, softmax; he_normal.

    Args:
        model: `mlp`, `cnn`, or a function that makes the model.
        input_shape: Shape of one image: (features,), (height, width) or (height, width, channels).
        classes: Number of classes, >= 2.
        seed: Seed of the weights, >= 0.

    Raises:
        ValueError: If the model cannot take images of that shape, or would be too large.
    """
    if not isinstance(model, str):
        return model(input_shape, classes, seed)
    _check_size(model, input_shape, classes)
    return _MODELS[model](tuple(input_shape), classes, count(_LAYER_SEEDS * seed))


def misfit(model: str | Build, shape: Sequence[int]) -> str | None:
    """Return why a reference model cannot take images of a shape, None if it can.

    Example:
        >>> misfit("cnn", (8,))
        '`cnn` needs images of at least 4x4 pixels, got features of shape (8,)'
    """
    if model != "cnn" or (len(shape) > 1 and min(shape[:2]) >= 4):
        return None
    what = "images" if len(shape) > 1 else "features"
    return f"`cnn` needs images of at least 4x4 pixels, got {what} of shape {tuple(shape)}"


def _check_size(model: str, shape: Sequence[int], classes: int) -> None:
    """Refuse what would fill the memory before any of it is made."""
    values = math.prod(shape)
    count = 300 * values + 100 * classes if model == "mlp" else 128 * values + 64 * classes
    if count > MOST_PARAMETERS:
        raise ValueError(
            f"model `{model}` would have {count:,} parameters for {values:,} values an image and "
            f"{classes:,} classes, more than {MOST_PARAMETERS:,}: use smaller images"
        )


def _mlp(shape: tuple[int, ...], classes: int, seeds: Iterator[int]) -> Any:
    from keras import Input, Sequential, layers
    from keras.initializers import LecunNormal

    return Sequential(
        [
            Input(shape),
            layers.Flatten(),
            layers.Dense(300, "selu", kernel_initializer=LecunNormal(next(seeds))),
            layers.Dense(100, "selu", kernel_initializer=LecunNormal(next(seeds))),
            layers.Dense(classes, "softmax", kernel_initializer=LecunNormal(next(seeds))),
        ]
    )


def _cnn(shape: tuple[int, ...], classes: int, seeds: Iterator[int]) -> Any:
    from keras import Input, Sequential, layers
    from keras.initializers import GlorotUniform, HeNormal

    if wrong := misfit("cnn", shape):
        raise ValueError(f"model {wrong}")
    convolution = partial(
        layers.Conv2D, kernel_size=3, strides=2, padding="same", activation="relu"
    )
    channels = shape if len(shape) == 3 else (*shape, 1)
    return Sequential(
        [
            Input(shape),
            layers.Reshape(channels),
            convolution(16, kernel_initializer=HeNormal(next(seeds))),
            convolution(32, kernel_initializer=HeNormal(next(seeds))),
            layers.Flatten(),
            layers.Dense(64, "relu", kernel_initializer=HeNormal(next(seeds))),
            layers.Dense(classes, "softmax", kernel_initializer=GlorotUniform(next(seeds))),
        ]
    )


_MODELS = {"mlp": _mlp, "cnn": _cnn}
