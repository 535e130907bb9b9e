"""`.fresh.json`: what an unfinished `compare --fresh` found and is to make again."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lrlab.io import atomic, records
from lrlab.io.records import Text
from lrlab.results import signed_file

FILE = ".fresh.json"


@dataclass(frozen=True)
class FreshList:
    """What the command found when it began.

    Args:
        of: What tells the command from another.
        files: What tells each file from one that takes its place, by its path in the directory.
    """

    of: records.Digest
    files: Mapping[str, Text]


def write(out: Path, what: FreshList) -> None:
    """Write the list.

    Raises:
        ResultsError: If it cannot be written.
    """
    atomic.write_text(out / FILE, records.sign(records.text(what)))


def read(out: Path) -> FreshList | None:
    """Return the list that a results directory holds, None if there is none.

    Raises:
        ResultsError: If it is damaged.
        UnreadableError: If it cannot be read.
    """
    remedy = "remove it, and `lrlab compare --fresh` begins again"
    return signed_file.read(out / FILE, FreshList, remedy)
