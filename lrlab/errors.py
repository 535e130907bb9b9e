"""Every failure a user can cause, with its exit code.

    LrlabError            2  (never raised itself)
    ├── UsageError        2  options that do not go together
    ├── ConfigError       2  one or more problems in config files
    ├── CodeError         2  a user's own code that may not run, cannot be found, or failed
    ├── ClusterError      2  a cluster that cannot be used
    ├── DataError         3  a data set that cannot be found, read or trusted
    ├── ResultsError      3  a results directory that cannot be read or written
    │   └── UnreadableError  what a disk or the rights do not let anyone read: not damage
    ├── TrainingError     1  a job of a sweep that failed
    └── Interrupted     130  Ctrl-C; finished work is kept

Anything else that escapes is a bug of lrlab and keeps its traceback. Texts are raw: whoever prints
one escapes what a terminal would obey.
"""

from pathlib import Path


class LrlabError(Exception):
    """Base of all errors that end a command with a message instead of a traceback.

    Example:
        >>> LrlabError("is missing", "make it again", path=Path("a.json")).message
        '`a.json` is missing'

    Args:
        reason: What is wrong, without a trailing period; backticks around keys and commands. With
            a `path` it goes on from there: "is damaged: ...".
        hint: What to do about it, printed on a line of its own.
        path: The file or folder that it is about.
    """

    exit_code = 2

    def __init__(self, reason: str, hint: str | None = None, *, path: Path | None = None) -> None:
        self.reason = reason
        self.hint = hint
        self.path = path
        self.message = reason if path is None else f"`{path}` {reason}"
        super().__init__(self.message)
        if hint:  # A traceback shows notes; a command prints the hint itself.
            self.add_note(f"hint: {hint}")

    @property
    def lines(self) -> list[str]:
        """The lines of the message; a line end within a name or a reason is not one."""
        return [self.message]


class UsageError(LrlabError):
    """Options or arguments that do not go together."""


class ConfigError(LrlabError):
    """Problems in config files; the message lists all of them with line, column and caret."""

    @property
    def lines(self) -> list[str]:
        """The lines of the message."""
        return self.message.split("\n")


class CodeError(LrlabError):
    """A user's own code that may not run, cannot be found, or failed.

    Args:
        reason: As in every error.
        hint: As in every error.
        path: As in every error.
        details: Lines below the message: where in the user's code it happened, and what was said.
    """

    def __init__(
        self,
        reason: str,
        hint: str | None = None,
        *,
        path: Path | None = None,
        details: tuple[str, ...] = (),
    ) -> None:
        super().__init__(reason, hint, path=path)
        self.details = details
        self.args = ("\n".join(self.lines),)

    @property
    def lines(self) -> list[str]:
        """The lines of the message."""
        return [self.message, *self.details]


class ClusterError(LrlabError):
    """A cluster that is not there, cannot be reached, or is not like this machine."""


class DataError(LrlabError):
    """A data set that cannot be found, read or trusted."""

    exit_code = 3


class ResultsError(LrlabError):
    """A results directory that cannot be read or written."""

    exit_code = 3


class UnreadableError(ResultsError):
    """A file that cannot be read now; whether it is sound, nobody knows, and nothing is moved."""


class TrainingError(LrlabError):
    """A job that failed while others depend on what it gives."""

    exit_code = 1


class Interrupted(LrlabError):
    """The user pressed Ctrl-C; what was finished is kept."""

    exit_code = 130
