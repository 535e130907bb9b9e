"""Fashion-MNIST: find its four IDX files, or download them; verify; read.

Xiao, Rasul and Vollgraf (2017), https://github.com/zalandoresearch/fashion-mnist, MIT license.
"""

import contextlib
import hashlib
import os
import socket
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lrlab.errors import DataError
from lrlab.io import reading
from lrlab.io.quiet import prepare_tensorflow, quiet_stderr
from lrlab.tasks import idx
from lrlab.tasks.data_source import DataSource

ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
"""Where Keras downloads it from; `LRLAB_FASHION_MNIST_ORIGIN` names a mirror."""

_IMAGES, _LABELS = "images-idx3-ubyte.gz", "labels-idx1-ubyte.gz"
FILES = {
    f"train-{_IMAGES}": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
    f"train-{_LABELS}": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
    f"t10k-{_IMAGES}": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
    f"t10k-{_LABELS}": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
}
"""The files and their SHA-256."""

FINGERPRINT = hashlib.sha256("".join(FILES.values()).encode()).hexdigest()
TRAIN_IMAGES = 60_000

_TIMEOUT = 10.0

Array = npt.NDArray[np.generic]


def resolve(data_dir: Path | None) -> DataSource:
    """Return where the files are, after a download where they are nowhere yet.

    Args:
        data_dir: Where they are looked for first.

    Raises:
        DataError: If they are not there and cannot be had.
    """
    folder = find(data_dir) or download()
    return DataSource.of("Fashion-MNIST", FINGERPRINT, TRAIN_IMAGES, folder)


def cache_dir() -> Path:
    """Return Keras' cache folder for Fashion-MNIST.

    Raises:
        DataError: If nobody knows where the user's home is.
    """
    home = Path(os.environ.get("KERAS_HOME") or "~/.keras")
    try:
        return home.expanduser() / "datasets" / "fashion-mnist"
    except RuntimeError as error:
        raise DataError(
            "there is no home directory for the cache of Fashion-MNIST",
            "set HOME or KERAS_HOME, or name its folder with `--data-dir`",
        ) from error


def find(data_dir: Path | None) -> Path | None:
    """Return the first folder that holds all four files: `data_dir`, then Keras' cache."""
    if data_dir is not None and _is_complete(data_dir):
        return data_dir
    try:
        cache = cache_dir()
    except DataError:
        return None
    return cache if _is_complete(cache) else None


def _is_complete(folder: Path) -> bool:
    return all(reading.is_file(folder / name) for name in FILES)


def check_origin() -> None:
    """Make sure that the origin answers, before Keras is imported for the download.

    Raises:
        DataError: If it does not.
    """
    url = _url(f"train-{_LABELS}")
    try:
        request = urllib.request.Request(url, method="HEAD")
        with urllib.request.urlopen(request, timeout=_TIMEOUT):
            return
    except (OSError, ValueError) as error:
        raise DataError(
            f"Fashion-MNIST was not found and could not be downloaded: `{url}`: {error}", _remedy()
        ) from error


def download() -> Path:
    """Download the files into Keras' cache and return that folder.

    Every file is fetched into a temporary folder, verified, and only then moved into place, so
    an interrupted download leaves nothing behind.

    Raises:
        DataError: If a file cannot be fetched, is not the right one, or cannot be stored.
    """
    check_origin()
    folder = cache_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".lrlab-", dir=folder) as scratch:
            for name, digest in FILES.items():
                if reading.is_file(folder / name) and _sha256(folder / name) == digest:
                    continue
                os.replace(_fetch(name, digest, scratch), folder / name)
    except OSError as error:
        reason = error.strerror or error
        raise DataError(f"`{folder}` cannot be written: {reason}", _remedy()) from error
    return folder


def _fetch(name: str, digest: str, scratch: str) -> str:
    prepare_tensorflow()
    with quiet_stderr():
        from keras.utils import get_file

    url = _url(name)
    try:
        with polite_network():
            got = get_file(name, url, file_hash=digest, cache_dir=scratch, cache_subdir=".")
    except Exception as error:  # get_file raises a bare Exception for every network failure.
        reason = error.__context__ or error
        raise DataError(f"`{url}` cannot be downloaded: {reason}", _remedy()) from error
    return str(got)


def read(folder: Path) -> tuple[Array, Array, Array, Array]:
    """Return `x_train, y_train, x_test, y_test`, uint8; images have shape (n, 28, 28).

    Raises:
        DataError: If a file is not the genuine one.
    """
    arrays = []
    for name in FILES:
        path = folder / name
        arrays.append(idx.read(path, _verified(path), axes=3 if "images" in name else 1))
    x_train, y_train, x_test, y_test = arrays
    return x_train, y_train, x_test, y_test


def _verified(path: Path) -> bytes:
    """Return what a file holds, after its checksum was found right."""
    try:
        packed = reading.read_bytes(path, idx.MAX_BYTES)
    except OSError as error:
        raise DataError(f"`{path}` cannot be read: {reading.reason(error)}", _remedy()) from error
    if hashlib.sha256(packed).hexdigest() != FILES[path.name]:
        raise DataError(
            f"`{path}` is damaged or not the genuine file ({len(packed):,} bytes; its SHA-256 is "
            "not that of Fashion-MNIST)",
            f"delete it and lrlab will download it again; or {_remedy()}",
        )
    return packed


def _sha256(path: Path) -> str:
    with reading.open_file(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _url(name: str) -> str:
    return (os.environ.get("LRLAB_FASHION_MNIST_ORIGIN") or ORIGIN).rstrip("/") + "/" + name


def _remedy() -> str:
    return (
        "put the four IDX files of Fashion-MNIST into a folder and pass it with `--data-dir`, "
        "or use `--data sketches`"
    )


@contextlib.contextmanager
def polite_network() -> Iterator[None]:
    """Let no connection hang for ever, and keep Keras' progress bar out of our stdout."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_TIMEOUT)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        socket.setdefaulttimeout(before)
