"""What tells a function from another that was given as an object: nothing stands for another."""

import enum
import functools
import importlib
import sys
import textwrap

import keras
import numpy as np
import pytest

from lrlab.errors import CodeError
from lrlab.tasks.given_code import GivenCode, Template, stand_in, unfolded
from lrlab.tasks.given_identity import digest_of


def cell(source, name="f"):
    """Return what a notebook's cell defines, as if it were run anew."""
    space = {"__name__": "__main__", "np": np, "keras": keras}
    exec(compile(textwrap.dedent(source), f"<cell of {len(source)}>", "exec"), space)
    return space[name]


def digest(source, name="f"):
    return digest_of("f", cell(source, name))


PLAIN = "def f(x):\n    return 2 * x\n"

SAME = {
    "run again": (PLAIN, PLAIN),
    "comments and layout": (PLAIN, "# Twice.\n\ndef f(x):  # once more\n    return (2 * x)\n"),
    "another function beside it": (PLAIN, "def other():\n    return 1\n" + PLAIN),
    "a constant that it does not use": (PLAIN, "WIDTH = 3\n" + PLAIN),
    "sets in another order": (
        "S = {'a', 'b', 'c'}\ndef f():\n    return S\n",
        "S = {'c', 'b', 'a'}\ndef f():\n    return S\n",
    ),
}

