"""Every failure a user can cause, with its exit code.

    LrlabError            2  (never raised itself)
    ├── UsageError        2  options that do not go together
    ├── ConfigError       2  one or more problems in config files
    ├── DataError         3  a data set that cannot be found, read or trusted
    ├── ResultsError      3  a results directory that cannot be read or written
    └── Interrupted     130  Ctrl-C; finished work is kept

Anything else that escapes is a bug of lrlab and keeps its traceback.
"""

from lrlab.io.printable import printable, printable_lines


class LrlabError(Exception):
    """Base of all errors that end a command with a message instead of a traceback.

    What cannot be printed in a message, as escape codes in the name of a file, is shown as escapes.

    Args:
        message: What is wrong, without a trailing period; backticks around keys and commands.
        hint: What to do about it, printed on a line of its own.
    """

    exit_code = 2

    def __init__(self, message: str, hint: str | None = None) -> None:
        self.message = self._shown(message)
        self.hint = None if hint is None else printable(hint)
        super().__init__(self.message)

    def _shown(self, message: str) -> str:
        return printable(message)


class UsageError(LrlabError):
    """Options or arguments that do not go together."""


class ConfigError(LrlabError):
    """Problems in config files; the message lists all of them with line, column and caret."""

    def _shown(self, message: str) -> str:
        return printable_lines(message)


class DataError(LrlabError):
    """A data set that cannot be found, read or trusted."""

    exit_code = 3


class ResultsError(LrlabError):
    """A results directory that cannot be read or written."""

    exit_code = 3


class Interrupted(LrlabError):
    """The user pressed Ctrl-C; what was finished is kept."""

    exit_code = 130
