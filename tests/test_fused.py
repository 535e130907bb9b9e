"""The kernel for momentum gives the bits of Keras' own update, whatever goes with it."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from lrlab.training.engines.fused import fuse

SIZES = ((1,), (3,), (7, 5), (16,), (17, 3), (64, 33), (1001,))
SETTINGS = {
    "plain": {},
    "nesterov": {"nesterov": True},
    "little momentum": {"momentum": 0.1},
    "all momentum": {"momentum": 1.0},
    "clipped": {"clipnorm": 0.5, "nesterov": True},
    "decay": {"weight_decay": 0.01},
    "average": {"use_ema": True, "ema_overwrite_frequency": 3},
    "accumulated": {"gradient_accumulation_steps": 2},
}


def trained(settings, *, fused, steps=12):
    """All variables after some steps with gradients that are the same for both."""
    rng = np.random.default_rng(4)
    weights = [keras.Variable(rng.normal(size=size).astype(np.float32)) for size in SIZES]
    optimizer = keras.optimizers.SGD(**({"learning_rate": 0.0, "momentum": 0.9} | settings))
    optimizer.build(weights)
    if fused:
        fuse(optimizer)

    @tf.function
    def step(rate, *gradients):
        optimizer.learning_rate.assign(rate)
        optimizer.apply(gradients, weights)

    for rate in np.geomspace(1e-6, 3.0, steps).astype(np.float32):
        step(tf.constant(rate), *(rng.normal(size=s).astype(np.float32) for s in SIZES))
    kernels = {op.type for op in step.get_concrete_function(rate, *weights).graph.get_operations()}
    variables = [v.numpy() for v in (*weights, *optimizer.variables)]
    return variables, "ResourceApplyKerasMomentum" in kernels


@pytest.mark.parametrize("name", SETTINGS)
def test_bits_are_those_of_keras(name):
    expected, by_kernel = trained(SETTINGS[name], fused=False)
    assert not by_kernel
    found, by_kernel = trained(SETTINGS[name], fused=True)
    assert by_kernel or name == "accumulated"  # That update is a branch of its own.
    assert [a.tobytes() == b.tobytes() for a, b in zip(expected, found, strict=True)] == [
        True for _ in expected
    ]


def test_rows_of_an_embedding_are_left_to_keras():
    table = keras.Variable(np.ones((9, 4), np.float32))
    optimizer = keras.optimizers.SGD(0.1, momentum=0.9)
    optimizer.build([table])
    fuse(optimizer)
    rows = tf.IndexedSlices(tf.ones((2, 4)), tf.constant([1, 5]), tf.constant([9, 4]))
    optimizer.apply([rows], [table])
    changed = (table.numpy() != 1).any(axis=1)
    assert changed.nonzero()[0].tolist() == [1, 5]


@pytest.mark.parametrize(
    "make", [keras.optimizers.SGD, keras.optimizers.Adam, keras.optimizers.RMSprop]
)
def test_other_optimizers_stay_as_they_are(make):
    optimizer = make(0.1)
    fuse(optimizer)
    assert "update_step" not in vars(optimizer)


def test_a_class_of_the_users_own_keeps_its_update():
    class Mine(keras.optimizers.SGD):
        pass

    optimizer = Mine(0.1, momentum=0.9)
    fuse(optimizer)
    assert "update_step" not in vars(optimizer)
