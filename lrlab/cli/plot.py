"""`lrlab plot`."""

from pathlib import Path
from typing import Annotated

import typer

from lrlab.cli import completing
from lrlab.cli.options import Trust
from lrlab.errors import UsageError


def plot(
    source: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="DIR|CONFIG",
            help="A results directory, or YAML configs.",
            autocompletion=completing.configs,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Directory for the figures. Default: DIR, or results."),
    ] = None,
    file_format: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="png|svg|pdf",
            help="File format. Default: png.",
            autocompletion=completing.figure_formats,
        ),
    ] = None,
    width: Annotated[
        float | None,
        typer.Option(
            metavar="INCHES",
            min=3.0,
            max=20.0,
            help="Width of the figures in inches, as 3.5 for a column of a paper. Default: 9.",
        ),
    ] = None,
    trust: Trust = None,
    terminal: Annotated[
        bool,
        typer.Option("--terminal", help="Draw configs in the terminal and write no file."),
    ] = False,
) -> None:
    """Redraw the figures of a results directory, or preview schedules.

    Nothing is trained. Without arguments, it draws the directory `results`.

    Example: lrlab plot configs/*.yaml --terminal
    """
    if terminal and (out or file_format or width):
        raise UsageError(
            "`--terminal` writes no file",
            "leave out `--out`, `--format` and `--width`, or `--terminal`",
        )
    from lrlab import config, console
    from lrlab.plots import dispatch, settings

    given, warn = source or [Path("results")], console.LiveReporter().warn
    trusted = config.consents([], trust or [])
    if terminal:
        console.print_curves(dispatch.previewed(given, warn, trusted))
        return
    settings.load_matplotlib()
    for file in dispatch.plot(given, out, file_format or "png", warn, width, trusted):
        typer.echo(str(file))
