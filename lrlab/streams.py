"""Standard streams whose reader may leave: `lrlab compare ... | head`, a terminal that is closed.

The work goes on and ends with its own exit code; what there is still to say is dropped.
"""

import io
import os
import sys
from typing import BinaryIO


class Lenient(io.TextIOWrapper):
    """A text stream to a file descriptor that falls silent once it cannot be written."""

    def write(self, text: str, /) -> int:
        """Write, or drop the text."""
        try:
            return super().write(text)
        except OSError:
            self._fall_silent()
            return len(text)

    def flush(self) -> None:
        """Pass on what is buffered, or drop it."""
        try:
            super().flush()
        except OSError:
            self._fall_silent()

    def _fall_silent(self) -> None:
        """Lead the descriptor to nowhere, so that what is buffered can be got rid of."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.fileno())
        os.close(nowhere)


def duplicate(stream: Lenient) -> Lenient:
    """Return a stream of its own to where `stream` leads now, wherever that leads later."""
    return _lenient(stream, os.fdopen(os.dup(stream.fileno()), "wb"))


def make_lenient() -> None:
    """Replace the process' stdout and stderr by lenient ones, closed ones by streams to nowhere."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            stream = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
        stream.flush()
        setattr(sys, name, _lenient(stream, os.fdopen(stream.fileno(), "wb", closefd=False)))


def _lenient(stream: io.TextIOWrapper, binary: BinaryIO) -> Lenient:
    buffering = stream.line_buffering or stream.isatty()
    return Lenient(binary, stream.encoding, "replace", line_buffering=buffering)
