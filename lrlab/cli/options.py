"""Arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from lrlab.cli import completing

Configs = Annotated[
    list[Path],
    typer.Argument(metavar="CONFIG", help="YAML config files.", autocompletion=completing.configs),
]
Out = Annotated[Path, typer.Option(metavar="DIR", help="Directory for the results.")]
Seeds = Annotated[
    int, typer.Option(metavar="N", min=1, max=1000, help="Number of seeds, at most 1000.")
]
Data = Annotated[
    str | None,
    typer.Option(
        metavar="DATA",
        autocompletion=completing.data,
        help="Data to use: auto, fashion-mnist, sketches, keras:NAME, a file, FILE.py:FUNCTION.",
    ),
]
DataDir = Annotated[
    Path | None,
    typer.Option(metavar="DIR", envvar="LRLAB_DATA_DIR", help="Folder with Fashion-MNIST."),
]
ModelChoice = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="MODEL",
        help="Model: a name, FILE.py:FUNCTION, FILE.keras.",
        autocompletion=completing.models,
    ),
]
Trust = Annotated[
    list[str] | None,
    typer.Option(
        "--trust",
        metavar="FILE",
        autocompletion=completing.code,
        help="Let the code of a file or module run that a config names. Repeatable.",
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Override a key, as in schedule.max_lr=0.1. Repeatable.",
    ),
]
OnCluster = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        metavar="ADDRESS|local",
        help="Train on a Ray cluster: its address, `auto`, or `local` for processes here.",
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(metavar="N", min=1, help="Runs to train side by side. Default: one per core."),
]
Deciding = Annotated[
    str | None,
    typer.Option(
        "--metric",
        metavar="NAME",
        autocompletion=completing.metrics,
        help="Result that decides. Default: val_accuracy, or the metric of the experiments.",
    ),
]
OnDevice = Annotated[
    str,
    typer.Option("--device", metavar="auto|cpu|gpu", help="Where TensorFlow trains."),
]
Wait = Annotated[bool, typer.Option("--wait", help="Wait if another lrlab is using the directory.")]
NoLock = Annotated[
    bool,
    typer.Option("--no-lock", help="Go on where files cannot be locked: no other lrlab is there."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print only JSON.")]
Quiet = Annotated[
    bool, typer.Option("--quiet", help="Print results, warnings and errors, no progress.")
]
Verbose = Annotated[
    bool, typer.Option("--verbose", help="Also print every epoch and what takes time.")
]
LogFile = Annotated[
    Path | None,
    typer.Option(
        "--log", metavar="FILE", help="Append all that `--verbose` prints, with times, to a file."
    ),
]
