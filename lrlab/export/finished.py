"""Finished results: a comparison and its runs, as the exports take them along."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lrlab.io import atomic
from lrlab.metric import LOSS
from lrlab.results import comparison, run_folder
from lrlab.results.comparison import Comparison, ExperimentSummary
from lrlab.results.inspection import check_directory
from lrlab.results.run import EpochResult, RunResult, Status, value_of


@dataclass(frozen=True)
class Finished:
    """What a results directory holds.

    Args:
        out: The directory.
        comparison: The comparison.
        runs: Each run that left something, by its folder in the directory.
    """

    out: Path
    comparison: Comparison
    runs: Mapping[str, RunResult]

    @property
    def quantities(self) -> tuple[str, ...]:
        """The results of an epoch: loss and metric, in training and on the validation set."""
        return tuple(
            found.key
            for quantity in (LOSS, self.comparison.metric)
            for found in (quantity, quantity.on("val"))
        )

    def of(self, e: ExperimentSummary) -> Iterator[tuple[int, str, RunResult]]:
        """Yield the runs of an experiment: seed, folder, result."""
        for seed, folder in zip(e.seeds, e.runs, strict=True):
            if folder in self.runs:
                yield seed, folder, self.runs[folder]

    def values(self, at: EpochResult) -> dict[str, float]:
        """Return the results of an epoch by their names."""
        return {key: value_of(at, key, self.comparison.metric) for key in self.quantities}


def read(out: Path) -> Finished:
    """Return what a results directory holds.

    Raises:
        ResultsError: If it holds no comparison, or something in it is damaged.
    """
    check_directory(out)
    compared = comparison.read(out)
    runs = {}
    for e in compared.experiments:
        for folder in e.runs:
            atomic.check_within(out, out / folder)
            if (kept := run_folder.read(out / folder)) is not None:
                runs[folder] = kept.result
    return Finished(out, compared, runs)


def final(e: ExperimentSummary, number: int) -> dict[str, float]:
    """Return the final results of one run of an experiment, as far as they are shown.

    Args:
        e: The experiment.
        number: Which of its runs.
    """
    found = {key: summary.values[number] for key, summary in e.final.items()}
    return {key: value for key, value in found.items() if value is not None}


def means(finished: Finished, e: ExperimentSummary) -> Iterator[tuple[int, dict[str, list[float]]]]:
    """Yield after each epoch the values of each quantity, of the runs that ended well."""
    done = [result for _, _, result in finished.of(e) if result.status is Status.DONE]
    for epochs in zip(*(result.epochs for result in done), strict=False):
        of_each = [finished.values(at) for at in epochs]
        yield epochs[0].epoch, {key: [of[key] for of in of_each] for key in finished.quantities}


def flat(config: Any, above: str = "") -> dict[str, Any]:
    """Return the settings of a config by their dotted keys; a list stays a value.

    Example:
        >>> flat({"schedule": {"type": "step", "at": [1, 2]}, "epochs": 3})
        {'schedule.type': 'step', 'schedule.at': [1, 2], 'epochs': 3}
    """
    found: dict[str, Any] = {}
    for key, value in config.items():
        name = f"{above}.{key}" if above else str(key)
        found |= flat(value, name) if isinstance(value, dict) and value else {name: value}
    return found
