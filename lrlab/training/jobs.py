"""Jobs and the events that they give: plain data, so that they may be carried out anywhere."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lrlab.results.checkpoint import Checkpoint
from lrlab.schedules import Rates, Schedule
from lrlab.tasks.setup import Setup


@dataclass(frozen=True, eq=False)
class RunJob:
    """Train a run to its end; gives a `RunResult`.

    Args:
        setup: What is trained.
        schedule: The schedule of the learning rate.
        epochs: Epochs, >= 1.
        seed: Seed of the initial weights and of the sample order, >= 0.
        checkpoint: Where the run goes on from; None: it begins.
        keep_checkpoints: Whether it gives checkpoints.
        keep_weights: Whether the result holds the final weights.
    """

    setup: Setup
    schedule: Schedule
    epochs: int
    seed: int
    checkpoint: Checkpoint | None = None
    keep_checkpoints: bool = False
    keep_weights: bool = False


@dataclass(frozen=True, eq=False)
class SweepJob:
    """Train one step at each rate until the sweep's stop rule ends it; gives a `SweptSeed`."""

    setup: Setup
    rates: Rates
    seed: int


@dataclass(frozen=True, eq=False)
class ShortJob:
    """Train one step at each rate, then validate; gives a `Score`, None if it broke down."""

    setup: Setup
    rates: Rates
    seed: int


Job = RunJob | SweepJob | ShortJob


@dataclass(frozen=True)
class Began:
    """The job has begun elsewhere, in an environment as `run.json` records it."""

    environment: Mapping[str, Any]


@dataclass(frozen=True)
class Lost:
    """The job's worker was lost, for a reason; it goes on elsewhere after so many steps."""

    reason: str
    step: int


@dataclass(frozen=True)
class Progress:
    """Where a run stands: steps done, the last rate and loss, the last validation score."""

    step: int
    lr: float
    loss: float
    val_score: float | None


@dataclass(frozen=True)
class Refused:
    """The checkpoint of a job cannot be used, for a reason; it starts over."""

    reason: str


@dataclass(frozen=True)
class Result:
    """What a job gave in the end."""

    value: Any


@dataclass(frozen=True)
class Failure:
    """A job that raised: the error in one line, and where it came from."""

    error: str
    trace: str


Event = Began | Lost | Progress | Refused | Checkpoint | Result | Failure
"""What a job tells; it ends with a `Result` or a `Failure`."""

Tell = Callable[[Event], None]
"""Passes an event on; for a checkpoint it returns once that is kept."""
