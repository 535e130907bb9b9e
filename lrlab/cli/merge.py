"""`lrlab merge`."""

from pathlib import Path
from typing import Annotated

import typer

from lrlab.cli.group import command_line
from lrlab.cli.options import AsJson, NoLock, Wait


def merge(
    context: typer.Context,
    sources: Annotated[
        list[Path],
        typer.Argument(metavar="DIR", help="Results directories; they stay as they are."),
    ],
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Directory to merge into; what it holds stays.")
    ],
    wait: Wait = False,
    no_lock: NoLock = False,
    as_json: AsJson = False,
) -> None:
    """Join results directories, such as those of shards.

    Runs, checkpoints and sweeps are copied, each with its checksums. Two different results of one
    run are an error, and then nothing is written. `lrlab compare` with the same configs then makes
    tables and figures, and trains only what is missing.

    Example: lrlab merge shard-1 shard-2 --out results
    """
    from lrlab import console
    from lrlab.results import lock, merging

    report = console.LiveReporter()
    with (
        lock.hold(out, wait=wait, command=command_line(context), report=report, no_lock=no_lock),
        report.waiting("Merging"),
    ):
        merged = merging.merge(sources, out)
    if as_json:
        console.print_json(merging.to_json(merged))
    else:
        console.print_merged(out, merged)
