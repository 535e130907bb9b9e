"""The verdict of a comparison in words: who may have won, who has not, what more seeds bring."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from lrlab.analysis import judging
from lrlab.analysis.best_set import (
    FEWEST,
    PROCEDURE,
    Floats,
    Verdict,
)
from lrlab.analysis.quantiles import t_quantiles
from lrlab.errors import UsageError
from lrlab.metric import ACCURACY, Metric
from lrlab.report import unlike
from lrlab.results.asked import OtherExamples
from lrlab.results.comparison import Comparison
from lrlab.results.run import quantities

_MOST_NAMED = 6
"""Experiments of one kind that a sentence names; the table has them all."""


USUAL = ACCURACY.on("val")
"""What decides unless another metric is named, where the experiments have the accuracy."""


def usual(comparison: Comparison) -> Metric:
    """Return the metric that decides unless another one is named: that of the experiments."""
    return comparison.metric.on("val")


def metric_of(key: str, metric: Metric = ACCURACY) -> Metric:
    """Return the result of a name, written with spaces, hyphens or underscores.

    Args:
        key: The name.
        metric: The metric of the experiments.

    Raises:
        UsageError: If they have no such result.
    """
    plain = key.strip().replace(" ", "_").replace("-", "_")
    known = quantities(metric)
    for name in (plain, plain.lower()):
        if name in known:
            return known[name]
    raise UsageError(f"unknown metric `{key}`", f"use one of {', '.join(known)}")


def of(comparison: Comparison, metric: Metric) -> Verdict | None:
    """Return the verdict of a comparison by the final results of its runs that ended well.

    None where nothing can be compared: one experiment, or several on different data.
    """
    return judging.judge(comparison, metric.key, metric.mode)


def to_json(verdict: Verdict, metric: Metric) -> dict[str, Any]:
    """Return what `comparison.json` says of a verdict, in the unit of the metric.

    Without a verdict (fewer than three finished runs of an experiment) its best set is null.
    """
    return {
        "metric": metric.key,
        "procedure": PROCEDURE,
        "alpha": verdict.alpha,
        "best_set": list(verdict.best_set) if verdict.decided else None,
        "behind": {name: list(ends) for name, ends in verdict.behind.items()},
        "half_width": dict(verdict.half_width),
    }


def first_line(comparison: Comparison, metric: Metric) -> str:
    """Return the sentence above a table, "" where there is one experiment alone."""
    verdict = of(comparison, metric)
    if verdict is not None:
        budgets = unlike.budgets(comparison) if verdict.decided else ""
        return f"{budgets}{headline(verdict, metric)}"
    alone = len(comparison.experiments) < 2
    return "" if alone else "no verdict: the experiments were trained on different data"


class Words(NamedTuple):
    """What an experiment is called that may have won, and one that has not."""

    best: str = "best"
    worse: str = "worse"


def headline(verdict: Verdict, metric: Metric, words: Words = Words()) -> str:  # noqa: B008
    """Return the verdict as one sentence, "" where there is nothing to compare."""
    if len(verdict.finished) < 2:
        return ""
    if not any(done for done, _ in verdict.finished.values()):
        return f"no verdict: no finished run has a {metric.name}"
    if not verdict.decided:
        return _undecided(verdict)
    sentences = [_winners(verdict, metric, words)]
    behind = sorted(
        (name for name in verdict.behind if name not in verdict.best_set),
        key=lambda name: verdict.behind[name][1],
    )
    unsure = [name for name in behind if verdict.behind[name][0] <= 0]
    for name in unsure[:_MOST_NAMED]:
        most = metric.amount(verdict.behind[name][1])
        sentences.append(f"{name} is {words.worse}, by at most {most}{metric.unit()}")
    sure = [name for name in behind if verdict.behind[name][0] > 0]
    for name in sure[:_MOST_NAMED]:
        interval = _interval(verdict, name, metric)
        sentences.append(f"{name} is {words.worse} by {interval}{metric.unit()}")
    left_out = max(len(unsure) - _MOST_NAMED, 0) + max(len(sure) - _MOST_NAMED, 0)
    if left_out:
        sentences.append(f"so are {left_out} others")
    left = [name for name in verdict.finished if name not in verdict.behind]
    if left:
        have = "has" if len(left) == 1 else "have"
        sentences.append(f"{listed(left[:_MOST_NAMED])} {have} too few finished runs to say")
    return "; ".join(sentences)


def _undecided(verdict: Verdict) -> str:
    """Return why there is no verdict."""
    most = max(done for done, _ in verdict.finished.values())
    if most >= FEWEST:
        few = [name for name, (done, _) in verdict.finished.items() if 0 < done < FEWEST]
        have = "has" if len(few) == 1 else "have"
        return (
            f"no verdict: {listed(few[:_MOST_NAMED])} {have} fewer than {FEWEST} finished runs"
            if few
            else "no verdict: only one experiment has finished runs"
        )
    asked = max(of for _, of in verdict.finished.values())
    if asked >= FEWEST:
        runs = "run" if most == 1 else "runs"
        return (
            f"no verdict: {most} finished {runs} of an experiment at most, and {FEWEST} are needed"
        )
    if most < 2:
        return f"no ranking: one seed says nothing about luck; run `--seeds {FEWEST}` or more"
    return f"no verdict with two seeds; a third one allows it: `--seeds {FEWEST}`, better 5"


def _winners(verdict: Verdict, metric: Metric, words: Words) -> str:
    best = verdict.best_set
    leader = verdict.means[best[0]]
    value = "" if leader is None else _value(best[0], leader, metric, alone=len(best) == 1)
    if len(best) == len(verdict.behind) and len(best) > 2:
        unseen = metric.amount(max(verdict.half_width.values()))
        return (
            f"none can be told from the others{value}: differences up to {unseen}{metric.unit()} "
            "may be luck"
        )
    if len(best) > 1:
        return f"{listed(best)} may each be the {words.best}{value}"
    done, of = verdict.finished[best[0]]
    if done < of:
        return f"{best[0]} may be the {words.best}{value}, but only {done} of {of} runs finished"
    return f"{best[0]} is the {words.best}{value}"


def _value(leader: str, mean: float, metric: Metric, *, alone: bool) -> str:
    """Return the value that belongs to a sentence, and whose it is where several are named."""
    result = f"{metric.name} {metric.value(mean)}".strip()
    return f" ({result})" if alone else f" ({leader} leads with {result})"


MAY_TURN = " (*)"
"""What follows a verdict in a row that other examples could turn around."""


def in_row(verdict: Verdict, name: str, metric: Metric, others: OtherExamples | None = None) -> str:
    """Return what the row of an experiment says.

    Args:
        verdict: The verdict.
        name: The experiment.
        metric: The metric that it is about.
        others: The verdict where other examples might have been chosen; None: it is not known.
    """
    done, of = verdict.finished[name]
    if not verdict.decided or name not in verdict.behind:
        return f"{done} of {of} runs finished" if done < of else ""
    if name in verdict.best_set:
        alone = len(verdict.best_set) == 1 and done == of
        return "the best" if alone else "may be the best"
    low, high = verdict.behind[name]
    turn = MAY_TURN if others and name in others.best_set else ""
    if low > 0:
        return f"worse by {_interval(verdict, name, metric)}{turn}"
    return f"worse, by at most {metric.amount(high)}{turn}"


def _interval(verdict: Verdict, name: str, metric: Metric) -> str:
    low, high = (metric.amount(end) for end in verdict.behind[name])
    return f"{low} to {high}"


def what_more_seeds_bring(verdict: Verdict, metric: Metric) -> str:
    """Return what differences can be seen now, and with how many seeds half as large ones could.

    It is "" where there is no verdict or a single winner is found already.
    """
    if not verdict.decided or len(verdict.best_set) == 1:
        return ""
    widths = sorted(width for width in verdict.half_width.values() if width > 0)
    if not widths:
        return ""
    seeds = min(done for done, _ in verdict.finished.values() if done > 1)
    typical, k = widths[len(widths) // 2], len(verdict.behind)
    wanted = next((n for n in range(seeds + 1, 1_000) if _share(seeds, n, k, verdict) <= 0.5), None)
    now = f"{seeds} seeds show differences of about {metric.amount(typical)}{metric.unit()} or more"
    if wanted is None:
        return now
    return f"{now}; {wanted} seeds would show half of that"


def _share(before: int, after: int, k: int, verdict: Verdict) -> float:
    """Return by which factor intervals shrink with more seeds, variances being alike."""
    tail = verdict.alpha / (2 * max(k - 1, 1))
    first, later = (t_quantiles(tail, _df(k, n)) / math.sqrt(n) for n in (before, after))
    return float(later[()] / first[()])


def _df(k: int, n: int) -> Floats:
    """Return the degrees of freedom of a difference of two out of k means of n equal variances."""
    nu, total = n - 1, k * (n - 1)
    shared = 2 / n**2 / total
    below = nu * k * shared**2 + 2 * nu / n**2 * (2 * shared + 1 / n**2)
    return np.asarray((2 / n) ** 2 / below)


def listed(names: Sequence[str]) -> str:
    """Return names as a sentence lists them."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
