"""What `lrlab show` prints on stdout."""

import sys

from lrlab.console.results import print_comparison, print_sweep
from lrlab.console.terminal import as_text, console
from lrlab.console.tuning_results import print_tuning
from lrlab.experiment.showing import Shown
from lrlab.metric import Metric


def print_shown(shown: Shown, metric: Metric | None = None, *, rules: bool = False) -> None:
    """Print what a results directory holds: a comparison, whole or not, a tuning, or a sweep."""
    stdout = console(sys.stdout)
    if shown.head is not None:
        stdout.print(as_text(shown.head, "yellow"), soft_wrap=not stdout.is_terminal)
        stdout.print()
    if shown.comparison is not None:
        print_comparison(shown.comparison, metric)
    if shown.tuning is not None:
        print_tuning(shown.tuning)
    if shown.sweep is not None:
        print_sweep(shown.sweep, rules=rules)
    for note in shown.notes:
        stdout.print(as_text(note, "yellow"), soft_wrap=not stdout.is_terminal)
