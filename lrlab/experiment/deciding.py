"""`--until-sure`: runs are added look by look, where it is still open which experiment is best."""

from collections.abc import Callable, Mapping, Sequence

from lrlab.analysis import looks
from lrlab.analysis.judging import known
from lrlab.analysis.looks import Standing
from lrlab.analysis.summaries import final_result
from lrlab.experiment.asking import UntilSure
from lrlab.experiment.planning import Run
from lrlab.metric import Metric
from lrlab.reporter import Reporter
from lrlab.results.run import RunResult

Carry = Callable[[Sequence[Run]], dict[Run, RunResult]]


def carry_out(
    plans: Sequence[Sequence[Run]],
    how: UntilSure,
    metric: Metric,
    carry: Carry,
    report: Reporter,
) -> tuple[list[Sequence[Run]], dict[Run, RunResult]]:
    """Carry out runs until it is decided which experiment is best, or there are no more seeds.

    Who goes on follows from the results alone, so the same command takes the same way again.

    Args:
        plans: The runs of each experiment, for the most seeds.
        how: When to look, and which differences matter.
        metric: The final result that decides.
        carry: Carries out runs, as far as they are not done.
        report: Told what is undecided before each round.

    Returns:
        The runs of each experiment that were needed, and the results of all of these.
    """
    results: dict[Run, RunResult] = {}
    of = {runs[0].name: runs for runs in plans}
    while (now := _stand(of, results, how, metric)).wanted is not None:
        report.looking(now, how.most)
        done = {name: sum(run in results for run in of[name]) for name in now.undecided}
        results |= carry([r for name in now.undecided for r in of[name][done[name] : now.wanted]])
    report.looking(now, how.most)
    return [[run for run in runs if run in results] for runs in plans], results


def _stand(
    of: Mapping[str, Sequence[Run]],
    results: Mapping[Run, RunResult],
    how: UntilSure,
    metric: Metric,
) -> Standing:
    scores = {
        name: known([final_result(results[run], metric) for run in runs if run in results])
        for name, runs in of.items()
    }
    return looks.stand(scores, how.at, mode=metric.mode, within=how.within(metric))
