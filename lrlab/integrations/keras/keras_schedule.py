"""An open-loop schedule as a Keras `LearningRateSchedule`, for training scripts outside lrlab."""

from typing import Any

import keras
import numpy as np
from keras import ops

from lrlab import schedules
from lrlab.config import Experiment


@keras.saving.register_keras_serializable("lrlab")
class KerasSchedule(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """The rates of a run, looked up by the optimizer's step; past the end the last one holds.

    It is a table, computed once in float64 and rounded to float32, so it has the same values
    under every backend, in graph mode and under `jit_compile`.

    Args:
        schedule: An open-loop schedule's config, as in `lrlab.load(path).schedule`, or the
            mapping that a config file has under `schedule`.
        steps_per_epoch: Steps an epoch, >= 1.
        epochs: Epochs, >= 1.

    Raises:
        ValueError: If the schedule is a closed loop, or a mapping that is no schedule.

    Example:
        >>> schedule = KerasSchedule({"type": "cosine", "initial_lr": 0.1}, 100, 10)
        >>> round(float(schedule(500)), 6)
        0.05
    """

    def __init__(self, schedule: Any, steps_per_epoch: int, epochs: int) -> None:
        super().__init__()
        if isinstance(schedule, dict):
            schedule = Experiment.model_validate({"schedule": schedule}).schedule
        self.schedule = schedule
        self.steps_per_epoch = steps_per_epoch
        self.epochs = epochs
        curve = schedules.curve(
            schedule, np.arange(steps_per_epoch * epochs + 1), steps_per_epoch, epochs
        )
        self._table = curve.astype(np.float32)

    def __call__(self, step: Any) -> Any:
        """Return the rate of a step, a float32 scalar tensor."""
        at = ops.minimum(ops.cast(step, "int32"), len(self._table) - 1)
        return ops.take(ops.convert_to_tensor(self._table), at)

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` makes the same schedule of."""
        return {
            "schedule": self.schedule.model_dump(mode="json"),
            "steps_per_epoch": self.steps_per_epoch,
            "epochs": self.epochs,
        }
