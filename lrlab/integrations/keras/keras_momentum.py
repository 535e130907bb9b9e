"""Cycled momentum as a Keras callback: a `LearningRateSchedule` sets the rate only."""

from typing import Any

import keras

from lrlab.config.given import Given, length_of, schedule_of
from lrlab.errors import UsageError
from lrlab.integrations.keras.fit_length import check_steps, steps_of_fit
from lrlab.schedules import momenta
from lrlab.training.engines.momentum import cycle, stop_cycling


class KerasMomentum(keras.callbacks.Callback):  # type: ignore[misc]
    """Momentum (Adam family: `beta_1`) that cycles as `one_cycle` with `momentum` says.

    It is looked up by the optimizer's step within the compiled function, as `KerasSchedule` does
    with the rate, so it is right under `jit_compile` and `steps_per_execution` too; past the end
    the last one holds. A step is a batch: with `gradient_accumulation_steps` an update takes the
    momentum of its last batch, as it takes the rate. Within a `LossScaleOptimizer`, as under
    `mixed_float16`, the inner optimizer's is cycled, and batches it skips are not counted. Muon's
    is that of its matrices; what it leaves to AdamW keeps `adam_beta_1`.

    Only with TensorFlow's backend. Keras does not tell callbacks of a `fit` that ended with an
    exception: the optimizer then goes on cycling until its model is compiled with another one, or
    trained with this callback to the end.

    Args:
        schedule: The schedule, as in `KerasSchedule`.
        steps_per_epoch: Steps in an epoch, >= 1, as many as `fit` runs.
        epochs: Epochs, >= 1.

    Raises:
        UsageError: If the schedule cycles no momentum; in `fit`, if its steps per epoch are others
            or the optimizer has no momentum.

    Example:
        >>> schedule = {"type": "one_cycle", "max_lr": 0.1, "momentum": {"low": 0.8, "high": 0.9}}
        >>> KerasMomentum(schedule, 100, 10).momenta.shape
        (1000,)
    """

    def __init__(self, schedule: Given, steps_per_epoch: int, epochs: int) -> None:
        super().__init__()
        length = length_of(steps_per_epoch, epochs)
        cycled = momenta(schedule_of(schedule), length)
        if cycled is None:
            raise UsageError(
                "the schedule cycles no momentum",
                "give a one_cycle schedule `momentum: {low: 0.85, high: 0.95}`",
            )
        self.momenta = cycled
        self._steps_per_epoch = length.steps_per_epoch

    def on_train_begin(self, logs: Any = None) -> None:
        """Let the optimizer take each step with the step's momentum."""
        check_steps(self, self._steps_per_epoch, steps_of_fit(self))
        optimizer = self._optimizer
        if type(optimizer).__name__ == "ScheduleFreeAdamW":
            raise UsageError(
                "`ScheduleFreeAdamW` has no momentum that could be cycled: its `beta_1` says how "
                "it averages its weights",
                "use `AdamW`, or leave out the schedule: it is made to need none",
            )
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
        stop_cycling(self._optimizer)
        self.model.make_train_function(force=True)

    @property
    def _optimizer(self) -> Any:
        """The optimizer that takes the steps, within the one that scales the loss."""
        return getattr(self.model.optimizer, "inner_optimizer", self.model.optimizer)
