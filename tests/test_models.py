"""The reference models: functions of the seed alone, heads of every kind, misfits in words."""

import hashlib
import random

import keras
import numpy as np
import pytest

from lrlab.tasks import models

# (input shape, vocabulary) that a model takes.
TAKES = {name: ((12, 12, 3), None) for name in models.NAMES} | {"attention": ((12,), 20)}
TAKES |= {"linear": ((7,), None)}


def build(name, outputs=4, seed=3, **others):
    shape, vocabulary = TAKES[name]
    return models.build(name, shape, outputs, seed, vocabulary=vocabulary, **others)


def samples(name, count=64, seed=0):
    shape, vocabulary = TAKES[name]
    rng = np.random.default_rng(seed)
    if vocabulary is not None:
        return rng.integers(0, vocabulary, (count, *shape))
    return rng.normal(size=(count, *shape)).astype(np.float32)


# As lrlab 0.1 built them for images of shape (8, 9), four classes and seed 3.
UNCHANGED = {
    "mlp": "6d5979ff67fbc38918709565005b88b00b7b7b5c411c958b802198e5401a1829",
    "cnn": "3fe5e363ec4d4881ce3d90a52b7e2538827f2d0e89f4ef0005d670083070a796",
}


@pytest.mark.parametrize("name", UNCHANGED)
def test_what_was_there_before_is_unchanged(name):
    weights = models.build(name, (8, 9), 4, 3).get_weights()
    digest = hashlib.sha256(b"".join(each.tobytes() for each in weights)).hexdigest()
    assert digest == UNCHANGED[name]


@pytest.mark.parametrize("name", models.NAMES)
def test_weights_and_dropout_are_a_function_of_the_seed_alone(name):
    def run(global_seed, seed):
        keras.utils.set_random_seed(global_seed)
        state = random.getstate()
        model = build(name, seed=seed)
        assert random.getstate() == state
        model.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=True)
        for part in (0, 1):
            model.train_on_batch(samples(name, 16, part), np.arange(16) % 4)
        return [each.numpy() for each in model.variables]

    first, second, third = run(1, 3), run(2, 3), run(1, 4)
    assert all(np.array_equal(*pair) for pair in zip(first, second, strict=True))
    kernels = [(a, b) for a, b in zip(first, third, strict=True) if a.ndim > 1]
    assert kernels
    assert not any(np.array_equal(*pair) for pair in kernels)


@pytest.mark.parametrize("name", models.NAMES)
def test_no_two_layers_of_one_shape_begin_alike(name):
    kernels = [each.tobytes() for each in build(name).get_weights() if each.ndim > 1]
    assert len(set(kernels)) == len(kernels)


HEADS = [(10, "softmax"), (5, "sigmoid"), (1, None)]


@pytest.mark.parametrize("name", models.NAMES)
@pytest.mark.parametrize(("outputs", "activation"), HEADS)
def test_heads(name, outputs, activation):
    model = build(name, outputs, activation=activation)
    given = model(samples(name, 8)).numpy()
    assert given.shape == (8, outputs)
    if activation == "softmax":
        np.testing.assert_allclose(given.sum(axis=1), 1, rtol=1e-5)
    if activation == "sigmoid":
        assert ((given > 0) & (given < 1)).all()
    if activation is None:
        assert model.layers[-1].activation is keras.activations.linear


def test_outputs_per_position():
    model = build("attention", 6, per_position=True)
    assert model(samples("attention", 2)).shape == (2, 12, 6)


def test_attention_knows_where_a_token_stands():
    model = build("attention")
    one, two = np.array([[1] + [0] * 11]), np.array([[0] * 11 + [1]])
    assert not np.allclose(model(one), model(two), rtol=1e-6)


LAYERS = {
    "lenet": ["Reshape", "Conv2D", "AveragePooling2D", "Conv2D", "AveragePooling2D", "Flatten",
              "Dense", "Dense", "Dense"],
    "cnn_bn": ["Reshape", *["Conv2D", "BatchNormalization", "ReLU", "MaxPooling2D"] * 2,
               "Flatten", "Dense", "Dropout", "Dense"],
    "linear": ["Flatten", "Dense"],
}  # fmt: skip


