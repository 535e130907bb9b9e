"""What a run gives, what tells it from others, and where it is kept.

OUT/runs/<experiment>-<identity>/seed-<n>
OUT/runs/<experiment>-<identity>/seed-<n>.checkpoint.npz
"""

import enum
import functools
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lrlab.metric import ACCURACY, LOSS, Metric
from lrlab.results.right import Right

if TYPE_CHECKING:
    from lrlab.config import Experiment

FORMAT = 1
"""Raised when the training changes in a way that makes older runs another experiment."""

CHECKPOINT = ".checkpoint.npz"

Floats = npt.NDArray[np.float32]


class Status(enum.StrEnum):
    """How a run ended."""

    DONE = "done"
    DIVERGED = "diverged"
    COLLAPSED = "collapsed"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        """Whether the run is a result; one that failed is tried again."""
        return self is not Status.FAILED


WORST_FIRST = (Status.FAILED, Status.DIVERGED, Status.COLLAPSED, Status.DONE)


def in_words(statuses: Sequence[Status]) -> str:
    """Return how the runs of an experiment ended.

    Example:
        >>> in_words([Status.DONE, Status.COLLAPSED, Status.DIVERGED])
        '1 of 3 diverged, 1 of 3 collapsed'
    """
    bad = [s for s in (Status.DIVERGED, Status.COLLAPSED, Status.FAILED) if s in statuses]
    if not bad or len(statuses) == 1:
        return (bad or [Status.DONE])[0].value
    return ", ".join(f"{statuses.count(s)} of {len(statuses)} {s.value}" for s in bad)


@dataclass(frozen=True)
class Guess:
    """The score of the best constant guess on some examples, and its loss; None if not known."""

    score: float | None
    loss: float | None
    examples: int


@dataclass(frozen=True)
class EpochResult:
    """Results of one epoch: mean loss and score in training, and on the validation set after it.

    `lr` is the rate of the epoch's last step, a score the value of the run's metric.
    """

    epoch: int
    lr: float
    loss: float
    score: float
    val_loss: float
    val_score: float


@dataclass(frozen=True)
class RunResult:
    """What one run gave.

    Args:
        status: How it ended.
        epochs: Results of the epochs that were finished.
        lr: The rate of each step that was made, float32, shape (steps,).
        loss: The mean loss of each step's batch, before the step, float32, shape (steps,).
        momentum: The momentum of each step, likewise, None where it was not cycled.
        diverged_at: The step at which it diverged, None if it did not.
        guess: What guessing gives on the validation set, if the run collapsed to that.
        test_loss: Mean loss over the test set after the last epoch, None without one.
        test_score: Value of the metric on the test set after the last epoch, None without one.
        val_right: Which validation examples were right after the last epoch, None where an example
            has no right and wrong, or the run is of lrlab 0.1.
        test_right: Likewise of the test set.
        train_seconds: Wall time of the run, tracing left out, other runs beside it included.
        error: Why it failed.
        environments: What it was trained in, several where it was resumed in another one.
        weights: The model's final variables, in its order, None unless they are kept; reading a
            run leaves them in their file.
        metric: What the scores are values of.
        peak_lr: Its highest rate, where its curves are left out; else they tell.
        diverged_lr: Likewise the rate at which it diverged.
    """

    status: Status
    epochs: tuple[EpochResult, ...] = ()
    lr: Floats = None  # type: ignore[assignment]
    loss: Floats = None  # type: ignore[assignment]
    momentum: Floats | None = None
    diverged_at: int | None = None
    guess: Guess | None = None
    test_loss: float | None = None
    test_score: float | None = None
    val_right: Right | None = None
    test_right: Right | None = None
    train_seconds: float = 0.0
    error: str | None = None
    environments: tuple[Mapping[str, Any], ...] = ()
    weights: tuple[npt.NDArray[Any], ...] | None = None
    metric: Metric = ACCURACY
    peak_lr: float | None = None
    diverged_lr: float | None = None

    def without_curves(self) -> "RunResult":
        """Return the result without what it has for every step, but for two rates."""
        if self.lr is None:
            return self
        at = self.diverged_at
        return replace(
            self,
            lr=None,  # type: ignore[arg-type]
            loss=None,  # type: ignore[arg-type]
            momentum=None,
            peak_lr=float(self.lr.max()) if len(self.lr) else None,
            diverged_lr=None if at is None else float(self.lr[at]),
        )

    def after_epochs(self, quantity: str) -> list[float]:
        """Return a quantity after each epoch: `loss`, `val_loss`, or the metric's name likewise."""
        return [value_of(epoch, quantity, self.metric) for epoch in self.epochs]


