"""The command line: parse, call, print. Everything heavy is imported inside the commands."""

import os
import signal
import sys
import threading
from typing import Annotated

import typer

from lrlab.cli import looking, training
from lrlab.cli.group import Group, print_error
from lrlab.errors import LrlabError

__all__ = ["app", "main"]

app = typer.Typer(
    cls=Group,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


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


app.command("find-lr")(training.find_lr)
app.command()(training.compare)
app.command()(looking.plot)
app.command()(looking.check)
app.command()(looking.schedules)
app.command()(looking.export)


def _take_for_ctrl_c(*names: str) -> None:
    """Let signals end the command as Ctrl-C does, unless they are ignored, as under nohup."""
    for name in names:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)


def main() -> None:
    """Run the command line; end at once even if a thread is still at work."""
    from lrlab.io import streams

    streams.make_lenient()
    _take_for_ctrl_c("SIGTERM", "SIGHUP")
    try:
        app()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        try:
            streams.check_stdout()
        except LrlabError as error:
            print_error(error)
            code = code or error.exit_code
        sys.stderr.flush()
        if threading.active_count() > 1:
            os._exit(code)
        sys.exit(code)
