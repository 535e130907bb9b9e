"""A small signed file of a results directory: it counts only if it is whole and unaltered."""

from pathlib import Path

from lrlab.errors import ResultsError
from lrlab.io import reading, records
from lrlab.io.records import Record


def read(path: Path, kind: type[Record], remedy: str) -> Record | None:
    """Return what a file holds, None if there is no such file.

    Args:
        path: The file.
        kind: The dataclass that says what it may hold.
        remedy: What helps if it is damaged.

    Raises:
        ResultsError: If it is damaged, or not signed.
        UnreadableError: If it cannot be read.
    """
    try:
        found, signed = records.read_signed(path, kind)
        if not signed:
            raise ValueError("it is not signed")
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        if not reading.is_damage(error):
            raise reading.unreadable(path, error) from error
        raise ResultsError(f"is damaged: {reading.reason(error)}", remedy, path=path) from error
    return found
