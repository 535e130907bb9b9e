"""Curves from pieces: formulas with their arguments, one after another, each with its own clock.

A warm-up is a piece in front, a sequence one piece a phase; a plain schedule is a single piece.
"""

import inspect
import math
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

Rates = npt.NDArray[np.float64]
"""Learning rates, or momenta, one a step."""

# Steps computed at a time: the formulas' intermediate values of a long run would fill the memory.
_BLOCK = 1_000_000


@dataclass(frozen=True)
class Call:
    """A formula with its arguments: a function of the step that can also be written as code.

    Args:
        formula: Takes the steps, then the arguments by keyword.
        arguments: Its arguments.
        helpers: Functions that the formula calls, in the order in which they are defined.
    """

    formula: Callable[..., Rates]
    arguments: Mapping[str, Any]
    helpers: tuple[Callable[..., Any], ...] = ()

    def __call__(self, step: Rates) -> Rates:
        """Return the rates, float64, in the shape of `step`."""
        return self.formula(step, **self.arguments)

    def times(self, factor: float) -> "Call":
        """Return the call with rates that are higher by a factor; 1 leaves it as it is."""
        if factor == 1:
            return self
        return Scaled(self.formula, self.arguments, self.helpers, call=self, factor=factor)

    @property
    def key(self) -> Hashable:
        """What calls that share a definition have in common."""
        return self.formula

    @property
    def name(self) -> str:
        """What the defined function is called."""
        return self.formula.__name__

    def definitions(self, name: str) -> Iterator[str]:
        """Yield the source of all that the call needs, the function `name` last."""
        for function in (*self.helpers, self.formula):
            yield inspect.getsource(function).rstrip()

    def written(self, name: str, step: str) -> str:
        """Return the call as code, with the arguments that are not defaults."""
        parameters = inspect.signature(self.formula).parameters
        given = [
            f"{key}={_literal(self.arguments[key])}"
            for key, parameter in parameters.items()
            if key in self.arguments and self.arguments[key] != parameter.default
        ]
        return f"{name}({', '.join([step, *given])})"


@dataclass(frozen=True)
class Scaled(Call):
    """A call times a factor."""

    call: Call = field(kw_only=True)
    factor: float = field(kw_only=True)

    def __call__(self, step: Rates) -> Rates:
        """Return the rates, float64, in the shape of `step`."""
        return self.factor * self.call(step)

    def times(self, factor: float) -> Call:
        """Return the call with rates that are higher by another factor as well."""
        return self.call.times(self.factor * factor)

    @property
    def key(self) -> Hashable:
        """What calls that share a definition have in common: it is the same one, scaled or not."""
        return self.call.key

    @property
    def name(self) -> str:
        """What the defined function is called."""
        return self.call.name

    def definitions(self, name: str) -> Iterator[str]:
        """Yield the source of all that the call needs, the function `name` last."""
        return self.call.definitions(name)

    def written(self, name: str, step: str) -> str:
        """Return the call as code."""
        return f"{number(self.factor)} * {self.call.written(name, step)}"


def number(value: float) -> str:
    """Return a number as one writes it: a whole one without a point."""
    whole = float(value).is_integer() and abs(value) < 2**53
    return str(int(value)) if whole else repr(float(value))


def _literal(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number(value)
    return f'"{value}"' if isinstance(value, str) else repr(value)


@dataclass(frozen=True)
class Piece:
    """A formula that holds from the step `start` until the next piece begins.

    Args:
        start: Its first step; its formula counts from there.
        end: After this step its last value holds.
        rate: The rates, a function of the steps since `start`.
        momentum: The momentum likewise, None where it is not cycled.
        epoch: Steps in an epoch if it moves only where an epoch of the run begins, else 1.
    """

    start: int
    end: float
    rate: Call
    momentum: Call | None = None
    epoch: int = 1

    def scaled(self, factor: float) -> "Piece":
        """Return the piece with rates that are higher by a factor; 1 leaves it as it is."""
        return replace(self, rate=self.rate.times(factor))

    def clock(self, step: Rates) -> Rates:
        """Return the steps since `start`, as the formula counts them."""
        begun = np.maximum(step - step % self.epoch, self.start)
        return np.minimum(begun, self.end) - self.start


def joined(plan: Sequence[Piece], calls: Sequence[Call], step: npt.ArrayLike) -> Rates:
    """Return what the pieces' calls give, each from its piece's start to the next one's."""
    at = np.array(step, np.float64)
    result = np.empty(at.size, np.float64)
    starts = [piece.start for piece in plan]
    for first in range(0, at.size, _BLOCK):
        block = at.reshape(-1)[first : first + _BLOCK]
        holds = np.searchsorted(starts, block, side="right") - 1
        order = np.argsort(holds, kind="stable")
        indices, ends = np.unique(holds[order], return_index=True)
        for index, here in zip(indices, np.split(order, ends[1:]), strict=True):
            with np.errstate(over="ignore"):  # A power may be infinite where the rate is 0.
                result[first + here] = calls[index](plan[index].clock(block[here]))
    return result.reshape(at.shape)


def warm_up(warmup: Any, steps: int, before: Piece, start: int = 0, end: float = math.inf) -> Piece:
    """Return the piece that goes from the warm-up's first rate to the first rate of `before`."""
    first = float(before.rate(np.zeros(())))
    arguments = {"initial_lr": warmup.from_, "end_lr": first, "over": steps, "shape": warmup.shape}
    high = None
    if before.momentum is not None:
        high = held(float(before.momentum(np.zeros(()))))
    return Piece(start, min(start + steps, end), Call(ramp, arguments), high)


def held(value: float) -> Call:
    """Return the call of a rate, or momentum, that stays."""
    return Call(hold, {"value": value})


def ramp(
    step: npt.ArrayLike, *, initial_lr: float, end_lr: float, over: float, shape: str = "linear"
) -> npt.NDArray[np.float64]:
    """Return the warm-up before a schedule: `linear` or `cosine` up to the schedule's first rate.

    Args:
        step: Steps, any shape.
        initial_lr: The rate at step 0, >= 0.
        end_lr: The first rate of the schedule that follows.
        over: Steps of the warm-up, > 0.
        shape: How it rises.

    Returns:
        The rates, float64, in the shape of `step`.

    Example:
        >>> ramp([0, 5, 10], initial_lr=0.0, end_lr=1.0, over=10)
        array([0. , 0.5, 1. ])
    """
    f = np.clip(np.array(step, np.float64) / over, 0.0, 1.0)
    if shape == "cosine":
        return end_lr + (initial_lr - end_lr) * ((1.0 + np.cos(np.pi * f)) / 2.0)
    return (1.0 - f) * initial_lr + f * end_lr


def hold(step: npt.ArrayLike, *, value: float) -> npt.NDArray[np.float64]:
    """Return the same value at every step, float64, in the shape of `step`."""
    return np.full(np.shape(step), value, np.float64)
