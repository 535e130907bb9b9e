import errno
import gzip
import hashlib
import http.server
import os
import re
import shutil
import socket
import struct
import threading
from pathlib import Path

import numpy as np
import pytest

from lrlab.errors import DataError
from lrlab.tasks import data, fashion_mnist, sketches
from lrlab.tasks.readers.named_arrays import WANTED
from lrlab.tasks.split import BOOK, parsed
from lrlab.tasks.wanted import Wanted

IMAGES = np.zeros((24, 3, 3), np.uint8)
LABELS = np.arange(24) % 3
REMEDY = (
    "put the four IDX files of Fashion-MNIST into a folder and pass it with `--data-dir`, "
    "or use `--data sketches`"
)


@pytest.fixture
def write_npz(tmp_path):
    def write(**arrays):
        path = tmp_path / "mine.npz"
        np.savez(path, **arrays)
        return path

    return write


def load(path):
    return data.load(data.resolve(str(path)))


# --- npz: what comes out ---


def test_resolve_npz(small_npz):
    source = data.resolve(str(small_npz))
    assert (source.name, source.train_images, source.path) == ("small.npz", 550, None)
    assert (source.task.kind, source.task.outputs, source.shape) == ("classification", 4, (8, 8))
    assert data.train_images(str(small_npz)) == 550


def test_load_npz(small_npz):
    got, raw = load(small_npz), np.load(small_npz)
    assert [got.x_train.shape, got.x_val.shape] == [(550, 8, 8), (61, 8, 8)]
    assert got.x_test.shape == (120, 8, 8)
    assert {x.dtype for x in (got.x_train, got.x_val, got.x_test)} == {np.dtype(np.float32)}
    assert {y.dtype for y in (got.train.y, got.validation.y, got.test.y)} == {np.dtype(np.int32)}
    assert got.train.x.dtype == np.uint8
    both = np.concatenate([got.train.x, got.validation.x]).reshape(611, -1)
    assert np.array_equal(
        np.unique(both, axis=0), np.unique(raw["x_train"].reshape(611, -1), axis=0)
    )
    assert np.array_equal(got.test.y, raw["y_test"])
    assert got.task.outputs == 4


def test_pixels_are_standardised_over_the_training_images(small_npz):
    got, raw = load(small_npz), np.load(small_npz)
    x = got.train.x.astype(np.float64)
    mean, deviation = x.mean(axis=0), x.std(axis=0)
    for ours, theirs in (
        (got.x_train, x), (got.x_val, got.validation.x), (got.x_test, raw["x_test"])
    ):  # fmt: skip
        # Shifted away from 0, where there is nothing to be relative to.
        np.testing.assert_allclose(255 + ours * deviation + mean, 255.0 + theirs, rtol=1e-6)
    np.testing.assert_allclose(1 + got.x_train.mean(axis=0, dtype=np.float64), 1, rtol=1e-6)
    np.testing.assert_allclose(got.x_train.std(axis=0, dtype=np.float64), 1, rtol=1e-6)


def test_constant_pixels_become_zero(write_npz):
    x = np.random.default_rng(0).normal(size=(24, 3, 3)).astype(np.float32)
    x[:, 1, 1] = 0.1
    got = load(write_npz(x_train=x, y_train=LABELS))
    assert not got.x_train[:, 1, 1].any()
    assert not got.x_val[:, 1, 1].any()
    assert np.isfinite(got.x_train).all()


SPLITS = {
    # examples, what is stated: examples to validate on
    (2, None): 1,
    (24, None): 2,
    (1_797, None): 180,
    (100_000, None): 10_000,
    (24, "25%"): 6,
    (24, "3"): 3,
    (24, "first 3"): 3,
}


