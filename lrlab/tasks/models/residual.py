"""A reference model with skip connections: `resnet8`."""

from collections.abc import Iterator
from typing import Any

from lrlab.tasks.models.reference import Head, Reference, Shape, images_from, with_channels


def resnet8(shape: Shape, head: Head, seeds: Iterator[int]) -> Any:
    """A convolution 3x3, three residual blocks (8, 16, 32), average pooling; BatchNorm throughout.

    he_normal. He et al. (2015), https://arxiv.org/abs/1512.03385, section 4.2 with n = 1, at half
    the width, which is four times as fast; where a block changes the shape, the shortcut is a
    convolution 1x1 (their option B).
    """
    from keras import Input, Model, layers
    from keras.initializers import GlorotUniform

    inputs = Input(shape)
    x = layers.Reshape(with_channels(shape))(inputs)
    x = layers.ReLU()(_normed(x, seeds, 8))
    for channels, strides in ((8, 1), (16, 2), (32, 2)):
        inner = layers.ReLU()(_normed(x, seeds, channels, strides=strides))
        inner = _normed(inner, seeds, channels)
        skip = x if strides == 1 else _normed(x, seeds, channels, strides=strides, size=1)
        x = layers.ReLU()(layers.Add()([inner, skip]))
    x = layers.GlobalAveragePooling2D()(x)
    last = layers.Dense(
        head.outputs, head.activation, kernel_initializer=GlorotUniform(next(seeds))
    )
    return Model(inputs, last(x))


def _normed(x: Any, seeds: Iterator[int], channels: int, *, strides: int = 1, size: int = 3) -> Any:
    """Return a convolution of x, normalised over the batch."""
    from keras import layers
    from keras.initializers import HeNormal

    convolution = layers.Conv2D(
        channels, size, strides, "same", use_bias=False, kernel_initializer=HeNormal(next(seeds))
    )
    return layers.BatchNormalization()(convolution(x))


RESNET8 = Reference(resnet8, images_from(4), lambda values, outputs, _: 20_000 + 32 * outputs)
