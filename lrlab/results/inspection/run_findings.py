"""What an inspection says about one run: its folder, and the checkpoint beside it."""

from pathlib import Path

from lrlab.errors import ResultsError, UnreadableError
from lrlab.results import checkpoint, standing
from lrlab.results.inspection.findings import Finding, Kind
from lrlab.results.run import RunPlace, Status
from lrlab.results.run_folder import RECORD
from lrlab.results.standing import first_line

_SET_ASIDE = "`--repair` sets the run aside, and `lrlab compare` retrains it"


def inspect(folder: Path, place: RunPlace) -> tuple[Status | None, list[Finding], bool]:
    """Return how the run of a folder ended, None if it is damaged, and what was found.

    Returns:
        These two, and whether the record of the run is signed, as far as there is a sound one.

    Raises:
        UnreadableError: If a file cannot be read.
    """
    stands = standing.verify(folder, place, thorough=True)
    if stands.run is None:
        damage = stands.damage or [ResultsError("is missing", path=folder / RECORD)]
        return (
            None,
            [
                Finding(error.path or folder, Kind.DAMAGED, error.reason, _SET_ASIDE, aside=folder)
                for error in damage
            ],
            True,
        )
    result = stands.run.result
    if result.status.is_final:
        return result.status, [], stands.run.signed
    what = f"failed: {first_line(result.error)}"
    finding = Finding(folder, Kind.FAILED, what, "`lrlab compare` tries it again")
    return result.status, [finding], stands.run.signed


def inspect_checkpoint(path: Path, place: RunPlace, status: Status | None) -> Finding:
    """Return what a checkpoint beside the folder of its run means.

    Args:
        path: The checkpoint.
        place: The place of its run.
        status: How the run ended, None if there is no sound one.

    Raises:
        UnreadableError: If it cannot be read.
    """
    aside = "`--repair` sets it aside, and `lrlab compare` starts the run over"
    try:
        kept = checkpoint.read(path)
    except UnreadableError:
        raise
    except ResultsError as error:
        return Finding(path, Kind.DAMAGED, error.reason, aside, aside=path)
    if kept is None or (kept.origin.identity, kept.origin.seed) != (place.identity, place.seed):
        return Finding(path, Kind.DAMAGED, "is of another run", aside, aside=path)
    if status is not None and status.is_final:
        what = "is the checkpoint of a run that is finished"
        return Finding(path, Kind.LEFTOVER, what, "`--repair` removes it", remove=path)
    what = f"unfinished, resumes at step {len(kept.state.loss)}"
    return Finding(path, Kind.UNFINISHED, what, "`lrlab compare` finishes it")
