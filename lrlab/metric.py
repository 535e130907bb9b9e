"""The metric: what a result is called, which way is better, and how its differences are told."""

import math
import re
from dataclasses import dataclass, field, replace
from typing import Literal

from lrlab.io.records import LEFT_OUT

Mode = Literal["max", "min"]

_ABBREVIATIONS = ("auc", "mae", "mape", "mse", "msle", "rmse")
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,79}", re.ASCII)

_SHARES = (
    "accuracy",
    "acc",
    "auc",
    "binary_accuracy",
    "binary_io_u",
    "categorical_accuracy",
    "f1_score",
    "fbeta_score",
    "io_u",
    "mean_io_u",
    "one_hot_io_u",
    "one_hot_mean_io_u",
    "precision",
    "precision_at_recall",
    "recall",
    "recall_at_precision",
    "sensitivity_at_specificity",
    "sparse_categorical_accuracy",
    "sparse_top_k_categorical_accuracy",
    "specificity_at_sensitivity",
    "top_k_categorical_accuracy",
)
"""Metrics from 0 to 1 of which more is better."""

_HIGHER = ("cosine_similarity", "r2_score", "pearson_correlation", "concordance_correlation")
_LOWER = ("loss", "error", "mae", "mse", "rmse", "mape", "msle", "crossentropy", "divergence",
          "hinge", "log_cosh", "huber", "poisson", "perplexity")  # fmt: skip
"""Last words of names of which less is better."""


@dataclass(frozen=True)
class Metric:
    """A result by which runs are compared.

    Args:
        key: Its name, as in Keras' logs and lrlab's files: `accuracy`, `val_accuracy`, `mae`.
        mode: Whether high values are good (`max`) or low ones (`min`).
        points: Whether it is a share, whose differences are told in percentage points.
        least: The least value that it can have.
        greatest: The greatest value that it can have.
    """

    key: str
    mode: Mode
    points: bool = field(default=False, metadata=LEFT_OUT)
    least: float = field(default=-math.inf, metadata=LEFT_OUT)
    greatest: float = field(default=math.inf, metadata=LEFT_OUT)

    def __post_init__(self) -> None:
        if not _KEY.fullmatch(self.key):  # It names files and columns.
            raise ValueError(
                f"a metric's name has letters, digits and underscores, got `{self.key[:80]!r}`"
            )

    @property
    def name(self) -> str:
        """Its name in a sentence."""
        return self.key.replace("_", " ")

    @property
    def title(self) -> str:
        """Its name at the beginning of a title."""
        return self.name.upper() if self.key in _ABBREVIATIONS else self.name.capitalize()

    def on(self, split: str) -> "Metric":
        """Return what it is called on another part of the data: `val` or `test`."""
        return replace(self, key=f"{split}_{self.key}")

    def value(self, value: float) -> str:
        """Return a value as a sentence has it."""
        return f"{value:.4f}" if abs(value) < 1000 else f"{value:.6g}"

    def amount(self, difference: float) -> str:
        """Return the amount of a difference, without a unit."""
        if not self.points:
            return f"{difference:.2g}" if difference < 100 else f"{float(f'{difference:.2g}'):,.0f}"
        points = 100 * difference
        if 0 < points < 0.0095:  # Else it would read 0.00 or 0.01.
            return f"{points:.1g}"
        return f"{points:.1f}" if points >= 0.095 else f"{points:.2f}"

    def unit(self) -> str:
        """Return what differences are counted in."""
        return " points" if self.points else ""


ACCURACY = Metric("accuracy", "max", points=True, least=0.0, greatest=1.0)
LOSS = Metric("loss", "min", least=0.0)


def mode_of(name: str) -> Mode | None:
    """Return which way is better as a metric's name says it; None where it does not.

    Example:
        >>> mode_of("val_accuracy"), mode_of("root_mean_squared_error"), mode_of("my_score")
        ('max', 'min', None)
    """
    plain = name.lower().removeprefix("val_").removeprefix("test_")
    if plain in _SHARES or plain in _HIGHER or plain.endswith("accuracy"):
        return "max"
    return "min" if plain.endswith(_LOWER) else None


def known(name: str, mode: Mode | None = None) -> Metric:
    """Return the metric of a name.

    Args:
        name: The name, as Keras writes it in its logs.
        mode: Which way is better; None: as the name says.

    Raises:
        ValueError: If neither says it.
    """
    if name in ("accuracy", "loss"):
        return ACCURACY if name == "accuracy" else LOSS
    found = mode or mode_of(name)
    if found is None:
        raise ValueError(
            f"`{name}` does not say whether high or low values are better; "
            "write `{name: ..., mode: max}`, or `mode: min`"
        )
    if name in _SHARES and found == "max":
        return Metric(name, found, points=True, least=0.0, greatest=1.0)
    lower = mode_of(name) == "min" and name != "cosine_similarity"
    return Metric(name, found, least=0.0 if lower else -math.inf)