OTHER = {
    "a constant": (PLAIN, "def f(x):\n    return 3 * x\n"),
    "an operator": (PLAIN, "def f(x):\n    return 2 + x\n"),
    "a default": ("def f(x=1):\n    return x\n", "def f(x=2):\n    return x\n"),
    "a named default": ("def f(*, x=1):\n    return x\n", "def f(*, x=2):\n    return x\n"),
    "a global": (
        "W = 16\ndef f():\n    return W\n",
        "W = 32\ndef f():\n    return W\n",
    ),
    "a type": ("W = 1\ndef f():\n    return W\n", "W = 1.0\ndef f():\n    return W\n"),
    "an array": (
        "W = np.arange(3)\ndef f():\n    return W\n",
        "W = np.arange(3) + 1\ndef f():\n    return W\n",
    ),
    "a function that it calls": (
        "def g():\n    return 1\ndef f():\n    return g()\n",
        "def g():\n    return 2\ndef f():\n    return g()\n",
    ),
    "a global of a function inside": (
        "W = 1\ndef f():\n    return [W for _ in range(3)]\n",
        "W = 2\ndef f():\n    return [W for _ in range(3)]\n",
    ),
    "a closure": (
        "def make(n):\n    def f():\n        return n\n    return f\nf = make(1)\n",
        "def make(n):\n    def f():\n        return n\n    return f\nf = make(2)\n",
    ),
    "a method of a class": (
        "class A:\n    def g(self):\n        return 1\ndef f():\n    return A()\n",
        "class A:\n    def g(self):\n        return 2\ndef f():\n    return A()\n",
    ),
    "an attribute of a base class": (
        "class B:\n    n = 1\nclass A(B):\n    pass\ndef f():\n    return A()\n",
        "class B:\n    n = 2\nclass A(B):\n    pass\ndef f():\n    return A()\n",
    ),
    "an attribute of a library": (
        "def f():\n    return np.sin(1)\n",
        "def f():\n    return np.cos(1)\n",
    ),
    "a setting of a regulariser": (
        "R = keras.regularizers.L2(0.1)\ndef f():\n    return R\n",
        "R = keras.regularizers.L2(0.2)\ndef f():\n    return R\n",
    ),
    "a lambda": ("f = lambda x: x + 1\n", "f = lambda x: x + 2\n"),
    "a partial inside": (
        "import functools\ng = functools.partial(max, 1)\ndef f():\n    return g(3)\n",
        "import functools\ng = functools.partial(max, 2)\ndef f():\n    return g(3)\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("one", "other"), SAME.values(), ids=SAME.keys())
def test_what_does_not_change_a_function(one, other):
    assert digest(one) == digest(other)


@pytest.mark.parametrize(("one", "other"), OTHER.values(), ids=OTHER.keys())
def test_what_makes_another_function(one, other):
    assert digest(one) == digest(one)
    assert digest(one) != digest(other)


REFUSED = {
    "an object that nobody can tell": (
        "class A:\n    pass\nthing = A()\ndef f():\n    return thing\n",
        "`f` uses `thing`, an object of `A`, of which nobody can tell whether it has changed",
    ),
    "a layer": (
        "layer = keras.layers.Dense(2)\ndef f():\n    return layer\n",
        "`f` uses `layer`, an object of `Dense` made outside: all runs would share it",
    ),
    "an open file": (
        "import sys\nout = sys.stderr\ndef f():\n    return out\n",
        "of which nobody can tell",
    ),
    "an array of objects": (
        "W = np.array([{}, []], dtype=object)\ndef f():\n    return W\n",
        "`f` uses `W`, an object of `ndarray`",
    ),
    "a generator in a closure": (
        "def make():\n    rng = iter(())\n    def f():\n        return rng\n    return f\n"
        "f = make()\n",
        "`f` uses `rng`",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("source", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_refused_since_its_identity_would_lie(source, message):
    with pytest.raises(CodeError) as error:
        digest(source)
    assert message in error.value.message


def test_a_local_module_counts_as_it_was_loaded_an_installed_one_by_name(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    file = tmp_path / "given_nets.py"
    found = []
    for width in (1, 1, 2):
        file.write_text(f"OTHER = object()\n\ndef block():\n    return {width}\n")
        sys.modules.pop("given_nets", None)
        importlib.invalidate_caches()
        module = importlib.import_module("given_nets")
        attribute = cell("def f():\n    return given_nets.block()\n")
        attribute.__globals__["given_nets"] = module
        inside = cell("def f():\n    from given_nets import block\n    return block()\n")
        found.append((digest_of("f", attribute), digest_of("f", inside)))
    assert found[0] == found[1]
    assert found[0][0] != found[2][0]
    assert found[0][1] != found[2][1]
    file.write_text("def block():\n    return 3\n")  # Edited, and not imported again.
    assert digest_of("f", attribute) == found[2][0]


def test_kinds_of_values_that_are_told_apart():
    class Colour(enum.Enum):
        RED = 1

    values = [None, True, 1, 1.0, "1", b"1", (1,), [1], {1}, {1: 1}, Colour.RED, np.float32(1),
              np.ones(1), np.ones((1, 1)), np.ones(1, np.float32), np.sin, len, dict,
              ...]  # fmt: skip
    assert len({digest_of("f", value) for value in values}) == len(values)


def test_a_partial_is_a_function_with_arguments():
    def build(width, depth):
        return width, depth

    function, bound = unfolded(
        functools.partial(functools.partial(build, width=1, depth=2), width=3)
    )
    assert (function, bound) == (build, {"width": 3, "depth": 2})
    with pytest.raises(CodeError, match="must bind its arguments by name"):
        unfolded(functools.partial(build, 1))
    with pytest.raises(CodeError, match="a function is needed, got"):
        unfolded(3)


def test_settings_of_keras_belong_to_a_function_and_hold_while_it_runs():
    def policy():
        return keras.config.dtype_policy().name

    usual = GivenCode.of(policy)
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        mixed = GivenCode.of(policy)
    finally:
        keras.config.set_dtype_policy("float32")
    assert "keras" not in usual.identity()
    assert mixed.identity()["keras"] == {"dtype_policy": "mixed_bfloat16"}
    assert (usual.call({}), mixed.call({})) == ("float32", "mixed_bfloat16")
    assert policy() == "float32"


def small(units=4, rate=0.2):
    return keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(units), keras.layers.Dropout(rate)]
    )


def test_a_model_is_told_by_its_layers_and_not_by_the_names_that_keras_counts_up():
    first, second = Template(small()), Template(small())
    assert first._model.layers[0].name != second._model.layers[0].name
    assert first.identity() == second.identity()
    assert first.reference.text == second.reference.text == "python:sequential"
    others = [small(units=5), small(rate=0.3)]
    compiled = small()
    compiled.compile("sgd", "mse")
    other_loss = small()
    other_loss.compile("sgd", "mae")
    found = [Template(each).identity()["sha256"]["config"] for each in (compiled, other_loss)]
    found += [Template(each).identity()["sha256"]["config"] for each in others]
    assert len({*found, first.identity()["sha256"]["config"]}) == 5


def test_the_code_of_a_layer_of_ones_own_is_part_of_a_model():
    def model(factor):
        class Scaled(keras.layers.Layer):
            def call(self, x):
                return x * factor

        return keras.Sequential([keras.Input((3,)), Scaled(), keras.layers.Dense(1)])

    assert Template(model(2)).identity() == Template(model(2)).identity()
    assert Template(model(2)).identity() != Template(model(3)).identity()


def test_a_model_that_cannot_be_made_again_is_refused():
    class Wide(keras.Model):
        def __init__(self, width):
            super().__init__()
            self.dense = keras.layers.Dense(width)

        def call(self, x):
            return self.dense(x)

    with pytest.raises(CodeError, match=r"cannot be made again for each run: .*") as error:
        Template(Wide(3))
    assert error.value.hint == "give the function that makes it"


@pytest.mark.parametrize(
    ("name", "text"),
    [("build", "build"), ("<lambda>", "lambda"), ("my net", "my_net"), ("2d", "_2d"), ("ö", "_")],
)
def test_what_an_object_is_called(name, text):
    assert stand_in(name) == f"python:{text}"


def frozen(model):
    model.layers[0].trainable = False
    return model


def adapted():
    layer = keras.layers.Normalization()
    layer.adapt(np.ones((4, 3)))
    return keras.Sequential([keras.Input((3,)), layer, keras.layers.Dense(1)])


@pytest.mark.parametrize(
    ("make", "lost"), [(lambda: frozen(small()), "loaded with"), (adapted, "adapted to")]
)
def test_a_model_whose_layers_hold_more_than_they_would_be_made_with_is_refused(make, lost):
    with pytest.raises(CodeError, match=f"would lose what it was {lost}"):
        Template(make())
