"""A config's schedule as Python or Keras code: its formula, with its numbers, without lrlab."""

import hashlib
import math
from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Literal, get_args

from lrlab import config as configs
from lrlab.config import Config, Experiment
from lrlab.errors import UsageError
from lrlab.schedules import ClosedLoop, Length, Schedule
from lrlab.schedules.pieces import Call, Piece
from lrlab.tasks import data

Target = Literal["python", "keras", "pytorch"]

_NUMPY = "import numpy as np\nimport numpy.typing as npt"

# Each export registers a name of its own: two of them may be loaded in one process.
_LOOKUP = '''\
@keras.saving.register_keras_serializable("lrlab_export", name="{name}")
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

_LAMBDA = '''\
def scheduler(optimizer):
    """Return PyTorch's scheduler of an optimizer that was made with `lr=1.0`.

    Call its `step()` after each step of the optimizer.
    """
    return torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: float(learning_rate(step)))


# optimizer = torch.optim.SGD(model.parameters(), lr=1.0, momentum=0.9)
# schedule = scheduler(optimizer)'''

_PLATEAU = """\
# `{name}`: the optimizer begins with the learning rate {rate}. Made by `lrlab export`.
import keras

callback = {code}
# model.fit(..., validation_data=..., callbacks=[callback])"""


def export(config: Config, to: str, steps_per_epoch: int | None) -> str:
    """Return the code for a config, as `lrlab export` prints it.

    Args:
        config: The config.
        to: `python`, `keras` or `pytorch`.
        steps_per_epoch: Steps in an epoch, >= 1; None: as on the config's data.

    Raises:
        UsageError: If `to` is unknown, or there is no such code since it is a closed loop.
        ConfigError: If the schedule has no finite rate at some step.
        DataError: If the steps per epoch are to be read from an npz file that cannot be.
    """
    targets: dict[str, Target] = {target: target for target in get_args(Target)}
    if to not in targets:
        raise UsageError(f"unknown target `{to}`", f"use one of {', '.join(targets)}")
    experiment = config.experiment
    if steps_per_epoch is None:
        images = data.train_images(experiment.wanted)
        if images is None:
            raise UsageError(
                f"how many examples `{experiment.wanted.name}` has is known when it is read",
                "say how many steps an epoch has: `--steps-per-epoch N`",
            )
        steps_per_epoch = Length.of(images, experiment.batch_size, 1).steps_per_epoch
    configs.warnings(config, steps_per_epoch)  # Raises where a formula gives no rate.
    return snippet(experiment, targets[to], steps_per_epoch)


def snippet(experiment: Experiment, to: Target, steps_per_epoch: int) -> str:
    """Return code that gives an experiment's learning rates without lrlab.

    Args:
        experiment: The experiment.
        to: `python`: a function `learning_rate(step)`, which needs only NumPy; `keras`: what an
            optimizer takes as its learning rate or, for a closed loop, a callback; `pytorch`: that
            function and a `LambdaLR` of it.
        steps_per_epoch: Steps in an epoch, >= 1.

    Returns:
        The code, without a final line end.

    Raises:
        UsageError: If there is no such code, since the schedule is a closed loop.

    Example:
        >>> from lrlab.config import parse
        >>> config = parse("schedule: {type: exponential, initial_lr: 0.1, s: 5 epochs}")
        >>> print(snippet(config.experiment, "keras", 100).splitlines()[-1])
        learning_rate = keras.optimizers.schedules.ExponentialDecay(0.1, 500, 0.1)
    """
    schedule, length = experiment.schedule, Length(steps_per_epoch, experiment.epochs)
    if isinstance(schedule, ClosedLoop):
        return _callback(experiment.name, schedule, to, length)
    about = (
        f"# The learning rate of `{experiment.name}`: {length.epochs} epochs of "
        f"{steps_per_epoch} steps. Made by `lrlab export`."
    )
    # Keras' own class takes neither a warm-up nor a rate that waits for the next epoch.
    plain = schedule.warmup is None and getattr(schedule, "update", "step") == "step"
    own = schedule.keras_code(length) if to == "keras" and plain else None
    if own is not None:
        return f"{about}\nimport keras\n\nlearning_rate = {own}"
    parts = _functions(schedule, length)
    if to == "python":
        return "\n\n\n".join([f"{about}\n{_NUMPY}", *parts])
    if to == "pytorch":
        return "\n\n\n".join([f"{about}\n{_NUMPY}\nimport torch", *parts, _LAMBDA])
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:8]
    lookup = _LOOKUP.format(name=f"{experiment.name}-{digest}", steps=length.steps)
    imports = f"import keras\n{_NUMPY}\nfrom keras import ops"
    return "\n\n\n".join([f"{about}\n{imports}", *parts, lookup])


