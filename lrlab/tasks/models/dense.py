"""Reference models of dense layers: `mlp`, `linear`."""

from collections.abc import Iterator
from typing import Any

from lrlab.tasks.models.reference import Head, Reference, Shape, any_shape


def mlp(shape: Shape, head: Head, seeds: Iterator[int]) -> Any:
    """Dense 300 selu, Dense 100 selu; lecun_normal.

    Géron, Hands-On Machine Learning, 2nd edition (2019), chapter 11.
    """
    from keras import Input, Sequential, layers
    from keras.initializers import LecunNormal

    return Sequential(
        [
            Input(shape),
            layers.Flatten(),
            layers.Dense(300, "selu", kernel_initializer=LecunNormal(next(seeds))),
            layers.Dense(100, "selu", kernel_initializer=LecunNormal(next(seeds))),
            layers.Dense(
                head.outputs, head.activation, kernel_initializer=LecunNormal(next(seeds))
            ),
        ]
    )


def linear(shape: Shape, head: Head, seeds: Iterator[int]) -> Any:
    """One dense layer: linear, logistic or softmax regression, as the head says; glorot_uniform.

    Zhang et al., Dive into Deep Learning (2023), chapters 3 and 4, https://d2l.ai.
    """
    from keras import Input, Sequential, layers
    from keras.initializers import GlorotUniform

    return Sequential(
        [
            Input(shape),
            layers.Flatten(),
            layers.Dense(
                head.outputs, head.activation, kernel_initializer=GlorotUniform(next(seeds))
            ),
        ]
    )


MLP = Reference(mlp, any_shape, lambda values, outputs, _: 300 * values + 100 * outputs)
LINEAR = Reference(linear, any_shape, lambda values, outputs, _: (values + 1) * outputs)
