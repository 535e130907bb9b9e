"""An open-loop schedule as a Keras `LearningRateSchedule`, for training scripts outside lrlab."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import ops

from lrlab.config.given import Given, length_of, schedule_of
from lrlab.errors import UsageError
from lrlab.schedules import curve
from lrlab.schedules.own_schedule import own_parts


@keras.saving.register_keras_serializable("lrlab")
class KerasSchedule(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """The rates of a run, looked up by the optimizer's step; past the end the last one holds.

    It is a table, computed once in float64 and rounded to float32, so it has the same values
    under every backend, in graph mode and under `jit_compile`.

    Args:
        schedule: An open-loop schedule: the mapping that a config has under `schedule`, the path
            of a config, an experiment, or its schedule; or a function of the step, as in
            `lrlab.rates`. A model that is saved with it then holds its rates, not the function.
        steps_per_epoch: Steps in an epoch, >= 1.
        epochs: Epochs, >= 1.

    Raises:
        LrlabError: If the schedule is wrong or a closed loop, or a count is below 1.

    Example:
        >>> schedule = KerasSchedule({"type": "cosine", "initial_lr": 0.1}, 100, 10)
        >>> round(float(schedule(500)), 6)
        0.05
    """

    def __init__(self, schedule: Given, steps_per_epoch: int, epochs: int) -> None:
        super().__init__()
        self.schedule = schedule_of(schedule)
        length = length_of(steps_per_epoch, epochs)
        self.steps_per_epoch, self.epochs = length.steps_per_epoch, int(length.epochs)
        try:
            rates = curve(self.schedule, np.arange(length.steps + 1), length)
        except ValueError as error:
            remedy = "a closed loop is a callback: `lrlab.KerasLoop`"
            raise UsageError(str(error), remedy) from error
        self._table = rates.astype(np.float32)

    def __call__(self, step: Any) -> Any:
        """Return the rate of a step, a float32 scalar tensor."""
        at = ops.minimum(ops.cast(step, "int32"), len(self._table) - 1)
        return ops.take(ops.convert_to_tensor(self._table), at)

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` makes the same schedule of; there is no code in it."""
        length = {"steps_per_epoch": self.steps_per_epoch, "epochs": self.epochs}
        if any(own_parts(self.schedule)):
            return {"rates": self._table.tolist(), **length}
        return {"schedule": self.schedule.model_dump(mode="json"), **length}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "KerasSchedule":
        """Return the schedule that `get_config` gave the config of."""
        given = dict(config)
        if "rates" in given:
            table = np.array(given.pop("rates"), np.float64)
            given["schedule"] = lambda step: table[np.int64(step)]
        return cls(**given)
