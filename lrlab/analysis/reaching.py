"""When the runs of a comparison reach a target, and which target that is where none is stated."""

from collections.abc import Mapping
from dataclasses import replace

from lrlab.analysis import targets
from lrlab.analysis.summaries import over_seeds
from lrlab.metric import Metric
from lrlab.results.asked import Reached, Target
from lrlab.results.comparison import Comparison, ExperimentSummary
from lrlab.results.run import RunResult, Status

BASELINE = "constant"


def with_target(
    comparison: Comparison,
    results: Mapping[str, RunResult],
    metric: Metric,
    value: float | None,
) -> Comparison:
    """Return a comparison that says when its runs reached a target.

    Args:
        comparison: The comparison.
        results: Its runs, by their folders.
        metric: The result of an epoch that is to reach it.
        value: The target; None: the median final result of `constant`, or, where there is none, of
            the experiment in the middle. It is None, too, where no run has finished: then there is
            no target.
    """
    origin = "stated"
    if value is None:
        baseline = _baseline(comparison)
        finals = {
            e.name: [v for v in e.final[metric.key].values if v is not None]
            for e in comparison.experiments
        }
        value = targets.automatic(finals, metric.mode, baseline)
        named = baseline if baseline and finals[baseline] else "the experiment in the middle"
        origin = f"the median final result of {named}"
    if value is None:
        return comparison
    horizon = min(int(e.config["epochs"]) for e in comparison.experiments)
    target = Target(metric.key, metric.mode, value, origin, horizon)
    experiments = tuple(
        replace(e, reached=_reached(e, results, target)) for e in comparison.experiments
    )
    return replace(comparison, experiments=experiments, target=target)


def _baseline(comparison: Comparison) -> str | None:
    """Return the experiment that is the baseline: called `constant`, or the first of that type."""
    names = [e.name for e in comparison.experiments if e.schedule == BASELINE]
    return BASELINE if BASELINE in names else next(iter(names), None)


def _reached(e: ExperimentSummary, results: Mapping[str, RunResult], target: Target) -> Reached:
    runs = [results[folder] for folder in e.runs]
    after = [_epochs(run, target) for run in runs]
    counted = [
        None if run.status is Status.FAILED else epochs
        for run, epochs in zip(runs, targets.restricted(after, target.horizon), strict=True)
    ]
    seconds = [
        None if epochs is None or not run.epochs
        else round(run.train_seconds * epochs / len(run.epochs), 3)
        for run, epochs in zip(runs, counted, strict=True)
    ]  # fmt: skip
    return Reached(
        after=tuple(after),
        epochs=over_seeds(counted),
        steps=over_seeds([None if n is None else n * e.steps_per_epoch for n in counted]),
        seconds=over_seeds(seconds),
    )


def _epochs(run: RunResult, target: Target) -> int | None:
    """Return after how many epochs a run reached the target; only one that ended well can."""
    if run.status is not Status.DONE:
        return None
    return targets.epochs_to(run.after_epochs(target.metric), target.value, target.mode)
