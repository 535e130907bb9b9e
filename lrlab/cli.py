"""The command line: parse, call, print. Everything heavy is imported inside the commands."""

import os
import shlex
import signal
import sys
import threading
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from lrlab.errors import Interrupted, LrlabError, UsageError

_COMMAND_LINE = "lrlab.command_line"


def _print_error(error: LrlabError) -> None:
    typer.echo(f"error: {error.message}", err=True)
    if error.hint:
        typer.echo(f"\nhint: {error.hint}", err=True)


def _command_line(context: typer.Context) -> str:
    """Return the command as it was typed."""
    return str(context.meta[_COMMAND_LINE])


class _Group(TyperGroup):
    """Turns every `LrlabError` into a message and its exit code; keeps the words of the command."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        ctx.meta[_COMMAND_LINE] = shlex.join(["lrlab", *args])
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except LrlabError as error:
            _print_error(error)
            raise typer.Exit(error.exit_code) from error
        except KeyboardInterrupt:
            _print_error(Interrupted("interrupted", "the same command starts again"))
            raise typer.Exit(Interrupted.exit_code) from None


app = typer.Typer(
    cls=_Group,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

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


@app.callback(invoke_without_command=True)
def lrlab(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Find a learning rate and compare learning-rate schedules, by measurement.

    Example: lrlab compare configs/*.yaml
    """
    if version:
        from lrlab import __version__

        typer.echo(f"lrlab {__version__}")
        raise typer.Exit


@app.command("find-lr")
def find_lr(
    context: typer.Context,
    config: Annotated[
        Path | None,
        typer.Argument(metavar="CONFIG", help="A YAML config; default: the reference experiment."),
    ] = None,
    out: Out = Path("results/find-lr"),
    seeds: Seeds = 3,
    min_lr: Annotated[float, typer.Option(help="The first rate.")] = 1e-6,
    max_lr: Annotated[float, typer.Option(help="The last rate.")] = 10.0,
    steps: Annotated[
        int | None,
        typer.Option(
            min=2, max=1_000_000, help="Steps; default: one epoch, at least 200 and at most 500."
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

    from lrlab import console, experiment, locks, plots, sweep_record

    report = console.Reporter()
    with locks.hold(out, wait=wait, command=_command_line(context), report=report):
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
        written = sweep_record.write(out, record) + plots.sweeping.save(out, record)
    if not as_json:
        console.print_written(out, written)
    if record.about["verdict"] != "ok":
        raise typer.Exit(1)


@app.command()
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

    from lrlab import comparison, console, experiment, locks, plots

    report = console.Reporter()
    with locks.hold(out, wait=wait, command=_command_line(context), report=report):
        compared, results = experiment.compare(
            read,
            out=out,
            seeds=seeds,
            report=report,
            workers=workers,
            data_dir=data_dir,
            fresh=fresh,
            keep_weights=keep_weights,
            command=_command_line(context),
        )
        # First what was found, so that a full disk cannot take it.
        if as_json:
            console.print_json(comparison.to_json(compared))
        else:
            console.print_comparison(compared)
        written = experiment.save(compared, out)
        written += plots.comparing.save(out, compared, out, results=results)
    if not as_json:
        console.print_written(out, written)
    if any(e.status != "done" for e in compared.experiments):
        raise typer.Exit(1)


@app.command()
def plot(
    source: Annotated[
        list[Path] | None,
        typer.Argument(metavar="DIR|CONFIG", help="A results directory, or configs."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where figures go; default: the directory, or results."),
    ] = None,
    file_format: Annotated[
        str | None,
        typer.Option("--format", metavar="png|svg|pdf", help="The kind of file; default: png."),
    ] = None,
    terminal: Annotated[
        bool, typer.Option("--terminal", help="Draw the curves of configs here, into no file.")
    ] = False,
) -> None:
    """Draw the figures of a results directory again, or preview the schedules of configs.

    Nothing is trained. Without arguments it takes the directory `results`.

    Example: lrlab plot configs/*.yaml --terminal
    """
    if terminal and (out or file_format):
        raise UsageError(
            "`--terminal` writes no file", "leave out `--out` and `--format`, or `--terminal`"
        )
    from lrlab import console
    from lrlab.plots import command

    given, warn = source or [Path("results")], console.Reporter().warn
    if terminal:
        console.print_curves(command.previewed(given, warn))
        return
    for file in command.plot(given, out, file_format or "png", warn):
        typer.echo(str(file))


@app.command()
def check(
    context: typer.Context,
    results: Annotated[Path, typer.Argument(metavar="DIR", help="A results directory.")] = Path(
        "results"
    ),
    repair: Annotated[
        bool,
        typer.Option("--repair", help="Set aside what is damaged, remove what was left behind."),
    ] = False,
    wait: Wait = False,
    as_json: AsJson = False,
) -> None:
    """Verify every file of a results directory, and mend it if told to.

    Nothing is trained. It ends with 3 if there are problems that were not mended.

    Example: lrlab check results --repair
    """
    from lrlab import console, inspection, locks

    if repair:
        inspection.check_directory(results)
        report = console.Reporter()
        with locks.hold(results, wait=wait, command=_command_line(context), report=report):
            found = inspection.repair(results)
    else:
        found = inspection.inspect(results)
    if as_json:
        console.print_json(inspection.to_json(found))
    else:
        console.print_inspection(found)
    if found.problems:
        raise typer.Exit(3)


@app.command()
def schedules(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="A schedule, or what another library calls it."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the schedules, or show all about one: formula, keys, example, other names, traps.

    Example: lrlab schedules cosine
    """
    from lrlab import console, guide

    entry, libraries = guide.find(name) if name is not None else (None, ())
    if as_json:
        console.print_json(guide.to_json(entry))
    elif entry is None:
        console.print_guide()
    else:
        console.print_entry(entry, name or "", libraries)


@app.command()
def export(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="A YAML config.")],
    to: Annotated[
        str, typer.Option("--to", metavar="python|keras", help="What the code is for.")
    ] = "python",
    steps_per_epoch: Annotated[
        int | None,
        typer.Option(
            min=1, max=1_000_000_000, help="Steps an epoch; default: on the config's data."
        ),
    ] = None,
    settings: Settings = None,
) -> None:
    """Print code that gives a config's learning rates without lrlab.

    Example: lrlab export configs/one_cycle.yaml --to keras
    """
    from lrlab import config as configs

    read = configs.read([config], configs.settings(settings or []))[0]

    from lrlab.export import command

    typer.echo(command.export(read, to, steps_per_epoch))


def _take_for_ctrl_c(*names: str) -> None:
    """Let signals end the command as Ctrl-C does, unless they are ignored, as under nohup."""
    for name in names:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)


def main() -> None:
    """Run the command line; end at once even if a thread is still at work."""
    from lrlab import streams

    streams.make_lenient()
    _take_for_ctrl_c("SIGTERM", "SIGHUP")
    try:
        app()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        try:
            streams.check_stdout()
        except LrlabError as error:
            _print_error(error)
            code = code or error.exit_code
        sys.stderr.flush()
        if threading.active_count() > 1:
            os._exit(code)
        sys.exit(code)
