"""The inspection of a whole results directory: what belongs there, and what does not."""

import os
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lrlab.errors import ResultsError
from lrlab.io import atomic
from lrlab.results import comparison, lock, run_folder, sweep_record, verified_auto
from lrlab.results.inspection import run_findings
from lrlab.results.inspection.findings import Finding, Kind
from lrlab.results.run import CHECKPOINT, RunPlace, Status, names_experiment

_TABLES = {"comparison.csv", "comparison.md", comparison.FILE, lock.NAME}
_FIGURES = {"learning-rate", "loss", "accuracy", "sweep", "schedules"}
_SWEEP = (sweep_record.JSON_FILE, sweep_record.CSV_FILE)
_RUN_FILES = {*run_folder.FILES, run_folder.WEIGHTS}
_FORMATS = (".png", ".svg", ".pdf")


@dataclass(frozen=True)
class Inspection:
    """What was found in a results directory.

    Args:
        out: The directory.
        statuses: How each run that is begun stands: a `Status`, `unfinished` or `damaged`, by
            its place.
        findings: What was found, in path order.
    """

    out: Path
    statuses: dict[Path, str]
    findings: tuple[Finding, ...]

    @property
    def problems(self) -> list[Finding]:
        """The findings that are problems and not mended."""
        return [f for f in self.findings if f.kind.is_problem and f.mended is None]

    def counts(self) -> dict[str, int]:
        """Return how many runs stand how, those that are as they should be as `fine`."""
        fine = [status for status in Status if status.is_final]
        each = Counter("fine" if s in fine else s for s in self.statuses.values())
        return {key: each[key] for key in ("fine", "unfinished", "failed", "damaged")}


def inspect(out: Path, *, alone: bool = False) -> Inspection:
    """Return what is wrong in a results directory, and what else is worth reporting.

    Symbolic links that lead out of it are reported, not followed. Nothing is written.

    Args:
        out: The directory.
        alone: Whether the caller holds its lock, so that nobody else writes into it.

    Raises:
        ResultsError: If it is not a directory.
    """
    check_directory(out)
    inspector = _Inspector(out, None if alone else lock.owner(out))
    inspector.inspect()
    found = sorted(inspector.findings, key=lambda finding: finding.path.parts)
    return Inspection(out, inspector.statuses, tuple(found))


def check_directory(out: Path) -> None:
    """Make sure that there is a directory.

    Raises:
        ResultsError: If not.
    """
    if not out.is_dir():
        raise ResultsError(
            "is not a directory", "make results with `lrlab compare CONFIG... --out DIR`", path=out
        )


