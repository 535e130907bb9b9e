"""Reference models of convolutions: `cnn`, `lenet`, `cnn_bn`."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from lrlab.tasks.models.reference import Head, Reference, Shape, images_from, with_channels


def cnn(shape: Shape, head: Head, seeds: Iterator[int]) -> Any:
    """Convolutions 3x3 to 16 and to 32 channels, stride 2 in place of pooling, Dense 64, relu.

    he_normal. Springenberg et al. (2014), https://arxiv.org/abs/1412.6806: on a processor pooling
    costs as much as the convolutions.
    """
    from keras import Input, Sequential, layers
    from keras.initializers import GlorotUniform, HeNormal

    convolution = partial(
        layers.Conv2D, kernel_size=3, strides=2, padding="same", activation="relu"
    )
    return Sequential(
        [
            Input(shape),
            layers.Reshape(with_channels(shape)),
            convolution(16, kernel_initializer=HeNormal(next(seeds))),
            convolution(32, kernel_initializer=HeNormal(next(seeds))),
            layers.Flatten(),
            layers.Dense(64, "relu", kernel_initializer=HeNormal(next(seeds))),
            layers.Dense(
                head.outputs, head.activation, kernel_initializer=GlorotUniform(next(seeds))
            ),
        ]
    )


def lenet(shape: Shape, head: Head, seeds: Iterator[int]) -> Any:
    """LeNet-5: convolutions 5x5 to 6 and 16 channels, average pooling, Dense 120 and 84, sigmoid.

    glorot_uniform. LeCun et al. (1998), https://doi.org/10.1109/5.726791, as Zhang et al., Dive
    into Deep Learning (2023), https://d2l.ai, have it in chapter 7: with a sigmoid throughout, and
    a last layer that is dense. It is slow to start, which makes its rate matter.
    """
    from keras import Input, Sequential, layers
    from keras.initializers import GlorotUniform

    convolution = partial(layers.Conv2D, kernel_size=5, activation="sigmoid")
    return Sequential(
        [
            Input(shape),
            layers.Reshape(with_channels(shape)),
            convolution(6, padding="same", kernel_initializer=GlorotUniform(next(seeds))),
            layers.AveragePooling2D(2),
            convolution(16, kernel_initializer=GlorotUniform(next(seeds))),
            layers.AveragePooling2D(2),
            layers.Flatten(),
            layers.Dense(120, "sigmoid", kernel_initializer=GlorotUniform(next(seeds))),
            layers.Dense(84, "sigmoid", kernel_initializer=GlorotUniform(next(seeds))),
            layers.Dense(
                head.outputs, head.activation, kernel_initializer=GlorotUniform(next(seeds))
            ),
        ]
    )


def cnn_bn(shape: Shape, head: Head, seeds: Iterator[int]) -> Any:
    """Two convolutions 3x3 (16, 32) with BatchNorm, relu and max pooling; Dense 64, Dropout 0.3.

    he_normal. Ioffe and Szegedy (2015), https://arxiv.org/abs/1502.03167; Srivastava et al. (2014),
    https://jmlr.org/papers/v15/srivastava14a.html.
    """
    from keras import Input, Sequential, layers
    from keras.initializers import GlorotUniform, HeNormal

    stages = [
        layer
        for channels in (16, 32)
        for layer in (
            layers.Conv2D(
                channels,
                3,
                padding="same",
                use_bias=False,
                kernel_initializer=HeNormal(next(seeds)),
            ),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.MaxPooling2D(2),
        )
    ]
    return Sequential(
        [
            Input(shape),
            layers.Reshape(with_channels(shape)),
            *stages,
            layers.Flatten(),
            layers.Dense(64, "relu", kernel_initializer=HeNormal(next(seeds))),
            layers.Dropout(0.3, seed=next(seeds)),
            layers.Dense(
                head.outputs, head.activation, kernel_initializer=GlorotUniform(next(seeds))
            ),
        ]
    )


CNN = Reference(cnn, images_from(4), lambda values, outputs, _: 128 * values + 64 * outputs)
LENET = Reference(
    lenet, images_from(12), lambda values, outputs, _: 120 * values + 84 * outputs + 25 * 6 * 16
)
CNN_BN = Reference(cnn_bn, images_from(4), lambda values, outputs, _: 128 * values + 64 * outputs)
