"""Runs of several experiments, summarised over seeds; every number comes from the runs."""

import json
import math
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from lrlab.analysis import chance
from lrlab.config.grid import GridPoint
from lrlab.metric import ACCURACY, LOSS, Metric
from lrlab.results.asked import Summary
from lrlab.results.comparison import MOST_OF_A_NOTE, Comparison, ExperimentSummary
from lrlab.results.run import WORST_FIRST, RunResult, Status, value_of

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
    "instructions",
    "device",
    "variables",
)
"""What of a run's environment can change its result."""

# 97.5 % quantiles of Student's t for 1 to 30 degrees of freedom (any table of it).
_T = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
    2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
    2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip


def over_seeds(values: Sequence[float | None]) -> Summary:
    """Return the summary of a quantity that has one value per seed."""
    known = [value for value in values if value is not None]
    if not known:
        return Summary(None, None, None, tuple(values))
    mean = statistics.fmean(known)
    if len(known) < 2:
        return Summary(mean, None, None, tuple(values))
    std = statistics.stdev(known)
    quantile = _T[len(known) - 2] if len(known) - 2 < len(_T) else 1.96 + 2.5 / len(known)
    return Summary(mean, std, quantile * std / math.sqrt(len(known)), tuple(values))


def summarise(
    config: dict[str, Any],
    results: Mapping[int, RunResult],
    *,
    data: str,
    steps_per_epoch: int,
    folders: Sequence[str],
    chosen: Mapping[str, float] | None = None,
    metric: Metric = ACCURACY,
    point: GridPoint | None = None,
) -> ExperimentSummary:
    """Return the summary of one experiment.

    Args:
        config: The experiment as resolved.
        results: Its run of each seed.
        data: Name of the data set.
        steps_per_epoch: Steps per epoch on that data.
        chosen: The rates that a sweep chose, where the config said `auto`.
        folders: The run folders, in the order of the seeds, relative to the results directory.
        metric: What the scores are values of.
        point: Where it stands in a grid.
    """
    best = max if metric.mode == "max" else min

    def over(value: Callable[[RunResult], float | None]) -> Summary:
        return over_seeds([value(r) if _ended_well(r) else None for r in results.values()])

    def final(quantity: Metric) -> Summary:
        return over_seeds([final_result(result, quantity) for result in results.values()])

    return ExperimentSummary(
        name=config["name"],
        # Of a function of the user's own, the file without its folder.
        schedule=Path(config["schedule"]["type"]).name,
        seeds=tuple(results),
        status=_overall(list(results.values())),
        statuses=tuple(result.status for result in results.values()),
        final={
            metric.on("val").key: final(metric.on("val")),
            "val_loss": final(LOSS.on("val")),
            metric.on("test").key: final(metric.on("test")),
        },
        best={
            metric.on("val").key: over(lambda r: best(epoch.val_score for epoch in r.epochs)),
            "val_loss": over(lambda r: min(epoch.val_loss for epoch in r.epochs)),
        },
        train_seconds=over(lambda r: r.train_seconds),
        chosen=dict(chosen or {}),
        notes=tuple(note for seed, r in results.items() if (note := _note(seed, r))),
        data=data,
        steps_per_epoch=steps_per_epoch,
        config=config,
        runs=tuple(folders),
        peak_lr=_peak(results.values()),
        point=point,
    )


def final_result(result: RunResult, quantity: Metric) -> float | None:
    """Return a final result of a run, None unless it ended well and has one.

    Args:
        result: The run.
        quantity: One of `quantities`.
    """
    if not _ended_well(result):
        return None
    if quantity.key == result.metric.on("test").key:
        return result.test_score
    return value_of(result.epochs[-1], quantity.key, result.metric)


def _ended_well(result: RunResult) -> bool:
    return result.status is Status.DONE and bool(result.epochs)


def _peak(results: Iterable[RunResult]) -> float | None:
    """Return the highest rate of some runs, with no more digits than it has."""
    held = [result.without_curves().peak_lr for result in results]
    peaks = [np.float32(peak) for peak in held if peak is not None]
    peak = float(str(max(peaks))) if peaks else math.nan
    return peak if math.isfinite(peak) and peak >= 0 else None


def _overall(results: Sequence[RunResult]) -> Status:
    statuses = {result.status for result in results}
    return next((status for status in WORST_FIRST if status in statuses), Status.DONE)


def _note(seed: int, result: RunResult) -> str | None:
    if result.status is Status.FAILED:
        return f"seed {seed} failed: {_cut(str(result.error))}"
    if result.status is Status.DIVERGED and result.diverged_at is not None:
        lr = result.without_curves().diverged_lr
        return f"seed {seed} diverged at step {result.diverged_at}, learning rate {lr:.3g}"
    if result.status is Status.COLLAPSED and result.epochs:
        return f"seed {seed} {collapse(result)}"
    return None


def collapse(result: RunResult) -> str:
    """Return how a run collapsed, as in "collapsed: ..."; and if it had learned, that too."""
    last, guess = result.epochs[-1], result.guess
    metric, score = result.metric.on("val"), last.val_score
    if guess is None or guess.score is None:
        return f"collapsed: {metric.name} {metric.value(score)}"
    by_score = replace(guess, loss=None)
    learned = not chance.no_better(by_score, last.score, last.loss, result.metric)
    although = (
        f", although its training {result.metric.name} is {metric.value(last.score)}: what it "
        "learned does not carry over (with BatchNorm, more steps may help)"
    )
    better = score > guess.score if metric.mode == "max" else score < guess.score
    worse = "not clearly" if better else "no"
    return (
        f"collapsed: {metric.name} {metric.value(score)}, {worse} better than guessing "
        f"({metric.value(guess.score)})" + (although if learned else "")
    )


def _cut(text: str) -> str:
    """Return a text, or its beginning: as JSON it takes `MOST_OF_A_NOTE` bytes at most."""
    if len(json.dumps(text)) <= MOST_OF_A_NOTE:
        return text
    while len(json.dumps(text)) > MOST_OF_A_NOTE - 3:
        text = text[: len(text) * 9 // 10]
    return text + "..."


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
            texts.append(_cut(f"{key} {', '.join(each)}"))
    return tuple(texts)


def compare(
    experiments: Sequence[ExperimentSummary],
    environments: Sequence[str] = (),
    metric: Metric = ACCURACY,
) -> Comparison:
    """Return the comparison of experiments, with the settings that differ between them."""
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
    return Comparison(data, tuple(unlike), tuple(experiments), tuple(environments), metric)
