"""What all commands share: plain help, errors with exit codes, and the command as it was typed."""

import os
import shlex
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from lrlab.errors import Interrupted, LrlabError, ResultsError
from lrlab.io.printable import printable

_COMMAND_LINE = "lrlab.command_line"


def print_error(error: LrlabError) -> None:
    """Print an error and its hint on stderr."""
    typer.echo("error: " + "\n".join(map(printable, error.lines)), err=True)
    if error.hint:
        typer.echo(f"\nhint: {printable(error.hint)}", err=True)


def command_line(context: typer.Context) -> str:
    """Return the command as it was typed."""
    return str(context.meta[_COMMAND_LINE])


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


class Group(TyperGroup):
    """Turns every `LrlabError` into a message and its exit code; remembers the command as typed."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Remember the words, then parse them."""
        ctx.meta[_COMMAND_LINE] = shlex.join(["lrlab", *args])
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except LrlabError as error:
            print_error(error)
            raise typer.Exit(error.exit_code) from error
        except OSError as error:  # The machine's failure and not ours: a disk, a right.
            print_error(_of_the_machine(error))
            raise typer.Exit(ResultsError.exit_code) from error
        except KeyboardInterrupt:
            print_error(Interrupted("interrupted", "run the same command again to resume"))
            raise typer.Exit(Interrupted.exit_code) from None