@pytest.mark.parametrize("name", LAYERS)
def test_layers(name):
    assert [type(layer).__name__ for layer in build(name).layers] == LAYERS[name]


def test_published_sizes():
    """LeNet-5 as d2l.ai has it, and ResNet-8 of CIFAR's shape: weighted layers on the long path."""
    lenet = models.build("lenet", (28, 28), 10, 0)
    assert lenet.count_params() == 156 + 2416 + 48_120 + 10_164 + 850
    resnet = models.build("resnet8", (32, 32, 3), 10, 0)
    convolutions = [each for each in resnet.layers if isinstance(each, keras.layers.Conv2D)]
    assert sum(each.kernel_size == (3, 3) for each in convolutions) + 1 == 8
    assert sum(each.count_params() for each in convolutions) == (
        9 * (3 * 8 + 2 * 8 * 8 + 8 * 16 + 16 * 16 + 16 * 32 + 32 * 32) + 8 * 16 + 16 * 32
    )
    assert resnet.layers[-3].output.shape[1:] == (8, 8, 32)


@pytest.mark.parametrize("name", models.NAMES)
def test_the_expected_size_is_about_right(name):
    shape, vocabulary = TAKES[name]
    expected = models._MODELS[name].parameters(int(np.prod(shape)), 4, vocabulary or 0)
    assert expected / 5 < build(name).count_params() < 60_000 + 3 * expected


@pytest.mark.parametrize("name", models.NAMES)
def test_what_would_fill_the_memory_is_refused(name):
    shape, vocabulary = TAKES[name]
    if vocabulary is not None:
        with pytest.raises(ValueError, match=r"tokens and 2 classes.*use smaller vocabularies"):
            models.build(name, shape, 2, 0, vocabulary=10**8)
    else:
        with pytest.raises(ValueError, match=f"model `{name}` would have .* use smaller images"):
            models.build(name, shape, 10**9, 0)


MISFITS = {
    ("cnn", (8,)): "`cnn` needs images of at least 4x4 pixels, got features of shape (8,)",
    ("cnn", (3, 9)): "`cnn` needs images of at least 4x4 pixels, got images of shape (3, 9)",
    ("cnn_bn", (4, 3, 1)): "`cnn_bn` needs images of at least 4x4 pixels, got images of shape "
    "(4, 3, 1)",
    ("lenet", (11, 28)): "`lenet` needs images of at least 12x12 pixels, got images of shape "
    "(11, 28)",
    ("resnet8", (2, 8, 8, 3)): "`resnet8` needs images of at least 4x4 pixels, got samples of "
    "shape (2, 8, 8, 3)",
    ("attention", (12,)): "`attention` needs sequences of tokens, of shape (length,), got numbers "
    "of shape (12,)",
    ("linear", ((8,), (9,))): "`linear` has one input, and the data have 2: `0`, `1`",
}


@pytest.mark.parametrize(("name", "shape"), MISFITS)
def test_misfits(name, shape):
    assert models.misfit(name, shape) == MISFITS[name, shape]
    with pytest.raises(ValueError, match=r"^model `"):
        models.build(name, shape, 2, 0)


def test_tokens_of_another_shape_do_not_fit():
    expected = "`attention` needs sequences of tokens, of shape (length,), got tokens of shape"
    assert models.misfit("attention", (4, 12), 9) == f"{expected} (4, 12)"
    assert models.misfit("attention", (12,), 9) is None


@pytest.mark.parametrize(
    ("name", "pixels"), [("cnn", 4), ("cnn_bn", 4), ("lenet", 12), ("resnet8", 4)]
)
def test_the_smallest_images_are_taken(name, pixels):
    for shape in ((pixels, pixels), (pixels, pixels + 1, 2)):
        assert models.build(name, shape, 2, 0).output_shape == (None, 2)


def test_a_function_is_asked_for_the_model():
    assert models.build(lambda *given: given, (4,), 2, 7) == ((4,), 2, 7)
    assert models.misfit(lambda *given: given, ((4,), (5,))) is None


@pytest.mark.parametrize("name", models.NAMES)
def test_every_model_says_what_it_is_and_where_it_is_from(name):
    assert len(models.about(name)) > 80
    assert "(19" in models.about(name) or "(20" in models.about(name)
