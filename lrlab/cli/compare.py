"""`lrlab compare`."""

from pathlib import Path
from typing import Annotated

import typer

from lrlab.cli.group import command_line
from lrlab.cli.options import (
    AsJson,
    Configs,
    Data,
    DataDir,
    ModelChoice,
    NoLock,
    Out,
    Seeds,
    Settings,
    Trust,
    Wait,
)


def compare(
    context: typer.Context,
    configs: Configs,
    out: Out = Path("results"),
    seeds: Seeds = 3,
    epochs: Annotated[
        int | None, typer.Option(metavar="N", help="Override the epochs of every config.")
    ] = None,
    data: Data = None,
    data_dir: DataDir = None,
    workers: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Runs to train side by side. Default: one per core."),
    ] = None,
    settings: Settings = None,
    model: ModelChoice = None,
    trust: Trust = None,
    metric: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Result that decides. Default: val_accuracy, or the metric of the experiments.",
        ),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Retrain finished and partial runs.")
    ] = False,
    keep_weights: Annotated[
        bool, typer.Option("--keep-weights", help="Save the final weights of every run.")
    ] = False,
    wait: Wait = False,
    no_lock: NoLock = False,
    as_json: AsJson = False,
) -> None:
    """Train every config with several seeds and compare the results.

    Says which may be the best, prints a table and draws figures. Finished runs are reused, so the
    same command again trains nothing.

    Example: lrlab compare configs/*.yaml --seeds 3
    """
    from lrlab import config

    given = config.overrides(settings or [], model=model, data=data, epochs=epochs)
    read = config.read(configs, given, config.consents(given, trust or []))

    from lrlab import console, experiment, plots
    from lrlab.report import verdict
    from lrlab.results import comparison, lock

    plots.settings.load_matplotlib()
    report = console.LiveReporter()
    with lock.hold(out, wait=wait, command=command_line(context), report=report, no_lock=no_lock):
        compared, results = experiment.compare(
            read,
            out=out,
            seeds=seeds,
            report=report,
            workers=workers,
            data_dir=data_dir,
            fresh=fresh,
            keep_weights=keep_weights,
            command=command_line(context),
        )
        decides = verdict.metric_of(metric, compared.metric) if metric else None
        # Print before writing, so that a full disk cannot cost the result.
        if as_json:
            console.print_json(
                comparison.to_json(compared, experiment.verdict_of(compared, decides))
            )
        else:
            console.print_comparison(compared, decides)
        written = experiment.save(compared, out, decides)
        written += plots.comparison_figures.save(out, compared, out, results=results)
    if not as_json:
        console.print_written(out, written)
    if any(e.status != "done" for e in compared.experiments):
        raise typer.Exit(1)
