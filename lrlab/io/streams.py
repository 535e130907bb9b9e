"""Standard streams whose reader may leave: `lrlab compare ... | head`, a terminal that is closed.

The work continues and ends with its own exit code; any further output is dropped.
"""

import errno
import io
import os
import sys

from lrlab.errors import ResultsError

_apart = False

_READER_LEFT = (errno.EPIPE, errno.EIO)  # Of a pipe, of a terminal.


class Lenient(io.TextIOWrapper):
    """A text stream to a file descriptor that falls silent once it cannot be written.

    Attributes:
        failure: Why it cannot, unless its reader has left.
    """

    failure: OSError | None = None

    def write(self, text: str, /) -> int:
        """Write, or drop the text."""
        try:
            return super().write(text)
        except OSError as error:
            self._fall_silent(error)
            return len(text)

    def flush(self) -> None:
        """Flush the buffer, or drop it."""
        try:
            super().flush()
        except OSError as error:
            self._fall_silent(error)

    def _fall_silent(self, error: OSError) -> None:
        if error.errno not in _READER_LEFT:
            self.failure = error
        # What is still buffered has somewhere to go.
        _lead_nowhere(self.fileno())


def make_lenient() -> None:
    """Replace the process' stdout and stderr by lenient ones, closed ones by streams to nowhere.

    Python's stderr gets a descriptor of its own: what `quiet_stderr` does to descriptor 2, for
    the sake of C code, concerns neither messages nor tracebacks.
    """
    global _apart
    _apart = True
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        stream = getattr(sys, name)
        if stream is None:  # It was closed before the process began.
            _lead_nowhere(descriptor)
            setattr(sys, name, _lenient(descriptor, "utf-8", by_line=False, close=False))
        else:
            stream.flush()
            own = name == "stderr"
            # Unbuffered streams (PYTHONUNBUFFERED) say that they are not buffered by line either.
            by_line = own or stream.line_buffering or stream.write_through or stream.isatty()
            leads = os.dup(stream.fileno()) if own else stream.fileno()
            setattr(sys, name, _lenient(leads, stream.encoding, by_line, close=own))


def words_are_apart() -> bool:
    """Return whether Python's stderr has a descriptor of its own, other than C code's."""
    return _apart


def check_stdout() -> None:
    """Make sure that the output has arrived, unless its reader left early.

    Raises:
        ResultsError: If it has not.
    """
    sys.stdout.flush()
    if isinstance(sys.stdout, Lenient) and sys.stdout.failure is not None:
        reason = sys.stdout.failure.strerror
        raise ResultsError(f"the output could not be written: {reason}", "redirect it elsewhere")


def _lenient(descriptor: int, encoding: str, by_line: bool, *, close: bool) -> Lenient:
    binary = os.fdopen(descriptor, "wb", closefd=close)
    return Lenient(binary, encoding, "replace", line_buffering=by_line)


def _lead_nowhere(descriptor: int) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    if nowhere != descriptor:
        os.dup2(nowhere, descriptor)
        os.close(nowhere)
