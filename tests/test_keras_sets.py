"""The data sets of Keras, downloaded by Keras' own code from a server of this test."""

import functools
import hashlib
import http.server
import io
import pickle
import sys
import tarfile
import threading

import keras
import numpy as np
import pytest

from lrlab.errors import DataError
from lrlab.tasks.readers import keras_sets

RNG = np.random.default_rng(0)


def images(count, *shape):
    return RNG.integers(0, 256, (count, *shape)).astype(np.uint8)


def npz(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def texts(count):
    found = np.empty(count, object)
    for row in range(count):
        found[row] = RNG.integers(1, 12_000, RNG.integers(3, 300)).tolist()
    return found


def cifar(folder, batches, label):
    """Return an archive as those of CIFAR: one pickle per batch."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz", compresslevel=1) as archive:
        for name, count in batches.items():
            labels = RNG.integers(0, 9, count).tolist()
            content = pickle.dumps({b"data": np.zeros((count, 3072), np.uint8), label: labels})
            member = tarfile.TarInfo(f"{folder}/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


FASHION = keras_sets.CLASS_NAMES
TEN = {f"data_batch_{n}": 10_000 for n in range(1, 6)} | {"test_batch": 10_000}


def files(name):
    """Return what the server has for a data set, in the form of the genuine files."""
    if name == "mnist":
        arrays = {"x_train": images(12, 28, 28), "x_test": images(4, 28, 28)}
        return {"mnist.npz": npz(**arrays, y_train=np.arange(12) % 10, y_test=np.arange(4))}
    if name in ("boston_housing", "california_housing"):
        columns = 13 if name.startswith("b") else 8
        y = RNG.uniform(20_000, 500_000, 20)
        return {f"{name}.npz": npz(x=RNG.normal(size=(20, columns)), y=y)}
    if name == "imdb":
        labels = {"y_train": np.arange(8) % 2, "y_test": np.arange(4) % 2}
        return {"imdb.npz": npz(x_train=texts(8), x_test=texts(4), **labels)}
    if name == "reuters":
        return {"reuters.npz": npz(x=texts(20), y=np.arange(20) % 46)}
    if name == "cifar10":
        return {"cifar-10-python.tar.gz": cifar("cifar-10-batches-py", TEN, b"labels")}
    batches = {"train": 50_000, "test": 10_000}
    return {"cifar-100-python.tar.gz": cifar("cifar-100-python", batches, b"fine_labels")}


@pytest.fixture
def served(tmp_path, monkeypatch):
    """Return a function that puts files on a server from which Keras' `get_file` downloads.

    Only the address and the checksum of the genuine file are replaced.
    """
    folder, cache = tmp_path / "served", tmp_path / "cache"
    folder.mkdir()
    cache.mkdir()  # Where it is missing, Keras takes /tmp/.keras.
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    monkeypatch.setattr(http.server.SimpleHTTPRequestHandler, "log_message", lambda *_: None)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def serve(name, *, genuine_checksum=False):
        for file, content in files(name).items():
            (folder / file).write_bytes(content)

        def get_file(*arguments, origin, file_hash=None, **others):
            file = origin.rsplit("/", 1)[1]
            if not genuine_checksum:
                path = folder / file
                file_hash = hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else None
            return keras.utils.get_file(
                *arguments, origin=f"http://127.0.0.1:{server.server_port}/{file}",
                file_hash=file_hash, cache_dir=str(cache), **others,
            )  # fmt: skip

        module = sys.modules[f"keras.src.datasets.{name}"]
        monkeypatch.setattr(module, "get_file", get_file)
        return folder

    yield serve
    server.shutdown()
    server.server_close()


EXPECTED = {
    # name: rows, shape of a row, type, tests, standardised, targets
    "mnist": (12, (28, 28), np.uint8, 4, True, np.int64),
    "cifar10": (50_000, (32, 32, 3), np.uint8, 10_000, True, np.uint8),
    "cifar100": (50_000, (32, 32, 3), np.uint8, 10_000, True, np.int64),
    "imdb": (8, (200,), np.int32, 4, False, np.int64),
    "reuters": (16, (100,), np.int32, 4, False, np.int64),
    "boston_housing": (16, (13,), np.float64, 4, True, np.float64),
    "california_housing": (16, (8,), np.float64, 4, True, np.float32),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", EXPECTED)
def test_every_data_set_is_downloaded_and_read(name, served, capfd):
    folder = served(name)
    rows, shape, dtype, tests, standardise, targets = EXPECTED[name]
    given = keras_sets.read(f"keras:{name}")
    assert (len(given.train), len(given.test)) == (rows, tests)
    assert given.train.x.shape == (rows, *shape)
    assert given.train.x.dtype == dtype
    assert given.train.y.shape == (rows,)
    assert given.train.y.dtype == targets
    assert given.standardise == standardise
    assert capfd.readouterr().out == ""
    for file in folder.iterdir():
        file.unlink()
    again = keras_sets.read(name)  # From the cache.
    np.testing.assert_array_equal(again.train.x, given.train.x)


def test_texts_are_padded_in_front_and_cut_to_their_end(served):
    served("imdb")
    x = keras_sets.read("imdb").train.x
    assert x.max() < keras_sets.WORDS
    lengths = (x > 0).sum(axis=1)
    assert ((x > 0) == (np.arange(200) >= 200 - lengths[:, None])).all()
    short = keras_sets._padded(np.array([[5, 6, 7], [8]], dtype=object), 2)
    assert short.tolist() == [[6, 7], [0, 8]]


def test_californian_prices_are_in_100_000_dollars(served):
    served("california_housing")
    y = keras_sets.read("california_housing").train.y
    assert 0.2 <= y.min() < y.max() <= 5


def test_every_data_set_of_keras_is_known():
    modules = {name for name in dir(keras.datasets) if not name.startswith("_")}
    assert set(keras_sets.SETS) == modules == {*EXPECTED, "fashion_mnist"}
    assert keras_sets.SETS["fashion_mnist"].classes == FASHION


def test_a_file_that_is_not_the_genuine_one_is_not_read(served):
    served("mnist", genuine_checksum=True)
    with pytest.raises(DataError, match="`keras:mnist` was not in Keras' cache and cannot be had"):
        keras_sets.read("mnist")


def test_what_cannot_be_downloaded(served):
    folder = served("boston_housing")
    for file in folder.iterdir():
        file.unlink()
    with pytest.raises(DataError, match=r"cannot be had: .*404") as caught:
        keras_sets.read("boston_housing")
    assert caught.value.hint.startswith("download it where there is a network")


def test_a_name_that_keras_does_not_know():
    with pytest.raises(DataError) as caught:
        keras_sets.read("keras:cifar_10")
    message = "Keras has no data set `cifar_10`; did you mean `cifar10` or `cifar100`?"
    assert caught.value.message == message
    assert "`keras:mnist`, `keras:fashion_mnist`" in caught.value.hint