@pytest.mark.parametrize(("given", "validation"), SPLITS.items(), ids=map(str, SPLITS))
def test_split(write_npz, given, validation):
    examples, stated = given
    x = np.arange(examples, dtype=np.float32)[:, None]
    path = write_npz(x_train=x, y_train=np.arange(examples) % 2)
    source = data.resolve(Wanted.of(str(path), validation=stated))
    got = data.load(source)
    assert (len(got.validation), len(got.train)) == (validation, examples - validation)
    assert source.train_images == examples - validation
    together = np.concatenate([got.train.x, got.validation.x])[:, 0]
    assert np.array_equal(np.sort(together), x[:, 0])
    if stated == "first 3":
        assert got.validation.x[:, 0].tolist() == [0, 1, 2]


def test_the_split_is_drawn_class_by_class_and_always_the_same(write_npz):
    y = np.repeat([0, 1, 2], [900, 90, 10])
    path = write_npz(x_train=np.arange(1_000.0)[:, None], y_train=y)
    first, second = load(path), load(path)
    assert np.bincount(first.validation.y).tolist() == [90, 9, 1]
    assert np.array_equal(first.validation.x, second.validation.x)
    assert not np.array_equal(first.validation.x[:90, 0], np.arange(90))


def test_the_books_split_stays_for_the_built_in_images():
    assert [BOOK.count(images) for images in (2, 600, 60_000, 70_000)] == [1, 50, 5000, 5000]
    train, held = BOOK.of(60_000, None)
    assert (held[0], held[-1], train[0]) == (0, 4_999, 5_000)


@pytest.mark.parametrize("stated", ["all", "0%", "100%", "0", "-3", "first", "first 10%"])
def test_a_split_that_cannot_be_meant(stated):
    with pytest.raises(ValueError, match="got `"):
        parsed(stated)


def test_a_split_that_leaves_nothing(write_npz):
    path = write_npz(x_train=IMAGES, y_train=LABELS)
    with pytest.raises(DataError, match="`validation: 24` holds out 24 of 24 training examples"):
        data.resolve(Wanted.of(str(path), validation=24))


def test_another_split_is_other_data(write_npz):
    path = str(write_npz(x_train=IMAGES, y_train=LABELS))
    stated = (None, "10%", "3", "first 3")
    prints = [data.resolve(Wanted.of(path, validation=each)).fingerprint for each in stated]
    assert prints[0] == prints[1]
    assert len(set(prints)) == 3


def test_inputs_may_stay_as_they_are(write_npz):
    path = str(write_npz(x_train=IMAGES, y_train=LABELS))
    plain, scaled = (data.resolve(Wanted.of(path, scale=how)) for how in ("none", "standard"))
    assert data.load(plain).scale is None
    assert data.load(scaled).scale is not None
    assert plain.fingerprint != scaled.fingerprint


@pytest.mark.parametrize("shape", [(5,), (4, 4), (4, 4, 3)], ids=str)
def test_features_and_images_with_and_without_channels(write_npz, shape):
    x = np.random.default_rng(0).normal(size=(24, *shape))
    assert load(write_npz(x_train=x, y_train=LABELS)).x_train.shape == (22, *shape)


@pytest.mark.parametrize("kind", ["uint8", "int64", "uint16", "float16", "float32", "float64"])
def test_kinds_of_numbers(write_npz, kind):
    x = np.random.default_rng(0).integers(0, 200, (24, 3, 3)).astype(kind)
    expected = load(write_npz(x_train=x.astype(np.uint8), y_train=LABELS)).x_train
    assert np.array_equal(load(write_npz(x_train=x, y_train=LABELS)).x_train, expected)


def test_without_test_images(write_npz):
    got = load(write_npz(x_train=IMAGES, y_train=LABELS))
    assert got.x_test is got.test is None


def test_other_arrays_of_the_file_are_left_alone(write_npz):
    names = np.array(["a", "b", None], dtype=object)
    got = load(write_npz(x_train=IMAGES, y_train=LABELS, names=names))
    assert got.task.outputs == 3


