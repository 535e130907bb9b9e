"""How long a run is: steps in an epoch, and epochs."""

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Length:
    """The length of a run, or of a part of one.

    Args:
        steps_per_epoch: Steps in an epoch, at least 1.
        epochs: Epochs, above 0; a fraction where a part is not a whole number of them.

    Example:
        >>> Length.of(images=1000, batch_size=32, epochs=2)
        Length(steps_per_epoch=32, epochs=2)
        >>> Length(32, 2).steps
        64
    """

    steps_per_epoch: int
    epochs: int | Fraction

    def __post_init__(self) -> None:
        if self.steps_per_epoch < 1 or self.epochs <= 0:
            raise ValueError(
                f"need at least 1 step and 1 epoch, got {self.steps_per_epoch} and {self.epochs}"
            )

    @classmethod
    def of(cls, images: int, batch_size: int, epochs: int) -> "Length":
        """Return the length of `epochs` over `images`; the last batch of one may be smaller."""
        return cls(-(-images // batch_size), epochs)

    @property
    def steps(self) -> int:
        """Steps in all."""
        return int(self.steps_per_epoch * self.epochs)
