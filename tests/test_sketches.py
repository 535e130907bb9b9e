"""The embedded data set: the same bytes everywhere, balanced, and ten different things to see."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from lrlab.tasks.sketches import BLOCK, CLASS_NAMES, draw_split, sketches

# Correctly rounded arithmetic on raw PCG64 bits: these hold on every machine and for every NumPy.
TRAIN_SHA256 = "01c03538400ad4cc656e1600c207949fe2716539e217fb7c19dc0f8f41fdb633"
TEST_SHA256 = "12cdd9afc4e7359a75b3bf0a02a4ef00155330a57a6128a0fab371a39e3c2b3d"


@pytest.fixture(scope="module")
def drawn():
    return sketches(2 * BLOCK, BLOCK)


def sha256(*arrays):
    return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()


def test_bytes_are_pinned(drawn):
    x_train, y_train, x_test, y_test = drawn
    assert sha256(x_train, y_train) == TRAIN_SHA256
    assert sha256(x_test, y_test) == TEST_SHA256


def test_order_of_drawing_does_not_matter(drawn):
    test, train = draw_split(1, BLOCK), draw_split(0, 2 * BLOCK)
    for found, expected in zip((*train, *test), drawn, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_threads_do_not_matter(drawn):
    with ThreadPoolExecutor(2) as pool:
        train, test = pool.map(draw_split, (0, 1), (2 * BLOCK, BLOCK))
    for found, expected in zip((*train, *test), drawn, strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("count", [0, 1, 10, BLOCK - 1, BLOCK, BLOCK + 1])
def test_fewer_images_are_the_beginning_of_more(drawn, count):
    x_train, y_train, x_test, y_test = sketches(count, 0)
    np.testing.assert_array_equal(x_train, drawn[0][:count])
    np.testing.assert_array_equal(y_train, drawn[1][:count])
    assert x_test.shape == (0, 28, 28)
    assert y_test.shape == (0,)


def test_default_is_the_size_of_fashion_mnist():
    x_train, y_train, x_test, y_test = sketches()
    assert [x_train.shape, x_test.shape] == [(60_000, 28, 28), (10_000, 28, 28)]
    assert {array.dtype for array in (x_train, y_train, x_test, y_test)} == {np.dtype(np.uint8)}
    assert all(array.flags.c_contiguous for array in (x_train, y_train, x_test, y_test))
    assert np.bincount(y_train).tolist() == [6_000] * 10
    assert np.bincount(y_test).tolist() == [1_000] * 10
    assert np.bincount(y_train[:5_000]).tolist() == [500] * 10
    assert len({image.tobytes() for image in (*x_train, *x_test)}) == 70_000


def test_labels_are_shuffled(drawn):
    labels = drawn[1].astype(int)
    assert np.mean(labels[1:] == labels[:-1]) == pytest.approx(0.1, abs=0.02)


def test_background_is_black_and_no_image_is_empty_or_full(drawn):
    x_train = drawn[0]
    cloth = (x_train > 20).reshape(len(x_train), -1).mean(axis=1)
    assert cloth.min() > 0.03
    assert cloth.max() < 0.9
    assert x_train.max() == 255
    assert np.mean(x_train == 0) > 0.35


def test_images_of_train_and_test_look_alike_but_differ(drawn):
    x_train, y_train, x_test, y_test = drawn
    for label in range(10):
        ours, theirs = x_train[y_train == label].mean(axis=0), x_test[y_test == label].mean(axis=0)
        assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.97
    assert not np.array_equal(x_train[:BLOCK], x_test)


def test_every_class_has_a_silhouette_of_its_own(drawn):
    x_train, y_train = drawn[:2]
    silhouettes = [np.mean(x_train[y_train == label] > 20, axis=0) for label in range(10)]
    for label in range(10):
        for other in range(label):
            assert np.abs(silhouettes[label] - silhouettes[other]).max() > 0.12, (label, other)


def test_nearest_mean_is_better_than_chance_but_no_solution(drawn):
    x_train, y_train, x_test, y_test = drawn
    means = np.stack([x_train[y_train == label].mean(axis=0).ravel() for label in range(10)])
    pixels = x_test.reshape(len(x_test), -1)
    distance = (means**2).sum(axis=1) / 2 - pixels @ means.T
    assert 0.5 < np.mean(distance.argmin(axis=1) == y_test) < 0.85


def test_names_are_those_of_fashion_mnist():
    """As its README states them, label 0 to 9: https://github.com/zalandoresearch/fashion-mnist."""
    stated = "T-shirt/top, Trouser, Pullover, Dress, Coat, Sandal, Shirt, Sneaker, Bag, Ankle boot"
    assert ", ".join(CLASS_NAMES) == stated
