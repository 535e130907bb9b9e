"""`lrlab compare`."""

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
    LogFile,
    ModelChoice,
    NoLock,
    Out,
    Quiet,
    Settings,
    Trust,
    Verbose,
    Wait,
)
from lrlab.errors import UsageError

USUAL_SEEDS = 3


def compare(
    context: typer.Context,
    configs: Configs,
    out: Out = Path("results"),
    seeds: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1, max=1000, help="Number of seeds, at most 1000. Default: 3."
        ),
    ] = None,
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
    until_sure: Annotated[
        bool,
        typer.Option("--until-sure", help="Add seeds only where it is open which is the best."),
    ] = False,
    within: Annotated[
        float | None,
        typer.Option(
            metavar="POINTS",
            help="With `--until-sure`: differences up to that do not matter.",
        ),
    ] = None,
    max_seeds: Annotated[
        int | None,
        typer.Option(
            metavar="N", max=1000, help="With `--until-sure`: the most seeds. Default: 24."
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            metavar="METRIC=VALUE|auto",
            help="Say when runs reach a value, as in val_accuracy=0.9.",
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
    quiet: Quiet = False,
    verbose: Verbose = False,
    log: LogFile = None,
    as_json: AsJson = False,
) -> None:
    """Train every config with several seeds and compare the results.

    Says which may be the best, prints a table and draws figures. Finished runs are reused, so the
    same command again trains nothing. With `--until-sure` it looks at the results after 3, 6, 12
    and 24 seeds, and only what may still be the best goes on.

    Example: lrlab compare configs/*.yaml --seeds 3
    """
    volume, kept = telling.begin(context, quiet=quiet, verbose=verbose, log=log)
    from lrlab import config

    given = config.overrides(settings or [], model=model, data=data, epochs=epochs)
    read = config.read(configs, given, config.consents(given, trust or []))

    from lrlab import console, experiment, plots
    from lrlab.analysis import looks
    from lrlab.experiment import asking
    from lrlab.report import verdict
    from lrlab.results import comparison, lock

    how = None
    if until_sure:
        if seeds is not None:
            raise UsageError(
                "`--until-sure` chooses the number of seeds itself",
                "leave out `--seeds`; `--max-seeds N` is the limit",
            )
        how = asking.UntilSure(max_seeds or looks.USUAL_MOST, within)
    elif within is not None or max_seeds is not None:
        raise UsageError("`--within` and `--max-seeds` belong to `--until-sure`")
    question = asking.Question(metric, how, target)
    plots.settings.load_matplotlib()
    report = console.LiveReporter(volume, kept)
    with lock.hold(out, wait=wait, command=command_line(context), report=report, no_lock=no_lock):
        compared, results = experiment.compare(
            read,
            out=out,
            seeds=seeds or USUAL_SEEDS,
            report=report,
            question=question,
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
