"""A grid: every config with every combination of the values that `--set` states for some keys.

An experiment is called after its config and what differs, as `cosine-batch_size-64-adam`: the names
stay the same when other configs join a command, so finished runs are found again.
"""

import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from lrlab.config.set_values import Setting
from lrlab.config.source import MAX_DEPTH, Override
from lrlab.errors import UsageError
from lrlab.fields import shown
from lrlab.io import records

MOST_POINTS = 5_000
"""Combinations of a grid; `comparison.json` holds no more experiments than about so many."""

MANY_RUNS = 100
"""From so many runs on a grid says beforehand how many they are."""

_LONGEST = 64


def _shallow(value: Any, depth: int = 0) -> Any:
    """Return a value that no config could not hold: one nested too deeply has been made by hand."""
    if depth > MAX_DEPTH:
        raise ValueError(f"must be nested at most {MAX_DEPTH} deep")
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in inner:
        _shallow(one, depth + 1)
    return value


@dataclass(frozen=True)
class GridPoint:
    """Where an experiment stands in a grid.

    Args:
        config: The name of its config.
        at: The value of each key that has several, by its dotted name.
    """

    config: records.Text
    at: Annotated[dict[str, Annotated[Any, AfterValidator(_shallow)]], Field(min_length=1)]


@dataclass(frozen=True)
class Combination:
    """One combination of values.

    Args:
        overrides: What takes the place of a config's values, those of single values included.
        at: The value of each key that has several.
        words: What names it.
    """

    overrides: tuple[Override, ...]
    at: Mapping[str, Any]
    words: str

    def point(self, config: str) -> GridPoint | None:
        """Return where the experiment of a config stands; None where no key has several values."""
        return GridPoint(config, dict(self.at)) if self.at else None


def combinations(settings: Sequence[Setting]) -> list[Combination]:
    """Return every combination of the values of some keys, the last key's changing fastest.

    Raises:
        UsageError: If they are too many, or the name itself has several values.
    """
    axes = [one for one in settings if len(one.values) > 1]
    for one in axes:
        if one.location == ("name",):
            raise UsageError(f"`{one.typed}`: a grid names its experiments itself")
    if (count := math.prod(len(one.values) for one in axes)) > MOST_POINTS:
        raise UsageError(
            f"{_product(axes)} are {count:,} combinations; a grid has at most {MOST_POINTS:,}",
            "state fewer values, or compare them in several commands",
        )
    words = [_words(one, axes) for one in axes]
    found = []
    for chosen in itertools.product(*(range(len(one.values)) for one in axes)):
        picked = dict(zip((one.location for one in axes), chosen, strict=True))
        overrides = [one.overrides()[picked.get(one.location, 0)] for one in settings]
        at = {one.key: one.values[index][0] for one, index in zip(axes, chosen, strict=True)}
        parts = [of_axis[index] for of_axis, index in zip(words, chosen, strict=True)]
        found.append(Combination(tuple(overrides), at, "-".join(parts)))
    return found


def named(config: str, combination: Combination, number: int) -> str:
    """Return the name of a config's experiment in a grid; one that would be too long is numbered.

    Args:
        config: The name of the config.
        combination: Its values.
        number: Which combination it is.
    """
    if not combination.words:
        return config
    name = f"{config}-{combination.words}"
    return name if len(name) <= _LONGEST else f"{config[: _LONGEST - 5]}-{number:04d}"


def size(settings: Sequence[Setting], configs: int, seeds: int) -> str:
    """Return how many runs a grid is, "" if they are not many or there is no grid.

    Example:
        >>> many = Setting(("batch_size",), tuple((n, "") for n in range(1, 51)), "")
        >>> size([many], configs=2, seeds=3)
        'a grid of 100 experiments (2 configs x 50 of batch_size): 300 runs'
    """
    axes = [one for one in settings if len(one.values) > 1]
    experiments = configs * math.prod(len(one.values) for one in axes)
    if not axes or experiments * seeds <= MANY_RUNS:
        return ""
    of = [f"{configs} configs"] * (configs > 1) + [_product(axes)]
    return f"a grid of {experiments:,} experiments ({' x '.join(of)}): {experiments * seeds:,} runs"


def label(value: Any) -> str:
    """Return a value as figures and tables show it: of a mapping, the `type` and the rest.

    Example:
        >>> label({"type": "sgd", "momentum": 0.9}), label([1, 2]), label(0.001), label(None)
        ('sgd momentum 0.9', '1, 2', '0.001', 'none')
    """
    if isinstance(value, dict):
        more = [f"{key} {label(one)}" for key, one in value.items() if key != "type"]
        return " ".join([*([label(value["type"])] if "type" in value else []), *more])
    if isinstance(value, list):
        return ", ".join(map(label, value))
    if isinstance(value, float):
        return f"{value:.12g}"
    return "none" if value is None else shown(value)


def _product(axes: Sequence[Setting]) -> str:
    return " x ".join(f"{len(one.values)} of {one.key}" for one in axes)


def _words(axis: Setting, axes: Sequence[Setting]) -> list[str]:
    """Return what names each value of a key: a word says itself, a number its key too."""
    last = [str(one.location[-1]) for one in axes]
    key = str(axis.location[-1])
    key = axis.key if last.count(key) > 1 else key
    values = [value for value, _ in axis.values]
    texts = [_text(value, short=True) for value in values]
    if len(set(texts)) < len(texts):
        texts = [_text(value, short=False) for value in values]
    if not all(re.match("[A-Za-z]", text) and _names_itself(value)
               for text, value in zip(texts, values, strict=True)):  # fmt: skip
        texts = [f"{key}-{text}" for text in texts]
    if len(set(texts)) < len(texts):
        texts = [f"{text}-{number}" for number, text in enumerate(texts, 1)]
    return texts


def _names_itself(value: Any) -> bool:
    return isinstance(value, str | dict | list)


def _text(value: Any, *, short: bool) -> str:
    """Return a value in the characters that a folder's name may have."""
    if isinstance(value, float) and short:
        text = f"{value:.4g}"
    elif isinstance(value, list | dict):
        text = "-".join(_leaves(value))
    else:
        text = "none" if value is None else shown(value)
    text = re.split(r"[/\\]", text)[-1]  # A file is called as it is, not after its folder.
    text = re.sub(r"[^A-Za-z0-9._+-]+", "-", text)
    return (text.rstrip("-") if isinstance(value, int | float) else text.strip("-")) or "empty"


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, list | dict):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _leaves(inner)
    else:
        yield _text(value, short=True)
