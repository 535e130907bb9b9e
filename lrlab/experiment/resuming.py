"""Going on where a run was cut off: its checkpoint found, checked, kept up to date, removed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from lrlab.errors import ResultsError
from lrlab.io import atomic
from lrlab.results import checkpoint as checkpoints
from lrlab.results.checkpoint import Checkpoint, CheckpointOrigin, KeptCheckpoint
from lrlab.results.run import checkpoint_of


class _Run(Protocol):
    """What is asked of a run."""

    @property
    def name(self) -> str: ...
    @property
    def seed(self) -> int: ...
    @property
    def identity(self) -> str: ...
    @property
    def folder(self) -> Path: ...
    @property
    def epochs(self) -> int: ...
    @property
    def steps_per_epoch(self) -> int: ...


class Resumption:
    """The checkpoint of one run while it is trained.

    Attributes:
        resumed_at: The steps at which the run went on from a checkpoint.
        earlier_environments: Other environments than the present one that it was trained in.
    """

    def __init__(self, run: _Run, environment: dict[str, Any], warn: Callable[[str], None]) -> None:
        self.resumed_at: list[int] = []
        self.earlier_environments: list[dict[str, Any]] = []
        self._run = run
        self._path = checkpoint_of(run.folder)
        self._environment = environment
        self._warn = warn
        self._warned = False

    def find(self, fits: Callable[[Checkpoint], None]) -> Checkpoint | None:
        """Return where the run goes on, None if it begins.

        A checkpoint that cannot be used is set aside with a warning.

        Args:
            fits: Raises ValueError for a checkpoint that the trainer cannot take.
        """
        try:
            kept = checkpoints.read(self._path)
            if kept is None:
                return None
            self._check(kept)
            fits(kept.state)
        except ResultsError as error:
            self._set_aside(error.message)
            return None
        except ValueError as error:
            self._set_aside(f"`{self._path}`: {error}")
            return None
        origin = kept.origin
        for environment in (*origin.earlier_environments, origin.environment):
            if environment not in [self._environment, *self.earlier_environments]:
                self.earlier_environments.append(environment)
        self.resumed_at = [*origin.resumed_at, len(kept.state.loss)]
        return kept.state

    def keep(self, checkpoint: Checkpoint) -> None:
        """Write where the run stands; where that fails, warn once: the training itself goes on."""
        origin = CheckpointOrigin(
            identity=self._run.identity,
            seed=self._run.seed,
            environment=self._environment,
            earlier_environments=tuple(self.earlier_environments),
            resumed_at=tuple(self.resumed_at),
        )
        try:
            checkpoints.write(self._path, checkpoint, origin)
        except ResultsError as error:
            if not self._warned:
                self._warn(f"{error.message}; {self._named} goes on without new checkpoints")
            self._warned = True

    @property
    def _named(self) -> str:
        return f"{self._run.name} seed {self._run.seed}"

    def _check(self, kept: KeptCheckpoint) -> None:
        checkpoint, origin = kept.state, kept.origin
        if (origin.identity, origin.seed) != (self._run.identity, self._run.seed):
            raise ValueError("it is the checkpoint of another run")
        steps, epochs = len(checkpoint.loss), len(checkpoint.history)
        since = steps - epochs * self._run.steps_per_epoch
        if not steps or epochs >= self._run.epochs or not 0 <= since <= self._run.steps_per_epoch:
            raise ValueError(f"{steps} steps and {epochs} epochs do not fit this run")

    def _set_aside(self, reason: str) -> None:
        aside = atomic.set_aside(self._path)
        self._warn(f"{reason}; it is kept as `{aside.name}` and {self._named} starts over")


def remove(run: _Run) -> None:
    """Remove the checkpoint of a run that is finished, or to be trained anew.

    Raises:
        ResultsError: If it cannot be removed.
    """
    path = checkpoint_of(run.folder)
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise atomic.unwritable(path, error) from error
