"""The verdict on a comparison: from the recorded values alone, whatever they were recorded for."""

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from lrlab.analysis import examples, looks, targets
from lrlab.analysis.best_set import PairErrors, Verdict, judged
from lrlab.analysis.looks import ALPHA, Standing
from lrlab.analysis.quantiles import normal_quantile
from lrlab.metric import Mode
from lrlab.results.asked import OtherExamples
from lrlab.results.comparison import Comparison, ExperimentSummary
from lrlab.results.right import Right
from lrlab.results.run import RunResult

_Values = tuple[tuple[str, tuple[float | None, ...]], ...]


def judge(comparison: Comparison, key: str, mode: Mode) -> Verdict | None:
    """Return which experiments may be the best by a final result of the runs that ended well.

    Where the seeds were chosen by looks it is what the looks say at their part of alpha; another
    result than the one that decided is judged at the same looks, as far as it has values.

    None where nothing can be compared: one experiment, or several on different data.
    """
    if not comparable(comparison):
        return None
    scores = tuple((e.name, e.final[key].values) for e in comparison.experiments)
    return _judged(scores, mode, None if comparison.looks is None else comparison.looks.at)


def judge_target(comparison: Comparison) -> Verdict | None:
    """Return which experiments may be the first to reach the target, by their restricted means."""
    if comparison.target is None or not comparable(comparison):
        return None
    scores = tuple((e.name, e.reached.epochs.values) for e in comparison.experiments if e.reached)
    at = None if comparison.looks is None else comparison.looks.at
    return _judged(scores, "min", at, targets.ROUNDING)


def comparable(comparison: Comparison) -> bool:
    """Return whether there are several experiments, all on the same data."""
    return len(comparison.experiments) > 1 and "data" not in comparison.differences


def standing(comparison: Comparison, mode: Mode) -> Standing | None:
    """Return the looks by the result that decided, None where there were none."""
    planned = comparison.looks
    if planned is None:
        return None
    scores = {e.name: known(e.final[planned.metric].values) for e in comparison.experiments}
    return looks.stand(scores, planned.at, mode=mode, within=planned.within)


def with_other_examples(
    comparison: Comparison, results: Mapping[str, RunResult], key: str, mode: Mode
) -> Comparison:
    """Return a comparison that says what other examples could change about its verdict.

    It stays as it is where there is no verdict, where the result is not the share of examples that
    were right, or where a run did not keep which.

    Args:
        comparison: The comparison.
        results: Its runs, by their folders.
        key: The final result to judge by.
        mode: Whether high ones are good or low ones.
    """
    verdict = judge(comparison, key, mode)
    if verdict is None or not verdict.decided:
        return comparison
    right = {e.name: _right(e, results, key) for e in comparison.experiments}
    taking_part = {name: of for name, of in right.items() if name in verdict.behind}
    if any(of is None for of in taking_part.values()):
        return comparison
    known_right = {name: of for name, of in taking_part.items() if of is not None}
    errors = examples.pair_errors(known_right)
    if errors is None:
        return comparison
    count = len(next(iter(next(iter(known_right.values())).values())))
    scores = {e.name: known(e.final[key].values) for e in comparison.experiments}
    if comparison.looks is None:
        alpha = ALPHA
        wider = judged(scores, alpha=alpha, mode=mode, examples=errors)
    else:
        alpha = ALPHA / len(comparison.looks.at)
        wider = looks.stand(scores, comparison.looks.at, mode=mode, examples=errors).verdict
    typical = _typical(errors, alpha, len(known_right))
    found = OtherExamples(key, count, wider.best_set, dict(wider.behind), typical)
    return replace(comparison, other_examples=found)


def _right(
    e: ExperimentSummary, results: Mapping[str, RunResult], key: str
) -> dict[int, examples.Bits] | None:
    """Return of each seed whether the examples were right, None if the result does not say that."""
    part, _, _ = key.partition("_")
    found = {}
    for folder, seed, value in zip(e.runs, e.seeds, e.final[key].values, strict=True):
        if value is None:
            continue
        right: Right | None = getattr(results[folder], f"{part}_right", None)
        bits = None if right is None else right.bits()
        if bits is None or not math.isclose(float(bits.mean()), value, rel_tol=1e-6):
            return None
        found[seed] = bits
    return found


def _typical(errors: PairErrors, alpha: float, k: int) -> float:
    """Return the median of the half widths that the examples alone give."""
    widths = sorted(math.sqrt(squared) for squared in errors.values())
    return normal_quantile(alpha / (2 * (k - 1))) * widths[len(widths) // 2]


def known(values: Sequence[float | None]) -> list[float]:
    """Return values with NaN where there is none."""
    return [math.nan if value is None else value for value in values]


@functools.lru_cache(maxsize=16)
def _judged(
    scores: _Values, mode: Mode, at: tuple[int, ...] | None = None, least_variance: float = 0.0
) -> Verdict:
    """Return the verdict; table, files and figures ask for the same one."""
    given = {name: known(values) for name, values in scores}
    if at is None:
        return judged(given, alpha=ALPHA, mode=mode, least_variance=least_variance)
    return looks.stand(given, at, mode=mode, least_variance=least_variance).verdict
