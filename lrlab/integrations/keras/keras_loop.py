"""A closed loop as a Keras callback: no `LearningRateSchedule` can watch the training."""

import json
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from lrlab.config.given import Given, length_of, schedule_of
from lrlab.errors import UsageError
from lrlab.integrations.keras.fit_length import check_steps, steps_of_fit
from lrlab.io import atomic, reading
from lrlab.metric import Mode, mode_of
from lrlab.schedules import ClosedLoop

Logs = dict[str, float]

_MOST_BYTES = 100_000_000


class KerasLoop(keras.callbacks.Callback):  # type: ignore[misc]
    """The rates of a closed loop, `performance` or `greedy`, with its warm-up, in `Model.fit`.

    They are those of `ClosedLoop.epoch_rates` for the logs of the epochs so far. An epoch whose
    logs lack what is watched, as with `validation_freq=2`, is left out with a warning, as Keras
    does.

    Another `fit` with the same callback goes on where the loop stands: its epoch 0 is the run's
    next. An `initial_epoch` above 0 counts from where that numbering began, and what the loop knows
    of that epoch and later ones is dropped. So `keras.callbacks.BackupAndRestore` resumes in the
    same process; with `backup` also in a new one. A new model takes a new callback.

    Args:
        schedule: A closed loop: the mapping that a config has under `schedule`, the path of a
            config, an experiment, or its schedule.
        steps_per_epoch: Steps in an epoch, >= 1, as many as `fit` runs.
        epochs: Epochs of the whole run, >= 1, of which a warm-up may be a percentage.
        history: The logs of earlier epochs, one mapping per epoch, as `history` of another one.
        monitor: What is watched in place of the schedule's `monitor`: any name in the logs.
        mode: `min` if lower values are better, `max` if higher ones are; only needed where the name
            does not tell, as `loss` and `accuracy` do.
        backup: A file in which the logs are kept after every epoch. A new process reads it when
            `fit` begins at a later epoch than 0. List this callback before `BackupAndRestore`.

    Attributes:
        history: The logs of the epochs so far.

    Raises:
        UsageError: If the schedule is not a closed loop or another argument is wrong; in `fit`, if
            its steps per epoch are others, earlier logs are missing, or the rates are not the
            optimizer's to set.
        ResultsError: In `fit`, if `backup` cannot be written.

    Example:
        >>> loop = KerasLoop({"type": "greedy", "initial_lr": 0.1}, 100, 10, monitor="val_loss")
        >>> loop.history
        []
    """

    def __init__(
        self,
        schedule: Given,
        steps_per_epoch: int,
        epochs: int,
        history: Sequence[Mapping[str, float]] = (),
        *,
        monitor: str | None = None,
        mode: Mode | None = None,
        backup: str | Path | None = None,
    ) -> None:
        super().__init__()
        found = schedule_of(schedule)
        if not isinstance(found, ClosedLoop):
            raise UsageError(
                f"a `{found.type}` schedule is not a closed loop: its rates are known beforehand",
                "give the optimizer `lrlab.KerasSchedule(schedule, steps_per_epoch, epochs)`",
            )
        length = length_of(steps_per_epoch, epochs)
        self.schedule = found
        self.monitor = found.monitor if monitor is None else monitor
        self.history = _checked_history(history)
        if not isinstance(backup, str | Path | None):
            raise UsageError(f"`backup` must be the path of a file, got {backup!r}")
        self._backup = None if backup is None else Path(backup)
        self._steps_per_epoch = length.steps_per_epoch
        directed = found.model_copy(update={"mode": _mode(found, monitor, mode)})
        self._epoch_rates = directed.epoch_rates(length, lambda logs: logs.get(self.monitor))
        self._begun = 0
        """The run's epoch that the numbering of `fit` began with."""
        self._fit_begins = True

    def on_train_begin(self, logs: Any = None) -> None:
        """Check the steps per epoch, where the data say how many there are."""
        check_steps(self, self._steps_per_epoch, steps_of_fit(self))
        self._fit_begins = True

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Set the epoch's first rate, from the epochs before."""
        if self._fit_begins:
            self._settle(epoch)
            self._fit_begins = False
        del self.history[self._begun + epoch :]
        self._rates = self._epoch_rates(self.history).astype(np.float32)
        if getattr(self.model, "steps_per_execution", 1) > 1 and np.ptp(self._rates) > 0:
            raise UsageError(
                "a warm-up moves the rate every step, and `steps_per_execution` does several steps "
                "between two calls of a callback",
                "compile with `steps_per_execution=1` until the warm-up is over, or leave out "
                "`warmup`",
            )
        self._set(self._rates[0])

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Set the step's rate, where a warm-up moves it."""
        rate = self._rates[min(batch, len(self._rates) - 1)]
        if rate != self._now:
            self._set(rate)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Count the steps."""
        self._steps_seen = batch + 1

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Keep the epoch's result, and state the rate that it ended with."""
        alone = getattr(self.model, "steps_per_execution", 1) == 1
        if steps_of_fit(self) is None and alone and not self.model.stop_training:
            check_steps(self, self._steps_per_epoch, self._steps_seen)
        found = _numbers(logs or {})
        if self.monitor not in found:
            warnings.warn(
                f"epoch {epoch} is left out by `KerasLoop`, since its logs have no "
                f"`{self.monitor}`, only {', '.join(found) or 'nothing'}; give `fit` validation "
                "data, or watch another one with `monitor=`",
                stacklevel=2,
            )
        self.history.append(found)
        if self._backup is not None:
            kept = {"begun": self._begun, "history": self.history}
            atomic.write_text(self._backup, json.dumps(kept))
        if logs is not None:
            logs["learning_rate"] = float(self._now)

    def _settle(self, epoch: int) -> None:
        """Find where the loop stands, now that `fit` begins with an epoch."""
        if epoch == 0:
            self._begun = len(self.history)
            return
        if self._backup is not None and self._begun + epoch > len(self.history):
            self._begun, self.history = _restored(self._backup)
        for begun in (self._begun, 0):
            if begun + epoch <= len(self.history):
                self._begun = begun
                return
        raise UsageError(
            f"training begins at epoch {epoch}, with the logs of {len(self.history)} before it",
            "give `KerasLoop(..., history=...)` the logs of all earlier epochs; to resume in a new "
            "process, give it `backup=` and list it before `BackupAndRestore`",
        )

    def _set(self, rate: np.float32) -> None:
        if hasattr(self.model.optimizer, "optimizers"):
            raise UsageError(
                "the model has several optimizers, and the schedule is for one",
                "compile it with one optimizer",
            )
        try:
            self.model.optimizer.learning_rate = rate
        except TypeError as error:
            raise UsageError(
                "the optimizer has a learning-rate schedule of its own",
                "give it a number, which the callback replaces",
            ) from error
        self._now = rate


