"""The file of `--log`: what a command tells, each line with its time."""

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from lrlab.errors import ResultsError
from lrlab.io.printable import printable


def _now() -> datetime:
    return datetime.now().astimezone()


class Log:
    """A file that lines are appended to as they come.

    Args:
        path: The file; folders above it are made.
        now: Tells the time, with its distance from UTC.

    Attributes:
        failure: Why nothing can be written any more, until somebody has been told.

    Raises:
        ResultsError: If the file cannot be opened.
    """

    def __init__(self, path: Path, now: Callable[[], datetime] = _now) -> None:
        self.path = path
        self.failure: str | None = None
        self._now = now
        self._began = time.monotonic()
        self._ended = False
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a", encoding="utf-8", errors="backslashreplace", buffering=1)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise ResultsError(
                f"cannot be written: {reason}", "name another file with `--log`", path=path
            ) from error

    def write(self, text: str, kind: str = "info") -> None:
        """Append the lines of a text; a full disk ends the log and not the work."""
        if self._ended:
            return
        at = self._now().isoformat(timespec="seconds")
        try:
            for line in text.split("\n"):
                self._file.write(f"{at} {kind}: {printable(line)}\n")
        except OSError as error:
            self._close()
            self.failure = error.strerror or str(error)

    def end(self, code: int) -> None:
        """Append how the command ended, and close the file."""
        self.write(f"ended with exit code {code} after {time.monotonic() - self._began:.1f} s")
        self._close()

    def _close(self) -> None:
        self._ended = True
        try:
            self._file.close()
        except OSError as error:
            self.failure = error.strerror or str(error)
