"""The embedded stand-in for Fashion-MNIST: garments drawn by formulas.

It owns what the classes look like, the random numbers and the order; `garments` owns the shapes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from lrlab.tasks import garments
from lrlab.tasks.data_source import DataSource
from lrlab.tasks.garments import COLUMNS, ROWS, SIZE, Array, Cut, Last, Range, tent, unit, wave

Bytes: TypeAlias = NDArray[np.uint8]

CLASS_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
"""What the labels 0 to 9 stand for, here and in Fashion-MNIST."""

SEED = 28
TRAIN_IMAGES = 60_000
FINGERPRINT = "6650b80a0f5e1de201ad5e2f172e9c7ca87845da6a51e8445bdfa50df88bef18"
"""Stands for the bytes of the drawings in the identity of runs; a test holds both together.

It is the digest of the modules that drew them first, so that results made then are still known.
"""
# Images drawn at once: enough to hide NumPy's cost per call, few enough for the cache.
PER_CLASS = 250
BLOCK = PER_CLASS * len(CLASS_NAMES)

# How hard the data set is stands in these two tables: where the ranges of two classes overlap, the
# pictures are ambiguous, as are the shirts, pullovers and coats of Fashion-MNIST.
CUTS = {
    "T-shirt/top": Cut(
        chest=(4.8, 8.6), flare=(0.9, 1.25), waist=(-0.3, 1.6), length=(19, 26.5),
        sleeve=(3.5, 13), spread=(0.3, 1.1), cuff=(3.5, 5.5), neck=(2.2, 5.0), depth=(0.5, 5.0),
        opening=(-0.5, 0.25), gape=(-3, 0.0), collar=(-0.5, 0.3), buttons=0.05, sleeveless=0.2,
        long=0.08,
    ),
    "Pullover": Cut(
        chest=(6.0, 8.8), flare=(0.85, 1.1), waist=(-0.8, 0.8), length=(19, 26), sleeve=(15, 26),
        spread=(0.08, 0.4), cuff=(2.8, 4.6), neck=(2.0, 4.5), depth=(0.3, 3.2),
        opening=(-0.6, 0.3), gape=(-3, 0.0), collar=(-0.4, 0.5), buttons=0.06,
    ),
    "Dress": Cut(
        chest=(3.4, 7.2), flare=(0.9, 2.1), waist=(-0.2, 2.2), length=(22, 28), sleeve=(2, 10),
        spread=(0.15, 0.7), cuff=(2.0, 3.6), neck=(1.6, 3.8), depth=(0.5, 5.0),
        opening=(-0.5, 0.25), gape=(-3, 0.2), collar=(-0.5, 0.3), buttons=0.05, sleeveless=0.45,
        long=0.2,
    ),
    "Coat": Cut(
        chest=(5.8, 8.4), flare=(0.92, 1.25), waist=(-0.4, 1.4), length=(21, 27.5),
        sleeve=(17, 26), spread=(0.06, 0.32), cuff=(2.8, 4.6), neck=(1.6, 3.8), depth=(1.0, 7.0),
        opening=(-0.3, 1.0), gape=(-2.5, 2.0), collar=(-0.2, 0.9), buttons=0.35,
    ),
    "Shirt": Cut(
        chest=(5.4, 8.6), flare=(0.9, 1.2), waist=(-0.4, 1.4), length=(19.5, 27), sleeve=(4, 24),
        spread=(0.08, 0.7), cuff=(2.8, 5.0), neck=(1.6, 4.2), depth=(0.5, 5.0),
        opening=(-0.3, 0.6), gape=(-3, 0.6), collar=(-0.3, 0.8), buttons=0.4, sleeveless=0.03,
        long=0.35,
    ),
}  # fmt: skip

LASTS = {
    "Sandal": Last(
        toe=(0.5, 4.0), instep=(2.5, 9.0), collar=(0.0, 11.0), shaft=(0.6, 0.85),
        heel=(-3.0, 11.0), sole=(1.0, 3.2), contrast=(-0.8, 0.5), open=(0.1, 0.9),
        strap=(1.4, 4.0), lace=(-0.6, 0.3), vamp=(-0.15, 0.35), back=(0.45, 1.6), rim=(-0.8, 3.0),
    ),
    "Sneaker": Last(
        toe=(2.4, 4.6), instep=(4.2, 8.2), collar=(4.4, 12.0), shaft=(0.48, 0.75),
        heel=(-2.6, 2.6), sole=(1.6, 3.6), contrast=(-1.2, 0.7), open=(-1.2, 0.6),
        strap=(2.0, 5.5), lace=(-0.2, 0.9), vamp=(-0.3, 0.06), back=(0.9, 1.6), rim=(0.8, 3.0),
    ),
    "Ankle boot": Last(
        toe=(2.8, 5.2), instep=(5.0, 10.0), collar=(6.0, 18.5), shaft=(0.4, 0.7),
        heel=(-2.5, 7.0), sole=(0.9, 3.0), contrast=(-0.6, 0.6), open=(-2.2, 0.4),
        strap=(2.0, 5.0), lace=(-0.6, 0.7), vamp=(-0.3, 0.06), back=(0.9, 1.6), rim=(0.8, 3.0),
    ),
}  # fmt: skip


def resolve() -> DataSource:
    """Return the source of the whole data set."""
    return DataSource.of("sketches", FINGERPRINT, TRAIN_IMAGES)


def sketches(train: int = TRAIN_IMAGES, test: int = 10_000) -> tuple[Bytes, Bytes, Bytes, Bytes]:
    """Draw the stand-in data set.

    Args:
        train: Number of training images, at least 0.
        test: Number of test images, at least 0.

    Returns:
        `x_train, y_train, x_test, y_test`, all uint8: images (n, 28, 28) with background 0 and
        labels (n,) from 0 to 9. Fewer images are the beginning of more. Every 2,500 in a row,
        counted from the first, hold 250 of each class, shuffled.

    Example:
        >>> x_train, y_train, x_test, y_test = sketches(5_000, 2_500)
        >>> x_train.shape, np.bincount(y_test).tolist()
        ((5000, 28, 28), [250, 250, 250, 250, 250, 250, 250, 250, 250, 250])
    """
    # Freed at once: from then on glibc keeps freed blocks up to this size. Otherwise it returns
    # every temporary array to the system and pages it in again, a second in all.
    np.empty(2**24, np.uint8)
    return *draw_split(0, train), *draw_split(1, test)


def draw_split(split: int, count: int) -> tuple[Bytes, Bytes]:
    """Draw `count` images and labels of split 0 (train) or 1 (test)."""
    blocks = -(-count // BLOCK)
    images = np.empty((blocks * BLOCK, SIZE, SIZE), np.uint8)
    labels = np.empty(blocks * BLOCK, np.uint8)
    for block in range(blocks):
        here = slice(block * BLOCK, (block + 1) * BLOCK)
        draw_block(split, block, images[here], labels[here])
    return images[:count], labels[:count]


def draw_block(split: int, block: int, images: Bytes, labels: Bytes) -> None:
    """Fill one block, shuffled and exactly balanced, from a random stream of its own."""
    chance = Chance(split, block)
    places = np.argsort(chance.words(BLOCK), kind="stable").reshape(len(CLASS_NAMES), PER_CLASS)
    for label, name in enumerate(CLASS_NAMES):
        labels[places[label]] = label
        images[places[label]] = draw_class(name, chance)


def draw_class(name: str, draw: Chance) -> Bytes:
    """Draw `PER_CLASS` images of one class, uint8 (PER_CLASS, 28, 28)."""
    if name in CUTS:
        inside, shade = garments.top(CUTS[name], draw)
    elif name in LASTS:
        inside, shade = garments.shoe(LASTS[name], draw)
    else:
        inside, shade = garments.trouser(draw) if name == "Trouser" else garments.bag(draw)
    return dye(inside, shade, draw)


def dye(inside: Array, shade: Array, draw: Chance) -> Bytes:
    """Turn shapes into pictures: cloth of some brightness, pattern and grain, lit from a side."""
    tone = draw((0.26, 1.0)) + ROWS * draw((-0.012, 0.012))
    lines = np.maximum(wave(ROWS / draw((2.5, 9.0)) + draw((0, 1))), 0.0)
    lines = lines * draw.chance(0.2) * draw((0.0, 1.0))
    folds = draw((-0.05, 0.2)) + draw.chance(0.12) * draw((0.0, 0.6))
    folds = folds * wave(COLUMNS / draw((2.5, 10.0)) + draw((0, 1)))
    folds = folds + COLUMNS * draw((-0.01, 0.01))
    print_ = draw.chance(0.35) * draw((-1.3, 1.3)) * tent(ROWS, draw((8, 18)), draw((2, 7)))
    patch = unit(2.5 * tent(COLUMNS, draw((10, 17)), draw((2, 7))) - 0.5)
    pixels = shade * (255.0 * tone * (1.0 - lines))
    pixels *= 1.0 - folds
    pixels *= 1.0 - print_ * patch
    pixels *= draw.grain(np.maximum(draw((-0.2, 0.6)), 0.0))
    pixels *= unit(inside + 0.5)
    return np.clip(pixels, 0.0, 255.0).astype(np.uint8).transpose(2, 0, 1)


class Chance:
    """Random numbers for one block, from the raw bits of PCG64.

    NumPy keeps these bits the same for ever, which it does not promise for the methods of
    `Generator`. All that is made from them, here and in `garments`, is correctly rounded arithmetic
    (no exp, no sin, no sum), so the bytes of an image do not depend on the machine.
    """

    def __init__(self, split: int, block: int) -> None:
        """Start the stream of one block of one split."""
        self._source = np.random.PCG64(np.random.SeedSequence((SEED, split, block)))
        self._stock = self._uniforms()

    def _uniforms(self) -> Iterator[Array]:
        while True:  # many at once: a call of NumPy costs more than the numbers for one
            words = self.words(64 * PER_CLASS).reshape(64, PER_CLASS)
            yield from (words >> np.uint64(40)).astype(np.float32) / np.float32(2**24)

    def words(self, count: int) -> NDArray[np.uint64]:
        """Return `count` random 64-bit words."""
        return self._source.random_raw(count)

    def __call__(self, span: Range) -> Array:
        """Return values in `span` with a triangular density, float32 (PER_CLASS,)."""
        low, high = span
        return (next(self._stock) + next(self._stock)) * ((high - low) / 2) + low

    def chance(self, probability: float) -> Array:
        """Return 1 with this probability and else 0, float32 (PER_CLASS,)."""
        return (next(self._stock) < probability).astype(np.float32)

    def grain(self, amount: Array) -> Array:
        """Return a factor within `amount` / 2 of 1 for every pixel, float32 (28, 28, PER_CLASS)."""
        words = self.words(PER_CLASS * SIZE * SIZE // 8).astype("<u8", copy=False)
        noise = words.view(np.uint8).astype(np.float32).reshape(SIZE, SIZE, PER_CLASS)
        noise *= amount / 255.0
        noise += 1.0 - amount / 2.0
        return noise