def value_of(epoch: EpochResult, quantity: str, metric: Metric) -> float:
    """Return a result of an epoch by its name.

    Raises:
        ValueError: If the epoch has no such result.
    """
    scores = {metric.key: epoch.score, metric.on("val").key: epoch.val_score}
    known = {"loss": epoch.loss, "val_loss": epoch.val_loss, **scores}
    if quantity not in known:
        raise ValueError(f"there is no `{quantity}`, only {', '.join(known)}")
    return known[quantity]


def quantities(metric: Metric) -> dict[str, Metric]:
    """Return the final results of a run by their keys in `comparison.json`."""
    found = (metric.on("val"), LOSS.on("val"), metric.on("test"))
    return {quantity.key: quantity for quantity in found}


def identity(
    experiment: "Experiment", data_fingerprint: str, code: Mapping[str, Any] | None = None
) -> str:
    """Return a hash of all that can change the result of an experiment's runs, except the seed.

    The name and the path of the data do not count; the data's content does. Nor does the path of
    a user's own code, but what it holds.

    Args:
        experiment: The experiment.
        data_fingerprint: The hash of its data.
        code: What tells its own code from other code, by the keys that name it.
    """
    settings = experiment.identity()
    for key in ("name", "data", *(code or {})):
        settings.pop(key, None)
    stated: list[Any] = [FORMAT, settings, data_fingerprint]
    if code:
        stated.append(code)
    text = json.dumps(stated, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def recorded_identity(
    config: Mapping[str, Any], data_fingerprint: str, code: Mapping[str, Any] | None = None
) -> str:
    """Return the identity of the runs of a config as `run.json` has it.

    Raises:
        ValueError: If it is not a config.
    """
    stated = {name: value for name, value in config.items() if name != "data"}
    return _recorded_identity(json.dumps(stated), data_fingerprint, json.dumps(code))


@functools.lru_cache(maxsize=1_000)
def _recorded_identity(config: str, data_fingerprint: str, code: str) -> str:
    # Here, since an empty directory can be checked without it.
    from lrlab.config import Experiment

    experiment = Experiment.model_validate_json(config)
    return identity(experiment, data_fingerprint, json.loads(code))


_FOLDER = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9._+-]{0,63})-(?P<identity>[0-9a-f]{10})", re.ASCII
)
_SEED = re.compile(r"seed-(0|[1-9][0-9]*)", re.ASCII)


@dataclass(frozen=True)
class RunPlace:
    """Where a run is kept in a results directory, and the run that is meant to be there.

    Example:
        >>> RunPlace("power", "0123456789", 2).path
        'runs/power-0123456789/seed-2'
    """

    name: str
    identity: str
    seed: int

    @property
    def path(self) -> str:
        """The run's folder, relative to the results directory."""
        return f"runs/{self.name}-{self.identity}/seed-{self.seed}"

    def folder(self, out: Path) -> Path:
        """Return the run's folder in a results directory."""
        return out / self.path

    @classmethod
    def of(cls, path: Path) -> "RunPlace | None":
        """Return the place that the path of a run's folder names, None if it is not one."""
        experiment, seed = _FOLDER.fullmatch(path.parent.name), _SEED.fullmatch(path.name)
        if experiment is None or seed is None:
            return None
        return cls(experiment["name"], experiment["identity"], int(seed[1]))


def names_experiment(name: str) -> bool:
    """Return whether a folder of this name holds the runs of an experiment."""
    return _FOLDER.fullmatch(name) is not None


def checkpoint_of(run_folder: Path) -> Path:
    """Return where the checkpoint of a run is kept: beside the folder of the finished run."""
    return run_folder.with_name(run_folder.name + CHECKPOINT)
