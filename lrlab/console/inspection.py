"""What is wrong in a results directory, on stdout."""

import sys
from pathlib import Path

from rich.text import Text

from lrlab.console.terminal import as_text, console
from lrlab.results.inspection import Finding, Inspection


def print_inspection(found: Inspection) -> None:
    """Print what is wrong in a results directory, one line each, and a summary."""
    stdout = console(sys.stdout)
    for finding in found.findings:
        stdout.print(_line(found.out, finding), soft_wrap=not stdout.is_terminal)
    count = len(found.statuses)
    stands = ", ".join(f"{n} {word}" for word, n in found.counts().items() if n or word == "fine")
    summary = f"checked {_counted(count, 'run')}: {stands}"
    problems = [finding for finding in found.findings if finding.kind.is_problem]
    if problems:
        summary += f"; {_counted(len(problems), 'problem')}"
    if mended := sum(finding.mended is not None for finding in problems):
        summary += f", {mended} mended"
    stdout.print(summary)


def _line(out: Path, finding: Finding) -> Text:
    place = finding.path.relative_to(out).as_posix()
    unmended = finding.kind.is_problem and finding.mended is None
    text = f"{place}: {finding.what}; {finding.mended or finding.remedy}"
    return as_text(text, "red" if unmended else "")


def _counted(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"
