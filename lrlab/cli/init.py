"""`lrlab init`."""

from pathlib import Path
from typing import Annotated

import typer

from lrlab.cli import completing
from lrlab.errors import UsageError


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to write them.")] = Path(),
    code: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="MODEL.py",
            help="Use the functions of a file that make Keras models; it is read, not run.",
            autocompletion=completing.code,
        ),
    ] = None,
) -> None:
    """Write two commented configs to begin with.

    They run as they are: a constant rate, and 1cycle, each at a rate that lrlab finds. Files that
    are there are never overwritten. Of the file of `--from`, a function that loads data is used as
    well.

    Example: lrlab init configs --from nets.py
    """
    from lrlab.config import starter
    from lrlab.io import atomic

    begun = starter.starter(folder, code)
    if there := starter.taken(folder, begun.texts):
        raise UsageError(
            f"`{folder / there[0]}` is there already, and nothing was written",
            "name another folder, as in `lrlab init NEW`",
        )
    atomic.make_folder(folder)
    for name, text in begun.texts.items():
        atomic.write_new(folder / name, text)
        typer.echo(folder / name)
    typer.echo(f"next: {starter.command(folder, begun.texts, begun.code)}", err=True)
