"""`--fresh`: what a results directory holds when the command begins is made again, once.

The command leaves a list of it. When it was cut off and comes again it goes on by that list: what
has been made since is not made again.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from lrlab.config import Config
from lrlab.errors import ResultsError, UnreadableError
from lrlab.io import atomic, reading
from lrlab.reporter import Reporter
from lrlab.results import auto_trials, fresh_list, run_folder, sweep_record, verified_auto
from lrlab.results.fresh_list import FreshList
from lrlab.results.run import CHECKPOINT

_ENDING = 1 << 16
"""Bytes of a checkpoint that tell it from another: its checksum is at the end."""


class Old:
    """What a command with `--fresh` is still to make again.

    Args:
        out: The results directory.
        found: The list of a command with `--fresh`.
    """

    def __init__(self, out: Path, found: FreshList) -> None:
        self._out = out
        self._of = found.of
        self._digests = dict(found.files)

    def made_again(self, path: Path) -> None:
        """Strike a file off the list; it may have come out as it was before.

        Raises:
            ResultsError: If the list cannot be written.
        """
        if self._digests.pop(path.relative_to(self._out).as_posix(), None) is not None:
            fresh_list.write(self._out, FreshList(self._of, self._digests))

    def __contains__(self, path: Path) -> bool:
        """Return whether a file is still the one that the command found.

        Raises:
            UnreadableError: If it cannot be read.
        """
        found = self._digests.get(path.relative_to(self._out).as_posix())
        return found is not None and found == _digest(path)


def command_of(
    configs: Sequence[Config], seeds: int, keep_weights: bool, until_sure: str | None = None
) -> str:
    """Return what tells a comparison from another; `until_sure` says how seeds are added."""
    experiments = [c.experiment.model_dump(mode="json") for c in configs]
    stated = [experiments, seeds, keep_weights, *([until_sure] if until_sure else [])]
    text = json.dumps(stated, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def begin(out: Path, command: str, report: Reporter) -> Old:
    """Return what a command with `--fresh` is to make again.

    Raises:
        ResultsError: If the results directory cannot be read or written.
    """
    kept = _kept(out)
    if kept is not None and kept.of == command:
        report.note("resuming the `--fresh` that was interrupted")
        return Old(out, kept)
    digests = {
        path.relative_to(out).as_posix(): digest
        for path in _records(out)
        if (digest := _digest(path)) is not None
    }
    found = FreshList(command, digests)
    fresh_list.write(out, found)
    return Old(out, found)


def _records(out: Path) -> Iterator[Path]:
    """Yield where there may be the record of a run or a sweep, or a checkpoint."""
    for experiment in _folders(out / "runs"):
        for run in _folders(experiment):
            yield run / run_folder.RECORD
        for name in reading.names(experiment):
            if name.endswith(CHECKPOINT):
                yield experiment / name
    for sweep in _folders(out / "sweeps"):
        yield sweep / sweep_record.JSON_FILE
        yield from verified_auto.files(sweep)
        yield from auto_trials.files(sweep)


def _folders(folder: Path) -> list[Path]:
    """Return the folders in a folder, links apart; none where there is no such folder."""
    if not reading.is_folder(folder):
        return []
    paths = [folder / name for name in reading.names(folder)]
    return [path for path in paths if reading.is_folder(path) and not reading.is_link(path)]


def end(out: Path, command: str) -> None:
    """Forget the list of a command, since it is done or goes on without `--fresh`.

    Raises:
        ResultsError: If that cannot be done.
    """
    kept = _kept(out)
    if kept is not None and kept.of == command:
        atomic.remove(out / fresh_list.FILE)


def _kept(out: Path) -> FreshList | None:
    """Return the list of a command that was cut off; a damaged one is of no use."""
    try:
        return fresh_list.read(out)
    except UnreadableError:
        raise
    except ResultsError:
        return None


def _digest(path: Path) -> str | None:
    """Return what tells a file from the one that takes its place, None if there is none."""
    try:
        with reading.open_file(path) as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(max(0, size - _ENDING))
            return f"{size}:{hashlib.sha256(file.read(_ENDING)).hexdigest()}"
    except OSError as error:
        if reading.is_damage(error):
            return None
        raise reading.unreadable(path, error) from error
