"""What all commands share: plain help, errors with exit codes, and the command as it was typed."""

import os
import shlex
import shutil
import sys
import textwrap
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from lrlab.errors import Interrupted, LrlabError, ResultsError, UsageError
from lrlab.io.log import Log
from lrlab.io.printable import printable

_COMMAND_LINE, _LOG = "lrlab.command_line", "lrlab.log"
_USAGE_ERROR: Any = typer.BadParameter.__bases__[0]  # Typer has no public name for it.


def print_error(error: LrlabError, log: Log | None = None) -> None:
    """Print an error and its hint on stderr, and into the log if there is one."""
    first, *more = map(printable, error.lines)
    lines = [f"error: {first}", *more]
    if error.hint:
        lines += ["", f"hint: {printable(error.hint)}"]
    for line in lines:
        typer.echo(_wrapped(line), err=True)
    if log is not None:
        log.write("\n".join([first, *filter(None, lines[1:])]), "error")


def _wrapped(line: str) -> str:
    """Return a line as a terminal shows it, broken between words; excerpts keep their columns."""
    if not sys.stderr.isatty() or line.startswith(" "):
        return line
    width = shutil.get_terminal_size().columns
    words = textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False)
    return "\n".join(words) if len(line) > width else line


def command_line(context: typer.Context) -> str:
    """Return the command as it was typed."""
    return str(context.meta[_COMMAND_LINE])


def keep_log(context: typer.Context, log: Log) -> None:
    """Let errors, and how the command ends, be written into a log as well."""
    context.meta[_LOG] = log


class Command(TyperCommand):
    """Shows arguments by their names and not by their Python types, and its summary uncut."""

    def get_short_help_str(self, limit: int = 45) -> str:
        """Return the summary, whole; Click would cut it to `limit` characters."""
        return (self.help or "").partition("\n")[0].rstrip(".")

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return what follows the command in the line `Usage:`."""
        pieces = ["[OPTIONS]"]
        for param in self.get_params(ctx):
            if param.param_type_name == "argument":
                name = f"{param.metavar}" if param.required else f"[{param.metavar}]"
                pieces.append(name if param.nargs == 1 else f"{name}...")
        return pieces

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments and the options, each with its name, meaning and default."""
        rows: dict[str, list[tuple[str, str]]] = {"argument": [], "option": []}
        for param in self.get_params(ctx):
            rows[param.param_type_name].append(_row(param))
        for title, kind in (("Arguments", "argument"), ("Options", "option")):
            if rows[kind]:
                with formatter.section(title):
                    formatter.write_dl(rows[kind])


def _row(param: Any) -> tuple[str, str]:
    """Return a parameter's name and its text in the help."""
    name, notes = param.metavar, []
    if param.param_type_name == "option":
        name = " ".join([", ".join(sorted(param.opts, key=len)), *([name] if name else [])])
    if param.envvar:
        notes.append(f"env var: {param.envvar}")
    if param.default not in (None, False):
        notes.append(f"default: {param.default}")
    return name, f"{param.help}  [{'; '.join(notes)}]" if notes else param.help


def _of_the_machine(error: OSError) -> LrlabError:
    path = Path(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else None
    what = "cannot be used: " if path else "the machine reports: "
    hint = "look at the disk and the rights of its files; finished runs are kept"
    return ResultsError(f"{what}{error.strerror or error}", hint, path=path)


@contextmanager
def _usage_in_our_words() -> Iterator[None]:
    """Let a mistake in the words of a command look like all others."""
    try:
        yield
    except _USAGE_ERROR as error:
        if type(error).show is _USAGE_ERROR.show:  # `lrlab` alone shows the help.
            said = error.format_message().rstrip(".")
            command = error.ctx.command_path if error.ctx else "lrlab"
            hint = f"`{command} --help` says what can be given"
            ours = UsageError(said[:1].lower() + said[1:], hint)
            error.show = lambda file=None: print_error(ours)
        raise


class Group(TyperGroup):
    """Turns every `LrlabError` into a message and its exit code; remembers the command as typed."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Remember the words, then parse them."""
        ctx.meta[_COMMAND_LINE] = shlex.join(["lrlab", *args])
        with _usage_in_our_words():
            return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            done = self._invoke(ctx)
        except typer.Exit as end:
            _end_log(ctx, end.exit_code)
            raise
        except Exception:  # A bug: `main` shows it as Python does.
            if log := ctx.meta.get(_LOG):
                log.write(traceback.format_exc().rstrip(), "error")
            _end_log(ctx, 1)
            raise
        _end_log(ctx, 0)
        return done

    def _invoke(self, ctx: Any) -> Any:
        try:
            with _usage_in_our_words():
                return super().invoke(ctx)
        except LrlabError as error:
            print_error(error, ctx.meta.get(_LOG))
            raise typer.Exit(error.exit_code) from error
        except OSError as error:  # The machine's failure and not ours: a disk, a right.
            print_error(_of_the_machine(error), ctx.meta.get(_LOG))
            raise typer.Exit(ResultsError.exit_code) from error
        except KeyboardInterrupt:
            told = Interrupted("interrupted", "run the same command again to resume")
            print_error(told, ctx.meta.get(_LOG))
            raise typer.Exit(Interrupted.exit_code) from None


def _end_log(context: Any, code: int) -> None:
    if log := context.meta.get(_LOG):
        log.end(code)
