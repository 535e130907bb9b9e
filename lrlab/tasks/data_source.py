"""The data source: which data a name stands for, known before they are needed."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from lrlab.io.npz import Array
from lrlab.tasks.parts import Given, mapped
from lrlab.tasks.split import BOOK, Split
from lrlab.tasks.stream_set import StreamedSet
from lrlab.tasks.task import CLASSIFICATION, Task

_SHAPE = (28, 28)


@dataclass(frozen=True)
class DataSource:
    """Which data a name stands for; sources of equal content are equal.

    Args:
        name: What tables and figures call it.
        fingerprint: Hash of what it holds and how it is split; runs on equal fingerprints saw
            equal data.
        train_images: Examples to train on, those held out to validate on not counted.
        path: The folder or file it is read from, None for what is made or was given.
        shape: Shape of one example, or a dict or tuple of them where a model takes several inputs;
            by default that of the built-in data.
        task: What its targets ask for.
        split: What is held out to validate on.
        given: The arrays, where they were read already.
        vocabulary: How many tokens there are, where examples are sequences of tokens.
        standardise: Whether inputs that would be standardised are.
        scales_targets: Whether amounts are standardised before a model learns them.
        streamed: The streams, where the data set makes its own batches.
    """

    name: str = field(compare=False)
    fingerprint: str
    train_images: int
    path: Path | None = field(default=None, compare=False)
    shape: Any = field(default=_SHAPE, compare=False)
    task: Task = field(default=CLASSIFICATION, compare=False)
    split: Split = field(default=BOOK, compare=False)
    given: Given | None = field(default=None, compare=False, repr=False)
    vocabulary: int | None = field(default=None, compare=False)
    standardise: bool = field(default=True, compare=False)
    scales_targets: bool = field(default=False, compare=False)
    streamed: StreamedSet | None = field(default=None, compare=False, repr=False)

    @property
    def steps(self) -> int | None:
        """Steps of an epoch where the data set makes its own batches, otherwise None."""
        return None if self.streamed is None else self.streamed.passes["train"].steps

    def counts(self) -> dict[str, int]:
        """Return how many examples the parts have, by name, as far as they were read."""
        if self.given is None:
            return {"train": self.train_images}
        found = {name: len(part) for name, part in self.given.parts().items()}
        held = found["train"] - self.train_images
        return found | {"train": self.train_images} | ({"validation": held} if held else {})

    def sample(self, count: int = 2) -> Any:
        """Return some examples as a model takes them, though not standardised.

        Args:
            count: How many; the same ones over and over if there are fewer.
        """

        def some(array: Array) -> Array:
            few = array[np.arange(count) % len(array)]
            standard = self.given is not None and self.given.standardise
            return few.astype(np.float32) if standard or few.dtype == np.float64 else few

        if self.streamed is not None:
            return mapped(self.streamed.passes["train"].sample["x"], some)
        if self.given is None:
            return np.zeros((count, *self.shape), np.float32)
        return mapped(self.given.train.x, some)

    @classmethod
    def of(cls, name: str, fingerprint: str, images: int, path: Path | None = None) -> "DataSource":
        """Return the source of so many built-in images, of which some are held out."""
        return cls(name, fingerprint, images - BOOK.count(images), path)
