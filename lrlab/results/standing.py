"""How a run stands: whether its folder holds the run that its name says, sound in every file."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lrlab.errors import ResultsError, UnreadableError
from lrlab.io import reading
from lrlab.results import run_folder
from lrlab.results.run import FORMAT, RunPlace, Status, recorded_identity
from lrlab.results.run_folder import EPOCHS, EXAMPLES, RECORD, REMEDY, STEPS, WEIGHTS, KeptRun

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Standing:
    """How the folder of a run stands: sound with its run, damaged, or empty with neither.

    Args:
        run: The run, None unless it is sound.
        damage: What is wrong, each with its file.
    """

    run: KeptRun | None = None
    damage: tuple[ResultsError, ...] = ()


def verify(folder: Path, place: RunPlace, *, thorough: bool = False) -> Standing:
    """Return how the folder of a run stands; `compare` and `check` both go by it.

    Args:
        folder: The folder.
        place: The run that is meant to be there.
        thorough: Whether the recorded config is resolved and the weights are read as well.

    Raises:
        UnreadableError: If a file cannot be read, so that nobody knows.
    """
    if reading.is_link(folder):
        return _bad(folder, "is a symbolic link, not a run")
    try:
        run = run_folder.read(folder)
    except UnreadableError:
        raise
    except ResultsError as error:
        files = [EPOCHS, STEPS, EXAMPLES, WEIGHTS]
        return Standing(damage=tuple(_damaged_files(folder, files)) or (error,))
    if run is None:
        return _bad(folder / RECORD, "is missing") if _holds_anything(folder) else Standing()
    if wrong := _another(run, place) or (_unresolved(run, place) if thorough else None):
        return _bad(folder / RECORD, wrong)
    if thorough and (damage := tuple(_damaged_files(folder, [WEIGHTS]))):
        return Standing(damage=damage)
    return Standing(run)


def _holds_anything(folder: Path) -> bool:
    return reading.is_folder(folder) and bool(reading.names(folder))


def _bad(path: Path, what: str) -> Standing:
    return Standing(damage=(ResultsError(what, REMEDY, path=path),))


def _another(run: KeptRun, place: RunPlace) -> str | None:
    """Return what tells a run that reads well from the one that is meant, None if nothing does."""
    origin = run.origin
    if origin.format != FORMAT:
        return f"has format {origin.format}, which this version of lrlab does not know"
    if origin.seed != place.seed:
        return f"is of seed {origin.seed}"
    if origin.identity not in (None, place.identity):
        return f"is of another run, {origin.identity}"
    if run.result.lr.shape != run.result.loss.shape:
        return f"has {len(run.result.lr)} rates for {len(run.result.loss)} losses"
    return None


def _unresolved(run: KeptRun, place: RunPlace) -> str | None:
    """Return what in the recorded config does not fit the run, None if all does."""
    origin, result = run.origin, run.result
    if origin.config is None or origin.data is None or origin.steps_per_epoch is None:
        return "does not record which experiment it is"
    try:
        identity = recorded_identity(origin.config, origin.data.fingerprint, origin.code)
        name, epochs = origin.config["name"], int(origin.config["epochs"])
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        return f"does not record which experiment it is: {first_line(error)}"
    if (name, identity) != (place.name, place.identity):
        return f"records the experiment {name}-{identity}"
    sizes = (len(result.epochs), len(result.lr))
    whole = result.status in (Status.DONE, Status.COLLAPSED)
    if whole and sizes != (epochs, epochs * origin.steps_per_epoch):
        return f"is {result.status} after {sizes[0]} of {epochs} epochs and {sizes[1]} steps"
    return None


def _damaged_files(folder: Path, names: Sequence[str]) -> Iterator[ResultsError]:
    """Yield which of these files of a run are missing, or are not as `run.json` says."""
    try:
        digests = run_folder.read_digests(folder)
    except UnreadableError:
        raise
    except ResultsError as error:
        yield error
        return
    for path in [folder / name for name in names if name in digests]:
        try:
            if _sha256(path) != digests[path.name]:
                wrong = ValueError("its checksum is not the one in run.json")
                yield run_folder.damaged(path, wrong)
        except FileNotFoundError:
            yield ResultsError("is missing", REMEDY, path=path)
        except OSError as error:
            if not reading.is_damage(error):
                raise reading.unreadable(path, error) from error
            yield run_folder.damaged(path, error)


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with reading.open_file(path) as file:
        while block := file.read(_CHUNK):
            digest.update(block)
    return digest.hexdigest()


def first_line(error: Exception | str | None) -> str:
    """Return the first line of an error's text, the kind of error if it has none."""
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__
