"""The data of the tasks of other families, by name; digits come from scikit-learn.

What is generated is a function of this file: the same arrays everywhere.
"""

import functools
import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

REGRESSION = ("friedman", "friedman2", "arm")


class Arrays(NamedTuple):
    """Training and validation data, and the best guess that ignores the input.

    `chance` is the guess's loss, `guess` its accuracy, 0 in a regression.
    """

    x: Any
    y: Any
    x_val: Any
    y_val: Any
    chance: float
    guess: float


@functools.cache
def arrays(name: str, data_dir: Path | None) -> Arrays:
    """Return a data set, standardised over its training part."""
    if name in _MADE:
        return _MADE[name](np.random.default_rng(3))
    from lrlab.tasks import data

    source = data.resolve("sketches" if name == "sketches" else "fashion-mnist", data_dir)
    loaded = data.load(source)
    x, x_val = loaded.x_train, loaded.x_val
    y, y_val = (part.y.astype(np.int32) for part in (loaded.train, loaded.validation))
    count = 10_000
    if name == "fashion14":
        x, x_val, count = _halved(x), _halved(x_val), 4_000
    return Arrays(x[:count], y[:count], x_val[:2_000], y_val[:2_000], math.log(10), 0.1)


def split(x: Any, y: Any, val: int, *, scale: bool = True) -> Arrays:
    """Return data with its last `val` samples for validation."""
    train, rest = x[:-val], x[-val:]
    if scale:
        mean, deviation = train.mean(axis=0), train.std(axis=0)
        deviation = np.where(deviation > 0, deviation, 1)
        train, rest = [((part - mean) / deviation).astype(np.float32) for part in (train, rest)]
    else:
        train, rest = train.astype(np.int32), rest.astype(np.int32)
    if y.dtype.kind == "f":
        return Arrays(train, y[:-val], rest, y[-val:], float(np.var(y[-val:])), 0.0)
    y = y.astype(np.int32)
    shares = np.bincount(y[:-val]) / (len(y) - val)
    entropy = float(-(shares * np.log(shares)).sum())
    return Arrays(train, y[:-val], rest, y[-val:], entropy, float(shares.max()))


def _halved(images: Any) -> Any:
    """Return images of half the height and width, each pixel the mean of four."""
    count, height, width = images.shape
    return images.reshape(count, height // 2, 2, width // 2, 2).mean(axis=(2, 4))


def _target(y: Any) -> Any:
    """Return the target of a regression, standardised."""
    return ((y - y.mean()) / y.std()).astype(np.float32)


def _digits(rng: np.random.Generator, val: int) -> Arrays:
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    order = rng.permutation(len(x))
    return split(x[order].reshape(-1, 8, 8), y[order], val)


def _tabular(rng: np.random.Generator) -> Arrays:
    # Five classes, each a mixture of three clouds that overlap, under a random rotation.
    centres, turn = rng.normal(0, 1.6, (5, 3, 12)), rng.normal(0, 1, (12, 30))
    y, cloud = rng.integers(0, 5, 12_000), rng.integers(0, 3, 12_000)
    x = (centres[y, cloud] + rng.normal(0, 1, (12_000, 12))) @ turn
    return split(x + rng.normal(0, 2, x.shape), y, 2_000)


def _friedman(rng: np.random.Generator) -> Arrays:
    # Friedman (1991), the first function.
    x = rng.uniform(0, 1, (12_000, 10))
    y = 10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2
    y = y + 10 * x[:, 3] + 5 * x[:, 4] + rng.normal(0, 1, len(x))
    return split(x, _target(y), 2_000)


def _tokens(rng: np.random.Generator) -> Arrays:
    # The class is the token that follows the first 0; there may be several.
    x = rng.integers(1, 9, (12_000, 16))
    x[np.arange(len(x)), rng.integers(0, 15, len(x))] = 0
    first = (x[:, :-1] == 0).argmax(axis=1)
    return split(x, x[np.arange(len(x)), first + 1] % 8, 2_000, scale=False)


def _unequal(rng: np.random.Generator) -> Arrays:
    # Six classes of unequal size, each two clouds in 20 dimensions.
    y = rng.choice(6, 10_000, p=(0.4, 0.25, 0.15, 0.1, 0.06, 0.04))
    centres = rng.normal(0, 0.9, (6, 2, 20))
    x = centres[y, rng.integers(0, 2, len(y))] + rng.normal(0, 1, (len(y), 20))
    return split(x, y, 2_000)


def _spirals(rng: np.random.Generator) -> Arrays:
    # Three arms that wind once around the origin, and four inputs that say nothing.
    y, radius = rng.integers(0, 3, 12_000), rng.uniform(0.1, 1, 12_000)
    angle = 2 * np.pi * (radius + y / 3) + rng.normal(0, 0.3, len(y))
    x = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return split(np.hstack([x, rng.normal(0, 1, (len(y), 4))]), y, 2_000)


def _friedman2(rng: np.random.Generator) -> Arrays:
    # Friedman (1991), the second function: the impedance of a circuit.
    r, w, h, c = rng.uniform((0, 40 * np.pi, 0, 1), (100, 560 * np.pi, 1, 11), (10_000, 4)).T
    y = np.hypot(r, w * h - 1 / (w * c)) + rng.normal(0, 60, len(r))
    return split(np.stack([r, w, h, c], axis=1), _target(y), 2_000)


def _arm(rng: np.random.Generator) -> Arrays:
    # How far the hand of a plane arm with six joints is from the shoulder.
    angles = rng.uniform(-np.pi / 2, np.pi / 2, (10_000, 6))
    hand = (np.array([1, 0.9, 0.8, 0.7, 0.6, 0.5]) * np.exp(1j * angles.cumsum(axis=1))).sum(axis=1)
    return split(angles, _target(np.abs(hand) + rng.normal(0, 0.1, len(hand))), 2_000)


def _waves(rng: np.random.Generator) -> Arrays:
    # Five shapes of a wave in noise: sine, square, saw, triangle, and two sines.
    y, count = rng.integers(0, 5, 6_000), 6_000
    phase = rng.uniform(0, 1, (count, 1)) + rng.uniform(1, 2, (count, 1)) * np.linspace(0, 1, 20)
    turn = phase % 1
    sine = np.sin(2 * np.pi * phase)
    shapes = np.stack([sine, np.sign(sine), 2 * turn - 1, 4 * np.abs(turn - 0.5) - 1,
                       0.6 * (sine + np.sin(6 * np.pi * phase))])  # fmt: skip
    x = rng.uniform(0.7, 1.4, (count, 1)) * shapes[y, np.arange(count)]
    x += rng.normal(0, 0.25, x.shape)
    return split(x[:, :, np.newaxis], y, 2_000)


def _counts(rng: np.random.Generator) -> Arrays:
    # The class is the most frequent of eight tokens, of equally frequent ones the first.
    x = rng.integers(1, 9, (6_000, 16))
    often = (x[:, :, np.newaxis] == np.arange(1, 9)).sum(axis=1)
    return split(x, often.argmax(axis=1), 2_000, scale=False)


_MADE = {
    "digits": functools.partial(_digits, val=360),
    "digits_half": functools.partial(_digits, val=897),
    "tabular": _tabular,
    "friedman": _friedman,
    "tokens": _tokens,
    "unequal": _unequal,
    "spirals": _spirals,
    "friedman2": _friedman2,
    "arm": _arm,
    "waves": _waves,
    "counts": _counts,
}
