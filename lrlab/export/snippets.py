"""A config's schedule as Python or Keras code: its formula, with its numbers, without lrlab."""

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal

from lrlab.config import Experiment
from lrlab.config.schedules import Greedy, Performance
from lrlab.errors import UsageError
from lrlab.export import expression, keras_code
from lrlab.export.source import definitions, number
from lrlab.schedules import formula
from lrlab.schedules.composition import Piece, pieces

Target = Literal["python", "keras"]

# A formula that is called like the argument of `learning_rate` would be hidden by it.
_RENAMED = {"step": "step_decay"}


def snippet(experiment: Experiment, to: Target, steps_per_epoch: int) -> str:
    """Return code that gives an experiment's learning rates without lrlab.

    Args:
        experiment: The experiment.
        to: `python`: a function `learning_rate(step)`, which needs NumPy alone; `keras`: what an
            optimizer takes as its learning rate or, for a closed loop, a callback.
        steps_per_epoch: Steps an epoch, >= 1.

    Returns:
        The code; without an end of line.

    Raises:
        UsageError: If there is no such code, since the schedule is a closed loop.

    Example:
        >>> from lrlab.config import parse
        >>> config = parse("schedule: {type: exponential, initial_lr: 0.1, s: 5 epochs}")
        >>> print(snippet(config.experiment, "keras", 100).splitlines()[-1])
        learning_rate = keras.optimizers.schedules.ExponentialDecay(0.1, 500, 0.1)
    """
    schedule = experiment.schedule
    if isinstance(schedule, Greedy | Performance):
        if to == "python":
            raise UsageError(
                f"`{experiment.name}` is a closed loop: the rates of a `{schedule.type}` schedule "
                "are known only while training",
                "use the callback `lrlab.KerasLoop` in a Keras script; `--to keras` prints Keras' "
                "own where that is equal",
            )
        return keras_code.plateau(experiment.name, schedule)
    steps = steps_per_epoch * experiment.epochs
    # What a piece of code says of itself, so that a reader knows where it came from.
    about = (
        f"# The learning rate of `{experiment.name}`: {experiment.epochs} epochs of "
        f"{steps_per_epoch} steps. Made by `lrlab export`."
    )
    if to == "keras":
        own = keras_code.own_class(schedule, steps_per_epoch, experiment.epochs)
        if own is not None:
            return f"{about}\nimport keras\n\nlearning_rate = {own}"
    parts = ["import numpy as np", *_functions(schedule, steps_per_epoch, experiment.epochs)]
    if to == "keras":
        parts = [f"import keras\n{parts[0]}\nfrom keras import ops", *parts[1:]]
        parts.append(keras_code.LOOKUP.format(steps=steps))
    imports = [part for part in parts if part.startswith(("import ", "from "))]
    others = [part for part in parts if part not in imports]
    return "\n\n\n".join(["\n".join([about, *imports]), *others])


def _functions(schedule: Any, steps_per_epoch: int, epochs: int) -> list[str]:
    """Return all definitions, `learning_rate` and, where it is cycled, `momentum` last."""
    plan = list(pieces(schedule, steps_per_epoch, epochs))
    expressions: dict[str, str] = {}
    named = _named_expressions(plan, expressions)
    curves = {"learning_rate": [piece.rate for piece in plan]}
    if plan[-1].momentum is not None:
        curves["momentum"] = [piece.momentum for piece in plan if piece.momentum is not None]
    used = [f.func for fs in curves.values() for f in fs if isinstance(f, partial)]
    found = [
        text.replace("def step(", f"def {_RENAMED['step']}(")
        for text in definitions(f for f in used if f is not formula)
    ]
    mains = [_main(name, schedule, plan, fs, named, steps_per_epoch) for name, fs in curves.items()]
    return [*found, *expressions.values(), *mains]


