"""The guide to the schedules, on stdout."""

import sys
import textwrap
import unicodedata
from collections.abc import Iterator, Sequence

from rich.text import Text

from lrlab.console import characters
from lrlab.console.curves import painted
from lrlab.console.terminal import console, takes, width
from lrlab.report import guide
from lrlab.schedules import Schedule, registry
from lrlab.schedules.entry import Library

_WIDEST = 100
_SPARKLINE = 12
_INDENT = "  "


def print_guide() -> None:
    """Print every schedule by family: its name, a sparkline of its example, what it does."""
    stdout = console(sys.stdout)
    plain = not takes(sys.stdout, characters.NEEDED)
    for family, schedules in registry.families().items():
        stdout.print(Text(family, "bold"))
        for schedule in schedules:
            line = Text(f"{_INDENT}{schedule.named():<{registry.LONGEST_NAME}} ")
            drawn = characters.sparkline(guide.curve(schedule), _SPARKLINE, plain=plain)
            line.append(drawn, "cyan").append(f" {schedule.description()}")
            stdout.print(line, soft_wrap=True)
    stdout.print("\n`lrlab schedules NAME` shows one of them; any library's name for it will do")


def print_schedule(schedule: type[Schedule], called: str, libraries: Sequence[Library]) -> None:
    """Print all about a schedule.

    Args:
        schedule: The schedule.
        called: What it was asked for as.
        libraries: Whose name for it that is; none if it is lrlab's.
    """
    stdout, name = console(sys.stdout), schedule.named()
    plain = not takes(sys.stdout, characters.NEEDED)
    if libraries:
        stdout.print(f"`{called}` ({', '.join(libraries)}) is `{name}` here", soft_wrap=True)
    stdout.print(Text(name, "bold").append(f"  {schedule.description()}", "not bold"))
    stdout.print()
    drawn = characters.Curve(guide.curve(schedule), guide.STEPS_PER_EPOCH)
    wide = width(_WIDEST)
    for line in characters.chart([drawn], width=min(wide, 72), height=8, plain=plain, log=False):
        stdout.print(painted(line), soft_wrap=True)
    for title, lines in _sections(schedule, wide - len(_INDENT)):
        stdout.print()
        stdout.print(Text(title, "bold"))
        for text in lines:
            stdout.print(Text(_INDENT + _writable(text)), soft_wrap=True)


def _writable(text: str) -> str:
    """Return a text without the accents of names where stdout cannot take them."""
    if takes(sys.stdout, text):
        return text
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()


def _sections(schedule: type[Schedule], wide: int) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield the titles and lines of a schedule's page."""
    entry = schedule.entry
    yield "formula, t and durations in steps", entry.formula.splitlines()
    parameters = guide.parameters(schedule)
    rows = [((p.key, p.default), p.meaning) for p in parameters]
    yield "parameters, their defaults and meaning", _aligned(rows, wide)
    yield "example, a whole config", entry.example.splitlines()
    if entry.names:
        names = [
            ((given.library,), f"{given.name}: {given.note}" if given.note else given.name)
            for given in entry.names
        ]
        yield "what others call it", _aligned(names, wide)
    yield "traps", _aligned([(("-",), trap) for trap in entry.traps], wide, gap=1)
    origins = [f"{origin}\n{origin.link or ''}".splitlines() for origin in entry.origins]
    yield "origin", _aligned([((), line) for lines in origins for line in lines], wide)


def _aligned(rows: Sequence[tuple[Sequence[str], str]], wide: int, gap: int = 2) -> list[str]:
    """Return rows of short cells and a text as lines, the text wrapped beside the cells."""
    widths = [max(map(len, column)) + gap for column in zip(*(row[0] for row in rows), strict=True)]
    lines = []
    for cells, text in rows:
        head = "".join(f"{cell:<{size}}" for cell, size in zip(cells, widths, strict=True))
        wrapped = textwrap.wrap(
            text, max(wide - len(head), 20), break_on_hyphens=False, break_long_words=False
        )
        lines += [head + wrapped[0], *(" " * len(head) + line for line in wrapped[1:])]
    return lines
