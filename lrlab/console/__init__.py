"""What people see: results on stdout, progress and warnings on stderr."""

from lrlab.console.curves import print_curves
from lrlab.console.guide_pages import print_guide, print_schedule
from lrlab.console.inspection import print_inspection
from lrlab.console.portions import print_merged, print_shard
from lrlab.console.progress import LiveReporter
from lrlab.console.results import (
    print_comparison,
    print_json,
    print_sweep,
    print_written,
)
from lrlab.console.shown_results import print_shown
from lrlab.console.tuning_results import print_tuning

__all__ = [
    "LiveReporter",
    "print_comparison",
    "print_curves",
    "print_guide",
    "print_inspection",
    "print_json",
    "print_merged",
    "print_schedule",
    "print_shard",
    "print_shown",
    "print_sweep",
    "print_tuning",
    "print_written",
]
