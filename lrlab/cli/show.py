"""`lrlab show`."""

from pathlib import Path
from typing import Annotated

import typer

from lrlab.cli import completing
from lrlab.cli.options import AsJson


def show(
    results: Annotated[Path, typer.Argument(metavar="DIR", help="A results directory.")] = Path(
        "results"
    ),
    runs: Annotated[
        bool,
        typer.Option("--runs", help="Show all runs that are there, not the last comparison."),
    ] = False,
    metric: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            autocompletion=completing.metrics,
            help="Result that decides. Default: the metric of the experiments in validation.",
        ),
    ] = None,
    rules: Annotated[
        bool,
        typer.Option("--rules", help="Of a sweep, also show the suggestions of other finders."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print the table and the verdict of results that are there.

    Nothing is trained or written, so it also works while `compare` is at work. Where that was cut
    off it shows the runs that have ended; `lrlab plot` draws them.

    Example: lrlab show results
    """
    from lrlab import console
    from lrlab.experiment import showing

    shown = showing.find(results, runs=runs)
    decides = showing.metric_of(shown, metric)
    if as_json:
        console.print_json(showing.to_json(shown, decides))
    else:
        console.print_shown(shown, decides, rules=rules)
