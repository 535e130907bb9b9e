"""The plan: every run of a comparison with all that it depends on and the place it is kept in."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lrlab.config import Experiment
from lrlab.results.run import RunPlace, identity
from lrlab.schedules import Length
from lrlab.tasks.data_source import DataSource
from lrlab.tasks.setup import Setup


@dataclass(frozen=True)
class Run:
    """One run: an experiment with a seed. It is what its folder says.

    Args:
        folder: Where it is kept.
        place: Name, identity and seed, of which the folder's name is made.
        experiment: Its schedule and epochs.
        setup: What it trains.
        rate: The peak of its curve, as a search tries it; nothing in a comparison.
    """

    folder: Path
    place: RunPlace = field(compare=False)
    experiment: Experiment = field(compare=False)
    setup: Setup = field(compare=False)
    rate: float | None = field(default=None, compare=False)

    @property
    def name(self) -> str:
        """Name of the experiment."""
        return self.place.name

    @property
    def seed(self) -> int:
        """Seed of the weights and of the sample order."""
        return self.place.seed

    @property
    def length(self) -> Length:
        """Its steps and epochs."""
        return self.setup.length(self.experiment.epochs)

    def __str__(self) -> str:
        at = "" if self.rate is None else f" at {self.rate:.3g},"
        return f"{self.name}{at} seed {self.seed}"


def plan(
    experiment: Experiment,
    source: DataSource,
    seeds: Sequence[int],
    out: Path,
    rate: float | None = None,
) -> list[Run]:
    """Return the runs of an experiment, one for each seed.

    Args:
        experiment: The experiment.
        source: The data that its `data` stands for.
        seeds: The seeds.
        out: The results directory.
        rate: The peak of its curve, where a search tries several.
    """
    setup, name = experiment.setup(source), experiment.name
    of_all = identity(experiment, source.fingerprint, experiment.code)
    places = [RunPlace(name, of_all, seed) for seed in seeds]
    return [Run(place.folder(out), place, experiment, setup, rate) for place in places]