def _callback(name: str, schedule: ClosedLoop, to: Target, length: Length) -> str:
    """Return Keras' callback that equals a closed loop."""
    if to != "keras":
        raise UsageError(
            f"`{name}` is a closed loop: the rates of a `{schedule.type}` schedule are known only "
            "while training",
            "use the callback `lrlab.KerasLoop` in a Keras script; `--to keras` prints Keras' own "
            "where that is equal",
        )
    code = schedule.keras_code(length)
    if code is None:
        raise UsageError(
            f"`{name}` has no equal in Keras: {schedule.why_not_keras}",
            "use the callback `lrlab.KerasLoop`, which needs lrlab where it trains",
        )
    return _PLATEAU.format(name=name, rate=schedule.scale * schedule.start().lr, code=code)


def _functions(schedule: Schedule, length: Length) -> list[str]:
    """Return all definitions, `learning_rate` and, where it is cycled, `momentum` last."""
    plan = list(schedule.pieces(length))
    curves = {"learning_rate": [piece.rate for piece in plan]}
    if plan[-1].momentum is not None:
        curves["momentum"] = [piece.momentum for piece in plan if piece.momentum is not None]
    names: dict[Hashable, str] = {}
    used: Counter[str] = Counter()
    texts: dict[str, None] = {}  # In their order, each once.
    for call in (call for calls in curves.values() for call in calls):
        if call.key not in names:
            used[call.name] += 1
            number = f"_{used[call.name]}" if used[call.name] > 1 else ""
            names[call.key] = f"{call.name}{number}"
            texts |= dict.fromkeys(call.definitions(names[call.key]))
    mains = [_main(curve, schedule, plan, calls, names) for curve, calls in curves.items()]
    return [*texts, *mains]


def _main(
    curve: str,
    schedule: Schedule,
    plan: Sequence[Piece],
    calls: Sequence[Call],
    names: dict[Hashable, str],
) -> str:
    """Return the definition of `learning_rate` or `momentum`."""
    title = f'    """Return the {curve.replace("_", " ")} of any steps, counted from 0."""'
    lines = [f"def {curve}(step):", title]
    if len(plan) == 1 and plan[0].epoch == 1 and plan[0].end == math.inf:
        return "\n".join([*lines, f"    return {calls[0].written(names[calls[0].key], 'step')}"])
    lines.append("    step = np.array(step, np.float64)")
    kept = len(plan)
    if cycle := _cycle(plan, schedule):
        kept, first, length, last = cycle
        begun = f"(step - {first})" if first else "step"
        again = f"np.clip({begun} // {length}, 0, {last})"
        lines.append(f"    step = step - {length} * {again}")
    epochs = [piece.epoch for piece in plan if piece.epoch > 1]
    if epochs:
        lines.append(f"    epoch_start = step - step % {epochs[0]}")
    written = [
        call.written(names[call.key], _clock(piece))
        for piece, call in zip(plan[:kept], calls, strict=False)
    ]
    if len(written) == 1:
        return "\n".join([*lines, f"    return {written[0]}"])
    tests = ", ".join(f"step < {piece.start}" for piece in plan[1:kept])
    lines += ["    return np.select(", f"        [{tests}],", "        ["]
    lines += [f"            {call}," for call in written[:-1]]
    return "\n".join([*lines, "        ],", f"        {written[-1]},", "    )"])


def _clock(piece: Piece) -> str:
    """Return the steps since a piece's start, as its formula counts them."""
    step = "step" if piece.epoch == 1 else "epoch_start"
    if piece.end < math.inf:
        step = f"np.clip({step}, {piece.start}, {int(piece.end)})"
    elif piece.start:
        step = f"np.maximum({step}, {piece.start})"
    return f"{step} - {piece.start}" if piece.start else step


def _cycle(plan: Sequence[Piece], schedule: Schedule) -> tuple[int, int, int, int] | None:
    """Return how many pieces are enough for equal cycles, None where they are not.

    Then also where they begin, how long each is, and the number of the last.
    """
    cycles = getattr(schedule, "cycles", 1)
    before = 0 if schedule.warmup is None else 1
    count, rest = divmod(len(plan) - before, cycles)
    if cycles == 1 or rest or not count:
        return None
    first, length = plan[before].start, plan[before + count].start - plan[before].start
    for one, later in zip(plan[before:], plan[before + count :], strict=False):
        same = (
            (later.start, later.end) == (one.start + length, one.end + length)
            and later.rate == one.rate
            and later.epoch == one.epoch
            and length % one.epoch == 0
        )
        if not same:
            return None
    return before + count, first, length, cycles - 1
