"""YAML config files to frozen models; every problem of every file reported at once.

>>> experiment = parse("schedule: {type: constant, lr: 0.01}").experiment
>>> experiment.epochs
10
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from lrlab.config import checks
from lrlab.config import source as yaml_source
from lrlab.config.durations import Duration
from lrlab.config.experiment import Experiment, name_from_stem
from lrlab.config.report import MOST_SHOWN, problems_of, raise_problems, render
from lrlab.config.schedules import Schedule
from lrlab.config.source import Problem, Source
from lrlab.errors import UsageError

__all__ = [
    "Config",
    "Duration",
    "Experiment",
    "Schedule",
    "load",
    "parse",
    "read",
    "reference",
    "settings",
    "warnings",
]


@dataclass(frozen=True)
class Config:
    """An experiment together with the text it was read from."""

    experiment: Experiment
    source: Source


def load(path: str | Path) -> Experiment:
    """Return the experiment that a config file states.

    Args:
        path: A YAML file.

    Raises:
        ConfigError: If anything is wrong with it; all problems at once.
    """
    return read([Path(path)])[0].experiment


def parse(text: str, path: str = "config.yaml") -> Config:
    """Return the config that `text` states, as if it stood in the file `path`."""
    parsed = Source(path, text)
    yaml_source._parse(parsed)
    config = _validate(parsed, {})
    raise_problems([parsed])
    assert config is not None
    return config


def read(paths: Sequence[Path], settings: Mapping[str, str] | None = None) -> list[Config]:
    """Return the configs of several files.

    Args:
        paths: YAML files.
        settings: Keys and values to use instead of what stands in each file: a dotted key with
            the text of its value, as in `{"schedule.max_lr": "0.1"}`.

    Raises:
        ConfigError: If anything is wrong with any of them; all problems of all files at once.
    """
    sources = [yaml_source.read(path) for path in paths]
    configs = [_validate(source, settings or {}) for source in sources]
    raise_problems(sources)
    good = [config for config in configs if config is not None]
    _refuse_equal_names(good)
    return good


def reference(settings: Mapping[str, str] | None = None) -> Config:
    """Return the reference experiment: all defaults, under a constant rate of 0.01."""
    source = Source("the reference experiment", data={"schedule": {"type": "constant", "lr": 0.01}})
    config = _validate(source, settings or {}, "reference")
    raise_problems([source])
    assert config is not None
    return config


def settings(
    texts: Sequence[str], *, data: str | None = None, epochs: int | None = None
) -> dict[str, str]:
    """Return the settings that `--set KEY=VALUE`, `--data` and `--epochs` state.

    Raises:
        UsageError: If a text is not of that form.
    """
    given = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not all(part.isidentifier() for part in key.split(".")):
            raise UsageError(
                f"`--set {text}` is not of the form `key=value`",
                "write for example `--set batch_size=128` or `--set schedule.max_lr=0.1`",
            )
        given[key] = value
    if data is not None:
        given["data"] = json.dumps(data)
    if epochs is not None:
        given["epochs"] = str(epochs)
    return given


def _validate(
    source: Source, settings: Mapping[str, str], name: str | None = None
) -> Config | None:
    if source.data is not None and not isinstance(source.data, dict):
        source.problems.append(Problem("must be a mapping (keys and values)", 0))
    if source.problems and not isinstance(source.data, dict):
        return None
    if source.data is None:
        source.problems.append(Problem("is empty; `schedule` is missing"))
        return None
    _locate_data(source)
    for key, text in settings.items():
        origin = f"--{key} {text}" if key in ("data", "epochs") else f"--set {key}={text}"
        try:
            source.override(tuple(key.split(".")), yaml_source.scalar(text), origin)
        except ValueError as error:
            source.problems.append(Problem(str(error), origin=origin))
    values: dict[str, Any] = {"name": name or name_from_stem(Path(source.path).stem), **source.data}
    try:
        experiment = Experiment.model_validate(values)
    except ValidationError as error:
        source.problems += problems_of(error, source, Experiment)
        return None
    return Config(experiment, source)


def _locate_data(source: Source) -> None:
    """Let the path of an npz file count from the folder of the config that names it."""
    name = source.data.get("data")
    if isinstance(name, str) and name.endswith(".npz") and source.path:
        source.data["data"] = str(Path(source.path).parent / name)


def _refuse_equal_names(configs: Sequence[Config]) -> None:
    counts = Counter(config.experiment.name for config in configs)
    for name, count in counts.items():
        if count > 1:
            files = [f"`{c.source.path}`" for c in configs if c.experiment.name == name]
            raise UsageError(
                f"{count} experiments are called `{name}`: {', '.join(files)}",
                "give each its own `name:`, and each file only once",
            )


def warnings(config: Config, steps_per_epoch: int) -> list[str]:
    """Return what is allowed in a config but surely not meant, each with its place.

    Args:
        config: The config.
        steps_per_epoch: Steps an epoch on the data that it will be trained on.

    Raises:
        ConfigError: If the run has too many steps, or the schedule no finite rate at one of them.
    """
    source = config.source
    steps = steps_per_epoch * config.experiment.epochs
    if steps > checks.MOST_STEPS:
        message = (
            f"epochs: {config.experiment.epochs:,} epochs of {steps_per_epoch:,} steps are "
            f"{steps:,} steps; a run has at most {checks.MOST_STEPS:,}"
        )
        source.problems.append(source.problem(message, ("epochs",)))
        raise_problems([source])
    try:
        found = list(checks.findings(config.experiment, steps_per_epoch))
    except ValueError as error:
        source.problems.append(source.problem(f"schedule: {error}", ("schedule",)))
        raise_problems([source])
    return [
        render(source.problem(f"{'.'.join(map(str, place))}: {message}", place), source)
        for place, message in found[:MOST_SHOWN]
    ]