def test_fingerprint_is_that_of_the_content(small_npz, tmp_path, write_npz):
    copy = tmp_path / "copy.npz"
    shutil.copy(small_npz, copy)
    first, second = data.resolve(str(small_npz)), data.resolve(str(copy))
    assert first.fingerprint == second.fingerprint
    one = data.resolve(str(write_npz(x_train=IMAGES, y_train=LABELS))).fingerprint
    other = data.resolve(str(write_npz(x_train=IMAGES, y_train=LABELS[::-1]))).fingerprint
    assert len({first.fingerprint, one, other}) == 3


# --- what the targets ask for ---


SPARSE = "sparse_categorical_crossentropy"
TASKS = {
    # name: (y_train, kind, outputs, loss, metric)
    "classes": (LABELS, "classification", 3, SPARSE, "accuracy"),
    "a column": (LABELS[:, None], "classification", 3, SPARSE, "accuracy"),
    "true and false": (LABELS == 0, "classification", 2, SPARSE, "accuracy"),
    "one-hot": (np.eye(3, dtype=int)[LABELS], "one-hot", 3, "categorical_crossentropy", "accuracy"),
    "several labels": (
        np.array([[1, 1, 0], [0, 1, 0]])[LABELS % 2], "multi-label", 3, "binary_crossentropy",
        "binary_accuracy",
    ),
    "real numbers": (LABELS * 0.25, "regression", 1, "mean_squared_error", "mae"),
    "several amounts": (np.eye(3)[LABELS] + 0.5, "regression", 3, "mean_squared_error", "mae"),
    "tokens": (np.tile(LABELS[:, None], 4) + 1, "tokens", 4, SPARSE, "accuracy"),
}  # fmt: skip


@pytest.mark.parametrize(("y", "kind", "outputs", "loss", "metric"), TASKS.values(), ids=TASKS)
def test_targets_tell_the_task(write_npz, y, kind, outputs, loss, metric):
    task = data.resolve(str(write_npz(x_train=IMAGES, y_train=y))).task
    assert (task.kind, task.outputs, task.loss, task.metric.key) == (kind, outputs, loss, metric)


BAD_TARGETS = {
    # name: (y_train, what was found, what the remedy says)
    "signs": (LABELS % 2 * 2 - 1, "-1 and 1", "`(y_train > 0).astype(int)`"),
    "NaN": (LABELS * np.nan, "24 values that are NaN or infinite", "leave out what is missing"),
    "negative": (LABELS - 1, "negative numbers, as -1", "return_inverse=True"),
    "huge": (LABELS + 10_000, "10002, and classes go up to 9999", "return_inverse=True"),
    "text": (np.array(["cat", "dog", "eel"])[LABELS], "text, not class numbers", "return_inverse"),
    "bytes": (np.array([b"cat", b"dog"])[LABELS % 2], "text, not class numbers", "return_inverse"),
    "objects": (LABELS.astype(object), "Python objects", "return_inverse=True"),
    "complex": (LABELS * 1j, "<c16, not class numbers", "one per example"),
    "one class": (LABELS * 0 + 3, "a single class, 3", "nothing to learn"),
    "one value": (LABELS * 0 + 0.5, "constant: 0.5", "nothing to learn"),
}  # fmt: skip


@pytest.mark.parametrize(("y", "found", "remedy"), BAD_TARGETS.values(), ids=BAD_TARGETS.keys())
def test_targets_that_cannot_be_learned(write_npz, y, found, remedy):
    """Before anything is loaded, let alone trained, and with what makes them sound."""
    path = write_npz(x_train=IMAGES, y_train=y)
    with pytest.raises(DataError) as caught:
        data.resolve(str(path))
    assert caught.value.message.startswith(f"`{path}`: `y_train` ")
    assert found in caught.value.message
    assert remedy in caught.value.hint


def test_test_labels_are_held_to_the_same(write_npz):
    names = np.array(["cat", "dog", "eel"])[LABELS]
    path = write_npz(x_train=IMAGES, y_train=LABELS, x_test=IMAGES, y_test=names)
    with pytest.raises(DataError, match="`y_test` holds text") as caught:
        data.resolve(str(path))
    assert "`y_test = np.searchsorted(classes, y_test)`" in caught.value.hint


