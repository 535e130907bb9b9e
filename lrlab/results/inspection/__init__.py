"""What is wrong in a results directory, and how it is mended; behind `lrlab check`.

Nothing is trained, nothing outside the directory is read or touched, and no data are deleted.
"""

from lrlab.results.inspection.directory import (
    Inspection,
    check_directory,
    check_results,
    inspect,
)
from lrlab.results.inspection.findings import Finding, Kind
from lrlab.results.inspection.repair import repair, to_json

__all__ = [
    "Finding",
    "Inspection",
    "Kind",
    "check_directory",
    "check_results",
    "inspect",
    "repair",
    "to_json",
]
