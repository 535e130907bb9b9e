"""A user's function of the step: called with what its signature names, checked, identified."""

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lrlab.errors import CodeError
from lrlab.schedules.length import Length
from lrlab.schedules.own_schedule import whole
from lrlab.schedules.pieces import Rates
from lrlab.tasks import code_errors, standalone
from lrlab.tasks.code import CodeReference
from lrlab.tasks.code_arguments import arguments as fitting
from lrlab.tasks.code_loading import Code
from lrlab.tasks.given_code import PYTHON, GivenCode, stand_in, unfolded
from lrlab.tasks.random_state import preserved_random_state

_CHECKED_ALONE = 5
"""Steps, over the whole run, whose rates are also asked for one at a time."""


@dataclass(frozen=True, eq=False)
class OwnCurve:
    """A function of the step, from a file or from Python.

    Args:
        reference: What messages call it.
        function: The function.
        args: What the user states for it.
        code: The code it was loaded from, None for a function that Python gave.
    """

    reference: CodeReference
    function: Callable[..., Any]
    args: Mapping[str, Any] = field(default_factory=dict)
    code: Code | None = None
    _sound: set[Length] = field(default_factory=set)

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what makes the same function on another machine."""
        if self.code is None:
            raise TypeError(f"`{self.reference.text}` is a function of this process")
        return OwnCurve.of_code, (self.code, self.args)

    @classmethod
    def of_code(cls, code: Code, args: Mapping[str, Any]) -> "OwnCurve":
        """Return the function that code defines."""
        return cls(code.reference, code.function, dict(args), code)

    @classmethod
    def of_function(cls, function: Any, args: Mapping[str, Any]) -> "OwnCurve":
        """Return a function that Python gave; who calls lrlab with it consents to it.

        Raises:
            CodeError: If it is a `functools.partial` that binds arguments by position.
        """
        if isinstance(function, functools.partial):
            function, bound = unfolded(function)
            args = bound | dict(args)
        name = stand_in(getattr(function, "__name__", type(function).__name__))
        return cls(CodeReference(name, PYTHON, name.partition(":")[2]), function, dict(args))

    @property
    def name(self) -> str:
        """Its name in its source."""
        return str(getattr(self.function, "__name__", self.reference.function))

    def arguments(self, length: Length) -> dict[str, Any]:
        """Return all its arguments but the steps, in a run of that length.

        Raises:
            CodeError: If `args` do not fit, or something is missing.
        """
        offered = {
            "steps": length.steps,
            "epochs": whole(length.epochs),
            "steps_per_epoch": length.steps_per_epoch,
        }
        first = self._first()
        offered.pop(first, None)
        _, named = fitting(self.reference, self.function, {first: None, **offered}, self.args)
        named.pop(first, None)
        return named

    def __call__(self, step: Rates, /, **arguments: Any) -> Any:
        """Return what it gives for steps, shape (n,).

        Raises:
            CodeError: If it fails, or does not return a rate for every step.
        """
        given = {self._first(): np.array(step), **arguments}
        if self.code is not None:
            found = self.code.call({}, given)
        else:
            positional, named = fitting(self.reference, self.function, {}, given)
            found = self.function(*positional, **named)
        return self._rates(found, step)

    def check(self, length: Length) -> None:
        """Make sure that it gives sound rates for every step of a run of that length.

        They have to be finite and at least 0, the same again, and for one step alone the same as
        among all others.

        Raises:
            CodeError: If they are not.
        """
        if length in self._sound:
            return
        arguments, step = self.arguments(length), np.arange(float(length.steps))
        with preserved_random_state(1):
            rates = self(step, **arguments)
        self._check_values(rates)
        with preserved_random_state(2):
            again = self(step, **arguments)
        if not np.array_equal(rates, again):
            at = int((rates != again).argmax())
            raise CodeError(
                f"`{self.reference.text}` gives other rates each time: at step {at:,} "
                f"{rates[at]:g}, then {again[at]:g}",
                "the rate has to be a function of the step alone, without chance or memory",
            )
        for at in np.unique(np.linspace(0, length.steps - 1, _CHECKED_ALONE).astype(int)):
            (alone,) = self(step[at : at + 1], **arguments)
            if not np.isclose(alone, rates[at], rtol=1e-9, atol=0):
                raise CodeError(
                    f"`{self.reference.text}` gives step {at:,} the rate {rates[at]:g} among all "
                    f"steps, and {alone:g} alone",
                    "each rate has to depend on its own step: for the length of the run take the "
                    "parameter `steps` in place of `len(step)` or `step.max()`",
                )
        self._sound.add(length)

    def identity(self) -> dict[str, Any]:
        """Return what tells it from others, as JSON.

        Raises:
            CodeError: If nobody can tell it from another one.
        """
        return (self.code or GivenCode.of(self.function)).identity(self.args)

    def definitions(self) -> list[str]:
        """Return its source with all that it needs, in an order in which it can run.

        Raises:
            UsageError: If it needs more than NumPy, or is not a plain function.
        """
        return standalone.definitions(self.function, self.reference.text)

    def _first(self) -> str:
        """Return the name of the parameter that takes the steps: `step`, or else the first."""
        names = list(inspect.signature(self.function).parameters)
        if not names:
            raise CodeError(
                f"`{self.reference.text}` has no parameter for the steps",
                "write it as `def warp(step, ...)`; it gets a NumPy array of steps",
            )
        return "step" if "step" in names else names[0]

    def _rates(self, found: Any, step: Rates) -> Rates:
        expected = f"an array of {len(step):,} rates, one for each step it gets"
        if isinstance(found, list | tuple) or hasattr(found, "__array__"):
            try:
                rates = np.asarray(found)
            except ValueError:  # Lists of different lengths.
                raise code_errors.wrong_return(self.reference.text, expected, found) from None
            if rates.shape == step.shape and np.issubdtype(rates.dtype, np.number):
                if not np.iscomplexobj(rates):
                    return rates.astype(np.float64)
                expected += ", as real numbers"
        elif isinstance(found, int | float) and not isinstance(found, bool):
            expected += f" (a constant one is `np.full(step.shape, {found:g})`)"
        raise code_errors.wrong_return(self.reference.text, expected, found)

    def _check_values(self, rates: Rates) -> None:
        bad = ~(np.isfinite(rates) & (rates >= 0))
        if bad.any():
            first = int(bad.argmax())
            raise CodeError(
                f"`{self.reference.text}` gives no rate at {bad.sum():,} of {len(rates):,} steps, "
                f"first {rates[first]:g} at step {first:,}",
                "a rate is a finite number of at least 0",
            )
