"""The data source: which data a name stands for, known without reading them."""

from dataclasses import dataclass, field
from pathlib import Path

VALIDATION_SHARE = 12
MAX_VALIDATION = 5_000

_SHAPE = (28, 28)


@dataclass(frozen=True)
class DataSource:
    """Which data a name stands for; sources of equal content are equal.

    Args:
        name: What tables and figures call it.
        fingerprint: Hash of what it holds; runs on equal fingerprints saw equal data.
        train_images: Images to train on, the validation images not counted.
        path: The folder or file it is read from, None for `sketches`.
        shape: Shape of one image; by default that of the built-in data.
    """

    name: str = field(compare=False)
    fingerprint: str
    train_images: int
    path: Path | None = field(default=None, compare=False)
    shape: tuple[int, ...] = field(default=_SHAPE, compare=False)

    @classmethod
    def of(
        cls,
        name: str,
        fingerprint: str,
        images: int,
        path: Path | None = None,
        shape: tuple[int, ...] = _SHAPE,
    ) -> "DataSource":
        """Return the source of so many images, of which some are split off to validate on."""
        return cls(name, fingerprint, images - validation_images(images), path, shape)


def validation_images(images: int) -> int:
    """Return how many of the images are split off to validate on.

    Example:
        >>> [validation_images(images) for images in (2, 600, 60_000, 70_000)]
        [1, 50, 5000, 5000]
    """
    return min(MAX_VALIDATION, max(1, images // VALIDATION_SHARE))
