"""A small network for tables.

lrlab find-lr examples/tabular/cosine.yaml --trust examples/tabular/regressor.py
lrlab compare examples/tabular/*.yaml --trust examples/tabular/regressor.py
"""

import keras
from keras import layers


def build(input_shape, outputs, width=32):
    """Return a model that gives one number per row, or as many as there are target columns."""
    return keras.Sequential(
        [
            keras.Input(input_shape),
            layers.Dense(width, activation="relu"),
            layers.Dense(width, activation="relu"),
            layers.Dense(outputs),
        ]
    )
