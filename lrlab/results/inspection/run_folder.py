"""The verdict on one run: its files, and whether they fit each other and the folder's name."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lrlab.errors import ResultsError
from lrlab.io import json_shapes, reading
from lrlab.results import checkpoints, runs
from lrlab.results.inspection.finding import Finding, Kind
from lrlab.results.runs import RunResult, Status

EXPERIMENT = re.compile(r"([A-Za-z0-9][A-Za-z0-9._+-]{0,63})-([0-9a-f]{10})", re.ASCII)
SEED = re.compile(r"seed-(0|[1-9][0-9]*)", re.ASCII)

_SET_ASIDE = "`--repair` sets the run aside, and `lrlab compare` trains it anew"
_FILES = ("epochs.csv", "steps.npz")
_CHUNK = 1 << 20

CONTENTS = {"run.json", *_FILES, runs.WEIGHTS}
"""What the folder of a run may hold."""


@dataclass(frozen=True)
class Place:
    """Where a run is kept: `folder` is `<name>-<identity>/seed-<seed>`."""

    folder: Path
    name: str
    identity: str
    seed: int

    @classmethod
    def of(cls, folder: Path) -> "Place | None":
        """Return the place that a path names, None if it is not that of a run."""
        experiment, seed = EXPERIMENT.fullmatch(folder.parent.name), SEED.fullmatch(folder.name)
        if experiment is None or seed is None:
            return None
        return cls(folder, experiment[1], experiment[2], int(seed[1]))


class Identities:
    """The identities that recorded configs have; each is computed once."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def of(self, config: Mapping[str, Any], fingerprint: str) -> str:
        """Return the identity of the runs of a config as `run.json` has it.

        Raises:
            ValueError: If it is no config.
        """
        key = json.dumps([config, fingerprint], sort_keys=True)
        if key not in self._known:
            # Here, since pydantic takes its time and an empty directory needs none of it.
            from lrlab.config import Experiment

            stated = {name: value for name, value in config.items() if name != "data"}
            experiment = Experiment.model_validate_json(json.dumps(stated))
            self._known[key] = runs.identity(experiment, fingerprint)
        return self._known[key]


def inspect(place: Place, identities: Identities) -> tuple[Status | None, list[Finding]]:
    """Return how the run of a folder ended, None if it is damaged, and what was found."""
    try:
        found = runs.read(place.folder)
    except ResultsError as error:
        damage = list(_damaged_files(place, [*_FILES, runs.WEIGHTS]))
        return None, damage or [_damaged(place, place.folder, error.message)]
    if found is None:
        return None, [_damaged(place, place.folder / "run.json", "is missing")]
    result, record = found
    if wrong := _wrong(place, result, record, identities):
        return None, [_damaged(place, place.folder / "run.json", wrong)]
    if damage := list(_damaged_files(place, [runs.WEIGHTS])):
        return None, damage
    return result.status, [_failed(place, result)] if result.status is Status.FAILED else []


def inspect_checkpoint(path: Path, place: Place, status: Status | None) -> Finding:
    """Return what a checkpoint beside the folder of its run means.

    Args:
        path: The checkpoint.
        place: The place of its run.
        status: How the run ended, None if there is no sound one.
    """
    aside = "`--repair` sets it aside, and `lrlab compare` starts the run over"
    try:
        found = checkpoints.read(path)
    except ResultsError as error:
        what = f"is damaged: {_reason(error.message)}"
        return Finding(path, Kind.DAMAGED, what, aside, aside=path)
    if found is None or (found[1].get("identity"), found[1].get("seed")) != (
        place.identity,
        place.seed,
    ):
        return Finding(path, Kind.DAMAGED, "is of another run", aside, aside=path)
    if status in (Status.DONE, Status.DIVERGED):
        what = "is the checkpoint of a run that is finished"
        return Finding(path, Kind.LEFTOVER, what, "`--repair` removes it", remove=path)
    what = f"unfinished, goes on at step {len(found[0].loss)}"
    return Finding(path, Kind.UNFINISHED, what, "`lrlab compare` finishes it")


def _wrong(
    place: Place, result: RunResult, record: Mapping[str, Any], identities: Identities
) -> str | None:
    """Return what in a run that reads well does not fit, None if all does."""
    if record.get("format") != runs.FORMAT:
        return f"has format {record.get('format')!r}, which this version of lrlab does not know"
    if record.get("seed") != place.seed:
        return f"is of seed {record.get('seed')!r}"
    if record.get("identity", place.identity) != place.identity:
        return f"is of the identity {record['identity']!r}"
    try:
        config, fingerprint = record["config"], record["data"]["fingerprint"]
        identity = identities.of(config, fingerprint)
        if (config["name"], identity) != (place.name, place.identity):
            return f"records the experiment {config['name']}-{identity}"
        epochs, steps_per_epoch = int(config["epochs"]), int(record["steps_per_epoch"])
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        return f"does not record which experiment it is: {_first_line(error)}"
    if result.lr.shape != result.loss.shape:
        return f"has {len(result.lr)} rates for {len(result.loss)} losses"
    if result.status is Status.DONE:
        sizes = (len(result.epochs), len(result.lr))
        if sizes != (epochs, epochs * steps_per_epoch):
            return f"is done after {sizes[0]} of {epochs} epochs and {sizes[1]} steps"
    return None


def _damaged_files(place: Place, names: Sequence[str]) -> Iterator[Finding]:
    """Yield which of these files of a run are missing or not as `run.json` says."""
    try:
        content = reading.read_bytes(place.folder / "run.json", json_shapes.MAX_BYTES)
        digests = json_shapes.parse(content)["sha256"]
        wanted = {name: digests[name] for name in names if name in digests}
    except OSError as error:
        yield _damaged(place, place.folder / "run.json", f"{error.strerror or error}")
        return
    except (ValueError, KeyError, TypeError) as error:
        yield _damaged(place, place.folder / "run.json", f"is damaged: {_first_line(error)}")
        return
    for name, digest in wanted.items():
        path = place.folder / name
        try:
            if _sha256(path) != digest:
                yield _damaged(place, path, "is damaged: its checksum is not the one in run.json")
        except FileNotFoundError:
            yield _damaged(place, path, "is missing")
        except OSError as error:
            yield _damaged(place, path, f"cannot be read: {error.strerror or error}")


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with reading.open_file(path) as file:
        while block := file.read(_CHUNK):
            digest.update(block)
    return digest.hexdigest()


def _damaged(place: Place, path: Path, what: str) -> Finding:
    return Finding(path, Kind.DAMAGED, _reason(what), _SET_ASIDE, aside=place.folder)


def _failed(place: Place, result: RunResult) -> Finding:
    what = f"failed: {_first_line(result.error)}"
    return Finding(place.folder, Kind.FAILED, what, "`lrlab compare` tries it again")


def _reason(message: str) -> str:
    """Return an error's message without the path in front, which the finding names itself."""
    return re.sub(r"^`[^`]*` (is no sound checkpoint: )?", "", message)


def _first_line(error: Exception | str | None) -> str:
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__
