"""`lrlab find-lr`."""

from pathlib import Path
from typing import Annotated

import typer

from lrlab.cli import completing, telling
from lrlab.cli.group import command_line
from lrlab.cli.options import (
    AsJson,
    Data,
    DataDir,
    LogFile,
    ModelChoice,
    NoLock,
    OnDevice,
    Out,
    Quiet,
    Seeds,
    Settings,
    Trust,
    Verbose,
    Wait,
)
from lrlab.finder.span import FEWEST_STEPS, MAX_LR, MIN_LR, MOST_STEPS


def find_lr(
    context: typer.Context,
    config: Annotated[
        Path | None,
        typer.Argument(
            metavar="CONFIG",
            help="A YAML config. Default: the reference experiment.",
            autocompletion=completing.configs,
        ),
    ] = None,
    out: Out = Path("results/find-lr"),
    seeds: Seeds = 3,
    min_lr: Annotated[
        float | None,
        typer.Option(metavar="RATE", help=f"Learning rate of the first step. Default: {MIN_LR:g}."),
    ] = None,
    max_lr: Annotated[
        float | None,
        typer.Option(metavar="RATE", help=f"Learning rate of the last step. Default: {MAX_LR:g}."),
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=2,
            max=1_000_000,
            help=f"Steps. Default: one epoch, at least {FEWEST_STEPS}, at most {MOST_STEPS}.",
        ),
    ] = None,
    data: Data = None,
    data_dir: DataDir = None,
    device: OnDevice = "auto",
    settings: Settings = None,
    model: ModelChoice = None,
    trust: Trust = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Verify the suggestions with short real runs.")
    ] = False,
    wait: Wait = False,
    no_lock: NoLock = False,
    rules: Annotated[
        bool, typer.Option("--rules", help="Also show what the rules of other finders suggest.")
    ] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    log: LogFile = None,
    as_json: AsJson = False,
) -> None:
    """Sweep the learning rate upward in a short run and suggest one.

    Example: lrlab find-lr configs/one_cycle.yaml --seeds 3
    """
    from lrlab.io import device as devices

    volume, kept = telling.begin(context, quiet=quiet, verbose=verbose, log=log)
    devices.choose(device)
    from lrlab import config as configs

    given = configs.overrides(settings or [], model=model, data=data)
    trusted = configs.consents(given, trust or [])
    experiment_config = (
        configs.read([config], given, trusted)[0] if config else configs.reference(given, trusted)
    )

    from lrlab import console, experiment, plots
    from lrlab.finder.extending import Stated
    from lrlab.results import lock, sweep_record

    plots.settings.load_matplotlib()
    report = console.LiveReporter(volume, kept)
    if verify and config is None and not any(one.location == ("epochs",) for one in given):
        epochs = experiment_config.experiment.epochs
        report.note(f"verifying for runs of {epochs} epochs; `--set epochs=N` is for others")
    with lock.hold(out, wait=wait, command=command_line(context), report=report, no_lock=no_lock):
        record = experiment.find_lr(
            experiment_config,
            out=out,
            seeds=seeds,
            report=report,
            stated=Stated(min_lr, max_lr, steps),
            verify=verify,
            data_dir=data_dir,
        )
        # Print before writing, so that a full disk cannot cost the result.
        if as_json:
            console.print_json(sweep_record.to_json(record))
        else:
            console.print_sweep(record, rules=rules)
        written = sweep_record.write(out, record) + plots.sweep_figure.save(out, record)
        written.append(experiment.reporting.write_sweep(out, record))
    if not as_json:
        console.print_written(out, written)
    if record.summary.verdict != "ok":
        raise typer.Exit(1)
