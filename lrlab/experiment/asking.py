"""What a comparison is asked beside its means: who is best by what, how sure, how fast."""

import math
from dataclasses import dataclass

from lrlab.analysis import looks
from lrlab.analysis.best_set import FEWEST
from lrlab.errors import UsageError
from lrlab.metric import Metric
from lrlab.report.verdict import metric_of

AUTO = "auto"


@dataclass(frozen=True)
class UntilSure:
    """Seeds are added where the question is open.

    Args:
        most: The most seeds of an experiment.
        points: Differences up to that do not matter, in percentage points where the metric is a
            share, otherwise in its unit; None: all do.

    Raises:
        UsageError: If one of them cannot be meant.
    """

    most: int = looks.USUAL_MOST
    points: float | None = None

    def __post_init__(self) -> None:
        if self.most < FEWEST:
            raise UsageError(
                f"`--max-seeds` must be at least {FEWEST}, got {self.most}",
                f"with fewer than {FEWEST} seeds there is no verdict",
            )
        if self.points is not None and not 0 < self.points < math.inf:
            raise UsageError(f"`--within` must be a number above 0, got {self.points:g}")

    @property
    def at(self) -> tuple[int, ...]:
        """After how many seeds the looks are."""
        return looks.planned(self.most)

    def within(self, metric: Metric) -> float | None:
        """Return the tolerance in the unit of a metric's values."""
        if self.points is None:
            return None
        return self.points / 100 if metric.points else self.points


@dataclass(frozen=True)
class Aim:
    """A result of an epoch that runs are to reach; `value` is None where it is chosen later."""

    metric: Metric
    value: float | None


@dataclass(frozen=True)
class Asked:
    """A question about experiments whose metric is known.

    Args:
        metric: The final result that decides.
        until_sure: How seeds are added; None: all experiments have the same.
        aim: The target; None: there is none.
    """

    metric: Metric
    until_sure: UntilSure | None
    aim: Aim | None


@dataclass(frozen=True)
class Question:
    """What a comparison is asked, as it was written.

    Args:
        metric: The final result that decides; None: the metric of the experiments in validation.
        until_sure: How seeds are added; None: all experiments have the same.
        target: The target, as in `val_accuracy=0.9` or `auto`; None: there is none.
    """

    metric: str | None = None
    until_sure: UntilSure | None = None
    target: str | None = None

    def about(self, metric: Metric, experiments: int, data_sets: int) -> Asked:
        """Return the question about some experiments, before anything is trained.

        Args:
            metric: Their metric.
            experiments: How many they are.
            data_sets: On how many data sets.

        Raises:
            UsageError: If it cannot be asked.
        """
        decides = metric_of(self.metric, metric) if self.metric else metric.on("val")
        if self.until_sure is not None:
            _check(decides, experiments, data_sets)
        return Asked(decides, self.until_sure, _aim(self.target, decides, metric))


def _check(decides: Metric, experiments: int, data_sets: int) -> None:
    """Make sure that seeds can be added until it is sure which experiment is best."""
    if experiments < 2:
        raise UsageError(
            "`--until-sure` compares experiments, and there is only one",
            "give several configs, or `--seeds N`",
        )
    if data_sets > 1:
        raise UsageError(
            "`--until-sure` needs experiments on the same data: others cannot be compared",
            "state the same `data` in all configs, or give `--data`",
        )
    if decides.key.startswith("test_"):
        raise UsageError(
            f"`--until-sure` cannot go by {decides.name}: looking at the test set until it decides "
            "uses it up",
            "leave out `--metric`, or name a validation result",
        )


def _aim(text: str | None, decides: Metric, metric: Metric) -> Aim | None:
    """Return the target that a text states; `auto` alone is one of the result that decides."""
    if text is None:
        return None
    name, equals, stated = text.partition("=")
    if not equals:
        name, stated = decides.key, text
    wanted = metric_of(name, metric)
    if not wanted.key.startswith("val_"):
        raise UsageError(
            f"`--target` must be a validation result, got `{wanted.key}`",
            f"as in `--target {metric.on('val').key}=auto`",
        )
    if stated.strip().lower() == AUTO:
        return Aim(wanted, None)
    try:
        value = float(stated)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UsageError(
            f"`--target` must be `METRIC=VALUE` or `METRIC=auto`, got `{text}`",
            f"as in `--target {metric.on('val').key}=auto`",
        )
    if not wanted.least <= value <= wanted.greatest:
        raise UsageError(
            f"`--target`: {wanted.name} is between {wanted.least:g} and {wanted.greatest:g}, got "
            f"{value:g}",
            "90 % is 0.9" if wanted.points else None,
        )
    return Aim(wanted, value)
