"""What `lrlab show` shows of a results directory: its comparison, tuning, runs or sweep."""

from dataclasses import dataclass
from pathlib import Path

from lrlab.analysis import gathering
from lrlab.errors import ResultsError, UsageError
from lrlab.experiment.comparing import verdict_of
from lrlab.io import atomic, reading
from lrlab.metric import Metric
from lrlab.report import tuning_tables, verdict
from lrlab.results import comparison, lock, sweep_record, tuning_record
from lrlab.results.comparison import Comparison
from lrlab.results.inspection import check_directory
from lrlab.results.sweep_record import SweepRecord
from lrlab.results.tuning_record import Tuning


@dataclass(frozen=True)
class Shown:
    """What is shown.

    Args:
        comparison: The comparison, None where it is something else.
        tuning: The schedules at their best rates, likewise.
        sweep: The sweep, likewise.
        head: What is said above it, None: nothing.
        notes: What else is to be known, one sentence each.
    """

    comparison: Comparison | None = None
    tuning: Tuning | None = None
    sweep: SweepRecord | None = None
    head: str | None = None
    notes: tuple[str, ...] = ()


def find(out: Path, *, runs: bool = False) -> Shown:
    """Return what there is to be shown of a results directory.

    Args:
        out: The directory.
        runs: Whether all runs are meant although there is a comparison.

    Raises:
        ResultsError: If there is nothing to be shown, or it is damaged.
    """
    check_directory(out)
    for name in (comparison.FILE, tuning_record.FILE, sweep_record.JSON_FILE, gathering.RUNS):
        atomic.check_within(out, out / name)
    owner = lock.owner(out)
    at_work = (f"in use by {owner}",) if owner else ()
    if not runs and reading.exists(out / comparison.FILE):
        compared = comparison.read(out)
        return Shown(compared, notes=(*_others(out, compared), *_tuned(out), *at_work))
    if not runs and reading.exists(out / tuning_record.FILE):
        return Shown(tuning=tuning_record.read(out), notes=at_work)
    if (gathered := gathering.gather(out)) is not None:
        left_out = (f"not shown: {each}" for each in gathered.left_out)
        return Shown(gathered.comparison, head=gathered.in_words, notes=(*left_out, *at_work))
    if not runs and reading.exists(out / sweep_record.JSON_FILE):
        return Shown(sweep=sweep_record.read(out), notes=at_work)
    raise ResultsError(
        "holds no run that has ended" + ("" if runs else ", no comparison and no sweep"),
        "make some with `lrlab compare` or `lrlab find-lr`",
        path=out,
    )


def _others(out: Path, compared: Comparison) -> list[str]:
    """Return what is said of runs that a comparison does not know."""
    named = {folder for e in compared.experiments for folder in e.runs}
    others = len(set(gathering.places(out)) - named)
    if not others:
        return []
    are = "another run lies" if others == 1 else f"{others} other runs lie"
    return [f"{are} in the directory; `lrlab show {out} --runs` shows all"]


def _tuned(out: Path) -> list[str]:
    """Return what a tuning beside a comparison says."""
    if not reading.exists(out / tuning_record.FILE):
        return []
    tuned = tuning_record.read(out)
    metric = tuning_tables.decides(tuned)
    lines = [tuning_tables.first_line(horizon, metric) for horizon in tuned.horizons]
    return [f"{tuning_record.FILE}: {line}" for line in lines]


def metric_of(shown: Shown, name: str | None) -> Metric | None:
    """Return the result that decides, None for the usual one.

    Raises:
        UsageError: If there is no such result.
    """
    if name is None:
        return None
    if shown.comparison is None:
        raise UsageError("`--metric` is for comparisons, and there is none here", "leave it out")
    return verdict.metric_of(name, shown.comparison.metric)


def to_json(shown: Shown, metric: Metric | None) -> str:
    """Return it as `comparison.json`, `tuning.json` or `sweep.json` has it."""
    if shown.comparison is not None:
        return comparison.to_json(shown.comparison, verdict_of(shown.comparison, metric))
    if shown.tuning is not None:
        return tuning_tables.to_json(shown.tuning)
    assert shown.sweep is not None
    return sweep_record.to_json(shown.sweep)
