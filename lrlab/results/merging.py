"""Several results directories as one: what each holds that is sound, and which of it is kept.

Directories may come from strangers: each is inspected as `lrlab check` does it, and what is copied
is checked again as it is read.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from lrlab.errors import ResultsError
from lrlab.io import atomic, reading, records
from lrlab.results import (
    checkpoint,
    fresh_list,
    inspection,
    run_folder,
    sweep_record,
    test_openings,
    verified_auto,
)
from lrlab.results.inspection import Finding, Kind
from lrlab.results.run import CHECKPOINT, Status, checkpoint_of, names_experiment
from lrlab.results.run_folder import KeptRun

_WRITERS = 8
"""Folders that are written side by side: what takes time is waiting for the disk."""

_AT_ONCE = 64
_MAX_SWEEP = 200_000_000
_SHOWN = 3


@dataclass(frozen=True)
class Merged:
    """What a results directory holds after others were merged into it.

    Args:
        runs: Runs that ended with a result.
        new: How many of them were not there before.
        failed: Runs that failed; `compare` tries them again.
        checkpoints: Runs that were cut off and can be resumed.
        sweeps: Sweeps for `auto`.
        left_out: What was not merged, one sentence each.
    """

    runs: int
    new: int
    failed: int
    checkpoints: int
    sweeps: int
    left_out: tuple[str, ...]


@dataclass
class _Holding:
    """What a results directory holds.

    Attributes:
        runs: How each run ended, by the path of its folder within the directory.
        checkpoints: The folders of runs that were cut off.
        sweeps: The folders of sweeps.
    """

    out: Path
    runs: dict[str, Status] = field(default_factory=dict)
    checkpoints: list[str] = field(default_factory=list)
    sweeps: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def merge(sources: Sequence[Path], out: Path) -> Merged:
    """Merge results directories into one: runs, checkpoints, sweeps and looks at the test set.

    Everything is read and compared before anything is written, and each run is written all or
    nothing; where that is cut off, the same call goes on. Only for who holds the lock of `out`.

    Of two equal results of a run the one in `out` is kept, else the first, unless only the other
    has its final weights. A run that failed gives way to one that ended, and of runs that were cut
    off the one that got furthest is kept.

    Args:
        sources: The directories; they are only read.
        out: Where to; what it holds takes part.

    Raises:
        ResultsError: If a directory is damaged or not a results directory, two hold different
            results of one run or different sweeps of one setup, or `out` cannot be written.
    """
    _recover(out)
    known = {os.path.realpath(out)}
    holdings = [_holding(out, own=True)]
    for source in sources:
        inspection.check_directory(source)
        if (real := os.path.realpath(source)) not in known:
            known.add(real)
            holdings.append(_holding(source))
    runs = _chosen_runs(holdings)
    ended = {path for path, of in runs.items() if of.runs[path].is_final}
    cut_off = _furthest(holdings, ended)
    sweeps = _chosen_sweeps(holdings)
    openings = [look for of in holdings for look in test_openings.read(of.out).openings]
    mine = holdings[0]
    _copy_runs([(of.out / path, out / path) for path, of in runs.items() if of is not mine])
    for path in sorted(cut_off):
        if (of := cut_off[path]) is not mine:
            _copy_checkpoint(checkpoint_of(of.out / path), checkpoint_of(out / path))
    for path in mine.checkpoints:
        if path in ended:
            atomic.remove(checkpoint_of(out / path))
    for (name, file), content in sweeps.items():
        target = out / "sweeps" / name / file
        if not reading.exists(target):
            atomic.write(target, content)
    test_openings.add(out, openings)
    return Merged(
        runs=len(ended),
        new=sum(not mine.runs.get(path, Status.FAILED).is_final for path in ended),
        failed=len(runs) - len(ended),
        checkpoints=len(cut_off),
        sweeps=len({name for name, _ in sweeps}),
        left_out=tuple(text for of in holdings[1:] for text in of.left_out),
    )


# --- what a directory holds ---


def _holding(out: Path, *, own: bool = False) -> _Holding:
    """Return what a directory holds, after all of that was found to be sound."""
    held = _Holding(out)
    if own and not any(reading.exists(out / name) for name in ("runs", "sweeps")):
        return held
    found = inspection.inspect(out, alone=own)
    problems = [each for each in found.findings if _hinders(each, out)]
    if problems:
        first = problems[0]
        more = f", and {len(problems) - 1} more problems" if len(problems) > 1 else ""
        raise ResultsError(
            f"{first.what}{more}; nothing was merged",
            f"`lrlab check {out}` says what is wrong, and `--repair` sets it aside",
            path=first.path,
        )
    for path, status in found.statuses.items():
        if status in tuple(Status):
            held.runs[path.relative_to(out).as_posix()] = Status(status)
    for finding in found.findings:
        if finding.kind is Kind.UNFINISHED and finding.path.name.endswith(CHECKPOINT):
            run = finding.path.with_name(finding.path.name.removesuffix(CHECKPOINT))
            held.checkpoints.append(run.relative_to(out).as_posix())
    held.left_out = list(_left_out(found.findings, out))
    if reading.is_folder(out / "sweeps"):
        folders = [out / "sweeps" / name for name in reading.names(out / "sweeps")]
        held.sweeps = [
            folder.name for folder in folders if reading.exists(folder / sweep_record.JSON_FILE)
        ]
    return held


def _hinders(finding: Finding, out: Path) -> bool:
    """Return whether a finding is about something that would be merged."""
    merged = finding.path.relative_to(out).parts[:1]
    if merged not in (("runs",), ("sweeps",), (test_openings.FILE,)):
        return False
    return finding.kind in (Kind.DAMAGED, Kind.LINK, Kind.UNREADABLE) or finding.recover


def _left_out(findings: Iterable[Finding], out: Path) -> Iterable[str]:
    """Yield what a directory holds that is not merged, tables and figures apart."""
    for name in ("find-lr", sweep_record.JSON_FILE):
        if reading.exists(out / name):
            yield f"`{out / name}`: a sweep of `find-lr`; copy it if you need it"
    if reading.exists(out / fresh_list.FILE):
        yield f"`{out}`: a `--fresh` that was not finished there; its runs so far were merged"
    for finding in findings:
        if finding.kind in (Kind.FOREIGN, Kind.ASIDE, Kind.IN_USE):
            yield f"`{finding.path}`: {finding.what}"


# --- which run is kept ---


def _chosen_runs(holdings: Sequence[_Holding]) -> dict[str, _Holding]:
    """Return for each run the directory whose result is kept.

    Raises:
        ResultsError: If two directories hold different results.
    """
    holders: dict[str, list[_Holding]] = {}
    for held in holdings:
        for path in held.runs:
            holders.setdefault(path, []).append(held)
    conflicts, chosen = [], {}
    for path, several in holders.items():
        ended = [held for held in several if held.runs[path].is_final] or several[:1]
        chosen[path] = ended[0]
        if len(ended) == 1:
            continue
        kept = {held.out: _read(held.out / path) for held in ended}
        first = kept[ended[0].out]
        for held in ended[1:]:
            if unlike := _unlike(first, kept[held.out]):
                conflicts.append((ended[0].out / path, held.out / path, unlike))
            elif kept[held.out].has_weights and not kept[chosen[path].out].has_weights:
                chosen[path] = held
    if conflicts:
        one, other, unlike = conflicts[0]
        more = f"; so do {len(conflicts) - 1} other pairs" if len(conflicts) > 1 else ""
        raise ResultsError(
            f"and `{other}` hold different results of one run: {unlike}{more}; nothing was merged",
            "machines of unlike processors or versions compute unlike last digits: retrain one of "
            "the two on the other's kind of machine, or merge only one of the directories",
            path=one,
        )
    return chosen


def _read(folder: Path) -> KeptRun:
    kept = run_folder.read(folder)
    if kept is None:
        raise ResultsError("vanished while it was read", "merge again", path=folder)
    return kept


def _unlike(one: KeptRun, other: KeptRun) -> str:
    """Return in what two results of a run differ, nothing if they are equal."""
    both = one.digests.keys() & other.digests.keys()
    differ = sorted(name for name in both if one.digests[name] != other.digests[name])
    ends = [(k.result.status, k.result.test_loss, k.result.test_score) for k in (one, other)]
    if repr(ends[0]) != repr(ends[1]):
        differ.append(run_folder.RECORD)
    if not differ:
        return ""
    made_in = [k.result.environments[-1] if k.result.environments else {} for k in (one, other)]
    places = sorted(k for k in made_in[0] if made_in[0][k] != made_in[1].get(k, made_in[0][k]))
    told = [f"{key} {made_in[0][key]} and {made_in[1][key]}" for key in places[:_SHOWN]]
    return ", ".join(differ) + (f" ({'; '.join(told)})" if told else "")


def _furthest(holdings: Sequence[_Holding], ended: set[str]) -> dict[str, _Holding]:
    """Return for each run that was cut off, and ended nowhere, who got furthest with it."""
    furthest: dict[str, tuple[int, _Holding]] = {}
    for held in holdings:
        for path in held.checkpoints:
            kept = None if path in ended else checkpoint.read(checkpoint_of(held.out / path))
            if kept is not None and len(kept.state.loss) > furthest.get(path, (0, held))[0]:
                furthest[path] = (len(kept.state.loss), held)
    return {path: held for path, (_, held) in furthest.items()}


# --- sweeps ---


def _chosen_sweeps(holdings: Sequence[_Holding]) -> Mapping[tuple[str, str], bytes]:
    """Return the files of all sweeps, by the names of folder and file.

    Raises:
        ResultsError: If two directories hold different ones.
    """
    chosen: dict[tuple[str, str], tuple[Path, bytes]] = {}
    for held in holdings:
        for name in held.sweeps:
            folder = held.out / "sweeps" / name
            files = [folder / sweep_record.JSON_FILE, folder / sweep_record.CSV_FILE]
            for path in [*files, *verified_auto.files(folder)]:
                content = reading.read_bytes(path, _MAX_SWEEP)
                at, before = chosen.setdefault((name, path.name), (path, content))
                if before != content:
                    raise ResultsError(
                        f"and `{path}` are different sweeps for `auto` of one setup; nothing was "
                        "merged",
                        "sweep once: train one shard first, and `lrlab merge` its directory into "
                        "those of the others before they begin",
                        path=at,
                    )
    return {key: content for key, (_, content) in chosen.items()}


# --- writing ---


def _recover(out: Path) -> None:
    """Finish what a merge or a comparison that was killed has left."""
    runs = out / "runs"
    if not reading.is_folder(runs) or reading.is_link(runs):
        return
    for name in reading.names(runs):
        if names_experiment(name) and not reading.is_link(runs / name):
            atomic.recover(runs / name)


def _copy_runs(pairs: Sequence[tuple[Path, Path]]) -> None:
    """Copy the folders of runs, several side by side."""

    def copy(pair: tuple[Path, Path]) -> None:
        atomic.write_folder(pair[1], run_folder.read_files(pair[0]))

    with ThreadPoolExecutor(_WRITERS) as pool:
        for start in range(0, len(pairs), _AT_ONCE):  # So that Ctrl-C waits for a few alone.
            list(pool.map(copy, pairs[start : start + _AT_ONCE]))


def _copy_checkpoint(source: Path, target: Path) -> None:
    content = reading.read_bytes(source, checkpoint.MAX_BYTES)
    atomic.write(target, content)


def to_json(merged: Merged) -> str:
    """Return what was merged, as JSON."""
    return records.text(merged)
