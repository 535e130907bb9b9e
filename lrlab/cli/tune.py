"""`lrlab tune`."""

from pathlib import Path
from typing import Annotated

import typer

from lrlab.cli import telling
from lrlab.cli.group import command_line
from lrlab.cli.options import (
    AsJson,
    Configs,
    Data,
    DataDir,
    Deciding,
    LogFile,
    ModelChoice,
    NoLock,
    OnCluster,
    Out,
    Quiet,
    Settings,
    Trust,
    Verbose,
    Wait,
    Workers,
)
from lrlab.errors import UsageError


def tune(
    context: typer.Context,
    configs: Configs,
    out: Out = Path("results"),
    budget: Annotated[
        int, typer.Option(metavar="RUNS", help="The most runs per schedule, fresh seeds included.")
    ] = 20,
    seeds: Annotated[
        int,
        typer.Option(
            metavar="N", min=1, max=1000, help="Fresh seeds that score each schedule's best rate."
        ),
    ] = 3,
    points: Annotated[
        float | None,
        typer.Option(
            metavar="POINTS",
            help="How much worse than the best a rate within the width may be. Default: 0.5 "
            "points, or 5 % where the metric is not a share.",
        ),
    ] = None,
    epochs: Annotated[
        str | None,
        typer.Option(
            metavar="N,N",
            help="Override the epochs of every config; several, as in 3,10, one after another.",
        ),
    ] = None,
    write: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Save each config at its best rate into a directory."),
    ] = None,
    data: Data = None,
    data_dir: DataDir = None,
    workers: Workers = None,
    cluster: OnCluster = None,
    settings: Settings = None,
    model: ModelChoice = None,
    trust: Trust = None,
    metric: Deciding = None,
    wait: Wait = False,
    no_lock: NoLock = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    log: LogFile = None,
    as_json: AsJson = False,
) -> None:
    """Find each schedule's own best rate and compare them there.

    All get the same number of runs. The search scales each curve, outwards from the rate that a
    sweep suggests, and seeds that took no part in choosing score the best rate. Finished runs are
    reused, so the same command again trains nothing, and one that was cut off goes on.
    `--epochs 3,10,30` says which schedule is best for how much training.

    Example: lrlab tune configs/*.yaml --write tuned
    """
    volume, kept = telling.begin(context, quiet=quiet, verbose=verbose, log=log)
    from lrlab import config
    from lrlab.config import gridded, set_values

    given = set_values.settings(settings or [], model=model, data=data)
    read = gridded.read(configs, given, config.consents(gridded.overrides(given), trust or []))

    from lrlab import console, experiment, plots
    from lrlab.experiment.executors import cluster as clusters
    from lrlab.report import tuning_tables
    from lrlab.results import lock

    effort, lengths = experiment.Effort(budget, seeds, points), _epochs(epochs)
    if write is not None:
        experiment.check_written(read, lengths, write)
    plots.settings.load_matplotlib()
    report = console.LiveReporter(volume, kept)
    with (
        lock.hold(out, wait=wait, command=command_line(context), report=report, no_lock=no_lock),
        clusters.executors(cluster, report, workers) as executor,
    ):
        tuned, best = experiment.tune(
            read,
            out=out,
            report=report,
            effort=effort,
            epochs=lengths,
            metric=metric,
            workers=workers,
            data_dir=data_dir,
            command=command_line(context),
            executor=executor,
        )
        # Print before writing, so that a full disk cannot cost the result.
        if as_json:
            console.print_json(tuning_tables.to_json(tuned))
        else:
            console.print_tuning(tuned)
        written = experiment.save_tuning(tuned, out)
        written += plots.sensitivity_figure.save(out, tuned)
        written.append(experiment.reporting.write_again(out))
        saved = [] if write is None else experiment.write_configs(tuned, best, write)
    if not as_json:
        console.print_written(out, written)
        if write is not None:
            console.print_written(write, saved)
    if not tuned.finished:
        raise typer.Exit(1)


def _epochs(text: str | None) -> list[int]:
    """Return the numbers of epochs that an option states.

    Raises:
        UsageError: If one is not a whole number of at least 1.
    """
    if text is None:
        return []
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise UsageError(
            f"`--epochs` must be whole numbers of at least 1, got `{text}`",
            "as in `--epochs 10` or `--epochs 3,5,10,20`",
        )
    return [int(part) for part in parts]
