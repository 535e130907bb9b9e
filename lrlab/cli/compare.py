"""`lrlab compare`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

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
    OnDevice,
    Out,
    Quiet,
    Settings,
    Trust,
    Verbose,
    Wait,
    Workers,
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
    seed_list: Annotated[
        str | None,
        typer.Option(
            metavar="SEEDS", help="The seeds themselves, as in 5-9 or 1,4,7-9; none above 999."
        ),
    ] = None,
    shard: Annotated[
        str | None,
        typer.Option(
            metavar="I/N", help="Train only every N-th run, from the I-th on; see `lrlab merge`."
        ),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(metavar="N", help="Override the epochs of every config.")
    ] = None,
    data: Data = None,
    data_dir: DataDir = None,
    workers: Workers = None,
    cluster: OnCluster = None,
    device: OnDevice = "auto",
    settings: Settings = None,
    model: ModelChoice = None,
    trust: Trust = None,
    metric: Deciding = None,
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
    and 24 seeds, and only what may still be the best goes on. With `--shard 2/10` it trains a tenth
    of the runs, for `lrlab merge` to join, and summarises nothing. Several values of a key, as in
    `--set batch_size=32,64` or `--set schedule.lr=0.001:1:x10`, are a grid.

    Example: lrlab compare configs/*.yaml --seeds 3
    """
    from lrlab.io import device as devices

    volume, kept = telling.begin(context, quiet=quiet, verbose=verbose, log=log)
    devices.choose(device)
    from lrlab import config
    from lrlab.config import grid, gridded, set_values

    given = set_values.settings(settings or [], model=model, data=data, epochs=epochs)
    read = gridded.read(configs, given, config.consents(gridded.overrides(given), trust or []))

    from lrlab import console, experiment
    from lrlab.analysis import looks
    from lrlab.experiment import asking, portion
    from lrlab.experiment.executors import cluster as clusters
    from lrlab.io.quiet import before_tensorflow
    from lrlab.plots.settings import load_matplotlib
    from lrlab.report import verdict
    from lrlab.results import comparison, lock
    from lrlab.results.run import Status

    how = None
    if until_sure:
        if seeds is not None or seed_list is not None:
            raise UsageError(
                "`--until-sure` chooses the number of seeds itself",
                "leave out `--seeds` and `--seed-list`; `--max-seeds N` is the limit",
            )
        how = asking.UntilSure(max_seeds or looks.USUAL_MOST, within)
    elif within is not None or max_seeds is not None:
        raise UsageError("`--within` and `--max-seeds` belong to `--until-sure`")
    if seeds is not None and seed_list is not None:
        raise UsageError("`--seeds` and `--seed-list` are two ways to say the same", "use one")
    numbers: Sequence[int] | None = (
        portion.parse_seeds(seed_list) if seed_list is not None else None
    )
    if cluster is not None and device == "gpu":
        raise UsageError("`--cluster` trains on processors alone; `--device gpu` trains here")
    part = portion.parse_shard(shard) if shard is not None else None
    if part is not None and (until_sure or metric or target):
        raise UsageError(
            "`--shard` only trains; `--until-sure`, `--metric` and `--target` ask about all runs",
            "merge the shards with `lrlab merge`, and ask `lrlab compare` then",
        )
    question = asking.Question(metric, how, target)
    options: dict[str, Any] = {
        "out": out,
        "workers": workers,
        "data_dir": data_dir,
        "fresh": fresh,
        "keep_weights": keep_weights,
        "command": command_line(context),
    }
    before_tensorflow(load_matplotlib)
    report = console.LiveReporter(volume, kept)
    if many := grid.size(given, len(configs), len(numbers or range(seeds or USUAL_SEEDS))):
        report.note(many)
    with (
        lock.hold(out, wait=wait, command=command_line(context), report=report, no_lock=no_lock),
        clusters.executors(cluster, report, workers) as options["executor"],
    ):
        if part is not None:
            numbers = numbers or range(seeds or USUAL_SEEDS)
            trained = experiment.train_shard(read, part, seeds=numbers, report=report, **options)
            console.print_shard(part, len(read) * len(numbers), trained, as_json=as_json)
            raise typer.Exit(int(any(r.status is not Status.DONE for r in trained.values())))
        compared, results = experiment.compare(
            read,
            seeds=seeds or USUAL_SEEDS,
            seed_list=numbers,
            report=report,
            question=question,
            **options,
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
        written += experiment.present(out, compared, results, load_matplotlib, decides)
    if not as_json:
        console.print_written(out, written)
    if any(e.status != "done" for e in compared.experiments):
        raise typer.Exit(1)
