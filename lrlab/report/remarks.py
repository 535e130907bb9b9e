"""The lines under the table of a comparison: what the looks, a target, examples and tests say."""

from collections.abc import Iterator

from lrlab.analysis import judging
from lrlab.analysis.targets import IN_A_ROW
from lrlab.metric import Metric
from lrlab.report import looks_words, unlike, verdict
from lrlab.report.verdict import MAY_TURN, Words
from lrlab.results.asked import OpenedTest
from lrlab.results.comparison import Comparison


class _ToTarget(Metric):
    """How many epochs runs take to a target; few are good."""

    @property
    def name(self) -> str:
        """Nothing: the value has its unit."""
        return ""

    def value(self, value: float) -> str:
        """Return a number of epochs."""
        return f"{value:.1f} epochs"

    def amount(self, difference: float) -> str:
        """Return a difference in epochs."""
        return f"{difference:.1f}"

    def unit(self) -> str:
        """Return what differences are counted in."""
        return " epochs"


TO_TARGET = _ToTarget("epochs_to_target", "min", least=0.0)
FASTEST = Words("fastest", "slower")


def remarks(comparison: Comparison, metric: Metric) -> list[str]:
    """Return the lines under a table, the most important first."""
    return [line for line in _lines(comparison, metric) if line]


def _lines(comparison: Comparison, metric: Metric) -> Iterator[str]:
    standing = looks_words.standing_of(comparison, metric)
    found = verdict.of(comparison, metric)
    if standing is not None:
        yield looks_words.how_it_ended(comparison, standing, metric)
    elif comparison.looks is not None:
        yield (
            f"seeds were added by {comparison.looks.metric.replace('_', ' ')}; the verdict is by "
            f"{metric.name} at the same looks"
        )
    elif found is not None:
        yield verdict.what_more_seeds_bring(found, metric)
    if found is not None and found.decided:
        yield examples(comparison, metric)
    yield from target(comparison)
    if comparison.test is not None:
        yield test_set(comparison, comparison.test)
    yield unlike.peaks(comparison)


def examples(comparison: Comparison, metric: Metric) -> str:
    """Return what the choice of the validation examples may change."""
    others = comparison.other_examples
    if others is None or others.metric != metric.key:
        return f"the verdict is about these {_part(metric)} examples; {_why_not(metric)}"
    luck = (
        f"{others.examples:,} other {_part(metric)} examples could move a difference by "
        f"{metric.amount(others.typical)}{metric.unit()}"
    )
    found = verdict.of(comparison, metric)
    turned = [] if found is None else [n for n in others.best_set if n not in found.best_set]
    if not turned:
        return f"{luck}; no verdict here depends on that"
    return f"{luck};{MAY_TURN}: with those this one could be the best"


def _part(metric: Metric) -> str:
    return "test" if metric.key.startswith("test_") else "validation"


def _why_not(metric: Metric) -> str:
    if not metric.points:
        return f"what others would change cannot be told for {metric.name}"
    return "what others would change cannot be told: not every run kept which it had right"


def target(comparison: Comparison) -> list[str]:
    """Return who is the fastest to the target, and what it is; [] without one."""
    wanted = comparison.target
    if wanted is None:
        return []
    value = f"{wanted.metric.replace('_', ' ')} {wanted.value:.4f}"
    if not any(e.reached and e.reached.count for e in comparison.experiments):
        fastest = "no run reached it"
    else:
        found = judging.judge_target(comparison)
        told = verdict.headline(found, TO_TARGET, FASTEST) if found is not None else ""
        fastest = told if found is not None and found.decided else ""
    return [
        *([f"to reach {value}: {fastest}"] if fastest else []),
        f"the target {value} ({wanted.origin}) is reached with the first of {IN_A_ROW} epochs in a "
        f"row; a run that does not reach it counts as {wanted.horizon} epochs",
    ]


def test_set(comparison: Comparison, test: OpenedTest) -> str:
    """Return whose test results are shown and why, and that the test set was opened before."""
    parts = []
    if not test.shown:
        parts.append(
            "test results are not shown: without a verdict nothing is chosen that they could check"
        )
    elif len(test.shown) < len(comparison.experiments):
        parts.append("test results are shown only for those that may be the best")
    if test.earlier and test.shown:
        times = len(test.earlier)
        before = "; ".join(
            f"{looks_words.named(look.names)} by {look.metric.replace('_', ' ')}"
            for look in test.earlier[-2:]
        )
        count = "once" if times == 1 else f"{times} times"
        parts.append(
            f"this test set was opened {count} before, for {before}: the more often, the less a "
            "test result proves"
        )
    return "; ".join(parts)
