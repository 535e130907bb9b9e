"""The data sets of `keras.datasets`, named `keras:mnist` and so on; Keras downloads and keeps them.

Keras compares each file with the SHA-256 that it knows before it is read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lrlab.errors import DataError
from lrlab.io.npz import Array
from lrlab.io.quiet import prepare_tensorflow, quiet_stderr
from lrlab.tasks.code import nearest
from lrlab.tasks.fashion_mnist import polite_network
from lrlab.tasks.part_flaws import require_sound
from lrlab.tasks.parts import Given, Part
from lrlab.tasks.sketches import CLASS_NAMES

PREFIX = "keras:"
WORDS = 10_000
"""How many of the most frequent words of a text stay apart; all others are one token."""


@dataclass(frozen=True)
class _Set:
    """How one data set is loaded.

    Args:
        about: What it is.
        standardise: Whether inputs are to be standardised.
        length: To how many tokens its texts are cut or padded, None if it has none.
        classes: What its class numbers stand for.
        settings: What `load_data` is told.
        unit: What targets are divided by.
    """

    about: str
    standardise: bool = True
    length: int | None = None
    classes: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    unit: float | None = None


def _texts(about: str, length: int, classes: tuple[str, ...] = ()) -> _Set:
    return _Set(about, False, length, classes, {"num_words": WORDS})


SETS = {
    "mnist": _Set("handwritten digits, 28x28, 10 classes"),
    "fashion_mnist": _Set("garments, 28x28, 10 classes", classes=CLASS_NAMES),
    "cifar10": _Set(
        "photographs, 32x32x3, 10 classes",
        classes=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship",
                 "truck"),
    ),
    "cifar100": _Set("photographs, 32x32x3, 100 classes"),
    "imdb": _texts("film reviews, 200 tokens, 2 classes", 200, ("negative", "positive")),
    "reuters": _texts("newswires, 100 tokens, 46 classes", 100),
    "boston_housing": _Set("13 numbers per suburb, the price of its houses"),
    "california_housing": _Set("8 numbers per block, the price of its houses", unit=100_000.0),
}  # fmt: skip
"""All data sets by name; of texts the 10,000 most frequent words, cut or padded with 0 in front."""


def read(name: str) -> Given:
    """Return a data set of Keras, after a download where it is not in Keras' cache.

    Images keep their bytes, and class numbers are one per sample. Californian prices are in
    100,000 dollars, as scikit-learn has them: a loss of dollars squared would drown every rate.

    Args:
        name: Its name in `keras.datasets`, with or without `keras:`.

    Raises:
        DataError: If there is no such data set, or it cannot be had.
    """
    name = name.removeprefix(PREFIX)
    if name not in SETS:
        listed = ", ".join(f"`{PREFIX}{each}`" for each in SETS)
        raise DataError(
            f"Keras has no data set `{name}`{nearest(name, SETS)}", f"there are {listed}"
        )
    about = SETS[name]
    train, test = (_part(*pair, about) for pair in _load(name, about))
    given = Given(train, test=test, standardise=about.standardise, classes=about.classes)
    require_sound(given, f"`{PREFIX}{name}`")
    return given


def _load(name: str, about: _Set) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    prepare_tensorflow()
    with quiet_stderr():
        from keras import datasets
    try:
        with polite_network():
            (x, y), (x_test, y_test) = getattr(datasets, name).load_data(**about.settings)
    except Exception as error:  # Keras raises a bare Exception for every network failure.
        reason = error.__context__ or error
        raise DataError(
            f"`{PREFIX}{name}` was not in Keras' cache and cannot be had: {reason}",
            "download it where there is a network, and copy `~/.keras/datasets` here; or set "
            "KERAS_HOME to a folder that holds it",
        ) from error
    return (x, y), (x_test, y_test)


def _part(x: Array, y: Array, about: _Set) -> Part:
    if about.length is not None:
        x = _padded(x, about.length)
    if about.unit is not None:
        y = (y / about.unit).astype(np.float32)
    return Part(x, y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y)


def _padded(texts: Array, length: int) -> Array:
    """Return the last tokens of each text, zeros before them, int32 (n, length)."""
    tokens = np.zeros((len(texts), length), np.int32)
    for row, text in zip(tokens, texts, strict=True):
        last = np.asarray(text[-length:], np.int32)
        row[length - len(last) :] = last
    return tokens