def _mode(schedule: ClosedLoop, monitor: str | None, mode: Mode | None) -> Mode:
    """Return which way is better, as the mode or else the name says."""
    if monitor is not None and not (isinstance(monitor, str) and monitor):
        raise UsageError(f"`monitor` must be the name of a value in the logs, got {monitor!r}")
    if mode not in (None, "min", "max"):
        raise UsageError(f"`mode` must be `min` or `max`, got {mode!r}")
    same = monitor is None or monitor == schedule.monitor
    found = mode or (schedule.mode if same else None) or mode_of(monitor or schedule.monitor)
    if found is not None:
        return found
    raise UsageError(
        f"the name `{monitor}` does not tell whether higher values are better",
        "give `mode='max'` if they are, else `mode='min'`",
    )


def _numbers(logs: Mapping[str, Any]) -> Logs:
    """Return what the logs hold of single numbers."""
    arrays = {name: np.asarray(value) for name, value in logs.items()}
    return {
        name: float(value)
        for name, value in arrays.items()
        if value.ndim == 0 and np.issubdtype(value.dtype, np.number)
    }


def _checked_history(history: Any) -> list[Logs]:
    if isinstance(history, Mapping | str) or not isinstance(history, Sequence):
        raise UsageError(
            f"`history` must hold the logs of each epoch, got {type(history).__name__}",
            "give it one mapping per epoch, as in the `history` of another `KerasLoop`",
        )
    for logs in history:
        if not isinstance(logs, Mapping):
            raise UsageError(f"`history` must hold one mapping per epoch, got {logs!r}")
    return [_numbers(logs) for logs in history]


def _restored(path: Path) -> tuple[int, list[Logs]]:
    """Return what a backup holds: where the numbering began, and the logs."""
    try:
        kept = json.loads(reading.read_bytes(path, _MOST_BYTES))
        begun, history = kept["begun"], kept["history"]
        if not isinstance(begun, int) or not 0 <= begun <= len(history):
            raise ValueError("it is not of a `KerasLoop`")
        return begun, _checked_history(history)
    except (OSError, ValueError, TypeError, KeyError, UsageError) as error:
        raise UsageError(
            f"the backup of the loop in `{path}` cannot be read: {error}",
            "give `KerasLoop(..., history=...)` the logs of all earlier epochs",
        ) from error