@pytest.mark.parametrize(
    ("y", "warning"),
    [
        (LABELS + 1, "there is no example of class 0; classes count from 0"),
        (LABELS + 10, "there is no example of classes 0, 1, 2, 3, 4 and 5 more; classes count"),
        ([*LABELS[:-1], 3], "there is a single example of class 3"),
        (LABELS * 1.0, "`y_train` holds whole numbers as float32, taken as amounts; if they are"),
    ],
)
def test_odd_targets_are_warned_of(write_npz, y, warning):
    told = []
    path = write_npz(x_train=np.repeat(IMAGES, 3, 0), y_train=np.repeat(np.asarray(y), 3))
    if warning.startswith("there is a single"):
        path = write_npz(x_train=IMAGES, y_train=np.asarray(y))
    assert data.resolve(str(path), warn=told.append).shape == IMAGES.shape[1:]
    assert told[0].startswith(f"`{path}`: {warning}")


def test_a_class_that_is_never_validated_is_warned_of(write_npz):
    told = []
    y = np.repeat([0, 1], [22, 2])
    data.resolve(str(write_npz(x_train=IMAGES, y_train=y)), warn=told.append)
    assert told[0].endswith("no example of class 1 is held out for validation")


def test_a_class_of_the_test_set_alone_is_warned_of(write_npz):
    told = []
    path = write_npz(x_train=IMAGES, y_train=LABELS, x_test=IMAGES, y_test=LABELS + 1)
    data.resolve(str(path), warn=told.append)
    assert any(
        "no example to train on is of class 3, which the test set has" in each for each in told
    )


@pytest.mark.parametrize(("factor", "warned"), [(1.0, False), (1e4, True), (1e-4, True)])
def test_amounts_far_from_1_are_warned_of(write_npz, factor, warned):
    y = np.random.default_rng(0).normal(size=24) * factor
    path = str(write_npz(x_train=IMAGES, y_train=y))
    for scale, expected in (("none", warned), ("standard", False)):
        told = []
        data.resolve(Wanted.of(path, scale=scale), warn=told.append)
        assert any("`y_train` varies by" in each for each in told) == expected


@pytest.mark.parametrize(("scale", "warned"), [("none", True), ("standard", False)])
def test_inputs_that_nobody_scales_are_warned_of(write_npz, scale, warned):
    told = []
    x = np.random.default_rng(0).normal(size=(24, 3)) * 1_000
    wanted = Wanted.of(str(write_npz(x_train=x, y_train=LABELS)), scale=scale)
    data.resolve(wanted, warn=told.append)
    assert any("state `scale: standard`" in each for each in told) == warned


def test_usual_labels_are_not_warned_of(small_npz):
    told = []
    data.resolve(str(small_npz), warn=told.append)
    assert told == []


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_examples(write_npz, count):
    with pytest.raises(DataError) as caught:
        load(write_npz(x_train=IMAGES[:count], y_train=LABELS[:count]))
    assert caught.value.exit_code == 3


# --- npz: damage ---


def packed(path):
    np.savez_compressed(path, x_train=np.arange(240).reshape(24, 10), y_train=LABELS)
    return path.read_bytes()


def encrypted(whole):
    """Return a zip file whose first member is marked as encrypted in the directory."""
    flags = whole.index(b"PK\x01\x02") + 8
    return whole[:flags] + b"\x01" + whole[flags + 1 :]


