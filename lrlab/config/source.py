"""The YAML text of a config: plain values, and for each of them its place in the file.

Scalars follow YAML 1.2, so `1e-3` is a number and `on`, `1:30`, `012` are text; anchors, aliases,
tags and duplicate keys are refused, which also makes alias bombs impossible.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from lrlab.io import reading

Location = tuple[str | int, ...]

MAX_BYTES = 50_000
MAX_DEPTH = 20
MAX_VALUES = 5_000


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a config: a text, and the place (line and column from 0) if known."""

    message: str
    line: int | None = None
    column: int = 0
    origin: str | None = None


@dataclass
class Source:
    """A parsed config file: its values and where each stands."""

    path: str
    text: str = ""
    data: Any = None
    keys: dict[Location, yaml.Mark] = field(default_factory=dict)
    values: dict[Location, yaml.Mark] = field(default_factory=dict)
    overrides: dict[Location, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def problem(self, message: str, location: Location, *, at_key: bool = False) -> Problem:
        """Return a problem placed at a value (or its key); a missing one at what it is missing in.

        A value that came from `--set`, or that one lies in, is placed there instead.
        """
        for place, origin in reversed(self.overrides.items()):
            if location[: len(place)] == place or (location and place[: len(location)] == location):
                return Problem(message, origin=origin)
        marks = self.keys if at_key else self.values
        if location in marks:
            return Problem(message, marks[location].line, marks[location].column)
        for length in range(len(location) - 1, -1, -1):
            if mark := self.keys.get(location[:length], self.values.get(location[:length])):
                return Problem(message, mark.line, mark.column)
        return Problem(message, 0 if self.text else None)

    def override(self, given: "Override") -> None:
        """Put a value at its place, making the mappings on the way."""
        if not isinstance(self.data, dict):
            return
        inner = self.data
        for key in given.location[:-1]:
            if not isinstance(inner.get(key), dict):
                inner[key] = {}
            inner = inner[key]
        inner[given.location[-1]] = given.value
        self.overrides[given.location] = given.typed


@dataclass(frozen=True)
class Override:
    """A value that takes the place of what a config states.

    Args:
        location: Where it belongs.
        value: The value.
        typed: The option as it was typed, for messages.
    """

    location: Location
    value: Any
    typed: str


class _Loader(yaml.SafeLoader):
    """SafeLoader with the scalars of YAML 1.2's core schema."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012


def _resolve(tag: str, pattern: str, first: str) -> None:
    for character in first:
        _Loader.yaml_implicit_resolvers.setdefault(character, []).append(
            (f"tag:yaml.org,2002:{tag}", re.compile(pattern))
        )


_resolve("null", r"^(?:~|null|Null|NULL)$", "~nN")
_Loader.yaml_implicit_resolvers[""] = [("tag:yaml.org,2002:null", re.compile("^$"))]
_resolve("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF")
_resolve("int", r"^[-+]?(?:0|[1-9][0-9]{0,18})$", "-+0123456789")
# A number with a leading zero stays text: it may have been meant as octal.
_resolve(
    "float",
    r"^(?:[-+]?(?!0[0-9])(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$",
    "-+.0123456789",
)


def read(path: Path) -> Source:
    """Parse a config file; what is wrong with its text is in `problems`, never raised."""
    source = Source(str(path))
    try:
        with reading.open_file(path) as file:
            raw = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        source.problems.append(Problem("no such file"))
        return source
    except IsADirectoryError:
        source.problems.append(Problem("is a folder; name the files in it, as in `FOLDER/*.yaml`"))
        return source
    except OSError as error:
        source.problems.append(Problem(f"cannot be read: {reading.reason(error)}"))
        return source
    return take(source, raw)


def take(source: Source, raw: bytes) -> Source:
    """Parse what a config file holds; what is wrong with it is in `problems`, never raised."""
    if len(raw) > MAX_BYTES:
        source.problems.append(Problem(f"is larger than {MAX_BYTES:,} bytes; is it a config?"))
        return source
    try:
        source.text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        source.problems.append(Problem(f"is not UTF-8 text (byte {error.start}); save it as UTF-8"))
        return source
    if source.text.strip():
        return parse(source)
    source.problems.append(Problem("is empty; the least is `schedule: {type: constant, lr: 0.01}`"))
    return source


def parse(source: Source) -> Source:
    """Parse the text of a source; what is wrong with it is in `problems`, never raised."""
    try:
        depth = count = 0
        for event in yaml.parse(source.text, Loader=_Loader):
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            count += isinstance(event, yaml.NodeEvent)
            if refused := _refusal(event, depth, count):
                source.problems.append(_at(refused, event.start_mark))
                return source
        node = yaml.compose(source.text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        message = f"not valid YAML: {error.problem or error.context}"
        source.problems.append(_at(message, error.problem_mark or error.context_mark))
        return source
    except (yaml.YAMLError, ValueError) as error:
        reason = " ".join(str(error).split())
        source.problems.append(Problem(f"not valid YAML: {reason}"))
        return source
    if node is not None:
        source.data = _plain(node, (), source, _Loader(""))
    return source


def _refusal(event: yaml.Event, depth: int, count: int) -> str | None:
    if isinstance(event, yaml.NodeEvent) and event.anchor:
        return "anchors and aliases are not supported"
    if getattr(event, "tag", None) is not None:
        return "tags (`!`) are not supported"
    if count > MAX_VALUES:
        return f"holds more than {MAX_VALUES:,} keys and values; is it a config?"
    return "nested too deeply" if depth > MAX_DEPTH else None


def _at(message: str, mark: Any) -> Problem:
    return Problem(message) if mark is None else Problem(message, mark.line, mark.column)


def _plain(node: yaml.Node, location: Location, source: Source, loader: _Loader) -> Any:
    source.values[location] = node.start_mark
    if isinstance(node, yaml.MappingNode):
        return dict(_items(node, location, source, loader))
    if isinstance(node, yaml.SequenceNode):
        return [
            _plain(item, (*location, index), source, loader)
            for index, item in enumerate(node.value)
        ]
    return loader.construct_object(node)


def _items(
    node: yaml.MappingNode, location: Location, source: Source, loader: _Loader
) -> Iterator[tuple[str, Any]]:
    for key_node, value_node in node.value:
        mark = key_node.start_mark
        if not isinstance(key_node, yaml.ScalarNode):
            source.problems.append(_at("a key must be plain text", mark))
            continue
        inner = (*location, key_node.value)
        if inner in source.keys:
            first = source.keys[inner].line + 1
            dotted = ".".join(map(str, inner))
            message = f"{dotted}: duplicate key; it already stands on line {first}"
            source.problems.append(_at(message, mark))
            continue
        source.keys[inner] = mark
        yield key_node.value, _plain(value_node, inner, source, loader)


def to_text(stated: Any) -> str:
    """Return plain values as the YAML of a config.

    Example:
        >>> print(to_text({"schedule": {"type": "constant", "lr": 1e-05}}), end="")
        schedule:
          type: constant
          lr: 1.0e-05
    """
    return str(yaml.safe_dump(stated, sort_keys=False, allow_unicode=False, width=100))
