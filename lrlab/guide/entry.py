"""What the guide holds about a schedule."""

from dataclasses import dataclass
from typing import Literal

Library = Literal["Keras", "PyTorch", "optax", "timm", "transformers", "fastai", "papers"]


@dataclass(frozen=True)
class Origin:
    """Where a schedule comes from.

    Args:
        who: Its authors, or the library that it is known from.
        year: The year, None for a library.
        title: The title.
        link: The address.
    """

    who: str
    title: str
    year: int | None = None
    link: str | None = None

    def __str__(self) -> str:
        year = f" ({self.year})" if self.year else ""
        return f"{self.who}, {self.title}{year}"


@dataclass(frozen=True)
class Name:
    """What a library calls a schedule.

    Args:
        library: The library, or `papers` for a name that is known from there.
        name: The name, as it is written in code.
        note: With which arguments it is the same, or how it differs.
    """

    library: Library
    name: str
    note: str = ""


@dataclass(frozen=True)
class Entry:
    """A schedule, as the guide describes it; its parameters stand in the config model.

    Args:
        type: The name in a config.
        formula: The rate at step t as lines of Python, for most schedules.
        example: A whole config, word for word the one in `configs/`.
        origins: Where it comes from.
        names: What others call it.
        traps: Where it differs from what one may expect, a sentence each.
        history: Of a closed loop: invented results of the epochs, for its picture.
    """

    type: str
    formula: str
    example: str
    origins: tuple[Origin, ...]
    names: tuple[Name, ...]
    traps: tuple[str, ...]
    history: tuple[float, ...] = ()
