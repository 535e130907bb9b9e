"""The commands that train nothing: plot, check, schedules and export."""

from pathlib import Path
from typing import Annotated

import typer

from lrlab.cli.group import command_line
from lrlab.cli.options import AsJson, Settings, Wait
from lrlab.errors import UsageError


def plot(
    source: Annotated[
        list[Path] | None,
        typer.Argument(metavar="DIR|CONFIG", help="A results directory, or configs."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where figures go; default: the directory, or results."),
    ] = None,
    file_format: Annotated[
        str | None,
        typer.Option("--format", metavar="png|svg|pdf", help="The kind of file; default: png."),
    ] = None,
    terminal: Annotated[
        bool, typer.Option("--terminal", help="Draw the curves of configs here, into no file.")
    ] = False,
) -> None:
    """Draw the figures of a results directory again, or preview the schedules of configs.

    Nothing is trained. Without arguments it takes the directory `results`.

    Example: lrlab plot configs/*.yaml --terminal
    """
    if terminal and (out or file_format):
        raise UsageError(
            "`--terminal` writes no file", "leave out `--out` and `--format`, or `--terminal`"
        )
    from lrlab import console
    from lrlab.plots import dispatch

    given, warn = source or [Path("results")], console.LiveReporter().warn
    if terminal:
        console.print_curves(dispatch.previewed(given, warn))
        return
    for file in dispatch.plot(given, out, file_format or "png", warn):
        typer.echo(str(file))


def check(
    context: typer.Context,
    results: Annotated[Path, typer.Argument(metavar="DIR", help="A results directory.")] = Path(
        "results"
    ),
    repair: Annotated[
        bool,
        typer.Option("--repair", help="Set aside what is damaged, remove what was left behind."),
    ] = False,
    wait: Wait = False,
    as_json: AsJson = False,
) -> None:
    """Verify every file of a results directory, and mend it if told to.

    Nothing is trained. It ends with 3 if there are problems that were not mended.

    Example: lrlab check results --repair
    """
    from lrlab import console
    from lrlab.results import inspection, locks

    if repair:
        inspection.check_directory(results)
        report = console.LiveReporter()
        with locks.hold(results, wait=wait, command=command_line(context), report=report):
            found = inspection.repair(results)
    else:
        found = inspection.inspect(results)
    if as_json:
        console.print_json(inspection.to_json(found))
    else:
        console.print_inspection(found)
    if found.problems:
        raise typer.Exit(3)


def schedules(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="A schedule, or what another library calls it."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the schedules, or show all about one: formula, keys, example, other names, traps.

    Example: lrlab schedules cosine
    """
    from lrlab import console, guide

    entry, libraries = guide.find(name) if name is not None else (None, ())
    if as_json:
        console.print_json(guide.to_json(entry))
    elif entry is None:
        console.print_guide()
    else:
        console.print_entry(entry, name or "", libraries)


def export(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="A YAML config.")],
    to: Annotated[
        str, typer.Option("--to", metavar="python|keras", help="What the code is for.")
    ] = "python",
    steps_per_epoch: Annotated[
        int | None,
        typer.Option(
            min=1, max=1_000_000_000, help="Steps an epoch; default: on the config's data."
        ),
    ] = None,
    settings: Settings = None,
) -> None:
    """Print code that gives a config's learning rates without lrlab.

    Example: lrlab export configs/one_cycle.yaml --to keras
    """
    from lrlab import config as configs

    read = configs.read([config], configs.settings(settings or []))[0]

    from lrlab.export import command

    typer.echo(command.export(read, to, steps_per_epoch))
