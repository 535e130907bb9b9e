"""The models of `throughput.py` that are a user's own: functions in a file, as lrlab takes them."""

from typing import Any

from keras import Input, Model, Sequential, layers

SHAPE = (28, 28)


def normed() -> Any:
    """The book's MLP with BatchNorm behind each hidden layer, and Dropout."""
    return Sequential(
        [
            Input(SHAPE),
            layers.Flatten(),
            layers.Dense(300, use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Dropout(0.2),
            layers.Dense(100, use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Dropout(0.2),
            layers.Dense(10, "softmax"),
        ]
    )


def lenet() -> Any:
    """LeNet-5 with relu and max pooling, as people write it today."""
    return Sequential(
        [
            Input(SHAPE),
            layers.Reshape((*SHAPE, 1)),
            layers.Conv2D(6, 5, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(16, 5, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(120, "relu"),
            layers.Dense(84, "relu"),
            layers.Dense(10, "softmax"),
        ]
    )


def resnet8() -> Any:
    """A residual network of three blocks, 8 to 32 channels, with BatchNorm."""
    inputs = Input(SHAPE)
    x = layers.Reshape((*SHAPE, 1))(inputs)
    x = layers.ReLU()(_normed(x, 8))
    for channels, strides in ((8, 1), (16, 2), (32, 2)):
        inner = layers.ReLU()(_normed(x, channels, strides))
        skip = x if strides == 1 else _normed(x, channels, strides, 1)
        x = layers.ReLU()(layers.Add()([_normed(inner, channels), skip]))
    return Model(inputs, layers.Dense(10, "softmax")(layers.GlobalAveragePooling2D()(x)))


def _normed(x: Any, channels: int, strides: int = 1, size: int = 3) -> Any:
    convolved = layers.Conv2D(channels, size, strides, "same", use_bias=False)(x)
    return layers.BatchNormalization()(convolved)
