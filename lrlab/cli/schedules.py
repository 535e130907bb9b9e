"""`lrlab schedules`."""

from typing import Annotated

import typer

from lrlab.cli import completing
from lrlab.cli.options import AsJson


def schedules(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="A schedule, or what another library calls it.",
            autocompletion=completing.schedules,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the schedules, or show everything about one of them.

    For one schedule it shows the curve, formula, keys, an example, its names in other libraries
    and its traps.

    Example: lrlab schedules cosine
    """
    from lrlab import console
    from lrlab.report import guide

    schedule, libraries = guide.find(name) if name is not None else (None, ())
    if as_json:
        console.print_json(guide.to_json(schedule))
    elif schedule is None:
        console.print_guide()
    else:
        console.print_schedule(schedule, name or "", libraries)
