"""`.shown.json`: what figures and report were made from, so that they are made when that changes.

It states the SHA-256 of each of them, so one that was altered or deleted is made again.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from lrlab.errors import ResultsError
from lrlab.io import atomic, reading, records
from lrlab.io.records import Text
from lrlab.results import signed_file

FILE = ".shown.json"

_MAX_BYTES = 100_000_000


@dataclass(frozen=True)
class Shown:
    """What was shown last.

    Args:
        of: What tells it from anything else that could be shown.
        files: The checksum of each file that shows it, by its name.
    """

    of: records.Digest
    files: Annotated[Mapping[Text, records.Digest], records.keys(100)]


def write(out: Path, of: str, files: Sequence[Path]) -> None:
    """Record which files show what.

    Raises:
        ResultsError: If a file cannot be read or the record not written.
    """
    digests = {}
    for path in files:
        if (digest := _digest(path)) is None:
            raise ResultsError("is gone again", "let nothing else write there", path=path)
        digests[path.name] = digest
    atomic.write_text(out / FILE, records.sign(records.text(Shown(of, digests))))


def current(out: Path, of: str) -> list[Path] | None:
    """Return the files that show this, None unless all of them are there as they were written.

    A record that is damaged or cannot be read is none: everything is written again.
    """
    try:
        found = read(out)
    except ResultsError:
        return None
    if found is None or found.of != of:
        return None
    files = {out / Path(name).name: digest for name, digest in found.files.items()}
    if any(_digest(path) != digest for path, digest in files.items()):
        return None
    return list(files)


def read(out: Path) -> Shown | None:
    """Return what was shown last in a results directory, None if nobody knows.

    Raises:
        ResultsError: If the record is damaged.
        UnreadableError: If it cannot be read.
    """
    remedy = "remove it, and figures and report are made again"
    return signed_file.read(out / FILE, Shown, remedy)


def _digest(path: Path) -> str | None:
    try:
        return hashlib.sha256(reading.read_bytes(path, _MAX_BYTES)).hexdigest()
    except OSError:
        return None
