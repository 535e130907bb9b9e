"""`lrlab export`."""

from pathlib import Path
from typing import Annotated

import typer

from lrlab.cli import completing
from lrlab.cli.options import Settings, Trust


def export(
    config: Annotated[
        Path,
        typer.Argument(metavar="CONFIG", help="A YAML config.", autocompletion=completing.configs),
    ],
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="python|keras",
            help="Plain Python with NumPy, or Keras.",
            autocompletion=completing.export_formats,
        ),
    ] = "python",
    steps_per_epoch: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Steps per epoch. Default: from the config's data."),
    ] = None,
    settings: Settings = None,
    trust: Trust = None,
) -> None:
    """Print a config's schedule as code that runs without lrlab.

    The code needs only NumPy, or Keras with `--to keras`.

    Example: lrlab export configs/one_cycle.yaml --to keras
    """
    from lrlab import config as configs

    given = configs.overrides(settings or [])
    trusted = configs.consents(given, trust or [])
    read = configs.read([config], given, trusted, "schedule")[0]

    from lrlab.config import own_rates
    from lrlab.export import snippets

    typer.echo(snippets.export(own_rates.loaded(read), to, steps_per_epoch))
