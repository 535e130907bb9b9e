"""What a reference model is: how it is made, what it cannot take, how large it becomes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

Shape = tuple[int, ...]


class Head(NamedTuple):
    """What a model is to give, and of what.

    Attributes:
        outputs: Units of the last layer.
        activation: Of the last layer.
        vocabulary: How many tokens the input knows, None if it is no sequence of tokens.
        per_position: Whether a sequence has outputs for each of its tokens.
    """

    outputs: int
    activation: str | None
    vocabulary: int | None
    per_position: bool


@dataclass(frozen=True)
class Reference:
    """A reference model.

    Args:
        make: Returns the model for the shape of a sample, a head and the seeds of its layers; its
            docstring says what it is and where that is from.
        misfit: Returns why the model of that name cannot take samples of a shape and vocabulary.
        parameters: Returns about how many parameters it has, for so many values per sample, outputs
            and tokens.
    """

    make: Callable[[Shape, Head, Iterator[int]], Any]
    misfit: Callable[[str, Shape, int | None], str | None]
    parameters: Callable[[int, int, int], int]

    @property
    def about(self) -> str:
        """What the model is, with its source."""
        return " ".join((self.make.__doc__ or "").split())


def any_shape(_name: str, _shape: Shape, _vocabulary: int | None) -> None:
    """Take samples of any shape."""


def images_from(pixels: int) -> Callable[[str, Shape, int | None], str | None]:
    """Return what tells why samples are not images of at least so many pixels a side."""

    def misfit(name: str, shape: Shape, _vocabulary: int | None) -> str | None:
        if len(shape) in (2, 3) and min(shape[:2]) >= pixels:
            return None
        what = {1: "features", 2: "images", 3: "images"}.get(len(shape), "samples")
        needed = f"images of at least {pixels}x{pixels} pixels"
        return f"`{name}` needs {needed}, got {what} of shape {shape}"

    return misfit


def with_channels(shape: Shape) -> Shape:
    """Return the shape of an image with its channels, of which it has one if it names none."""
    return shape if len(shape) == 3 else (*shape, 1)
