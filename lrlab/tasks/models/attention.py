"""A reference model for sequences of tokens: `attention`."""

import math
from collections.abc import Iterator
from typing import Any

from lrlab.tasks.models.reference import Head, Reference, Shape

_WIDTH = 32
# From Keras' own 0.05 plain gradient descent hardly gets away.
_EMBEDDED = 0.5


def attention(shape: Shape, head: Head, seeds: Iterator[int]) -> Any:
    """A transformer block of one head and width 32 over token and position embeddings, then a mean.

    glorot_uniform; no token is masked. Vaswani et al. (2017), https://arxiv.org/abs/1706.03762, the
    encoder of section 3 with learned positions; outputs per position leave the mean out.
    """
    from keras import Input, Model, layers, ops
    from keras.initializers import GlorotUniform, RandomUniform

    def dense(units: int, activation: str | None = None) -> Any:
        return layers.Dense(units, activation, kernel_initializer=GlorotUniform(next(seeds)))

    def embedding(count: int) -> Any:
        initial = RandomUniform(-_EMBEDDED, _EMBEDDED, next(seeds))
        return layers.Embedding(count, _WIDTH, embeddings_initializer=initial)

    tokens = Input(shape, dtype="int32")
    places = ops.cumsum(ops.ones_like(tokens), axis=1) - 1
    x = embedding(head.vocabulary or 1)(tokens) + embedding(shape[0])(places)
    queries, keys, values = (dense(_WIDTH)(x) for _ in range(3))
    seen = layers.Attention()([queries / math.sqrt(_WIDTH), values, keys])
    x = layers.LayerNormalization()(x + dense(_WIDTH)(seen))
    x = layers.LayerNormalization()(x + dense(_WIDTH)(dense(2 * _WIDTH, "relu")(x)))
    if not head.per_position:
        x = layers.GlobalAveragePooling1D()(x)
    return Model(tokens, dense(head.outputs, head.activation)(x))


def _misfit(name: str, shape: Shape, vocabulary: int | None) -> str | None:
    if vocabulary is not None and len(shape) == 1:
        return None
    got = "numbers" if vocabulary is None else "tokens"
    return f"`{name}` needs sequences of tokens, of shape (length,), got {got} of shape {shape}"


ATTENTION = Reference(
    attention,
    _misfit,
    lambda values, outputs, vocabulary: _WIDTH * (values + vocabulary + outputs) + 9_000,
)
