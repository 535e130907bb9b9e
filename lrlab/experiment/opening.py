"""The test set is opened once, for the experiments that may be the best; every look is recorded.

Runs measure their test score at the end and keep it. What is decided here is which of them a
comparison shows: a choice among many by their test scores would need another test set.
"""

from collections.abc import Sequence
from dataclasses import replace

from lrlab.analysis import judging
from lrlab.metric import Metric
from lrlab.reporter import Reporter
from lrlab.results import test_openings
from lrlab.results.asked import OpenedTest, Summary
from lrlab.results.comparison import Comparison, ExperimentSummary
from lrlab.results.test_openings import Opening, Openings

TEST = "test_"


def warn_if_it_decides(metric: Metric, experiments: int, report: Reporter) -> None:
    """Warn, before anything is trained, where experiments are to be compared by the test set."""
    if metric.key.startswith(TEST) and experiments > 1:
        report.warn(
            f"the test set decides here (`--metric {metric.key}`), so no untouched data is left to "
            "check the choice with"
        )


def open_test(
    compared: Comparison, metric: Metric, fingerprints: Sequence[str], before: Openings
) -> Comparison:
    """Return a comparison that shows the test results of the experiments that may be the best.

    An experiment alone is shown, since nothing was chosen; without a verdict none is. By a test
    result as `metric` all are shown, and compared by it.

    Args:
        compared: The comparison, with all test results.
        metric: The result that decides.
        fingerprints: The data of each experiment.
        before: The looks that were taken before.
    """
    if not any(_has_test(e) for e in compared.experiments):
        return compared
    shown = _shown(compared, metric)
    looks = _looks(compared, shown, metric.key, fingerprints)
    earlier = tuple(each for look in looks for each in test_openings.others(before, look))
    experiments = tuple(
        e if e.name in shown else replace(e, final=_without_test(e)) for e in compared.experiments
    )
    test = OpenedTest(metric.key, tuple(shown), tuple(looks), earlier)
    return replace(compared, experiments=experiments, test=test)


def _shown(compared: Comparison, metric: Metric) -> list[str]:
    names = [e.name for e in compared.experiments]
    if len(names) == 1 or metric.key.startswith(TEST):
        return names
    verdict = judging.judge(compared, metric.key, metric.mode)
    return [] if verdict is None or not verdict.decided else list(verdict.best_set)


def _looks(
    compared: Comparison, shown: Sequence[str], metric: str, fingerprints: Sequence[str]
) -> list[Opening]:
    """Return the looks at each data set."""
    looks: dict[str, list[str]] = {}
    for e, data in zip(compared.experiments, fingerprints, strict=True):
        if e.name in shown:
            looks.setdefault(data, []).append(_folder(e))
    return [Opening(data, metric, tuple(sorted(of))) for data, of in looks.items()]


def _folder(e: ExperimentSummary) -> str:
    """Return the name of the folder of an experiment's runs: its name and identity."""
    return e.runs[0].split("/")[1]


def _has_test(e: ExperimentSummary) -> bool:
    return any(key.startswith(TEST) and of.mean is not None for key, of in e.final.items())


def _without_test(e: ExperimentSummary) -> dict[str, Summary]:
    nothing = Summary(None, None, None, (None,) * len(e.seeds))
    return {key: nothing if key.startswith(TEST) else of for key, of in e.final.items()}
