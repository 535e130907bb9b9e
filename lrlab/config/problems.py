"""Problems of configs in words: pydantic's findings, and text with line, column and caret."""

import difflib
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from lrlab.config.source import Location, Problem, Source
from lrlab.errors import ConfigError
from lrlab.fields import KNOWN, MAPPING, TEXT, Model, shown
from lrlab.io.printable import printable
from lrlab.schedules import registry

MOST_SHOWN = 20
"""Problems of one file that are printed; nobody reads more, and a hostile file has thousands."""

_MOST_TYPES = 6

_RANGES = {
    "greater_than": ("greater than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
}
_KINDS = {
    "float_type": "a number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "string_type": "text",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "finite_number": "a finite number",
    "model_type": "a mapping (keys and values)",
    "model_attributes_type": "a mapping (keys and values)",
    "dict_type": "a mapping (keys and values)",
}


def problems_of(error: ValidationError, source: Source, model: type[Model]) -> list[Problem]:
    """Return what pydantic found, in the words of the config file and at its places."""
    found = []
    placed = [(each, *_in_file(each["loc"], model)) for each in error.errors(include_url=False)]
    misspelt = {
        (*location[:-1], near)
        for detail, location, owner in placed
        if detail["type"] == "extra_forbidden" and owner
        for near in _near(str(location[-1]), list(owner.keys()))
    }
    for detail, location, owner in placed:
        if detail["type"] == "missing" and location in misspelt:
            continue  # One problem, not two.
        unknown = detail["type"] == "extra_forbidden"
        if detail["type"] == "union_tag_invalid":
            location = (*location, "type")
        dotted = ".".join(map(shown, location))
        text = _words(detail, location, owner)
        if (
            unknown
            and location[:-1] == ("optimizer",)
            and ("optimizer", "type") in source.overrides
        ):
            text += f"; `--set optimizer={source.data['optimizer']['type']}` replaces all of them"
        message = f"{dotted}: {text}" if dotted else text
        found.append(source.problem(message, location, at_key=unknown))
    return found


def _in_file(loc: Sequence[str | int], model: type[Model]) -> tuple[Location, type[Model] | None]:
    """Return the place in the file, and the model that the place belongs to.

    Pydantic puts the tag of a union into the location; the file has no such level.
    """
    location: list[str | int] = []
    owner: type[Model] | None = model
    inside: list[type[Model]] = []
    for part in loc:
        if part in (TEXT, MAPPING, KNOWN):
            if part == TEXT:
                inside = []
            if part == MAPPING:
                inside = [each for each in inside if not _kind(each)]
            continue
        if isinstance(part, str) and len(inside) > 1:
            owner, inside = _member(inside, part), []
            continue
        if isinstance(part, str) and inside:
            owner, inside = inside[0], []
        location.append(part)
        field = owner.keys().get(str(part)) if owner else None
        if field is not None:
            inside = list(_models_in(field.annotation))
    return tuple(location), owner


def _models_in(annotation: Any) -> Iterator[type[Model]]:
    """Yield the config models that a field's annotation names."""
    if isinstance(annotation, type) and issubclass(annotation, Model):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


def _member(members: Iterable[type[Model]], tag: str) -> type[Model] | None:
    return next((member for member in members if _kind(member) == tag), None)


def _kind(member: type[Model]) -> str | None:
    """Return the `type` that tells a model from others, None if any text may stand there."""
    field = member.model_fields.get("type")
    kinds = get_args(field.annotation) if field else ()
    return str(kinds[0]) if kinds else None


def _words(detail: ErrorDetails, location: Location, owner: type[Model] | None) -> str:
    kind, value, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown_key(str(location[-1]), list(owner.keys()) if owner else [])
    if kind == "missing":
        fields = owner.keys() if owner else {}
        meaning = fields[str(location[-1])].description if location[-1] in fields else None
        return f"missing; it is {meaning}" if meaning else "missing"
    if kind in _RANGES and not (isinstance(value, float) and not math.isfinite(value)):
        words, key = _RANGES[kind]
        limit = context[key]
        bound = f"{limit:g}" if isinstance(limit, float) else f"{limit}"
        return f"must be {words} {bound}, got {shown(value)}"
    if kind in _RANGES:
        return f"must be a finite number, got `{shown(value)}`"
    if kind == "union_tag_invalid":
        known = [tag.strip().strip("'") for tag in context["expected_tags"].split(",")]
        nearest = _theirs(context["tag"], known) or _nearest(context["tag"], known, "types")
        return f"unknown type `{shown(value['type'])}`; {nearest}"
    if kind == "union_tag_not_found" and isinstance(value, dict):
        return f"needs a `type`: {_types_of(location, owner)}"
    if kind == "union_tag_not_found":
        return f"must be a mapping with a `type`, got `{shown(value)}`"
    if kind == "literal_error":
        return f"must be {context['expected'].replace(chr(39), '')}, got `{shown(value)}`"
    if kind == "value_error":
        return str(context["error"])
    if kind == "too_short":
        return f"must hold at least {context['min_length']} values, got {context['actual_length']}"
    if kind in _KINDS:
        return f"must be {_KINDS[kind]}, got `{shown(value)}`"
    return f"{detail['msg'][0].lower()}{detail['msg'][1:]}, got `{shown(value)}`"


def _unknown_key(key: str, known: list[str]) -> str:
    return f"unknown key; {_nearest(key, known, 'keys')}"


def _near(word: str, known: list[str]) -> list[str]:
    """Return the known word that was probably meant, if there is one."""
    return difflib.get_close_matches(word, known, n=1, cutoff=0.6)


def _nearest(word: str, known: list[str], plural: str) -> str:
    if close := _near(word, known):
        return f"did you mean `{close[0]}`?"
    return f"known {plural}: {', '.join(known)}"


def _theirs(word: str, known: list[str]) -> str | None:
    """Return what a schedule is called here, if it is the name of another library's."""
    found = registry.find(word)
    if found is None or found[0].named() not in known:
        return None
    schedule, libraries = found
    if not libraries:
        return f"did you mean `{schedule.named()}`?"
    name, call = schedule.named(), "calls" if len(libraries) == 1 else "call"
    return f"what {' and '.join(libraries)} {call} so is `{name}`; see `lrlab schedules {word}`"


def _types_of(location: Location, owner: type[Model] | None) -> str:
    """Return the types that a mapping may have, as a sentence lists them."""
    field = owner.keys().get(str(location[-1])) if owner and location else None
    models = list(_models_in(field.annotation)) if field else []
    types = [kind for one in models if (kind := _kind(one))]
    if len(types) > _MOST_TYPES:
        return f"{', '.join(types[:3])} or one of {len(types) - 3} others"
    return f"{', '.join(types[:-1])} or {types[-1]}" if len(types) > 1 else "its kind"


def raise_problems(sources: Iterable[Source]) -> None:
    """Raise one error that lists the problems of all files, in file order.

    Raises:
        ConfigError: If any source has a problem.
    """
    bad = [source for source in sources if source.problems]
    if not bad:
        return
    count = sum(len(source.problems) for source in bad)
    files = f"`{printable(bad[0].path)}`" if len(bad) == 1 else f"{len(bad)} files"
    lines = [f"{count} problem{'s' if count > 1 else ''} in {files}"]
    for source in bad:
        placed = sorted(source.problems, key=lambda p: (p.line is None, p.line or 0, p.column))
        lines += [render(problem, source) for problem in placed[:MOST_SHOWN]]
        if len(placed) > MOST_SHOWN:
            more = len(placed) - MOST_SHOWN
            lines.append(f"{printable(source.path)}: and {more:,} more")
    raise ConfigError("\n".join(lines))


def render(problem: Problem, source: Source) -> str:
    """Return a problem as text: place and message, then the line of the file with a caret."""
    message = printable(problem.message)
    if problem.origin is not None:
        return f"{printable(problem.origin)}: {message} (for {printable(source.path)})"
    if problem.line is None:
        return f"{printable(source.path)}: {message}"
    head = f"{printable(source.path)}:{problem.line + 1}:{problem.column + 1}: {message}"
    lines = source.text.splitlines()
    if problem.line >= len(lines):
        return head
    start = max(0, problem.column - 60)
    line = lines[problem.line].replace("\t", " ")
    before, after = printable(line[start : problem.column]), printable(line[problem.column :])
    excerpt = f"{before}{after[: 100 - (problem.column - start)]}"
    return f"{head}\n  | {excerpt}\n  | {' ' * len(before)}^"
