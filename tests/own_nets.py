"""Models, losses, metrics, optimizers and data as users write them, for `test_own_models`."""

import keras
import numpy as np
from keras import layers, ops


def _compiled(model, loss, **more):
    model.compile(keras.optimizers.Adam(0.01), loss, **more)
    return model


# --- models ---


def sequential():
    return keras.Sequential(
        [keras.Input((6,)), layers.Dense(8, "relu"), layers.Dense(3, "softmax")]
    )


def unbuilt():
    return keras.Sequential([layers.Dense(8, "relu"), layers.Dense(3, "softmax")])


def compiled():
    return _compiled(sequential(), "sparse_categorical_crossentropy", metrics=["accuracy"])


def normed_and_dropped():
    return keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(8),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Dropout(0.4),
            layers.Dense(3, "softmax"),
        ]
    )


def dropped_by_seed(seed):
    drop = layers.Dropout(0.4, seed=seed)
    return keras.Sequential(
        [keras.Input((6,)), layers.Dense(8, "relu"), drop, layers.Dense(3, "softmax")]
    )


def two_inputs():
    left, right = keras.Input((4,), name="left"), keras.Input((3,), name="right")
    both = layers.Concatenate()([layers.Dense(5, "relu")(left), layers.Dense(5, "relu")(right)])
    return keras.Model({"left": left, "right": right}, layers.Dense(3, "softmax")(both))


def inputs_in_order():
    left, right = keras.Input((4,)), keras.Input((3,))
    both = layers.Concatenate()([layers.Dense(5, "relu")(left), layers.Dense(5, "relu")(right)])
    return keras.Model([left, right], layers.Dense(3, "softmax")(both))


def _two_heads():
    x = keras.Input((6,))
    inner = layers.Dense(8, "relu")(x)
    kind = layers.Dense(3, "softmax", name="kind")(inner)
    return x, kind, layers.Dense(1, name="size")(inner)


def two_outputs():
    x, kind, size = _two_heads()
    return keras.Model(x, [kind, size])


def two_named_outputs():
    x, kind, size = _two_heads()
    return keras.Model(x, {"kind": kind, "size": size})


def weighted_outputs():
    losses = {"kind": "sparse_categorical_crossentropy", "size": "mse"}
    return _compiled(two_outputs(), losses, loss_weights={"kind": 0.3, "size": 2.0})


def weighted_list():
    losses = ["sparse_categorical_crossentropy", "mse"]
    return _compiled(two_outputs(), losses, loss_weights=[0.3, 2.0])


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.inner = layers.Dense(8, "relu")
        self.norm = layers.BatchNormalization()
        self.drop = layers.Dropout(0.3)
        self.last = layers.Dense(3, "softmax")

    def call(self, x, training=False):
        x = self.norm(self.inner(x), training=training)
        return self.last(self.drop(x, training=training))


def subclassed():
    return Subclassed()


def subclassed_compiled():
    return _compiled(Subclassed(), "sparse_categorical_crossentropy")


class Plain(keras.Model):
    """Its `call` knows nothing of training."""

    def __init__(self):
        super().__init__()
        self.last = layers.Dense(3, "softmax")

    def call(self, x):
        return self.last(x)


def plain():
    return Plain()


class OwnLoss(keras.Model):
    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        usual = super().compute_loss(x, y, y_pred, sample_weight, training)
        return usual + 0.1 * ops.mean(ops.square(y_pred))


def own_compute_loss():
    x = keras.Input((6,))
    model = OwnLoss(x, layers.Dense(3, "softmax")(layers.Dense(8, "relu")(x)))
    return _compiled(model, "sparse_categorical_crossentropy")


class Penalty(layers.Layer):
    def call(self, x):
        self.add_loss(0.01 * ops.sum(ops.square(x)))
        return x


def add_loss():
    return keras.Sequential(
        [keras.Input((6,)), layers.Dense(8, "relu"), Penalty(), layers.Dense(3, "softmax")]
    )


def regularised():
    return keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(8, "relu", kernel_regularizer="l2", activity_regularizer="l1"),
            layers.Dense(3, "softmax", bias_regularizer="l1"),
        ]
    )


def frozen():
    model = normed_and_dropped()
    model.layers[0].trainable = False
    model.layers[1].trainable = False
    return model


def _mixed(policy):
    return keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(8, "relu", dtype=policy),
            layers.BatchNormalization(dtype=policy),
            layers.Dense(3, "softmax", dtype="float32"),
        ]
    )


def bfloat16():
    return _mixed("mixed_bfloat16")


def float16():
    keras.config.set_dtype_policy("mixed_float16")
    return _mixed("mixed_float16")


def float16_compiled():
    return _compiled(float16(), "sparse_categorical_crossentropy")


def float16_layers():
    """Mixed precision in layers alone, which Keras does not scale the loss for."""
    return _mixed("mixed_float16")


def logits():
    return keras.Sequential([keras.Input((6,)), layers.Dense(8, "relu"), layers.Dense(3)])


def sigmoid():
    return keras.Sequential(
        [keras.Input((6,)), layers.Dense(8, "relu"), layers.Dense(1, "sigmoid")]
    )


def sigmoid_logit():
    return keras.Sequential([keras.Input((6,)), layers.Dense(8, "relu"), layers.Dense(1)])


def several(outputs):
    return keras.Sequential([keras.Input((6,)), layers.Dense(8, "relu"), layers.Dense(outputs)])


