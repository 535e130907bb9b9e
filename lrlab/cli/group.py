"""What all commands share: errors as messages with exit codes, and the words as typed."""

import shlex
from typing import Any

import typer
from typer.core import TyperGroup

from lrlab.errors import Interrupted, LrlabError
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


class Group(TyperGroup):
    """Turns every `LrlabError` into a message and its exit code; keeps the words of the command."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Keep the words, then parse them."""
        ctx.meta[_COMMAND_LINE] = shlex.join(["lrlab", *args])
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except LrlabError as error:
            print_error(error)
            raise typer.Exit(error.exit_code) from error
        except KeyboardInterrupt:
            print_error(Interrupted("interrupted", "the same command starts again"))
            raise typer.Exit(Interrupted.exit_code) from None
