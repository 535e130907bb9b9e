"""`lrlab export`."""

from pathlib import Path
from typing import Annotated

import typer

from lrlab.cli import completing
from lrlab.cli.options import Settings, Trust
from lrlab.errors import UsageError

CODE = ("python", "keras", "pytorch")
RESULTS = ("csv", "latex", "tensorboard", "mlflow", "dvc")


def export(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="CONFIG|DIR",
            help="A YAML config, or a results directory.",
            autocompletion=completing.configs,
        ),
    ],
    where: Annotated[
        str | None,
        typer.Argument(
            metavar="WHERE", help="Of results: folder, file or URI. csv, latex: else stdout."
        ),
    ] = None,
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="TARGET",
            autocompletion=completing.export_formats,
            help=f"Of a config: {', '.join(CODE)}. Of results: {', '.join(RESULTS)}.",
        ),
    ] = "python",
    steps_per_epoch: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Steps per epoch. Default: from the config's data."),
    ] = None,
    settings: Settings = None,
    trust: Trust = None,
) -> None:
    """Print a schedule as code without lrlab, or take results along.

    The code needs only NumPy, and Keras or PyTorch with `--to keras` and `--to pytorch`. Results
    are written from finished runs: a tidy csv, a LaTeX table, TensorBoard, MLflow, DVC.

    Example: lrlab export configs/one_cycle.yaml --to keras
    """
    if to in RESULTS:
        if settings or trust or steps_per_epoch is not None:
            raise UsageError(f"`--set`, `--trust` and `--steps-per-epoch` are not for `--to {to}`")
        _results(source, to, where)
        return
    if to not in CODE:
        raise UsageError(f"unknown target `{to}`", f"use one of {', '.join((*CODE, *RESULTS))}")
    if where is not None or source.is_dir():
        raise UsageError(
            f"`--to {to}` prints the code of a config's schedule",
            f"give one config; of a results directory there are {', '.join(RESULTS)}",
        )
    from lrlab import config as configs

    given = configs.overrides(settings or [])
    trusted = configs.consents(given, trust or [])
    read = configs.read([source], given, trusted, "schedule")[0]

    from lrlab.config import own_rates
    from lrlab.export import snippets

    typer.echo(snippets.export(own_rates.loaded(read), to, steps_per_epoch))


def _results(source: Path, to: str, where: str | None) -> None:
    """Export a results directory."""
    from lrlab.export import finished

    if source.is_file():
        raise UsageError(
            f"`--to {to}` takes a results directory, and `{source}` is a file",
            f"of a config there are {', '.join(CODE)}",
        )
    found = finished.read(source)
    if to in ("csv", "latex"):
        from lrlab.export import tidy
        from lrlab.io import atomic
        from lrlab.report import latex

        text = tidy.to_csv(found) if to == "csv" else latex.to_latex(found.comparison)
        if where is None:
            typer.echo(text, nl=False)
        else:
            atomic.write_text(Path(where), text)
            typer.echo(where)
        return
    if where is None:
        what = "URI, as `mlruns` or `sqlite:///mlflow.db`" if to == "mlflow" else "folder"
        raise UsageError(f"`--to {to}` needs a {what}", f"lrlab export {source} --to {to} WHERE")
    if to == "mlflow":
        from lrlab.integrations import mlflow

        typer.echo(mlflow.export(found, where))
        return
    from lrlab.integrations import dvc, tensorboard

    written = (dvc if to == "dvc" else tensorboard).export(found, Path(where))
    typer.echo(f"{where}: {len(written)} files")