BAD_BYTES = {
    "empty": (lambda whole: b"", "File is not a zip file"),
    "no zip": (lambda whole: b"hello, world", "File is not a zip file"),
    "truncated": (lambda whole: whole[: len(whole) // 2], "File is not a zip file"),
    "damaged within": (
        lambda whole: whole[:120] + bytes(20) + whole[140:],
        "Error -3 while decompressing data: ",
    ),
    "encrypted": (
        encrypted,
        "File 'x_train.npy' is encrypted, password required for extraction",
    ),
}


@pytest.mark.parametrize(("damage", "reason"), BAD_BYTES.values(), ids=BAD_BYTES.keys())
def test_npz_that_is_damaged(tmp_path, damage, reason):
    path = tmp_path / "bad.npz"
    whole = packed(path)
    damaged = damage(whole)
    assert damaged != whole
    path.write_bytes(damaged)
    with pytest.raises(DataError) as caught:
        load(path)
    assert caught.value.message.startswith(f"`{path}` is not a readable npz file: {reason}")
    assert caught.value.hint.startswith(f"it takes {WANTED}")


def test_every_flipped_byte_is_harmless_or_a_data_error(tmp_path):
    path = tmp_path / "flipped.npz"
    whole = packed(path)
    refused = 0
    for position in range(0, len(whole), 3):
        damaged = bytearray(whole)
        damaged[position] ^= 0xFF
        path.write_bytes(damaged)
        try:
            load(path)
        except DataError:
            refused += 1
    assert refused > len(whole) / 6


def test_npz_that_is_not_there(tmp_path):
    with pytest.raises(DataError) as caught:
        data.resolve(str(tmp_path / "none.npz"))
    assert caught.value.message == f"there is no file `{tmp_path / 'none.npz'}`"
    assert caught.value.hint == (
        "paths in a config are relative to its folder, paths after `--data` to the current one"
    )


# --- sketches ---


def test_sketches():
    source = data.resolve("sketches")
    assert (source.name, source.train_images, source.path) == ("sketches", 55_000, None)
    assert re.fullmatch("[0-9a-f]{64}", source.fingerprint)
    got = data.load(source)
    assert got.x_train.shape == (55_000, 28, 28)
    assert got.x_val.shape == (5_000, 28, 28)
    assert got.x_test.shape == (10_000, 28, 28)
    assert got.task.outputs == 10
    assert data.train_images("sketches") == data.train_images("auto") == 55_000


# --- Fashion-MNIST ---


def idx(array):
    """Return an array in the IDX format of MNIST, packed."""
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    return gzip.compress(header + array.tobytes(), mtime=0)


@pytest.fixture
def tiny(monkeypatch, tmp_path):
    """Small files in the place of the real ones: name to content, and nothing in the cache."""
    rng = np.random.default_rng(1)
    contents = {}
    for name in fashion_mnist.FILES:
        count = 240 if "train" in name else 30
        pixels = rng.integers(0, 256, (count, 28, 28), np.uint8)
        contents[name] = idx(pixels if "images" in name else np.arange(count, dtype=np.uint8) % 10)
        digest = hashlib.sha256(contents[name]).hexdigest()
        monkeypatch.setitem(fashion_mnist.FILES, name, digest)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    # A port that nothing listens on, in case a test forgets to serve the files.
    monkeypatch.setenv("LRLAB_FASHION_MNIST_ORIGIN", "http://127.0.0.1:9/")
    return contents


def put(folder, contents):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return folder


TRAIN = "train-images-idx3-ubyte.gz"
TEST = "t10k-images-idx3-ubyte.gz"


def test_data_dir_comes_before_the_cache(tiny, tmp_path):
    cache = put(fashion_mnist.cache_dir(), tiny)
    assert cache == tmp_path / "keras" / "datasets" / "fashion-mnist"
    mine = put(tmp_path / "mine", tiny)
    assert data.resolve("fashion-mnist", mine).path == mine
    assert data.resolve("fashion-mnist").path == cache
    (mine / TEST).unlink()
    assert data.resolve("auto", mine).path == cache


def test_load_fashion_mnist(tiny, tmp_path):
    got = data.load(data.resolve("auto", put(tmp_path / "mine", tiny)))
    assert got.x_train.shape == (220, 28, 28)
    assert got.x_val.shape == (20, 28, 28)
    assert got.x_test.shape == (30, 28, 28)
    assert got.test.y.tolist() == [*range(10)] * 3
    assert got.task.outputs == 10


def test_data_dir_that_is_no_folder(tmp_path):
    with pytest.raises(DataError) as caught:
        data.resolve("sketches", tmp_path / "none")
    assert caught.value.message == f"`{tmp_path / 'none'}` is not a folder"
    assert caught.value.hint == "pass an existing folder with `--data-dir`"


DAMAGE = {
    "truncated": lambda content: content[:1000],
    "one bit": lambda content: content[:500] + bytes([content[500] ^ 1]) + content[501:],
    "empty": lambda content: b"",
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_damaged_file(tiny, tmp_path, damage):
    folder = put(tmp_path / "mine", {**tiny, TEST: damage(tiny[TEST])})
    size = (folder / TEST).stat().st_size
    with pytest.raises(DataError) as caught:
        data.load(data.resolve("auto", folder))
    assert caught.value.message == (
        f"`{folder / TEST}` is damaged or not the genuine file ({size:,} bytes; its SHA-256 is not "
        "that of Fashion-MNIST)"
    )
    assert caught.value.hint == f"delete it and lrlab will download it again; or {REMEDY}"


def test_the_real_files(fashion_dir):
    source = data.resolve("fashion-mnist", fashion_dir)
    assert (source.name, source.train_images, source.path) == (
        "Fashion-MNIST", 55_000, fashion_dir,
    )  # fmt: skip
    got = data.load(source)
    assert [x.shape for x in (got.x_train, got.x_val, got.x_test)] == [
        (55_000, 28, 28), (5_000, 28, 28), (10_000, 28, 28),
    ]  # fmt: skip
    assert np.bincount(got.test.y).tolist() == [1_000] * 10
    # The first labels of the book's split: a coat to train on, an ankle boot to validate on.
    assert sketches.CLASS_NAMES[got.train.y[0]] == "Coat"
    assert sketches.CLASS_NAMES[got.validation.y[0]] == "Ankle boot"


# --- downloads, from a real server on this machine ---


class Origin(http.server.BaseHTTPRequestHandler):
    """Serves `contents`; what `faults` names is served badly."""

    contents: dict[str, bytes]
    faults: dict[str, str]

    def do_HEAD(self):
        self.answer(Path(self.path).name, with_body=False)

    def do_GET(self):
        self.answer(Path(self.path).name, with_body=True)

    def answer(self, name, *, with_body):
        content, fault = self.contents.get(name), self.faults.get(name)
        if content is None or fault == "missing":
            self.send_error(404)
            return
        if fault == "corrupt":
            content = content[:-1] + b"?"
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if not with_body:
            return
        self.wfile.write(content[:100] if fault in ("cut", "reset") else content)
        if fault == "reset":
            self.wfile.flush()
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()

    def log_message(self, *args):
        pass


@pytest.fixture
def origin(tiny, monkeypatch):
    """A running server of the small files; the test fills in its `faults`."""
    handler = type("Handler", (Origin,), {"contents": tiny, "faults": {}})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        monkeypatch.setenv("LRLAB_FASHION_MNIST_ORIGIN", url + "/")
        yield url, handler.faults
        server.shutdown()


def cached():
    """Return everything below Keras' folder, hidden files too."""
    home = fashion_mnist.cache_dir()
    return {path.name: path.read_bytes() for path in home.iterdir()} if home.is_dir() else {}


def test_download(origin, tiny, capfd):
    source = data.resolve("fashion-mnist")
    assert source.path == fashion_mnist.cache_dir()
    assert cached() == tiny
    assert data.load(source).x_train.shape == (220, 28, 28)
    assert capfd.readouterr().out == ""


def test_download_leaves_good_files_and_replaces_bad_ones(origin, tiny):
    folder = put(fashion_mnist.cache_dir(), {**tiny, TEST: b"half"})
    (folder / TRAIN).unlink()
    before = (folder / "t10k-labels-idx1-ubyte.gz").stat().st_mtime_ns
    assert data.resolve("auto").path == folder
    assert cached() == tiny
    assert (folder / "t10k-labels-idx1-ubyte.gz").stat().st_mtime_ns == before


FAULTS = {
    "cut": "<urlopen error retrieval incomplete: got only 100 out of ",
    "reset": f"[Errno {errno.ECONNRESET}] {os.strerror(errno.ECONNRESET)}",
    "corrupt": "Incomplete or corrupted file detected. ",
    "missing": "HTTP Error 404: Not Found",
}


@pytest.mark.parametrize(("fault", "reason"), FAULTS.items(), ids=FAULTS.keys())
def test_download_that_fails_halfway(origin, tiny, fault, reason):
    url, faults = origin
    faults[TEST] = fault
    with pytest.raises(DataError) as caught:
        data.resolve("fashion-mnist")
    assert caught.value.message.startswith(f"`{url}/{TEST}` cannot be downloaded: {reason}")
    assert caught.value.hint == REMEDY
    # What came before it was whole and stays; of the file itself there is no trace.
    whole = [name for name in tiny if name.startswith("train")]
    assert cached() == {name: tiny[name] for name in whole}
    faults.clear()
    data.resolve("fashion-mnist")
    assert cached() == tiny


def test_origin_without_the_files(origin):
    url, faults = origin
    labels = "train-labels-idx1-ubyte.gz"
    faults[labels] = "missing"
    with pytest.raises(DataError) as caught:
        data.resolve("fashion-mnist")
    assert caught.value.message == (
        "Fashion-MNIST was not found and could not be downloaded: "
        f"`{url}/{labels}`: HTTP Error 404: Not Found"
    )
    assert cached() == {}


def test_no_server(tiny):
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # Bound but not listening: connections are refused.
        with pytest.MonkeyPatch.context() as patch:
            url = f"http://127.0.0.1:{held.getsockname()[1]}"
            patch.setenv("LRLAB_FASHION_MNIST_ORIGIN", url)
            with pytest.raises(DataError) as caught:
                data.resolve("fashion-mnist")
    assert caught.value.message == (
        "Fashion-MNIST was not found and could not be downloaded: "
        f"`{url}/train-labels-idx1-ubyte.gz`: <urlopen error "
        f"[Errno {errno.ECONNREFUSED}] {os.strerror(errno.ECONNREFUSED)}>"
    )
    assert caught.value.hint == REMEDY
    assert cached() == {}


def test_origin_that_is_no_address(tiny, monkeypatch):
    monkeypatch.setenv("LRLAB_FASHION_MNIST_ORIGIN", "nonsense")
    with pytest.raises(DataError, match=r"`nonsense/train-labels.*unknown url"):
        data.resolve("fashion-mnist")


def test_cache_that_cannot_be_written(origin, tmp_path):
    # A file where the folder should be: refused even to the super-user.
    (tmp_path / "keras").write_text("in the way")
    with pytest.raises(DataError) as caught:
        data.resolve("fashion-mnist")
    folder = fashion_mnist.cache_dir()
    assert caught.value.message == f"`{folder}` cannot be written: Not a directory"
    assert caught.value.hint == REMEDY
    assert (tmp_path / "keras").read_text() == "in the way"


def test_auto_falls_back_to_sketches_and_says_so(tiny):
    warned = []
    assert data.resolve("auto", warn=warned.append) == data.resolve("sketches")
    assert warned == [
        "Fashion-MNIST was not found and could not be downloaded; using `sketches` instead, "
        "drawings made by lrlab. Results are NOT comparable with those on Fashion-MNIST"
    ]


def test_an_explicit_name_never_falls_back(tiny):
    warned = []
    with pytest.raises(DataError, match="not found and could not be downloaded"):
        data.resolve("fashion-mnist", warn=warned.append)
    assert warned == []


def test_auto_does_not_warn_where_the_files_are(tiny, tmp_path):
    warned = []
    source = data.resolve("auto", put(tmp_path / "mine", tiny), warn=warned.append)
    assert source.name == "Fashion-MNIST"
    assert warned == []
