"""The inspection of a whole results directory: what belongs there, and what does not."""

import functools
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from lrlab.errors import ResultsError, UnreadableError
from lrlab.io import atomic, pictures, reading
from lrlab.metric import ACCURACY
from lrlab.results import (
    auto_trials,
    comparison,
    fresh_list,
    lock,
    run_folder,
    shown,
    sweep_record,
    test_openings,
    tuning_record,
    verified_auto,
)
from lrlab.results.inspection import run_findings
from lrlab.results.inspection.findings import Finding, Kind
from lrlab.results.run import CHECKPOINT, RunPlace, Status, names_experiment

_TABLES = {
    "comparison.csv",
    "comparison.md",
    comparison.FILE,
    fresh_list.FILE,
    lock.NAME,
    shown.FILE,
    test_openings.FILE,
    tuning_record.FILE,
    *tuning_record.TABLES,
}
_FIGURES = {"learning-rate", "loss", "target", "sweep", "schedules", *tuning_record.FIGURES}
_SWEEP = (sweep_record.JSON_FILE, sweep_record.CSV_FILE)
_RUN_FILES = {*run_folder.READ, run_folder.WEIGHTS}
_FOLDERS = ("runs", "sweeps", "find-lr")
REPORT = "report.html"
_FORMATS = (".png", ".svg", ".pdf")
_VERIFIES_AGAIN = "`--repair` sets it aside, and `lrlab compare` verifies again"

Kept = TypeVar("Kept")


