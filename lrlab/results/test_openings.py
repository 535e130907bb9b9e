"""`test-openings.json`: for which experiments the test set was looked at, and how they were chosen.

A choice made after a look is no longer checked by the same test set, so every look counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lrlab.io import atomic, records
from lrlab.io.records import Text
from lrlab.results import signed_file

FILE = "test-openings.json"


@dataclass(frozen=True)
class Opening:
    """One look at a test set.

    Args:
        data: The fingerprint of the data.
        metric: The result by which the experiments were chosen.
        experiments: The folders of their runs, which name and identify them.
    """

    data: Text
    metric: Text
    experiments: tuple[Text, ...]

    @property
    def names(self) -> list[str]:
        """The experiments' names."""
        return [folder.rpartition("-")[0] for folder in self.experiments]


@dataclass(frozen=True)
class Openings:
    """All looks that were taken in a results directory, in their order."""

    openings: tuple[Opening, ...] = ()


def others(before: Openings, new: Opening) -> list[Opening]:
    """Return the other looks at the same data."""
    return [each for each in before.openings if each.data == new.data and each != new]


def read(out: Path) -> Openings:
    """Return the looks that were taken; none where there is no file.

    Raises:
        ResultsError: If the file is damaged.
        UnreadableError: If it cannot be read.
    """
    remedy = "remove it, and the test set counts as not looked at yet"
    return signed_file.read(out / FILE, Openings, remedy) or Openings()


def add(out: Path, looks: Sequence[Opening]) -> None:
    """Record looks; one that was taken before is not a new one.

    Raises:
        ResultsError: If the file cannot be read or written.
    """
    before = read(out).openings
    if new := [look for look in looks if look not in before]:
        kept = Openings((*before, *new))
        atomic.write_text(out / FILE, records.sign(records.text(kept)))
