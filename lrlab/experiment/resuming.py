"""Going on where a run was cut off: its checkpoint found, checked, kept up to date, removed."""

from typing import Any

from lrlab.errors import ResultsError, UnreadableError
from lrlab.experiment.planning import Run
from lrlab.io import atomic
from lrlab.reporter import Reporter
from lrlab.results import checkpoint as checkpoints
from lrlab.results.checkpoint import Checkpoint, CheckpointOrigin, KeptCheckpoint
from lrlab.results.run import checkpoint_of


class Resumption:
    """The checkpoint of one run while it is trained; only the driver has it.

    Args:
        run: The run.
        environment: What it is trained in, unless something else is told.
        report: Told of a checkpoint that cannot be used or written.

    Attributes:
        checkpoint: Where the run goes on, None if it begins.
        environment: What it is trained in now.
        resumed_at: The steps at which the run went on from a checkpoint.

    Raises:
        UnreadableError: If the checkpoint cannot be read, so that nobody knows if it is of use.
    """

    def __init__(self, run: Run, environment: dict[str, Any], report: Reporter) -> None:
        self.environment = environment
        self.resumed_at: list[int] = []
        self._trained_in: list[dict[str, Any]] = []
        self._run = run
        self._path = checkpoint_of(run.folder)
        self._report = report
        self._warned = False
        self.checkpoint = self._find()

    def _find(self) -> Checkpoint | None:
        """Return where the run goes on; a checkpoint that cannot be used is set aside."""
        try:
            kept = checkpoints.read(self._path)
            if kept is None:
                return None
            self._check(kept)
        except UnreadableError:
            raise
        except ResultsError as error:
            self._set_aside(error.message)
            return None
        except ValueError as error:
            self.refuse(str(error))
            return None
        origin = kept.origin
        for environment in (*origin.earlier_environments, origin.environment):
            self._took_place_in(environment)
        self.resumed_at = [*origin.resumed_at, len(kept.state.loss)]
        return kept.state

    @property
    def earlier_environments(self) -> list[dict[str, Any]]:
        """Other environments than the present one that it was trained in."""
        return [each for each in self._trained_in if each != self.environment]

    def _took_place_in(self, environment: dict[str, Any]) -> None:
        if environment not in self._trained_in:
            self._trained_in.append(environment)

    def lose(self, reason: str, step: int) -> None:
        """Take note that the run goes on elsewhere, after so many steps of those that it had."""
        self.resumed_at = [*self.resumed_at, step] if step else []
        self._trained_in = self._trained_in if step else []
        where = f"goes on from step {step:,}" if step else "starts over"
        self._report.warn(f"{self._run}: {reason}; it {where}")

    def refuse(self, reason: str) -> None:
        """Set a checkpoint aside that cannot be used: the run starts over."""
        self.resumed_at, self._trained_in = [], []
        self._set_aside(f"`{self._path}`: {reason}")

    def keep(self, checkpoint: Checkpoint) -> None:
        """Write where the run stands; where that fails, warn once: the training itself goes on."""
        self._took_place_in(self.environment)
        origin = CheckpointOrigin(
            identity=self._run.place.identity,
            seed=self._run.seed,
            environment=self.environment,
            earlier_environments=tuple(self.earlier_environments),
            resumed_at=tuple(self.resumed_at),
        )
        try:
            checkpoints.write(self._path, checkpoint, origin)
        except ResultsError as error:
            if not self._warned:
                self._report.warn(f"{error.message}; {self._run} continues without new checkpoints")
            self._warned = True

    def _check(self, kept: KeptCheckpoint) -> None:
        checkpoint, origin, place = kept.state, kept.origin, self._run.place
        if (origin.identity, origin.seed) != (place.identity, place.seed):
            raise ValueError("it is the checkpoint of another run")
        steps, epochs = len(checkpoint.loss), len(checkpoint.history)
        length = self._run.length
        since = steps - epochs * length.steps_per_epoch
        if not steps or epochs >= length.epochs or not 0 <= since <= length.steps_per_epoch:
            raise ValueError(f"{steps} steps and {epochs} epochs do not fit this run")

    def _set_aside(self, reason: str) -> None:
        aside = atomic.set_aside(self._path)
        self._report.warn(f"{reason}; it is kept as `{aside.name}` and {self._run} starts over")


def remove(run: Run) -> None:
    """Remove the checkpoint of a run that is finished, or to be retrained.

    Raises:
        ResultsError: If it cannot be removed.
    """
    atomic.remove(checkpoint_of(run.folder))
