"""`--set KEY=VALUE`: one value that takes the place of a config's, or several, which are a grid.

Several are `a,b,c` or a range `low:high:xRATIO`. Commas inside brackets or quotes separate nothing.
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lrlab.config.source import Location, Override, Source, parse
from lrlab.errors import UsageError
from lrlab.fields import shown

MOST_VALUES = 1_000
"""Values of one key; nobody draws or reads more."""

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_RANGE = re.compile(rf"(?P<low>{_NUMBER}):(?P<high>{_NUMBER})(?::(?P<ratio>.*))?")
_RATIO = re.compile(rf"x(?P<ratio>{_NUMBER})")
_OPEN, _CLOSE = "([{", ")]}"
_REACHED = 0.01
"""A range may miss its end by that share of a step: nobody types all digits of a square root."""


@dataclass(frozen=True)
class Setting:
    """What `--set`, or an option of its own, states for one key.

    Args:
        location: The key.
        values: Its values, at least one, each with the option as it would be typed for it alone.
        typed: The option as it was typed.
    """

    location: Location
    values: tuple[tuple[Any, str], ...]
    typed: str

    @property
    def key(self) -> str:
        """The dotted key."""
        return ".".join(map(str, self.location))

    def is_above(self, other: "Setting") -> bool:
        """Return whether another key lies inside its own."""
        return other.location[: len(self.location)] == self.location

    def overrides(self) -> list[Override]:
        """Return what each value puts in place of a config's."""
        return [Override(self.location, value, typed) for value, typed in self.values]


def settings(texts: Sequence[str], **options: Any) -> list[Setting]:
    """Return what a command line states in place of a config's values.

    A key comes before the keys inside it, whatever the order they were typed in.

    Args:
        texts: What was given to `--set`.
        options: Values by the key that they replace, as in `epochs=3` for `--epochs 3`; None for
            one that was not given.

    Raises:
        UsageError: If a text is not of that form, or a key is stated twice.
    """
    found = [_setting(text) for text in texts]
    for key, value in options.items():
        if value is not None:
            typed = f"--{key} {value}"
            found.append(Setting((key,), ((value, typed),), typed))
    return in_order(found)


def in_order(found: Sequence[Setting]) -> list[Setting]:
    """Return settings so that a key comes before the keys inside it.

    Raises:
        UsageError: If a key is stated twice.
    """
    first: dict[Location, str] = {}
    ordered: list[Setting] = []
    for one in found:
        if one.location in first:
            raise UsageError(
                f"`{one.key}` is stated twice: `{first[one.location]}` and `{one.typed}`",
                "give it once; several values of a key are a grid of `lrlab compare`",
            )
        first[one.location] = one.typed
        inside = (n for n, other in enumerate(ordered) if one.is_above(other))
        ordered.insert(next(inside, len(ordered)), one)
    return ordered


def overrides(texts: Sequence[str], **options: Any) -> list[Override]:
    """Return the same for a command that takes one value of a key.

    Raises:
        UsageError: As `settings`, and if a text states several values.
    """
    found = settings(texts, **options)
    for one in found:
        if len(one.values) > 1:
            raise UsageError(
                f"`{one.typed}` states {len(one.values)} values; only `lrlab compare` and "
                "`lrlab tune` take a grid",
                f"state one, as in `{one.values[0][1]}`; a text with commas needs quotes, a list "
                "brackets",
            )
    return [override for one in found for override in one.overrides()]


def _setting(text: str) -> Setting:
    key, equals, stated = text.partition("=")
    location = tuple(key.split("."))
    if not equals or not all(part.isidentifier() for part in location):
        raise UsageError(
            f"`--set {text}` is not of the form `key=value`",
            "write for example `--set batch_size=128` or `--set schedule.max_lr=0.1`",
        )
    values = tuple((_value(one, text), f"--set {key}={one}") for one in _separate(stated, text))
    return distinct(Setting(location, values, f"--set {text}"))


