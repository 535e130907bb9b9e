"""What `comparison.json` holds beside the means: looks, a target, other examples, the test set."""

from dataclasses import dataclass
from typing import Annotated, Literal

from lrlab.io import records
from lrlab.io.records import AtLeast0, Number, Positive, Text
from lrlab.results.test_openings import Opening

_Names = tuple[Text, ...]
_Ends = Annotated[tuple[AtLeast0, ...], records.items(2)]


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

    mean: Number | None
    std: Number | None
    ci95: Number | None
    values: Annotated[tuple[Number | None, ...], records.items(1)]


@dataclass(frozen=True)
class Looks:
    """The looks that were planned: who is not in the best set of one got no more seeds.

    Args:
        at: After how many seeds they are.
        metric: The final result that decided.
        within: Differences up to that did not matter, in the unit of the metric; None: all did.
    """

    at: Annotated[tuple[Positive, ...], records.items(1)]
    metric: Text
    within: AtLeast0 | None = None


@dataclass(frozen=True)
class Target:
    """A value for runs to reach.

    Args:
        metric: Which result of an epoch.
        mode: Whether it is reached from below (`max`) or from above (`min`).
        value: The value.
        origin: Where it comes from: stated, or whose median it is.
        horizon: The epochs that a run counts as which did not reach it.
    """

    metric: Text
    mode: Literal["max", "min"]
    value: Number
    origin: Text
    horizon: Positive


@dataclass(frozen=True)
class Reached:
    """When the runs of an experiment reached the target.

    Args:
        after: After how many epochs each run did, None where it did not.
        epochs: The same, and the horizon where a run did not; only a run that failed has none.
        steps: Likewise in steps.
        seconds: Likewise in seconds, as a share of the time of the whole run.
    """

    after: Annotated[tuple[Positive | None, ...], records.items(1)]
    epochs: Summary
    steps: Summary
    seconds: Summary

    @property
    def count(self) -> int:
        """How many runs reached it."""
        return sum(epochs is not None for epochs in self.after)

    @property
    def of(self) -> int:
        """Of how many."""
        return sum(value is not None for value in self.epochs.values)


@dataclass(frozen=True)
class OtherExamples:
    """The verdict where the choice of the validation examples counts as luck, too.

    Args:
        metric: The final result that it is about.
        examples: How many examples there are.
        best_set: Who may be the best.
        behind: Of each experiment the interval of its deficit.
        typical: What the examples alone add to a difference: the median half width.
    """

    metric: Text
    examples: Positive
    best_set: _Names
    behind: dict[str, _Ends]
    typical: AtLeast0


@dataclass(frozen=True)
class OpenedTest:
    """Whose test results are shown, and what the test set of this data was opened for before.

    Args:
        metric: By which result these experiments were chosen.
        shown: The experiments.
        openings: What that is for the record of the results directory, one for each data set.
        earlier: The other openings of the same data before.
    """

    metric: Text
    shown: _Names
    openings: tuple[Opening, ...]
    earlier: tuple[Opening, ...] = ()
