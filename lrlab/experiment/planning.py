"""The plan: every run of a comparison with all that it depends on and the place it is kept in."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from lrlab.config import Experiment
from lrlab.results import runs
from lrlab.schedules.length import Length
from lrlab.tasks.data_source import DataSource
from lrlab.tasks.setup import Setup


@dataclass(frozen=True)
class Run:
    """One run: an experiment with a seed. It is what its folder says.

    Args:
        folder: Where it is kept.
        experiment: Its name, schedule and epochs.
        setup: What it trains.
        seed: Seed of the weights and of the sample order.
    """

    folder: Path
    experiment: Experiment = field(compare=False)
    setup: Setup = field(compare=False)
    seed: int = field(compare=False)

    @property
    def name(self) -> str:
        """Name of the experiment."""
        return self.experiment.name

    @property
    def length(self) -> Length:
        """Its steps and epochs."""
        return self.setup.length(self.experiment.epochs)

    @cached_property
    def identity(self) -> str:
        """Hash of all that can change its result, the seed apart."""
        return runs.identity(self.experiment, self.setup.data.fingerprint)

    def __str__(self) -> str:
        return f"{self.name} seed {self.seed}"


def plan(experiment: Experiment, source: DataSource, seeds: int, out: Path) -> list[Run]:
    """Return the runs of an experiment, one for each seed: 0, 1, ... `seeds - 1`."""
    setup = experiment.setup(source)
    first = runs.folder(out, experiment, source.fingerprint, 0)
    return [Run(first.with_name(f"seed-{seed}"), experiment, setup, seed) for seed in range(seeds)]
