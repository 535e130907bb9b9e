"""Mending what an inspection found: set aside what is damaged, remove what is useless."""

import json
from dataclasses import replace
from pathlib import Path

from lrlab.io import atomic
from lrlab.results.inspection.directory import Inspection, inspect
from lrlab.results.inspection.findings import Finding


def repair(out: Path) -> Inspection:
    """Mend what can be mended without training, and return what was found and what was done.

    Only for who holds the lock of the directory. What is damaged is kept under another name.

    Args:
        out: The results directory.

    Raises:
        ResultsError: If it is not a directory, or something cannot be moved.
    """
    found = inspect(out, alone=True)
    if recovered := _recover(found):
        found = inspect(out, alone=True)
        found = replace(found, findings=(*recovered, *found.findings))
    for finding in found.findings:
        if (
            finding.remove is not None and not finding.mended
        ):  # First, since its folder may be set aside.
            atomic.remove(finding.remove)
    moved: dict[Path, Path] = {}
    findings = [f if f.mended else _mended(f, moved) for f in found.findings]
    return replace(found, findings=tuple(findings))


def _recover(found: Inspection) -> list[Finding]:
    """Put what is complete into its place; return what was done."""
    folders = {finding.path.parent for finding in found.findings if finding.recover}
    for folder in folders:
        atomic.recover(folder)
    there = [f for f in found.findings if f.path.parent in folders]
    done = [replace(f, mended="put into its place") for f in there if f.recover]
    # What was half written beside it is gone as well.
    gone = [f for f in there if f.remove and atomic.is_part(f.path.name)]
    return [*done, *(replace(f, mended="removed") for f in gone)]


def _mended(finding: Finding, moved: dict[Path, Path]) -> Finding:
    """Set aside what a finding says, once; return the finding with what was done."""
    if finding.remove is not None:
        return replace(finding, mended="removed")
    if finding.aside is None:
        return finding
    if finding.aside not in moved:
        moved[finding.aside] = atomic.set_aside(finding.aside)
    kept = moved[finding.aside].name
    return replace(finding, mended=f"`{finding.aside.name}` is kept as `{kept}`")


def to_json(found: Inspection) -> str:
    """Return an inspection as JSON."""
    stated = {
        "directory": str(found.out),
        "runs": {"checked": len(found.statuses), **found.counts()},
        "problems": len(found.problems),
        "findings": [
            {
                "path": finding.path.relative_to(found.out).as_posix(),
                "kind": finding.kind,
                "problem": finding.kind.is_problem,
                "what": finding.what,
                "remedy": finding.remedy,
                "mended": finding.mended,
            }
            for finding in found.findings
        ],
    }
    return json.dumps(stated, indent=2) + "\n"
