"""`lrlab check`."""

from pathlib import Path
from typing import Annotated

import typer

from lrlab.cli.group import command_line
from lrlab.cli.options import AsJson, NoLock, Wait


def check(
    context: typer.Context,
    results: Annotated[Path, typer.Argument(metavar="DIR", help="A results directory.")] = Path(
        "results"
    ),
    repair: Annotated[
        bool,
        typer.Option("--repair", help="Set damaged runs aside and remove leftover files."),
    ] = False,
    wait: Wait = False,
    no_lock: NoLock = False,
    as_json: AsJson = False,
) -> None:
    """Verify every file in a results directory; repair it if asked.

    Nothing is trained. The exit code is 3 if problems remain.

    Example: lrlab check results --repair
    """
    from lrlab import console
    from lrlab.results import inspection, lock

    if repair:
        inspection.check_results(results)
        report = console.LiveReporter()
        with lock.hold(
            results, wait=wait, command=command_line(context), report=report, no_lock=no_lock
        ):
            found = inspection.repair(results)
    else:
        found = inspection.inspect(results)
    if as_json:
        console.print_json(inspection.to_json(found))
    else:
        console.print_inspection(found)
    if found.problems:
        raise typer.Exit(3)