def linear():
    return keras.Sequential([keras.Input((6,)), layers.Dense(8, "relu"), layers.Dense(1)])


def _tokens(*inner, masked=False):
    first = [keras.Input((5,), dtype="int32"), layers.Embedding(12, 4, mask_zero=masked)]
    return keras.Sequential([*first, *inner])


def gru():
    return _tokens(layers.GRU(6, dropout=0.2), layers.Dense(3, "softmax"))


def lstm():
    return _tokens(layers.Bidirectional(layers.LSTM(4)), layers.Dense(3, "softmax"))


def masked():
    return _tokens(layers.LSTM(4), layers.Dense(3, "softmax"), masked=True)


def per_position():
    last = layers.Dense(12, "softmax")
    return _tokens(layers.GRU(6, return_sequences=True), last, masked=True)


def attention():
    tokens = keras.Input((5,), dtype="int32")
    x = layers.Embedding(12, 8)(tokens)
    x = layers.LayerNormalization()(x + layers.MultiHeadAttention(2, 4, dropout=0.1)(x, x))
    return keras.Model(tokens, layers.Dense(3, "softmax")(layers.GlobalAveragePooling1D()(x)))


def stateful():
    x = keras.Input(batch_shape=(16, 5, 2))
    return keras.Model(x, layers.Dense(3, "softmax")(layers.GRU(4, stateful=True)(x)))


class Counter(layers.Layer):
    def build(self, shape):
        self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def call(self, x):
        self.calls.assign_add(1.0)
        return x / (1.0 + 0.01 * self.calls)


def counting():
    return keras.Sequential(
        [keras.Input((6,)), layers.Dense(8, "relu"), Counter(), layers.Dense(3, "softmax")]
    )


def convolutional():
    return keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            layers.Conv2D(4, 3),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(3, "softmax"),
        ]
    )


# --- losses, metrics, optimizers ---


def own_loss(y, predicted):
    return ops.mean(ops.abs(y - predicted) ** 1.5, axis=-1)


def within_one(y, predicted):
    near = ops.abs(ops.reshape(y, (-1,)) - ops.reshape(predicted, (-1,))) < 1
    return ops.cast(near, "float32")


def clipped(learning_rate):
    return keras.optimizers.RMSprop(learning_rate, clipnorm=0.5)


class Halved(keras.optimizers.SGD):
    """An optimizer of one's own class."""

    def update_step(self, gradient, variable, learning_rate):
        super().update_step(gradient * 0.5, variable, learning_rate)


def halved():
    return Halved(momentum=0.5)


# --- data: 90 rows to train on, 20 to validate on, so that the last of 16 is smaller ---

ROWS, HELD = 90, 20


def _parts(x, y, *weight):
    def rows(tree, which):
        return keras.tree.map_structure(lambda array: array[which], tree)

    train = tuple(rows(each, slice(ROWS)) for each in (x, y, *weight))
    held = tuple(rows(each, slice(ROWS, None)) for each in (x, y))
    return {"train": train, "validation": held}


def _numbers(*shape):
    x = np.random.default_rng(3).normal(size=(ROWS + HELD, *shape)).astype(np.float32)
    flat = x.reshape(len(x), -1)
    return x, np.argmax(flat[:, :3], axis=1), flat


def classes():
    x, kinds, _ = _numbers(6)
    return _parts(x, kinds)


def doubles():
    x, kinds, _ = _numbers(6)
    return _parts(x.astype(np.float64), kinds)


def weighted():
    x, kinds, flat = _numbers(6)
    return _parts(x, kinds, np.abs(flat[:, 0]).astype(np.float64))


def images():
    x, kinds, _ = _numbers(6, 6, 1)
    return _parts(x, kinds)


def pairs():
    x, kinds, _ = _numbers(7)
    return _parts({"left": x[:, :4], "right": x[:, 4:]}, kinds)


def ordered_pairs():
    x, kinds, _ = _numbers(7)
    return _parts((x[:, :4], x[:, 4:]), kinds)


def kinds_and_sizes():
    x, kinds, flat = _numbers(6)
    return _parts(x, {"kind": kinds, "size": flat.sum(axis=1)})


def two_targets():
    x, kinds, flat = _numbers(6)
    return _parts(x, (kinds, flat.sum(axis=1)))


def one_hot():
    x, kinds, _ = _numbers(6)
    return _parts(x, np.eye(3, dtype=np.float32)[kinds].astype(int))


def halves():
    x, _, flat = _numbers(6)
    return _parts(x, (flat[:, 0] > 0).astype(int))


def labels():
    x, _, flat = _numbers(6)
    return _parts(x, (flat[:, :3] > 0).astype(int))


def amounts():
    x, _, flat = _numbers(6)
    return _parts(x, flat.sum(axis=1))


def several_amounts():
    x, _, flat = _numbers(6)
    return _parts(x, flat[:, :2] ** 2)


def tokens():
    x = np.random.default_rng(3).integers(0, 12, (ROWS + HELD, 5))
    return _parts(x, x[:, 0] % 3)


def next_tokens():
    x = np.random.default_rng(3).integers(0, 12, (ROWS + HELD, 5))
    return _parts(x, (x + 1) % 12)


def sequences():
    x = np.random.default_rng(3).normal(size=(96 + 32, 5, 2)).astype(np.float32)
    kinds = np.argmax(x[:, 0, :], axis=1) + (x[:, 1, 0] > 0)
    return {"train": (x[:96], kinds[:96]), "validation": (x[96:], kinds[96:])}
