"""A convolutional network with BatchNorm, and pictures of the shape of CIFAR-10's.

lrlab find-lr examples/vision/one_cycle.yaml --trust examples/vision/vision.py
lrlab compare examples/vision/*.yaml --trust examples/vision/vision.py
"""

import keras
import numpy as np
from keras import layers

CLASSES = 10


def build(input_shape, outputs, width=12):
    """Return a functional model; lrlab calls it with the shape and the classes of the data."""
    inputs = keras.Input(input_shape)
    x = layers.Rescaling(1 / 127.5, offset=-1)(inputs)
    for filters in (width, 2 * width):
        x = layers.Conv2D(filters, 3, strides=2, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization()(x)
        x = layers.ReLU()(x)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(0.1)(x)
    return keras.Model(inputs, layers.Dense(outputs, activation="softmax")(x))


def load(train=1600, test=400):
    """Return coloured stripes on noise, as `keras.datasets.cifar10.load_data` returns pictures.

    A class is an angle of the stripes together with a colour; one label in twenty is wrong.
    """
    rng = np.random.default_rng(0)
    labels = rng.integers(0, CLASSES, train + test)
    across, down = np.meshgrid(np.arange(32), np.arange(32))
    angle = (labels % 5) * np.pi / 5
    phase = rng.uniform(0, 2 * np.pi, len(labels))
    turned = across * np.cos(angle)[:, None, None] + down * np.sin(angle)[:, None, None]
    stripes = np.sin(0.9 * turned + phase[:, None, None])
    colour = np.where(labels[:, None] < 5, [1.0, 0.6, 0.3], [0.3, 0.6, 1.0])
    pictures = 128 + 40 * stripes[..., None] * colour[:, None, None, :]
    pictures += rng.normal(0, 45, pictures.shape)
    pictures = np.clip(pictures, 0, 255).astype(np.uint8)
    wrong = rng.random(len(labels)) < 0.05
    labels = np.where(wrong, rng.integers(0, CLASSES, len(labels)), labels)
    return (pictures[:train], labels[:train]), (pictures[train:], labels[train:])