@dataclass(frozen=True)
class Inspection:
    """What was found in a results directory.

    Args:
        out: The directory.
        statuses: How each run that is begun stands: a `Status`, `unfinished`, `damaged` or
            `unreadable`, by its place.
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
        usual = {key: each[key] for key in ("fine", "unfinished", "failed", "damaged")}
        unknown = each[Kind.UNREADABLE]
        return usual | ({"unreadable": unknown} if unknown else {})


def inspect(out: Path, *, alone: bool = False) -> Inspection:
    """Return what is wrong in a results directory, and what else is worth reporting.

    Symbolic links that lead out of it are reported, not followed. Nothing is written.

    Args:
        out: The directory.
        alone: Whether the caller holds its lock, so that nobody else writes into it.

    Raises:
        ResultsError: If it is not a results directory.
    """
    check_results(out)
    inspector = _Inspector(out, None if alone else lock.owner(out))
    inspector.inspect()
    found = sorted(inspector.findings, key=lambda finding: finding.path.parts)
    return Inspection(out, inspector.statuses, tuple(found))


def check_directory(out: Path) -> None:
    """Make sure that there is a directory.

    Raises:
        ResultsError: If not.
    """
    if not reading.is_folder(out):
        raise ResultsError(
            "is not a directory", "make results with `lrlab compare CONFIG... --out DIR`", path=out
        )


def check_results(out: Path) -> None:
    """Make sure that there is a directory with something in it that lrlab has written.

    Raises:
        ResultsError: If not.
    """
    check_directory(out)
    there = [out / name for name in reading.names(out)]
    if not any(map(_is_lrlabs, there)):
        meant = next(filter(_holds_results, there), "DIR")
        raise ResultsError(
            "is not a results directory: nothing in it is lrlab's",
            f"name one, as in `lrlab check {meant}`",
            path=out,
        )


class _Inspector:
    """Goes through a results directory and takes notes."""

    def __init__(self, out: Path, owner: str | None) -> None:
        self.findings: list[Finding] = []
        self.statuses: dict[Path, str] = {}
        self._out = out
        self._owner = owner
        self._outside: set[Path] = set()
        self._unsigned = 0
        self._metric = _metric_of(out)

    def inspect(self) -> None:
        """Go through all of it."""
        if self._owner is not None:
            what = f"in use by {self._owner}"
            self._tell(self._out, Kind.IN_USE, what, "files that it is writing now are not checked")
        for path in self._entries(self._out):
            self._look(path, self._at_the_top)
        self._look(self._out, self._own_sweep_at_the_top)
        self._look(self._out / comparison.FILE, self._comparison)
        self._look(self._out / tuning_record.FILE, self._tuning)
        self._look(self._out / fresh_list.FILE, self._fresh_list)
        self._look(self._out / test_openings.FILE, self._test_openings)
        self._look(self._out / shown.FILE, self._shown)
        if self._unsigned:
            count = self._unsigned
            what = f"holds {count} record{'s' if count > 1 else ''} of an older lrlab, not signed"
            self._tell(self._out, Kind.UNSIGNED, what, "whether they were changed cannot be told")

    def _look(self, path: Path, at: Callable[[Path], None]) -> None:
        """Look at something; where it cannot be read, say so: it may be sound."""
        try:
            at(path)
        except UnreadableError as error:
            remedy = error.hint or "allow reading it"
            self._tell(error.path or path, Kind.UNREADABLE, error.reason, remedy)

    def _at_the_top(self, path: Path) -> None:
        if path.name == "runs" and reading.is_folder(path):
            self._runs(path)
        elif path.name == "sweeps" and reading.is_folder(path):
            self._sweeps(path)
        elif reading.is_folder(path):
            self._folder(path)
        else:
            self._file(path, {*_TABLES, *_SWEEP})

    def _file(self, path: Path, names: Collection[str]) -> None:
        """Look at a file that must have one of these names, or be a figure."""
        if path.name in names:
            return
        if not _is_figure(path, self._metric):
            self._foreign(path)
            return
        try:
            self._unsigned += not pictures.check(path)
        except (OSError, ValueError) as error:
            if not reading.is_damage(error):
                raise reading.unreadable(path, error) from error
            what = f"is damaged: {reading.reason(error)}"
            remedy = "`--repair` sets it aside, and `lrlab plot` draws it again"
            self.findings.append(Finding(path, Kind.DAMAGED, what, remedy, aside=path))

    def _entries(self, folder: Path) -> Iterator[Path]:
        """Yield what may belong in a folder; note what does not."""
        for path in (folder / name for name in reading.names(folder)):
            try:
                if reading.is_link(path):
                    atomic.check_within(self._out, path)
            except UnreadableError as error:
                self._tell(path, Kind.UNREADABLE, error.reason, error.hint or "allow reading it")
                continue
            except ResultsError as error:
                what = f"is a symbolic link and {error.reason}"
                self._tell(path, Kind.LINK, what, "replace it with what it leads to")
                self._outside.add(path)
                continue
            if atomic.is_part(path.name):
                if self._owner is None:
                    finding = (Kind.LEFTOVER, "was left half-written", "`--repair` removes it")
                    self.findings.append(Finding(path, *finding, remove=path))
            elif atomic.is_whole(path.name):
                if self._owner is None:
                    what = "is complete, but was not put into its place"
                    finding = (Kind.LEFTOVER, what, "`--repair` does that, or the next command")
                    self.findings.append(Finding(path, *finding, recover=True))
            elif atomic.is_aside(path.name):
                self._tell(
                    path, Kind.ASIDE, "was set aside", "delete it when you no longer need it"
                )
            else:
                yield path

    def _runs(self, folder: Path) -> None:
        for experiment in self._entries(folder):
            self._look(experiment, self._experiment)

    def _experiment(self, folder: Path) -> None:
        if not names_experiment(folder.name) or not reading.is_folder(folder):
            self._foreign(folder)
            return
        kept = []
        for path in self._entries(folder):
            run = path.with_name(path.name.removesuffix(CHECKPOINT))
            place = RunPlace.of(run)
            if place is None:
                self._foreign(path)
            elif run != path:
                kept.append((path, run, place))
            else:
                self.statuses[path] = Kind.UNREADABLE  # Until more is known.
                self._look(path, functools.partial(self._run, place=place))
        for path, run, place in kept:
            self._look(path, functools.partial(self._checkpoint, run=run, place=place))

    def _run(self, path: Path, place: RunPlace) -> None:
        whole = reading.is_link(path) or not reading.is_folder(path)
        if whole or self._holds_only(path, _RUN_FILES):
            status, findings, signed = run_findings.inspect(path, place)
            self.statuses[path] = status or Kind.DAMAGED
            self.findings += findings
            self._unsigned += not signed
        else:
            self.statuses[path] = Kind.DAMAGED

    def _checkpoint(self, path: Path, run: Path, place: RunPlace) -> None:
        stands = self.statuses.get(run)
        if stands is None:
            self.statuses[run] = Kind.UNREADABLE
        ended = None if stands in (None, Kind.DAMAGED, Kind.UNREADABLE) else Status(stands)
        finding = run_findings.inspect_checkpoint(path, place, ended)
        self.findings.append(finding)
        if stands is None:
            self.statuses[run] = finding.kind

    def _sweeps(self, folder: Path) -> None:
        for path in self._entries(folder):
            self._look(path, self._sweep)

    def _sweep(self, path: Path) -> None:
        """Look at a sweep that `compare` has made: it is of the setup that its folder names."""
        if not reading.is_folder(path):
            self._foreign(path)
            return
        verified = verified_auto.files(path)
        tried = auto_trials.files(path)
        if self._holds_only(path, [*_SWEEP, *(file.name for file in [*verified, *tried])]):
            remedy = "`--repair` sets it aside, and `lrlab compare` repeats the sweep"
            try:
                record = sweep_record.read(path)
                if sweep_record.recorded_identity(record.summary.settings) != path.name:
                    json_file = path / sweep_record.JSON_FILE
                    raise ResultsError("is the sweep of another setup", path=json_file)
                self._unsigned += not record.signed
            except UnreadableError:
                raise
            except ResultsError as error:
                self._damaged(path, error, remedy, [path])
            else:
                for file in verified:
                    self._look(file, self._verified)
                ended = {auto_trials.path_beside(file) for file in verified}
                for file in tried:
                    self._look(file, self._tried_before if file in ended else self._tried)

    def _verified(self, path: Path) -> None:
        """Look at what short runs said about the rates for a schedule."""
        self._read(path, lambda: verified_auto.read(path), _VERIFIES_AGAIN)

    def _tried(self, path: Path) -> None:
        """Look at the short runs of a verification that was cut off."""
        tried = self._read(path, lambda: auto_trials.read(path), _VERIFIES_AGAIN)
        if tried is not None:
            count = len(tried.trials)
            what = (
                f"holds {count} short run{'s' if count > 1 else ''} of an unfinished verification"
            )
            self._tell(path, Kind.UNFINISHED, what, "`lrlab compare` finishes it")

    def _tried_before(self, path: Path) -> None:
        """Tell of short runs whose verification has ended."""
        what = "holds the short runs of a verification that is finished"
        finding = (Kind.LEFTOVER, what, "`--repair` removes it")
        self.findings.append(Finding(path, *finding, remove=path))

    def _folder(self, path: Path) -> None:
        if _holds_sweep(path):
            if self._holds_only(path, [*_SWEEP, lock.NAME]):
                self._own_sweep(path)
        elif _holds_comparison(path):
            remedy = f"look at it with `lrlab check {path}`"
            self._tell(path, Kind.FOREIGN, "is a results directory of its own", remedy)
        elif reading.names(path) != [lock.NAME]:  # A `find-lr` that was cut off leaves that.
            self._foreign(path)

    def _holds_only(self, folder: Path, names: Collection[str]) -> bool:
        """Note what else is in a folder; return whether no link in it leads out."""
        for path in self._entries(folder):
            self._look(path, functools.partial(self._file, names=names))
        return not any(path.parent == folder for path in self._outside)

    def _own_sweep_at_the_top(self, out: Path) -> None:
        if _holds_sweep(out) and not self._outside & {out / name for name in _SWEEP}:
            self._own_sweep(out)

    def _own_sweep(self, folder: Path) -> None:
        """Look at the sweep that `find-lr` has written into a folder."""
        try:
            self._unsigned += not sweep_record.read(folder).signed
        except UnreadableError:
            raise
        except ResultsError as error:
            remedy = "`--repair` sets it aside; run `lrlab find-lr` again"
            self._damaged(folder, error, remedy, [folder / name for name in _SWEEP])

    def _comparison(self, path: Path) -> None:
        if path in self._outside or not reading.exists(path):
            return
        remedy = "`--repair` sets it aside, and `lrlab compare` writes it again"
        try:
            compared = comparison.read(self._out)
            for error in comparison.check_tables(self._out):
                if error is None:
                    self._unsigned += 1
                elif error.path not in self._outside:
                    self._damaged(error.path or path, error, remedy, [error.path or path])
        except UnreadableError:
            raise
        except ResultsError as error:
            self._damaged(path, error, remedy, [path])
            return
        named = [
            folder
            for e in compared.experiments
            for folder, status in zip(e.runs, e.statuses, strict=True)
            if status.is_final  # Where `auto` found no rate there is no run to be kept.
        ]
        self._missing_runs(named, comparison.FILE, "compare")

    def _tuning(self, path: Path) -> None:
        if path in self._outside or not reading.exists(path):
            return
        remedy = "`--repair` sets it aside, and `lrlab tune` writes it again"
        try:
            tuned = tuning_record.read(self._out)
            for error in tuning_record.check_tables(self._out):
                if error.path not in self._outside:
                    self._damaged(error.path or path, error, remedy, [error.path or path])
        except UnreadableError:
            raise
        except ResultsError as error:
            self._damaged(path, error, remedy, [path])
            return
        named = [folder for folder, status in tuned.runs if status.is_final]
        self._missing_runs(named, tuning_record.FILE, "tune")

    def _missing_runs(self, named: Sequence[str], record: str, command: str) -> None:
        """Tell of runs that a record names and that are not there."""
        for folder in named:
            place = self._out / folder
            if place in self.statuses or RunPlace.of(place) is None:
                continue
            if atomic.was_set_aside(place):
                what, kind = "was set aside before", Kind.UNFINISHED
                self.statuses[place] = kind
            else:
                what, kind = f"is missing, but `{record}` names it", Kind.MISSING
            self._tell(place, kind, what, f"`lrlab {command}` retrains it")

    def _fresh_list(self, path: Path) -> None:
        if path not in self._outside:
            remedy = "`--repair` sets it aside, and `lrlab compare --fresh` begins again"
            self._read(path, lambda: fresh_list.read(self._out), remedy)

    def _test_openings(self, path: Path) -> None:
        if path not in self._outside:
            remedy = "`--repair` sets it aside; the test set then counts as not looked at yet"
            self._read(path, lambda: test_openings.read(self._out), remedy)

    def _shown(self, path: Path) -> None:
        if path not in self._outside:
            remedy = "`--repair` sets it aside, and `lrlab compare` draws everything again"
            self._read(path, lambda: shown.read(self._out), remedy)

    def _read(self, path: Path, read: Callable[[], Kept], remedy: str) -> Kept | None:
        """Return what a file holds, None if it is damaged, which is noted.

        Raises:
            UnreadableError: If it cannot be read.
        """
        try:
            return read()
        except UnreadableError:
            raise
        except ResultsError as error:
            self._damaged(path, error, remedy, [path])
            return None

    def _damaged(self, path: Path, error: ResultsError, remedy: str, aside: Sequence[Path]) -> None:
        there = [path for path in aside if reading.exists(path)]
        if not there:
            self._tell(path, Kind.MISSING, error.reason, "`lrlab compare` writes it again")
        for each in there:
            what = error.reason if error.path == each else error.message
            self.findings.append(Finding(each, Kind.DAMAGED, what, remedy, aside=each))

    def _foreign(self, path: Path) -> None:
        self._tell(path, Kind.FOREIGN, "is not one of lrlab's files", "lrlab leaves it alone")

    def _tell(self, path: Path, kind: Kind, what: str, remedy: str) -> None:
        self.findings.append(Finding(path, kind, what, remedy))


def _is_lrlabs(path: Path) -> bool:
    """Return whether a name at the top of a directory is one that lrlab gives there."""
    name = path.name
    known = {*_FOLDERS, *_TABLES, *_SWEEP}
    left = atomic.is_part(name) or atomic.is_whole(name) or atomic.is_aside(name)
    return name in known or left or _is_figure(path)


def _is_figure(path: Path, metric: str = ACCURACY.key) -> bool:
    known = path.stem in (*_FIGURES, metric) or path.stem.startswith(comparison.OVER)
    known = known or tuning_record.OF_EPOCHS.fullmatch(path.stem) is not None
    drawn = known and path.suffix in _FORMATS
    return drawn or path.name == REPORT


def _metric_of(out: Path) -> str:
    """Return the metric of a comparison, which a figure is called after."""
    try:
        return comparison.read(out).metric.key
    except ResultsError:  # What is wrong with it is told where it is looked at.
        return ACCURACY.key


def _holds_results(path: Path) -> bool:
    try:
        return reading.is_folder(path) and (_holds_comparison(path) or _holds_sweep(path))
    except UnreadableError:
        return False


def _holds_comparison(folder: Path) -> bool:
    return reading.exists(folder / comparison.FILE) or reading.is_folder(folder / "runs")


def _holds_sweep(folder: Path) -> bool:
    return any(reading.exists(folder / name) for name in _SWEEP)
