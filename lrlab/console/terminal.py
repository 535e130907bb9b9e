"""Consoles on stdout and stderr, and what those can take: how wide, which characters."""

import shutil
from typing import Any

from rich.console import Console
from rich.text import Text

from lrlab.io.printable import printable, printable_lines

_WIDE = 200


def console(stream: Any) -> Console:
    """Return a console of a stream: as wide as a terminal is, very wide elsewhere."""
    width = None if stream.isatty() else _WIDE
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False)


def as_text(content: str, style: str = "") -> Text:
    """Return a text of one line in which no terminal finds anything to obey."""
    return Text(printable(content), style)


def as_lines(content: str, style: str = "") -> Text:
    """Return a text as `as_text` does, its line ends kept."""
    return Text(printable_lines(content), style)


def takes(stream: Any, text: str) -> bool:
    """Return whether a stream's encoding has all characters of a text."""
    try:
        text.encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def width(most: int) -> int:
    """Return how many characters a drawing may be wide: a terminal's, of a pipe 80."""
    return min(shutil.get_terminal_size((80, 24)).columns, most)