class _Inspector:
    """Goes through a results directory and takes notes."""

    def __init__(self, out: Path, owner: str | None) -> None:
        self.findings: list[Finding] = []
        self.statuses: dict[Path, str] = {}
        self._out = out
        self._owner = owner
        self._outside: set[Path] = set()

    def inspect(self) -> None:
        """Go through all of it."""
        if self._owner is not None:
            what = f"in use by {self._owner}"
            self._tell(self._out, Kind.IN_USE, what, "files that it is writing now are not checked")
        for path in self._entries(self._out):
            if path.name == "runs" and path.is_dir():
                self._runs(path)
            elif path.name == "sweeps" and path.is_dir():
                self._sweeps(path)
            elif path.is_dir():
                self._folder(path)
            elif path.name not in {*_TABLES, *_SWEEP} and not _is_figure(path):
                self._foreign(path)
        if _holds_sweep(self._out) and not self._outside & {self._out / n for n in _SWEEP}:
            self._own_sweep(self._out)
        self._comparison()

    def _entries(self, folder: Path) -> Iterator[Path]:
        """Yield what may belong in a folder; note what does not."""
        try:
            names = sorted(os.listdir(folder))
        except OSError as error:
            remedy = "allow reading it"
            self._tell(folder, Kind.UNREADABLE, f"cannot be read: {error.strerror}", remedy)
            return
        for path in (folder / name for name in names):
            try:
                if path.is_symlink():
                    atomic.check_within(self._out, path)
            except ResultsError as error:
                what = f"is a symbolic link and {error.reason}"
                self._tell(path, Kind.LINK, what, "replace it with what it leads to")
                self._outside.add(path)
                continue
            if atomic.is_part(path.name):
                if self._owner is None:
                    finding = (Kind.LEFTOVER, "was left half-written", "`--repair` removes it")
                    self.findings.append(Finding(path, *finding, remove=path))
            elif atomic.is_aside(path.name):
                self._tell(
                    path, Kind.ASIDE, "was set aside", "delete it when you no longer need it"
                )
            else:
                yield path

    def _runs(self, folder: Path) -> None:
        for experiment in self._entries(folder):
            if not names_experiment(experiment.name) or not experiment.is_dir():
                self._foreign(experiment)
                continue
            self._experiment(experiment)

    def _experiment(self, folder: Path) -> None:
        kept = []
        for path in self._entries(folder):
            run = path.with_name(path.name.removesuffix(CHECKPOINT))
            place = RunPlace.of(run)
            if place is None:
                self._foreign(path)
            elif run != path:
                kept.append((path, run, place))
            elif path.is_symlink() or not path.is_dir() or self._holds_only(path, _RUN_FILES):
                status, findings = run_findings.inspect(path, place)
                self.statuses[path] = status or Kind.DAMAGED
                self.findings += findings
            else:
                self.statuses[path] = Kind.DAMAGED
        for path, run, place in kept:
            stands = self.statuses.get(run)
            status = None if stands in (None, Kind.DAMAGED) else Status(stands)
            finding = run_findings.inspect_checkpoint(path, place, status)
            self.findings.append(finding)
            if stands is None:
                self.statuses[run] = finding.kind

    def _sweeps(self, folder: Path) -> None:
        for path in self._entries(folder):
            if not path.is_dir():
                self._foreign(path)
                continue
            checked = verified_auto.files(path)
            try:
                if not self._holds_only(path, [*_SWEEP, *(file.name for file in checked)]):
                    continue
                sweep_record.read(path)
            except ResultsError as error:
                remedy = "`--repair` sets it aside, and `lrlab compare` repeats the sweep"
                self._damaged(path, error, remedy, [path])
            else:
                self._verified(checked)

    def _verified(self, files: Sequence[Path]) -> None:
        for file in files:
            try:
                verified_auto.read(file)
            except ResultsError as error:
                remedy = "`--repair` sets it aside, and `lrlab compare` verifies again"
                self._damaged(file, error, remedy, [file])

    def _folder(self, path: Path) -> None:
        if _holds_sweep(path):
            if self._holds_only(path, [*_SWEEP, lock.NAME]):
                self._own_sweep(path)
        elif (path / comparison.FILE).exists() or (path / "runs").is_dir():
            remedy = f"look at it with `lrlab check {path}`"
            self._tell(path, Kind.FOREIGN, "is a results directory of its own", remedy)
        else:
            self._foreign(path)

    def _holds_only(self, folder: Path, names: Collection[str]) -> bool:
        """Note what else is in a folder; return whether no link in it leads out."""
        for path in self._entries(folder):
            if path.name not in names and not _is_figure(path):
                self._foreign(path)
        return not any(path.parent == folder for path in self._outside)

    def _own_sweep(self, folder: Path) -> None:
        """Look at the sweep that `find-lr` has written into a folder."""
        try:
            sweep_record.read(folder)
        except ResultsError as error:
            remedy = "`--repair` sets it aside; run `lrlab find-lr` again"
            self._damaged(folder, error, remedy, [folder / name for name in _SWEEP])

    def _comparison(self) -> None:
        path = self._out / comparison.FILE
        if path in self._outside or not path.exists():
            return
        try:
            compared = comparison.read(self._out)
        except ResultsError as error:
            remedy = "`--repair` sets it aside, and `lrlab compare` writes it again"
            self._damaged(path, error, remedy, [path])
            return
        for folder in [folder for e in compared.experiments for folder in e.runs]:
            place = self._out / folder
            if place in self.statuses or RunPlace.of(place) is None:
                continue
            if atomic.was_set_aside(place):
                what, kind = "was set aside before", Kind.UNFINISHED
                self.statuses[place] = kind
            else:
                what, kind = f"is missing, but `{comparison.FILE}` names it", Kind.MISSING
            self._tell(place, kind, what, "`lrlab compare` retrains it")

    def _damaged(self, path: Path, error: ResultsError, remedy: str, aside: Sequence[Path]) -> None:
        for each in [path for path in aside if path.exists()]:
            what = error.reason if error.path == each else error.message
            self.findings.append(Finding(each, Kind.DAMAGED, what, remedy, aside=each))

    def _foreign(self, path: Path) -> None:
        self._tell(path, Kind.FOREIGN, "is not one of lrlab's files", "lrlab leaves it alone")

    def _tell(self, path: Path, kind: Kind, what: str, remedy: str) -> None:
        self.findings.append(Finding(path, kind, what, remedy))


def _is_figure(path: Path) -> bool:
    return path.stem in _FIGURES and path.suffix in _FORMATS


def _holds_sweep(folder: Path) -> bool:
    return any((folder / name).exists() for name in _SWEEP)
