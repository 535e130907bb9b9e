"""The command line, one file per command; each imports what it needs only when it runs."""

import os
import signal
import sys
import threading
from typing import Annotated

import typer

from lrlab.cli.check import check
from lrlab.cli.compare import compare
from lrlab.cli.export import export
from lrlab.cli.find_lr import find_lr
from lrlab.cli.group import Command, Group, print_error
from lrlab.cli.init import init
from lrlab.cli.merge import merge
from lrlab.cli.plot import plot
from lrlab.cli.report import report
from lrlab.cli.schedules import schedules
from lrlab.cli.schema import schema
from lrlab.cli.show import show
from lrlab.cli.tune import tune
from lrlab.errors import LrlabError
from lrlab.io.docstrings import docstring

__all__ = ["app", "main"]

app = typer.Typer(
    cls=Group,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def lrlab(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Find a learning rate and compare learning-rate schedules by measurement.

    Example: lrlab compare configs/*.yaml
    """
    if version:
        from lrlab import __version__

        typer.echo(f"lrlab {__version__}")
        raise typer.Exit


app.callback(invoke_without_command=True, help=docstring(lrlab))(lrlab)
_COMMANDS = (
    init, find_lr, compare, tune, merge, show, plot, report, check, schedules, export, schema
)  # fmt: skip
for command in _COMMANDS:
    app.command(cls=Command, help=docstring(command))(command)


def _take_for_ctrl_c(*names: str) -> None:
    """Make signals end the command as Ctrl-C does, unless they are ignored, as under nohup."""
    for name in names:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)


def main() -> None:
    """Run the command line, and exit at once even if a thread is still working."""
    from lrlab.io import quiet, streams

    os.environ["KERAS_BACKEND"] = "tensorflow"  # Whatever other programs are set to.
    streams.make_lenient()
    _take_for_ctrl_c("SIGTERM", "SIGHUP")
    code = _exit_code()
    try:
        streams.check_stdout()
    except LrlabError as error:
        print_error(error)
        code = code or error.exit_code
    sys.stderr.flush()
    quiet.forget()  # The import of TensorFlow may be going on in a thread.
    if threading.active_count() > 1:
        os._exit(code)
    sys.exit(code)


def _exit_code() -> int:
    """Run a command; return its exit code. A bug is shown as Python shows it."""
    try:
        app(prog_name="lrlab")  # Also as `python -m lrlab`.
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except Exception as bug:
        sys.excepthook(type(bug), bug, bug.__traceback__)
        return 1
    return 0
