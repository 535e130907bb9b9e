"""Optimizers of a user's own: those that models were compiled with, and what functions make.

Keras is imported inside functions only.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from lrlab.errors import CodeError
from lrlab.tasks import code_errors
from lrlab.tasks.optimizers import KINDS, Optimizer


@dataclass(frozen=True)
class CompiledOptimizer:
    """The optimizer that a user's model was compiled with; each new model brings one along.

    Args:
        config: What tells it from others, as JSON text.
    """

    config: str

    @classmethod
    def of(cls, optimizer: Any) -> "CompiledOptimizer":
        """Return what tells an optimizer from others; its rate is none of it."""
        import keras

        inner = getattr(optimizer, "inner_optimizer", optimizer)
        config = keras.optimizers.serialize(inner)
        config["config"]["learning_rate"] = 0.0
        for name in ("_exclude_from_weight_decay", "_exclude_from_weight_decay_pattern"):
            if excluded := getattr(inner, name, None):  # Of which its config says nothing.
                config["config"][name] = str(getattr(excluded, "pattern", excluded))
        return cls(json.dumps(config, sort_keys=True, default=str))

    def identity(self) -> Any:
        """Return what tells it from others, as JSON."""
        return json.loads(self.config)

    def known(self) -> Optimizer | None:
        """Return the optimizer of lrlab's own that equals it, None if there is none."""
        stated = json.loads(self.config)
        for kind in KINDS:
            if kind.keras_name == stated["class_name"]:
                given = {k: stated["config"].get(k) for k in kind.model_fields if k != "type"}
                given = {k: value for k, value in given.items() if value is not None}
                try:
                    found: Optimizer = kind.model_validate({"type": kind.named(), **given})
                except ValidationError:
                    return None
                ours = CompiledOptimizer.of(found.build()).identity()["config"]
                theirs = stated["config"]
                same = {**ours, "name": ""} == {**theirs, "name": ""}
                return found if same else None
        return None


@dataclass(frozen=True)
class GivenOptimizer:
    """A Keras optimizer that was given from Python, made anew for each run from its config."""

    given: CompiledOptimizer

    def build(self) -> Any:
        """Return a new one, whose rate is assigned at every step."""
        import keras

        return keras.optimizers.deserialize(self.identity())

    def identity(self) -> Any:
        """Return what tells it from others, as JSON."""
        return self.given.identity()


@dataclass(frozen=True)
class OwnOptimizer:
    """An optimizer that a user's function makes; equal ones are made alike.

    Args:
        stated: What tells it from others, as JSON text.
        code: The function.
        args: What the user states for it.
    """

    stated: str
    code: Any = field(compare=False, repr=False)
    args: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @classmethod
    def of_code(cls, code: Any, args: Mapping[str, Any]) -> "OwnOptimizer":
        """Return the optimizer that a function makes."""
        return cls(json.dumps(code.identity(args), sort_keys=True), code, dict(args))

    def build(self) -> Any:
        """Return a new one, whose rate is assigned at every step.

        Raises:
            CodeError: If the function fails, returns something else, or an optimizer that cannot
                be used.
        """
        import keras

        built = self.code.call({"learning_rate": 0.0}, self.args)
        if not isinstance(built, keras.optimizers.Optimizer):
            raise code_errors.wrong_return(self.code.reference.text, "a Keras optimizer", built)
        check(built, f"the optimizer of `{self.code.reference.import_string}`")
        return built

    def identity(self) -> Any:
        """Return what tells it from others, as JSON."""
        return json.loads(self.stated)


def check(optimizer: Any, name: str) -> None:
    """Make sure that lrlab can set the rate of a Keras optimizer at every step.

    Args:
        optimizer: The optimizer.
        name: What messages call it.

    Raises:
        CodeError: If it has a schedule of its own, or averages weights at the end of `fit`.
    """
    from keras.optimizers.schedules import LearningRateSchedule

    inner = getattr(optimizer, "inner_optimizer", optimizer)
    if isinstance(getattr(inner, "_learning_rate", None), LearningRateSchedule):
        raise CodeError(
            f"{name} has a schedule of its own, and lrlab sets the rate of every step",
            "give it a number as its learning rate, and state the schedule in the config",
        )
    if getattr(inner, "use_ema", False):
        raise CodeError(
            f"{name} averages the weights when `fit` ends (`use_ema`), which lrlab does not",
            "leave out `use_ema`",
        )
