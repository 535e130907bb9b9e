"""Arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

Configs = Annotated[list[Path], typer.Argument(metavar="CONFIG", help="YAML config files.")]
Out = Annotated[Path, typer.Option(metavar="DIR", help="Where the results are written.")]
Seeds = Annotated[int, typer.Option(min=1, max=1000, help="How many seeds: 0, 1, ...")]
Data = Annotated[
    str | None,
    typer.Option(
        metavar="NAME|PATH",
        help="auto, fashion-mnist, sketches or an npz file, instead of the config's.",
    ),
]
DataDir = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", envvar="LRLAB_DATA_DIR", help="Where Fashion-MNIST's files are looked for."
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Use this value instead of the config's; repeatable."
    ),
]
Wait = Annotated[
    bool, typer.Option("--wait", help="Wait while another lrlab is using the directory.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON only.")]
