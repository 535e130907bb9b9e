"""The reference Keras models; Keras itself is imported inside the functions."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import count
from typing import Any

from lrlab.tasks.nadam import nadam

Build = Callable[[Sequence[int], int, int], Any]
"""Returns a fresh model of an input shape, a number of classes and a seed, as `build` does."""

_LAYER_SEEDS = 1_000
"""How far apart the seeds of two runs are; each layer of a run takes the next."""


def build(name: str, input_shape: Sequence[int], classes: int, seed: int) -> Any:
    """Return a freshly initialised Keras model that ends in class probabilities.

    Its weights are a function of the seed alone; no global random state is read or changed.

    * `mlp`: Dense 300 selu, Dense 100 selu, softmax; lecun_normal (Géron, Hands-On Machine
      Learning, 2nd edition, chapter 11).
    * `cnn`: convolutions 3x3 to 16 and to 32 channels, stride 2 in place of pooling
      (Springenberg et al., 2014, https://arxiv.org/abs/1412.6806: on a processor pooling costs
      as much as the convolutions), Dense 64, relu, softmax; he_normal.

    Args:
        name: `mlp` or `cnn`.
        input_shape: Shape of one image: (features,), (height, width) or (height, width, channels).
        classes: Number of classes, >= 2.
        seed: Seed of the weights, >= 0.

    Raises:
        ValueError: If the model cannot take images of that shape.
    """
    return _MODELS[name](tuple(input_shape), classes, count(_LAYER_SEEDS * seed))


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

    if len(shape) < 2 or min(shape[:2]) < 4:
        raise ValueError(f"model `cnn` needs images of at least 4x4 pixels, got shape {shape}")
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


def optimizer(config: Any) -> Any:
    """Return the Keras optimizer that an experiment's `optimizer` states, at learning rate 0.

    The learning rate is assigned at every step, so the one given here is never used.
    """
    from keras import optimizers

    classes = {
        "sgd": optimizers.SGD,
        "adam": optimizers.Adam,
        "adamw": optimizers.AdamW,
        "nadam": optimizers.Nadam,
        "rmsprop": optimizers.RMSprop,
    }
    settings = config.model_dump(exclude={"type"}, exclude_none=True)
    if config.type == "nadam" and settings.pop("momentum_decay") != 1:
        return nadam(config.momentum_decay, learning_rate=0.0, **settings)
    return classes[config.type](learning_rate=0.0, **settings)
