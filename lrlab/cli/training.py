"""The commands that train: find-lr and compare."""

from pathlib import Path
from typing import Annotated

import typer

from lrlab.cli.group import command_line
from lrlab.cli.options import AsJson, Configs, Data, DataDir, Out, Seeds, Settings, Wait
from lrlab.finder.span import FEWEST_STEPS, MAX_LR, MIN_LR, MOST_STEPS


def find_lr(
    context: typer.Context,
    config: Annotated[
        Path | None,
        typer.Argument(metavar="CONFIG", help="A YAML config; default: the reference experiment."),
    ] = None,
    out: Out = Path("results/find-lr"),
    seeds: Seeds = 3,
    min_lr: Annotated[float, typer.Option(help="The first rate.")] = MIN_LR,
    max_lr: Annotated[float, typer.Option(help="The last rate.")] = MAX_LR,
    steps: Annotated[
        int | None,
        typer.Option(
            min=2,
            max=1_000_000,
            help=f"Steps; default: one epoch, at least {FEWEST_STEPS} and at most {MOST_STEPS}.",
        ),
    ] = None,
    data: Data = None,
    data_dir: DataDir = None,
    settings: Settings = None,
    verify: Annotated[
        bool,
        typer.Option("--verify", help="Refine the suggestions by ten short runs around them."),
    ] = False,
    wait: Wait = False,
    rules: Annotated[
        bool, typer.Option("--rules", help="Show what other finders' rules would say as well.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Sweep the learning rate upward in one short run and suggest a value.

    Example: lrlab find-lr configs/one_cycle.yaml --seeds 3
    """
    from lrlab import config as configs

    given = configs.settings(settings or [], data=data)
    experiment_config = configs.read([config], given)[0] if config else configs.reference(given)

    from lrlab import console, experiment, plots
    from lrlab.results import locks, sweep_record

    report = console.LiveReporter()
    with locks.hold(out, wait=wait, command=command_line(context), report=report):
        record = experiment.find_lr(
            experiment_config,
            out=out,
            seeds=seeds,
            report=report,
            min_lr=min_lr,
            max_lr=max_lr,
            steps=steps,
            verify=verify,
            data_dir=data_dir,
        )
        # First what was found, so that a full disk cannot take it.
        if as_json:
            console.print_json(sweep_record.to_json(record))
        else:
            console.print_sweep(record, rules=rules)
        written = sweep_record.write(out, record) + plots.sweep_figure.save(out, record)
    if not as_json:
        console.print_written(out, written)
    if record.about["verdict"] != "ok":
        raise typer.Exit(1)


def compare(
    context: typer.Context,
    configs: Configs,
    out: Out = Path("results"),
    seeds: Seeds = 3,
    epochs: Annotated[
        int | None, typer.Option(help="Epochs of every run, instead of the configs'.")
    ] = None,
    data: Data = None,
    data_dir: DataDir = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Runs side by side; default: one a core.")
    ] = None,
    settings: Settings = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Train anew what is finished or was begun.")
    ] = False,
    keep_weights: Annotated[
        bool, typer.Option("--keep-weights", help="Keep the final weights of every run.")
    ] = False,
    wait: Wait = False,
    as_json: AsJson = False,
) -> None:
    """Train every config with every seed and compare them in a table and figures.

    Runs that are finished already are reused; the same command again trains nothing.

    Example: lrlab compare configs/*.yaml --seeds 3
    """
    from lrlab import config

    given = config.settings(settings or [], data=data, epochs=epochs)
    read = config.read(configs, given)

    from lrlab import console, experiment, plots
    from lrlab.results import comparison, locks

    report = console.LiveReporter()
    with locks.hold(out, wait=wait, command=command_line(context), report=report):
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
        # First what was found, so that a full disk cannot take it.
        if as_json:
            console.print_json(comparison.to_json(compared))
        else:
            console.print_comparison(compared)
        written = experiment.save(compared, out)
        written += plots.comparison_figures.save(out, compared, out, results=results)
    if not as_json:
        console.print_written(out, written)
    if any(e.status != "done" for e in compared.experiments):
        raise typer.Exit(1)
