"""Whatever a user's code does to global random state, nobody sees it afterwards."""

import random
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from lrlab.tasks.random_state import preserved_random_state

DRAWS = {
    "python": lambda: random.random(),
    "numpy": lambda: float(np.random.rand()),  # noqa: NPY002
    "tensorflow": lambda: float(tf.random.uniform(())),
    "tensorflow's generator": lambda: float(tf.random.get_global_generator().uniform(())),
    "keras": lambda: float(keras.random.uniform(())),
    "an unseeded initializer": lambda: float(keras.initializers.RandomUniform()((1,))[0]),
}


def set_seeds(seed):
    keras.utils.set_random_seed(seed)
    tf.random.set_global_generator(tf.random.Generator.from_seed(seed))


def draw_all():
    return [draw() for draw in DRAWS.values()]


def meddle():
    draw_all()
    set_seeds(99)
    draw_all()


def test_what_was_drawn_and_seeded_is_undone():
    set_seeds(5)
    expected = [draw_all(), draw_all()]
    set_seeds(5)
    first = draw_all()
    with preserved_random_state():
        meddle()
    assert [first, draw_all()] == expected


def test_it_is_undone_when_the_block_fails():
    set_seeds(5)
    expected = draw_all()
    set_seeds(5)
    with pytest.raises(ZeroDivisionError), preserved_random_state(3):  # noqa: PT012
        meddle()
        raise ZeroDivisionError
    assert draw_all() == expected


@pytest.mark.parametrize("name", [name for name in DRAWS if "generator" not in name])
def test_a_seed_decides_what_is_drawn_in_the_block(name):
    drawn = []
    for seed in (7, 7, 8):
        DRAWS[name]()
        with preserved_random_state(seed):
            drawn.append(DRAWS[name]())
    assert drawn[0] == drawn[1] != drawn[2]


def test_large_seeds_are_taken():
    with preserved_random_state(2**40 + 1):
        one = np.random.rand()  # noqa: NPY002
    with preserved_random_state(1):
        assert one == np.random.rand()  # noqa: NPY002


def test_neither_library_is_imported_and_one_that_was_is_left_as_new():
    script = """
import random, sys
from lrlab.io.quiet import prepare_tensorflow
prepare_tensorflow()
from lrlab.tasks.random_state import preserved_random_state
with preserved_random_state(3):
    random.random()
assert not {"tensorflow", "keras"} & set(sys.modules)
with preserved_random_state():
    import keras
    keras.utils.set_random_seed(1)
from keras.src.utils.rng_utils import get_random_seed
assert get_random_seed() is None
import tensorflow as tf
from tensorflow.python.framework import random_seed
assert random_seed.get_seed(None) == (None, None)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_it_holds_while_a_function_is_traced():
    """Keras' layers run in traced functions, where no variable has a value at hand."""
    tf.random.set_global_generator(tf.random.Generator.from_seed(3))
    before = tf.random.get_global_generator().state.numpy()
    keras.utils.set_random_seed(1)
    keras.random.normal((2,))

    @tf.function
    def traced(x):
        with preserved_random_state():
            return x + 1.0

    assert float(traced(tf.constant(1.0))) == 2.0
    assert np.array_equal(tf.random.get_global_generator().state.numpy(), before)
