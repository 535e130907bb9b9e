"""A recurrent network on sequences of tokens.

lrlab find-lr examples/tokens/warmup.yaml --trust examples/tokens/reviews.py
lrlab compare examples/tokens/*.yaml --trust examples/tokens/reviews.py
"""

import keras
import numpy as np
from keras import layers

LENGTH, WORDS = 16, 100
PRAISE, BLAME, NOT = range(1, 21), range(21, 41), 41


def load(train=2400, test=400):
    """Return invented reviews: word numbers, padded with 0 at the end, and whether they are kind.

    Words of praise count 1, words of blame -1, and the word after a `not` counts the other way.
    """
    rng = np.random.default_rng(0)
    words = rng.integers(NOT + 1, WORDS, (train + test, LENGTH))
    opinion = rng.random(words.shape) < 0.5
    words[opinion] = rng.integers(PRAISE.start, BLAME.stop, opinion.sum())
    words[rng.random(words.shape) < 0.05] = NOT
    words[np.arange(LENGTH) >= rng.integers(8, LENGTH + 1, len(words))[:, None]] = 0
    value = np.isin(words, PRAISE) * 1 - np.isin(words, BLAME) * 1
    value[:, 1:] *= np.where(words[:, :-1] == NOT, -1, 1)
    kind = (value.sum(axis=1) + rng.uniform(-0.5, 0.5, len(words)) > 0).astype(np.int64)
    return (words[:train], kind[:train]), (words[train:], kind[train:])


def build(input_shape, outputs, width=24):
    """Return an embedding, a GRU that skips the padding, and one output per class."""
    inputs = keras.Input(input_shape, dtype="int32")
    x = layers.Embedding(WORDS, width, mask_zero=True)(inputs)
    x = layers.GRU(width)(x)
    return keras.Model(inputs, layers.Dense(outputs, activation="softmax")(x))
