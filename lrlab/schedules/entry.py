"""What the guide says about a schedule; each schedule's entry stands in its own file."""

from dataclasses import dataclass
from typing import Literal, get_args

Library = Literal["Keras", "PyTorch", "optax", "timm", "transformers", "fastai", "papers"]

Family = Literal[
    "constant between jumps",
    "decay without an end",
    "to a last rate over a given length",
    "up and down",
    "closed loops, which watch the training",
    "put together",
]
"""The families, in the order in which the guide shows them."""


@dataclass(frozen=True)
class Origin:
    """Where a schedule comes from.

    Args:
        who: Its authors, or the library that it is known from.
        title: The title.
        year: The year, None for a library.
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
    """A schedule, as the guide describes it; its parameters are the fields of its model.

    Args:
        family: Where the guide lists it.
        formula: The rate at step t as lines of Python, for most schedules.
        example: A whole config.
        origins: Where it comes from.
        names: What others call it.
        traps: Where it differs from what one may expect, a sentence each.
        history: For a closed loop: invented results of the epochs, for its picture.
    """

    family: Family
    formula: str
    example: str
    origins: tuple[Origin, ...]
    names: tuple[Name, ...]
    traps: tuple[str, ...]
    history: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.family not in get_args(Family):
            known = ", ".join(f"`{family}`" for family in get_args(Family))
            raise ValueError(f"the family of an entry is one of {known}; got `{self.family}`")


GERON = Origin(
    "Géron", "Hands-On Machine Learning with Scikit-Learn, Keras and TensorFlow, chapter 11", 2019,
    "https://github.com/ageron/handson-ml2",
)  # fmt: skip
SGDR = Origin(
    "Loshchilov and Hutter", "SGDR: stochastic gradient descent with warm restarts", 2016,
    "https://arxiv.org/abs/1608.03983",
)  # fmt: skip
PYTORCH = Origin(
    "PyTorch", "torch.optim.lr_scheduler",
    link="https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate",
)  # fmt: skip
KERAS = Origin(
    "Keras", "keras.optimizers.schedules",
    link="https://keras.io/api/optimizers/learning_rate_schedules/",
)  # fmt: skip
