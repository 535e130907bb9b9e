"""Keras callbacks for what no `LearningRateSchedule` can do: closed loops and cycled momentum."""

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np

from lrlab.config.given import Given, length_of, schedule_of
from lrlab.errors import UsageError
from lrlab.schedules import ClosedLoop, momenta


class KerasLoop(keras.callbacks.Callback):  # type: ignore[misc]
    """The rates of a closed loop, `performance` or `greedy`, with its warm-up, in `Model.fit`.

    They are those of `ClosedLoop.epoch_rates` for the logs of the epochs so far.

    Args:
        schedule: A closed loop: the mapping that a config has under `schedule`, the path of a
            config, an experiment, or its schedule.
        steps_per_epoch: Steps an epoch, >= 1.
        epochs: Epochs of the whole run, >= 1, of which a warm-up may be a percentage.
        history: The logs of earlier epochs, where `fit` goes on with `initial_epoch`.

    Raises:
        UsageError: If the schedule is no closed loop; in `fit`, if the logs have not what it
            watches, or the rates are not the optimizer's to set.

    Example:
        >>> loop = KerasLoop({"type": "greedy", "initial_lr": 0.1, "monitor": "val_loss"}, 100, 10)
        >>> loop.history
        []
    """

    def __init__(
        self,
        schedule: Given,
        steps_per_epoch: int,
        epochs: int,
        history: Sequence[Mapping[str, float]] = (),
    ) -> None:
        super().__init__()
        found = schedule_of(schedule)
        if not isinstance(found, ClosedLoop):
            raise UsageError(
                f"a `{found.type}` schedule is not a closed loop: its rates are known beforehand",
                "give the optimizer `lrlab.KerasSchedule(schedule, steps_per_epoch, epochs)`",
            )
        self.schedule = found
        self._epoch_rates = found.epoch_rates(length_of(steps_per_epoch, epochs))
        self.history = [dict(logs) for logs in history]

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Set the epoch's first rate, from the epochs before."""
        if len(self.history) < epoch:
            raise UsageError(
                f"training begins at epoch {epoch}, with the logs of {len(self.history)} before it",
                "give `KerasLoop(..., history=...)` the logs of all earlier epochs",
            )
        del self.history[epoch:]
        results = [SimpleNamespace(**logs) for logs in self.history]
        self._rates = self._epoch_rates(results).astype(np.float32)
        if getattr(self.model, "steps_per_execution", 1) > 1 and np.ptp(self._rates) > 0:
            raise UsageError(
                "a warm-up moves every step, and `steps_per_execution` does several at once",
                "compile with `steps_per_execution=1`, or warm up for whole epochs",
            )
        self._set(self._rates[0])

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Set the step's rate, where a warm-up moves it."""
        rate = self._rates[min(batch, len(self._rates) - 1)]
        if rate != self._now:
            self._set(rate)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Keep the epoch's result, and state the rate that it ended with."""
        found = dict(logs or {})
        if self.schedule.monitor not in found:
            raise UsageError(
                f"the logs have no `{self.schedule.monitor}`, which the schedule watches",
                "give `fit` validation data, and `compile` the metric `accuracy` if it is watched",
            )
        self.history.append({key: float(value) for key, value in found.items()})
        if logs is not None:
            logs["learning_rate"] = float(self._now)

    def _set(self, rate: np.float32) -> None:
        try:
            self.model.optimizer.learning_rate = rate
        except TypeError as error:
            raise UsageError(
                "the optimizer has a learning-rate schedule of its own",
                "give it a number, which the callback replaces",
            ) from error
        self._now = rate


class KerasMomentum(keras.callbacks.Callback):  # type: ignore[misc]
    """Momentum (Adam family: `beta_1`) that cycles as `one_cycle` with `momentum` says.

    It is looked up by the optimizer's step within the compiled function, as `KerasSchedule` does
    with the rate, so it is right under `jit_compile` and `steps_per_execution` too; past the end
    the last one holds. TensorFlow's backend alone. Keras does not tell callbacks of a `fit` that
    ended with an exception: the optimizer then goes on cycling until its model is compiled with
    another one, or trained with this callback to the end.

    Args:
        schedule: The schedule, as in `KerasLoop`.
        steps_per_epoch: Steps an epoch, >= 1.
        epochs: Epochs, >= 1.

    Raises:
        UsageError: If the schedule cycles no momentum, or in `fit` the optimizer has none.

    Example:
        >>> schedule = {"type": "one_cycle", "max_lr": 0.1, "momentum": {"low": 0.8, "high": 0.9}}
        >>> KerasMomentum(schedule, 100, 10).momenta.shape
        (1000,)
    """

    def __init__(self, schedule: Given, steps_per_epoch: int, epochs: int) -> None:
        super().__init__()
        cycled = momenta(schedule_of(schedule), length_of(steps_per_epoch, epochs))
        if cycled is None:
            raise UsageError(
                "the schedule cycles no momentum",
                "give a one_cycle schedule `momentum: {low: 0.85, high: 0.95}`",
            )
        self.momenta = cycled

    def on_train_begin(self, logs: Any = None) -> None:
        """Let the optimizer take each step with the step's momentum."""
        from lrlab.training.engines.momentum import cycle

        optimizer = self.model.optimizer
        name = "momentum" if hasattr(optimizer, "momentum") else "beta_1"
        if keras.backend.backend() != "tensorflow" or not getattr(optimizer, name, 0):
            raise UsageError(
                f"`{type(optimizer).__name__}` has no momentum that could be cycled",
                "use SGD or RMSprop with a momentum above 0, or one of the Adam family, under "
                "TensorFlow's backend",
            )
        cycle(optimizer, name, self.momenta)
        # One that was traced before has the optimizer's own momentum in it as a constant.
        self.model.make_train_function(force=True)

    def on_train_end(self, logs: Any = None) -> None:
        """Give the optimizer back its own momentum."""
        from lrlab.training.engines.momentum import stop_cycling

        stop_cycling(self.model.optimizer)
        self.model.make_train_function(force=True)