def _named_expressions(plan: Sequence[Piece], found: dict[str, str]) -> dict[int, str]:
    """Fill `found` with a function for each expression, and return which piece has which."""
    names: dict[str, str] = {}
    named = {}
    for index, piece in enumerate(plan):
        if isinstance(piece.rate, partial) and piece.rate.func is formula:
            key = repr(sorted(piece.rate.keywords.items()))
            name = names.setdefault(key, f"formula_{len(names) + 1}" if names else "formula")
            found[name] = expression.function(name, **piece.rate.keywords)
            named[index] = name
    return named


def _main(
    name: str,
    schedule: Any,
    plan: Sequence[Piece],
    functions: Sequence[Callable[..., Any]],
    named: Mapping[int, str],
    steps_per_epoch: int,
) -> str:
    title = f'    """Return the {name.replace("_", " ")} of any steps, counted from 0."""'
    lines = [f"def {name}(step):", title]
    if len(plan) == 1 and plan[0].epoch == 1 and plan[0].end == math.inf:
        return "\n".join([*lines, f"    return {_call(functions[0], 'step', named.get(0))}"])
    lines.append("    step = np.array(step, np.float64)")
    kept = len(plan)
    cycle = _cycle(schedule, plan)
    if cycle is not None:
        kept, first, length = cycle
        begun = f"step - {first}" if first else "step"
        again = f"np.clip(({begun}) // {length}, 0, {schedule.cycles - 1})"
        lines.append(f"    step = step - {length} * {again}".replace("(step) //", "step //"))
    if any(piece.epoch > 1 for piece in plan):
        lines.append(f"    epoch_start = step - step % {steps_per_epoch}")
    calls = [
        _call(function, _clock(piece), named.get(index))
        for index, (piece, function) in enumerate(zip(plan, functions, strict=True))
    ][:kept]
    if len(calls) == 1:
        return "\n".join([*lines, f"    return {calls[0]}"])
    tests = [f"step < {piece.start}" for piece in plan[1:kept]]
    lines += ["    return np.select(", f"        [{', '.join(tests)}],", "        ["]
    lines += [f"            {call}," for call in calls[:-1]]
    return "\n".join([*lines, "        ],", f"        {calls[-1]},", "    )"])


def _clock(piece: Piece) -> str:
    """Return the steps since a piece's start, as its formula counts them."""
    step = "step" if piece.epoch == 1 else "epoch_start"
    if piece.end < math.inf:
        end = int(piece.end)
        step = f"np.clip({step}, {piece.start}, {end})"
    elif piece.start:
        step = f"np.maximum({step}, {piece.start})"
    return f"{step} - {piece.start}" if piece.start else step


def _cycle(schedule: Any, plan: Sequence[Piece]) -> tuple[int, int, int] | None:
    """Return how many pieces are enough, where cycles begin and how long each is, if all equal."""
    cycles = getattr(schedule, "cycles", 1)
    before = 0 if schedule.warmup is None else 1
    count, rest = divmod(len(plan) - before, cycles)
    if cycles == 1 or rest or not count:
        return None
    first, length = plan[before].start, plan[before + count].start - plan[before].start
    for one, next_one in zip(plan[before:], plan[before + count :], strict=False):
        same = (
            (next_one.start, next_one.end) == (one.start + length, one.end + length)
            and _written(next_one.rate) == _written(one.rate)
            and next_one.epoch == one.epoch
            and length % one.epoch == 0
        )
        if not same:
            return None
    return before + count, first, length


def _written(function: Any) -> tuple[Any, Any]:
    return function.func, function.keywords


def _call(function: Any, step: str, name: str | None) -> str:
    """Return a formula's call with the arguments that are not its defaults."""
    if name is not None:
        return f"{name}({step})"
    defaults = {
        key: parameter.default
        for key, parameter in inspect.signature(function.func).parameters.items()
    }
    given = {key: v for key, v in function.keywords.items() if v != defaults.get(key)}
    ordered = [f"{key}={_literal(given[key])}" for key in defaults if key in given]
    name = _RENAMED.get(function.func.__name__, function.func.__name__)
    return f"{name}({', '.join([step, *ordered])})"


def _literal(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number(value)
    return repr(value).replace("'", '"')
