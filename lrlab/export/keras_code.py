"""What a snippet for Keras consists of: its own classes where they are equal, else a lookup."""

import math
from itertools import pairwise

from lrlab.config import Schedule
from lrlab.config.schedules import Constant, Exponential, Greedy, Performance, Piecewise, Power
from lrlab.errors import UsageError
from lrlab.export.source import number

LOOKUP = '''\
@keras.saving.register_keras_serializable("lrlab_export")
class LearningRate(keras.optimizers.schedules.LearningRateSchedule):
    """The rates of all steps, computed once in float64; past the end the last one holds."""

    def __init__(self, steps={steps}):
        super().__init__()
        self.steps = steps
        self.rates = learning_rate(np.arange(steps + 1)).astype(np.float32)

    def __call__(self, step):
        at = ops.minimum(ops.cast(step, "int32"), self.steps)
        return ops.take(ops.convert_to_tensor(self.rates), at)

    def get_config(self):
        return {{"steps": self.steps}}


# optimizer = keras.optimizers.SGD(LearningRate(), momentum=0.9)'''

_PLATEAU = """\
# `{name}`: the optimizer begins with the learning rate {initial_lr}. Made by `lrlab export`.
import keras

callback = keras.callbacks.ReduceLROnPlateau(
    monitor="{monitor}",
    mode="{mode}",
    factor={factor},
    patience={patience},
    min_delta={min_delta},
    cooldown={cooldown},
    min_lr={min_lr},
)
# model.fit(..., validation_data=..., callbacks=[callback])"""

# Keras computes in float32: beyond this many e-folds its power loses the last digits.
_MAX_FOLDS = 10.0


def own_class(schedule: Schedule, steps_per_epoch: int, epochs: int) -> str | None:
    """Return Keras' own schedule where it is equal to float32 rounding at every step, else None.

    The ones that fall to a last rate, as `CosineDecay` and `PolynomialDecay`, are not: they
    subtract in float32, and near the end only rounding errors are left of the rate.
    """
    by_step = getattr(schedule, "update", "step") == "step"
    if schedule.warmup is not None or not by_step:
        return None
    keras = "keras.optimizers.schedules"
    if isinstance(schedule, Constant):
        return number(schedule.lr)
    arguments = schedule.arguments(steps_per_epoch, epochs)
    if isinstance(schedule, Exponential):
        s, factor = arguments["s"], schedule.factor
        if -math.log(factor) * steps_per_epoch * epochs / s > _MAX_FOLDS:
            return None
        return f"{keras}.ExponentialDecay({number(schedule.initial_lr)}, {number(s)}, {factor!r})"
    if isinstance(schedule, Power) and schedule.c == 1:
        return (
            f"{keras}.InverseTimeDecay({number(schedule.initial_lr)}, {number(arguments['s'])}, 1)"
        )
    if isinstance(schedule, Piecewise) and schedule.boundaries:
        # Keras keeps the old rate for one more step.
        last = [math.ceil(boundary) - 1 for boundary in arguments["boundaries"]]
        if any(one > other for one, other in pairwise(last)):
            return None
        values = ", ".join(repr(value) for value in schedule.values)
        return f"{keras}.PiecewiseConstantDecay({last}, [{values}])"
    return None


def plateau(name: str, schedule: Performance | Greedy) -> str:
    """Return Keras' callback that equals a closed loop.

    Raises:
        UsageError: If there is none.
    """
    if isinstance(schedule, Greedy):
        why = "Keras has no GreedyLR"
    elif schedule.variant == "pytorch":
        why = "Keras' ReduceLROnPlateau counts its patience and cooldown otherwise than PyTorch's"
    elif schedule.threshold_mode == "relative":
        why = "Keras' ReduceLROnPlateau takes `min_delta` as a difference only"
    elif schedule.warmup is not None:
        why = "Keras' ReduceLROnPlateau has no warm-up before it"
    else:
        return _PLATEAU.format(
            name=name,
            mode="max" if schedule.monitor == "val_accuracy" else "min",
            **{
                key: getattr(schedule, key)
                for key in (
                    "initial_lr", "monitor", "factor", "patience", "min_delta", "cooldown", "min_lr"
                )
            },
        )  # fmt: skip
    raise UsageError(
        f"`{name}` has no equal in Keras: {why}",
        "use the callback `lrlab.KerasLoop`, which needs lrlab where it trains",
    )
