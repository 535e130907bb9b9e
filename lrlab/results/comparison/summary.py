"""Runs of several experiments, summarised over seeds."""

import math
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lrlab.io.printable import printable
from lrlab.results.runs import RunResult, Status

ENVIRONMENT = (
    "lrlab",
    "python",
    "tensorflow",
    "keras",
    "numpy",
    "platform",
    "processor",
    "threads_per_run",
    "onednn",
)
"""What of a run's environment can change its result."""

# 97.5 % quantiles of Student's t for 1 to 30 degrees of freedom (any table of it).
_T = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
    2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
    2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip


@dataclass(frozen=True)
class Summary:
    """One quantity over the seeds.

    Args:
        mean: Mean over the seeds that have a value, None if none has.
        std: Sample standard deviation, None below two values.
        ci95: Half width of the 95 % confidence interval of the mean (Student's t), None below
            two values.
        values: The value of each seed, None where a run has none.
    """

    mean: float | None
    std: float | None
    ci95: float | None
    values: tuple[float | None, ...]

    @classmethod
    def of(cls, values: Sequence[float | None]) -> "Summary":
        """Return the summary of one value a seed."""
        known = [value for value in values if value is not None]
        if not known:
            return cls(None, None, None, tuple(values))
        mean = statistics.fmean(known)
        if len(known) < 2:
            return cls(mean, None, None, tuple(values))
        std = statistics.stdev(known)
        quantile = _T[len(known) - 2] if len(known) - 2 < len(_T) else 1.96 + 2.5 / len(known)
        return cls(mean, std, quantile * std / math.sqrt(len(known)), tuple(values))


@dataclass(frozen=True)
class ExperimentSummary:
    """One experiment over its seeds; `runs` are its run folders, relative to the results'.

    `status` is the worst of the seeds' `statuses`.
    `final` holds `val_accuracy`, `val_loss` and `test_accuracy` after the last epoch of the runs
    that ended well; `best` the best epoch's `val_accuracy` and `val_loss`; `notes` says of each
    run that did not end well what happened.
    """

    name: str
    schedule: str
    seeds: tuple[int, ...]
    status: str
    statuses: tuple[str, ...]
    final: Mapping[str, Summary]
    best: Mapping[str, Summary]
    train_seconds: Summary
    chosen: Mapping[str, float]
    notes: tuple[str, ...]
    data: str
    steps_per_epoch: int
    config: Mapping[str, Any]
    runs: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """Several experiments side by side.

    `differences` names the settings other than the schedule in which the experiments differ,
    `environments` says in what the environments differ that the runs were made in.
    """

    data: str
    differences: tuple[str, ...]
    experiments: tuple[ExperimentSummary, ...]
    environments: tuple[str, ...] = ()


def summarise(
    config: Mapping[str, Any],
    results: Mapping[int, RunResult],
    *,
    data: str,
    steps_per_epoch: int,
    folders: Sequence[str],
    chosen: Mapping[str, float] | None = None,
) -> ExperimentSummary:
    """Return the summary of one experiment.

    Args:
        config: The experiment as resolved.
        results: Its run of each seed.
        data: Name of the data set.
        steps_per_epoch: Steps an epoch on that data.
        chosen: The rates that a sweep chose, where the config said `auto`.
        folders: The run folders, in the order of the seeds, relative to the results directory.
    """
    done = [result.status is Status.DONE and bool(result.epochs) for result in results.values()]

    def over(value: Callable[[RunResult], float | None]) -> Summary:
        pairs = zip(results.values(), done, strict=True)
        return Summary.of([value(result) if good else None for result, good in pairs])

    return ExperimentSummary(
        name=config["name"],
        schedule=config["schedule"]["type"],
        seeds=tuple(results),
        status=_overall(list(results.values())),
        statuses=tuple(result.status.value for result in results.values()),
        final={
            "val_accuracy": over(lambda r: r.epochs[-1].val_accuracy),
            "val_loss": over(lambda r: r.epochs[-1].val_loss),
            "test_accuracy": over(lambda r: r.test_accuracy),
        },
        best={
            "val_accuracy": over(lambda r: max(epoch.val_accuracy for epoch in r.epochs)),
            "val_loss": over(lambda r: min(epoch.val_loss for epoch in r.epochs)),
        },
        train_seconds=over(lambda r: r.train_seconds),
        chosen=dict(chosen or {}),
        notes=tuple(note for seed, r in results.items() if (note := _note(seed, r))),
        data=data,
        steps_per_epoch=steps_per_epoch,
        config=config,
        runs=tuple(folders),
    )


def _overall(results: Sequence[RunResult]) -> str:
    for status in (Status.FAILED, Status.DIVERGED):
        count = sum(result.status is status for result in results)
        if count:
            return status.value
    return Status.DONE.value


def _note(seed: int, result: RunResult) -> str | None:
    if result.status is Status.FAILED:
        return printable(f"seed {seed} failed: {result.error}")
    if result.status is Status.DIVERGED and result.diverged_at is not None:
        lr = float(result.lr[result.diverged_at])
        return f"seed {seed} diverged at step {result.diverged_at}, learning rate {lr:.3g}"
    return None


def environments(results: Iterable[RunResult]) -> tuple[str, ...]:
    """Return in what the environments of runs differ, with the number of runs of each kind."""
    made_in = [result.environments for result in results]
    texts = []
    for key in ENVIRONMENT:
        counts = Counter(
            value
            for of_run in made_in
            for value in dict.fromkeys(str(e[key]) for e in of_run if e.get(key) is not None)
        )
        if len(counts) > 1:
            each = [f"{value} ({n} run{'s' if n > 1 else ''})" for value, n in counts.items()]
            texts.append(f"{key} {', '.join(each)}")
    return tuple(texts)


def compare(
    experiments: Sequence[ExperimentSummary], environments: Sequence[str] = ()
) -> Comparison:
    """Return the comparison of experiments, with what is not alike between them."""
    names = [e.data for e in experiments]
    settings = ("model", "optimizer", "batch_size", "epochs")
    unlike = [
        key
        for key in settings
        if any(e.config[key] != experiments[0].config[key] for e in experiments)
    ]
    if len(set(names)) > 1:
        unlike.insert(0, "data")
    data = ", ".join(dict.fromkeys(names))
    return Comparison(data, tuple(unlike), tuple(experiments), tuple(environments))
