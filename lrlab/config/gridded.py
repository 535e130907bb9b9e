"""Configs with a grid of settings: one experiment for each config and combination of values."""

import copy
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lrlab import config
from lrlab.config import Config, grid
from lrlab.config import source as yaml_source
from lrlab.config.problems import raise_problems
from lrlab.config.set_values import Setting, distinct, in_order
from lrlab.config.source import Override, Source
from lrlab.errors import UsageError
from lrlab.tasks.code import Origin


def overrides(settings: Sequence[Setting]) -> list[Override]:
    """Return what any value of a grid puts in place of a config's, as for `config.consents`."""
    return [override for one in settings for override in one.overrides()]


def stated(given: Mapping[str, Sequence[Any]], others: Sequence[Override]) -> list[Setting]:
    """Return the settings that a Python user states.

    Args:
        given: The values of each key of a grid, as `{"batch_size": [32, 64]}`.
        others: What takes the place of a config's values beside them.

    Raises:
        UsageError: If a key has no values, one twice, or is stated twice.
    """
    settings = [Setting(one.location, ((one.value, one.typed),), one.typed) for one in others]
    if not isinstance(given, Mapping):
        raise UsageError("`grid` must be values by key, as `{'batch_size': [32, 64]}`")
    for key, values in given.items():
        settings.append(_stated(key, values))
    return in_order(settings)


def _stated(key: Any, values: Any) -> Setting:
    typed = f"`grid[{key!r}]`"
    if not isinstance(key, str) or not all(part.isidentifier() for part in key.split(".")):
        raise UsageError(f"{typed}: a key is a text such as `batch_size` or `schedule.max_lr`")
    listed = values.tolist() if hasattr(values, "tolist") else values
    if not isinstance(listed, list | tuple) or not listed:
        raise UsageError(f"{typed} must be a list of values, got {values!r}")
    plain = [value.item() if hasattr(value, "item") else value for value in listed]
    for value in plain:
        if not isinstance(value, str | int | float | list | dict | None):
            raise UsageError(f"{typed} holds {value!r}; a value is a number, a text or a mapping")
    return distinct(Setting(tuple(key.split(".")), tuple((v, typed) for v in plain), typed))


def read(
    paths: Sequence[Path],
    settings: Sequence[Setting],
    trusted: Collection[Origin] | None = None,
) -> list[Config]:
    """Return the experiments of several files; arguments and errors are those of `together`."""
    return together([yaml_source.read(path) for path in paths], settings, trusted)


def together(
    sources: Sequence[Source],
    settings: Sequence[Setting],
    trusted: Collection[Origin] | None = None,
) -> list[Config]:
    """Return the experiments of several sources, those of one source beside each other.

    Args:
        sources: What the configs state.
        settings: What takes the place of their values; keys with several values make a grid.
        trusted: The files and modules whose code may run, as for `config.read`.

    Raises:
        ConfigError: If anything is wrong with any of them; all problems of all at once.
        UsageError: If two have the same name, or the grid is too large.
    """
    made = grid.combinations(settings)
    found = []
    for source in sources:
        problems = list(source.problems)
        for number, combination in enumerate(made, 1):
            one = _copy(source)
            read_ = config.validated(one, combination.overrides, trusted=trusted)
            problems += [each for each in one.problems if each not in problems]
            if read_ is not None:
                found.append(_placed(read_, combination, number))
        source.problems = problems
    raise_problems(sources)
    config.refuse_equal_names(found)
    return found


def _copy(source: Source) -> Source:
    return replace(
        source,
        data=copy.deepcopy(source.data),
        overrides=dict(source.overrides),
        problems=list(source.problems),
    )


def _placed(read_: Config, combination: grid.Combination, number: int) -> Config:
    name = read_.experiment.name
    called = read_.experiment.model_copy(update={"name": grid.named(name, combination, number)})
    return replace(read_, experiment=called, point=combination.point(name))
