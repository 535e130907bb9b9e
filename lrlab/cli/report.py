"""`lrlab report`."""

from pathlib import Path
from typing import Annotated

import typer

from lrlab.cli.group import command_line
from lrlab.cli.options import NoLock, Wait


def report(
    context: typer.Context,
    results: Annotated[Path, typer.Argument(metavar="DIR", help="A results directory.")] = Path(
        "results"
    ),
    wait: Wait = False,
    no_lock: NoLock = False,
) -> None:
    """Write `report.html` of a results directory again.

    One file with the verdict, the table, interactive curves, the sweeps and the configs; it needs
    no network. Nothing is trained.

    Example: lrlab report results
    """
    from lrlab import console
    from lrlab.experiment import reporting
    from lrlab.plots.settings import load_matplotlib
    from lrlab.results import inspection, lock

    inspection.check_results(results)
    load_matplotlib()
    tell = console.LiveReporter()
    with lock.hold(results, wait=wait, command=command_line(context), report=tell, no_lock=no_lock):
        typer.echo(str(reporting.write_again(results)))
