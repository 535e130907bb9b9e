"""How much a command tells on stderr, and the file that it tells everything to."""

from pathlib import Path

import typer

from lrlab.cli.group import command_line, keep_log
from lrlab.errors import UsageError
from lrlab.io.log import Log
from lrlab.reporter import Volume


def begin(
    context: typer.Context, *, quiet: bool, verbose: bool, log: Path | None
) -> tuple[Volume, Log | None]:
    """Return how much is told, and the log, open and begun.

    Raises:
        UsageError: If it is to be quiet and verbose.
        ResultsError: If the log cannot be written.
    """
    if quiet and verbose:
        raise UsageError("`--quiet` and `--verbose` exclude each other", "leave out one of them")
    volume = Volume.QUIET if quiet else Volume.VERBOSE if verbose else Volume.USUAL
    if log is None:
        return volume, None
    from lrlab import __version__

    opened = Log(log)
    opened.write(f"lrlab {__version__}: {command_line(context)}")
    keep_log(context, opened)
    return volume, opened
