"""The guide to the schedules, on stdout."""

import sys
import textwrap
from collections.abc import Iterator, Sequence

from rich.text import Text

from lrlab import guide
from lrlab.console.streams import console, takes, width
from lrlab.guide import Entry, Library
from lrlab.plots import characters

_WIDEST = 100
_NAME, _SPARKLINE = 15, 12
_INDENT = "  "


def print_guide() -> None:
    """Print every schedule by family: its name, a sparkline of its example, what it does."""
    stdout = console(sys.stdout)
    plain = not takes(sys.stdout, characters.NEEDED)
    for family, entries in guide.FAMILIES.items():
        stdout.print(Text(family, "bold"))
        for entry in entries:
            line = Text(f"{_INDENT}{entry.type:<{_NAME}} ")
            drawn = characters.sparkline(guide.curve(entry), _SPARKLINE, plain=plain)
            line.append(drawn, "cyan").append(f" {guide.description(entry)}")
            stdout.print(line, soft_wrap=True)
    stdout.print("\n`lrlab schedules NAME` shows one; any library's name for it will do")


def print_entry(entry: Entry, called: str, libraries: Sequence[Library]) -> None:
    """Print all about a schedule.

    Args:
        entry: The schedule.
        called: What it was asked for as.
        libraries: Whose name for it that is; none if it is lrlab's.
    """
    stdout = console(sys.stdout)
    plain = not takes(sys.stdout, characters.NEEDED)
    if libraries:
        stdout.print(f"`{called}` ({', '.join(libraries)}) is `{entry.type}` here", soft_wrap=True)
    stdout.print(Text(entry.type, "bold").append(f"  {guide.description(entry)}", "not bold"))
    stdout.print()
    drawn = characters.Curve(guide.curve(entry), guide.STEPS_PER_EPOCH)
    wide = width(_WIDEST)
    for line in characters.chart([drawn], width=min(wide, 72), height=8, plain=plain, log=False):
        stdout.print(Text("".join(text for text, _ in line)), soft_wrap=True)
    for title, lines in _sections(entry, wide - len(_INDENT)):
        stdout.print()
        stdout.print(Text(title, "bold"))
        for text in lines:
            shown = text if not plain else text.encode("ascii", "replace").decode()
            stdout.print(_INDENT + shown, soft_wrap=True)


def _sections(entry: Entry, wide: int) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield the titles and lines of an entry."""
    yield "formula, t counts steps from 0", entry.formula.splitlines()
    parameters = [(p.key, p.default, p.meaning) for p in guide.parameters(guide.MODELS[entry.type])]
    yield "parameters, their defaults and meaning", _columns(parameters, wide)
    yield "example, a whole config", entry.example.splitlines()
    if entry.names:
        names = [(given.library, given.name, given.note) for given in entry.names]
        yield "what others call it", _columns(names, wide)
    traps = [textwrap.wrap(trap, wide, initial_indent="- ", subsequent_indent="  ")
             for trap in entry.traps]  # fmt: skip
    yield "traps", [line for trap in traps for line in trap]
    sources = [textwrap.wrap(f"{origin}: {origin.link}" if origin.link else str(origin), wide,
               subsequent_indent="  ", break_on_hyphens=False) for origin in entry.origins]  # fmt: skip
    yield "origin", [line for source in sources for line in source]


def _columns(rows: Sequence[tuple[str, str, str]], wide: int) -> list[str]:
    """Return rows as aligned lines, the last cell wrapped beside, or where it is narrow below."""
    first = max(len(row[0]) for row in rows) + 2
    second = min(max(len(row[1]) for row in rows), 30) + 2
    lines = []
    for start, middle, end in rows:
        head = f"{start:<{first}}{middle:<{second}}"
        beside = textwrap.wrap(end, max(wide - first - second, 20)) or [""]
        if len(middle) + 2 > second:
            lines.append(head.rstrip())
            head = ""
        for text in beside:
            lines.append(f"{head:<{first + second}}{text}".rstrip())
            head = ""
    return lines
