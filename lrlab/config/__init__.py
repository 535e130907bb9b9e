"""YAML config files to frozen models; every problem of every file is reported at once.

>>> experiment = parse("schedule: {type: constant, lr: 0.01}").experiment
>>> experiment.epochs
10
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from lrlab.config import file_places
from lrlab.config import source as yaml_source
from lrlab.config.experiment import Experiment, name_from_stem
from lrlab.config.grid import GridPoint
from lrlab.config.problems import MOST_SHOWN, problems_of, raise_problems, render
from lrlab.config.set_values import overrides
from lrlab.config.source import Override, Problem, Source
from lrlab.errors import CodeError, UsageError
from lrlab.schedules import Length
from lrlab.tasks import code
from lrlab.tasks.code import Origin

__all__ = [
    "Config",
    "Experiment",
    "Override",
    "checked",
    "consents",
    "examine",
    "load",
    "overrides",
    "parse",
    "read",
    "reference",
    "refuse_equal_names",
    "together",
    "validated",
    "warnings",
]

MOST_STEPS = 10_000_000
"""Steps of a run; the rates of more, and what is computed on the way, fill a gigabyte."""


@dataclass(frozen=True)
class Config:
    """An experiment together with the text it was read from.

    `trusted` names the files and modules whose code the command line consents to, `point` says
    where it stands in a grid, if it is of one.
    """

    experiment: Experiment
    source: Source
    trusted: frozenset[Origin] = frozenset()
    point: GridPoint | None = None


def load(path: str | Path) -> Experiment:
    """Return the experiment that a config file states.

    Args:
        path: A YAML file.

    Raises:
        ConfigError: If anything is wrong with it; all problems at once.
        UsageError: If `path` is not a path.
    """
    if not isinstance(path, str | Path):
        raise UsageError(f"`path` must be the path of a config, got {path!r}")
    return read([Path(path)])[0].experiment


def parse(text: str, path: str = "config.yaml") -> Config:
    """Return the config that `text` states, as if it stood in the file `path`."""
    return checked(yaml_source.parse(Source(path, text)))


def read(
    paths: Sequence[Path],
    given: Sequence[Override] = (),
    trusted: Collection[Origin] | None = None,
    needed: str = "",
) -> list[Config]:
    """Return the configs of several files; none of the code that they name is run.

    Args:
        paths: YAML files.
        given: Values to use instead of what stands in each file.
        trusted: The files and modules whose code may run; a config that names other code is
            refused. None: nothing will run, so that any may be named.
        needed: The key whose code alone will run, as `schedule`; all that is named by default.

    Raises:
        ConfigError: If anything is wrong with any of them; all problems of all files at once.
    """
    return together([yaml_source.read(path) for path in paths], given, trusted, needed)


def together(
    sources: Sequence[Source],
    given: Sequence[Override] = (),
    trusted: Collection[Origin] | None = None,
    needed: str = "",
) -> list[Config]:
    """Return the configs of several sources; arguments are those of `read`.

    Raises:
        ConfigError: If anything is wrong with any of them; all problems of all at once.
        UsageError: If two have the same name.
    """
    configs = [validated(source, given, trusted=trusted, needed=needed) for source in sources]
    raise_problems(sources)
    good = [config for config in configs if config is not None]
    refuse_equal_names(good)
    return good


def consents(given: Sequence[Override], trust: Sequence[str]) -> set[Origin]:
    """Return the files and modules whose code a command line names, and so lets run.

    Args:
        given: What its options put in place of a config's values, as in `--model nets.py:build`.
        trust: What `--trust` was given.

    Raises:
        CodeError: If `--trust` names neither a file of code nor a module.
    """
    named = [one.value for one in given if isinstance(one.value, str) and code.is_code(one.value)]
    return {code.origin(text, Path()) for text in (*named, *trust)}


def reference(given: Sequence[Override] = (), trusted: Collection[Origin] | None = None) -> Config:
    """Return the reference experiment: all defaults, under a constant rate of 0.01."""
    constant = {"schedule": {"type": "constant", "lr": 0.01}}
    source = Source("the reference experiment", data=constant)
    return checked(source, given, "reference", trusted)


def checked(
    source: Source,
    given: Sequence[Override] = (),
    name: str | None = None,
    trusted: Collection[Origin] | None = None,
) -> Config:
    """Return the config that a source states.

    Raises:
        ConfigError: If anything is wrong with it; all problems at once.
    """
    config = validated(source, given, name, trusted)
    raise_problems([source])
    assert config is not None
    return config


def validated(
    source: Source,
    given: Sequence[Override],
    name: str | None = None,
    trusted: Collection[Origin] | None = None,
    needed: str = "",
) -> Config | None:
    """Return the config that a source states; what is wrong with it is in its `problems`."""
    if source.data is not None and not isinstance(source.data, dict):
        source.problems.append(Problem("must be a mapping (keys and values)", 0))
    if source.problems and not isinstance(source.data, dict):
        return None
    if source.data is None:
        source.problems.append(Problem("is empty; `schedule` is missing"))
        return None
    _write_out(source)
    folder = Path(source.path).parent if source.path else Path()
    file_places.relocate(source.data, lambda path: str(folder / path))
    for one in given:
        source.override(one)
        _write_out(source)
    values: dict[str, Any] = {"name": name or name_from_stem(Path(source.path).stem), **source.data}
    try:
        experiment = Experiment.model_validate(values)
    except ValidationError as error:
        source.problems += problems_of(error, source, Experiment)
        return None
    if trusted is None:
        return Config(experiment, source)
    for key, text in experiment.references().items():
        if not key.startswith(needed):
            continue
        try:
            code.require_consent(code.parse(text, Path()), trusted)
        except CodeError as error:
            hint = f"; {error.hint}" if error.hint else ""
            place = tuple(int(each) if each.isdecimal() else each for each in key.split("."))
            source.problems.append(source.problem(f"{key}: {error.reason}{hint}", place))
    return Config(experiment, source, frozenset(trusted))


def _write_out(source: Source) -> None:
    """Let `optimizer: adam` stand for `optimizer: {type: adam}`."""
    if isinstance(stated := source.data.get("optimizer"), str):
        source.data["optimizer"] = {"type": stated}


def refuse_equal_names(configs: Sequence[Config]) -> None:
    """Make sure that no two experiments have the same name.

    Raises:
        UsageError: If two have.
    """
    counts = Counter(config.experiment.name for config in configs)
    for name, count in counts.items():
        if count > 1:
            files = [f"`{c.source.path}`" for c in configs if c.experiment.name == name]
            raise UsageError(
                f"{count} experiments are called `{name}`: {', '.join(files)}",
                "give each its own `name:`, and each file only once",
            )


def warnings(config: Config, steps_per_epoch: int) -> list[str]:
    """Return what is allowed in a config but probably a mistake, each with its place.

    Args:
        config: The config.
        steps_per_epoch: Steps in an epoch on the data that it will be trained on.

    Raises:
        ConfigError: If the run has too many steps, or the schedule no finite rate at one of them.
    """
    found = examine(config, steps_per_epoch)
    raise_problems([config.source])
    return found


def examine(config: Config, steps_per_epoch: int, *, curve: bool = True) -> list[str]:
    """Return what `warnings` does; what that raises becomes problems of the source.

    Args:
        config: The config.
        steps_per_epoch: Steps in an epoch on the data that it will be trained on.
        curve: Whether the schedule's curve is looked at, which needs every rate to be known.
    """
    source, experiment = config.source, config.experiment
    length = Length(steps_per_epoch, experiment.epochs)
    if length.steps > MOST_STEPS:
        message = (
            f"epochs: {experiment.epochs:,} epochs of {steps_per_epoch:,} steps are "
            f"{length.steps:,} steps; a run has at most {MOST_STEPS:,}"
        )
        source.problems.append(source.problem(message, ("epochs",)))
        return []
    try:
        found = list(experiment.schedule.doubts(length)) if curve else []
    except ValueError as error:
        source.problems.append(source.problem(f"schedule: {error}", ("schedule",)))
        return []
    places = [(("schedule", *place), message) for place, message in found]
    return [
        render(source.problem(f"{'.'.join(map(str, place))}: {message}", place), source)
        for place, message in places[:MOST_SHOWN]
    ]
