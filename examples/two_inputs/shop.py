"""A model with two inputs: a picture and a row of numbers.

lrlab find-lr examples/two_inputs/one_cycle.yaml --trust examples/two_inputs/shop.py
lrlab compare examples/two_inputs/*.yaml --trust examples/two_inputs/shop.py
"""

import keras
import numpy as np
from keras import layers


def load(train=1600, test=400):
    """Return shoes and what is known of them, in a dict with a name for each input.

    A picture shows one of three shapes, the numbers say for what weather it is; only both together
    tell the six classes apart.
    """
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 6, train + test)
    pictures = rng.normal(0, 1, (len(labels), 12, 12, 1)).astype(np.float32)
    for shape in range(3):
        pictures[labels % 3 == shape, 4 * shape : 4 * shape + 4] += 0.8
    numbers = rng.normal(0, 1, (len(labels), 4)).astype(np.float32)
    numbers[:, 0] += np.where(labels < 3, -1.5, 1.5)
    x = {"picture": pictures, "numbers": numbers}
    return (
        ({name: rows[:train] for name, rows in x.items()}, labels[:train]),
        ({name: rows[train:] for name, rows in x.items()}, labels[train:]),
    )


def build(input_shape, outputs):
    """Return a functional model; `input_shape` is a dict, as the inputs are."""
    inputs = {name: keras.Input(shape, name=name) for name, shape in input_shape.items()}
    seen = layers.Flatten()(layers.Conv2D(8, 4, strides=4, activation="relu")(inputs["picture"]))
    x = layers.Concatenate()([seen, inputs["numbers"]])
    x = layers.Dense(32, activation="relu")(x)
    return keras.Model(inputs, layers.Dense(outputs, activation="softmax")(x))
