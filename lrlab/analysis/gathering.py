"""The runs that lie in a results directory, as a comparison: for one that was cut off.

Nothing is trained and nothing is written.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from lrlab.analysis import judging, summaries
from lrlab.errors import ResultsError
from lrlab.io import reading
from lrlab.metric import Metric
from lrlab.results import checkpoint, standing
from lrlab.results.asked import Summary
from lrlab.results.comparison import Comparison, ExperimentSummary
from lrlab.results.run import CHECKPOINT, RunPlace, RunResult, Status, names_experiment
from lrlab.results.run_folder import KeptRun

RUNS = "runs"


@dataclass(frozen=True)
class Gathered:
    """What the runs of a results directory say.

    Args:
        comparison: All runs that ended, of each experiment over its seeds; without test results,
            since only a comparison that is whole may open the test set.
        results: These runs, by their folders.
        unfinished: Runs that were cut off or are at work, one phrase each.
        left_out: What lies there and is not shown, one sentence each.
    """

    comparison: Comparison
    results: Mapping[str, RunResult]
    unfinished: tuple[str, ...]
    left_out: tuple[str, ...]

    @property
    def in_words(self) -> str:
        """What of it is there, as a line above a table says it."""
        statuses = [status for e in self.comparison.experiments for status in e.statuses]
        ended = sum(status.is_final for status in statuses)
        text = f"not a whole comparison: {ended} run{' has' if ended == 1 else 's have'} ended"
        return f"{text}; unfinished: {', '.join(self.unfinished)}" if self.unfinished else text


@dataclass
class _Found:
    """What was found so far; runs by the folder of their experiment, then by seed."""

    runs: dict[str, dict[int, KeptRun]] = field(default_factory=dict)
    unfinished: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def places(out: Path) -> dict[str, RunPlace]:
    """Return where there are runs in a results directory, by their paths in it, in order of names.

    Raises:
        UnreadableError: If a folder cannot be read.
    """
    found: dict[str, RunPlace] = {}
    for folder in _folders(out / RUNS):
        if names_experiment(folder.name):
            named = [RunPlace.of(path) for path in _folders(folder)]
            seeds = sorted((place for place in named if place), key=lambda place: place.seed)
            found |= {place.path: place for place in seeds}
    return found


def gather(out: Path) -> Gathered | None:
    """Return what the runs of a results directory say; None where no run has ended.

    Raises:
        UnreadableError: If a folder cannot be read.
    """
    found = _Found()
    for place in places(out).values():
        _take(out, place, found)
    _take_unfinished(out, found)
    counts = Counter(
        run.result.metric for runs in found.runs.values() for run in runs.values()
    ).most_common(1)
    if not counts:
        return None
    metric = counts[0][0]
    names = Counter(folder.rpartition("-")[0] for folder in found.runs)
    experiments: list[ExperimentSummary] = []
    results: dict[str, RunResult] = {}
    for folder, runs in found.runs.items():
        alike = {seed: run.result for seed, run in runs.items() if run.result.metric == metric}
        if len(alike) < len(runs):
            count = len(runs) - len(alike)
            are = "run is" if count == 1 else "runs are"
            found.left_out.append(f"{folder}: {count} {are} judged by another metric")
        if alike:
            unique = names[folder.rpartition("-")[0]] == 1
            experiments.append(_summary(folder, runs, alike, metric, unique=unique))
            results |= {f"{RUNS}/{folder}/seed-{seed}": run for seed, run in alike.items()}
    compared = summaries.compare(experiments, summaries.environments(results.values()), metric)
    decides = metric.on("val")
    compared = judging.with_other_examples(compared, results, decides.key, decides.mode)
    return Gathered(compared, results, tuple(found.unfinished), tuple(found.left_out))


def _take(out: Path, place: RunPlace, found: _Found) -> None:
    """Take a run, or note why not."""
    try:
        stands = standing.verify(place.folder(out), place, thorough=True)
    except ResultsError as error:
        found.left_out.append(error.message)
        return
    if stands.run is not None:
        folder = f"{place.name}-{place.identity}"
        found.runs.setdefault(folder, {})[place.seed] = stands.run
    found.left_out += [error.message for error in stands.damage[:1]]


def _take_unfinished(out: Path, found: _Found) -> None:
    """Note which runs have a checkpoint and no end."""
    for folder in _folders(out / RUNS):
        for name in reading.names(folder):
            path = folder / name
            place = RunPlace.of(path.with_name(name.removesuffix(CHECKPOINT)))
            if not name.endswith(CHECKPOINT) or place is None:
                continue
            ended = found.runs.get(folder.name, {}).get(place.seed)
            if ended is not None and ended.result.status is not Status.FAILED:
                continue
            try:
                kept = checkpoint.read(path)
            except ResultsError as error:
                found.left_out.append(error.message)
                continue
            if kept is not None:
                at = f"at step {len(kept.state.loss):,}"
                found.unfinished.append(f"{place.name} seed {place.seed} {at}")


def _summary(
    folder: str,
    runs: Mapping[int, KeptRun],
    results: Mapping[int, RunResult],
    metric: Metric,
    *,
    unique: bool,
) -> ExperimentSummary:
    """Return the summary of an experiment; where another has its name, its folder's is shown."""
    origin = runs[next(iter(results))].origin
    assert origin.config is not None
    assert origin.data is not None
    assert origin.steps_per_epoch is not None
    summary = summaries.summarise(
        dict(origin.config),
        results,
        data=origin.data.name,
        steps_per_epoch=origin.steps_per_epoch,
        folders=[f"{RUNS}/{folder}/seed-{seed}" for seed in results],
        metric=metric,
    )
    test = metric.on("test").key
    hidden = summary.final | {test: Summary(None, None, None, (None,) * len(results))}
    return replace(summary, name=summary.name if unique else folder, final=hidden)


def _folders(folder: Path) -> list[Path]:
    """Return the folders in a folder in order of their names, links apart."""
    if not reading.is_folder(folder) or reading.is_link(folder):
        return []
    paths = [folder / name for name in sorted(reading.names(folder))]
    return [path for path in paths if reading.is_folder(path) and not reading.is_link(path)]