def distinct(setting: Setting) -> Setting:
    """Return a setting, whose values must all be different.

    Raises:
        UsageError: If two are equal.
    """
    values = [value for value, _ in setting.values]
    for number, value in enumerate(values):
        if any(_same(value, other) for other in values[:number]):
            raise UsageError(f"`{setting.typed.strip('`')}` states {shown(value)} twice")
    return setting


def _same(value: Any, other: Any) -> bool:
    return isinstance(value, bool) == isinstance(other, bool) and bool(value == other)


def _value(stated: str, text: str) -> Any:
    value = parse(Source("value", stated))
    if value.problems:
        raise UsageError(
            f"`--set {text}`: {value.problems[0].message}",
            "put quotes around the whole of it where the shell would take some of it for itself",
        )
    return value.data


def _separate(stated: str, text: str) -> list[str]:
    """Return the texts of the values that a text states."""
    if found := _RANGE.fullmatch(stated.strip()):
        return list(_range(found, text))
    parts = [stated[start:end].strip() for start, end in _between_commas(stated)]
    if len(parts) == 1:
        return [stated]
    if not all(parts):
        raise UsageError(
            f"`--set {text}` has an empty value",
            "write for example `--set batch_size=32,64`; a text with commas needs quotes",
        )
    if len(parts) > MOST_VALUES:
        raise UsageError(
            f"`--set {parts[0][:20]}...` states {len(parts):,} values; one key takes at most "
            f"{MOST_VALUES:,}"
        )
    return parts


def _between_commas(text: str) -> Iterator[tuple[int, int]]:
    """Yield where the values begin and end; what is never closed is left to YAML's own error."""
    start, depth, quote, fresh = 0, 0, "", True
    for at, character in enumerate(text):
        if quote:
            escaped = quote == '"' and text[at - 1] == "\\"
            quote = "" if character == quote and not escaped else quote
        elif character in "'\"" and fresh:  # Inside a word it is an apostrophe.
            quote = character
        elif character in _OPEN:
            depth += 1
        elif character in _CLOSE:
            depth -= 1
        elif character == "," and depth <= 0:
            yield start, at
            start = at + 1
        fresh = character in " ,:([{" or (fresh and character.isspace())
    yield start, len(text)


def _range(found: re.Match[str], text: str) -> Iterator[str]:
    """Yield the numbers of a range, in geometric steps and with both ends."""
    low, high = float(found["low"]), float(found["high"])
    stated = _RATIO.fullmatch(found["ratio"] or "")
    form = "a range is `LOW:HIGH:xRATIO`, as in `--set schedule.lr=0.001:1:x10`"
    if stated is None:
        raise UsageError(
            f"`--set {text}` does not say by which factor its values grow",
            f"{form}; a text that reads like one needs quotes",
        )
    ratio = float(stated["ratio"])
    if not 0 < low < high < math.inf:
        raise UsageError(
            f"`--set {text}`: the first value must be above 0 and below the last, got {low:g} and "
            f"{high:g}",
            form,
        )
    if not 1 < ratio < math.inf:
        raise UsageError(f"`--set {text}`: the factor must be above 1, got {ratio:g}", form)
    exact = math.log(high / low) / math.log(ratio)
    steps = round(exact)
    if exact > MOST_VALUES:
        raise UsageError(
            f"`--set {text}` states {exact:,.0f} values; one key takes at most {MOST_VALUES:,}"
        )
    if abs(exact - steps) > _REACHED or steps == 0:
        below, above = low * ratio ** math.floor(exact), low * ratio ** math.ceil(exact)
        ends = f"{above:g}" if below == low else f"{below:g} or {above:g}"
        raise UsageError(
            f"`--set {text}` does not reach {high:g} from {low:g} by factors of {ratio:g}",
            f"end it at {ends}, or list the values: `--set KEY=VALUE,VALUE`",
        )
    yield found["low"]
    for step in range(1, steps):
        yield f"{low * (high / low) ** (step / steps):.12g}"
    yield found["high"]
