"""A user's own model: built fresh for every run from a function or a `.keras` file, and examined.

Keras is imported inside functions only.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from pydantic import ValidationError

from lrlab import metric
from lrlab.errors import CodeError
from lrlab.metric import Metric
from lrlab.tasks import code_errors
from lrlab.tasks.code import CodeReference
from lrlab.tasks.code_loading import Code, file_identity
from lrlab.tasks.data_source import DataSource
from lrlab.tasks.given_code import GivenCode
from lrlab.tasks.optimizers import KINDS, Optimizer
from lrlab.tasks.random_state import preserved_random_state
from lrlab.tasks.task import Task, of_kind

Weights = Literal["fresh", "file"]


@dataclass(frozen=True, eq=False)
class OwnFunction:
    """A loss or metric of the user's own, with what tells it from others."""

    code: Code | GivenCode

    def __call__(self, *args: Any, **named: Any) -> Any:
        """Call it."""
        return self.code.function(*args, **named)

    @property
    def name(self) -> str:
        """Its name in tables and files."""
        return str(self.code.reference.function).rpartition(".")[2]

    def identity(self) -> dict[str, Any]:
        """Return what tells it from others, as JSON."""
        return self.code.identity()


@dataclass(frozen=True)
class OwnModel:
    """A user's model; equal ones are built alike.

    Args:
        stated: What tells it from others, as JSON text.
        label: What tables and figures call it.
        code: The function that makes it, None for a file.
        args: What the user states for the function.
        file: The `.keras` file, None for a function.
        weights: Whether the weights of a file are initialised anew, or where training begins.
    """

    stated: str
    label: str = field(compare=False)
    code: Any = field(default=None, compare=False, repr=False)
    args: Mapping[str, Any] = field(default_factory=dict, compare=False)
    file: CodeReference | None = field(default=None, compare=False)
    weights: Weights = field(default="fresh", compare=False)

    @classmethod
    def of_code(cls, code: Any, args: Mapping[str, Any]) -> "OwnModel":
        """Return the model that a function makes."""
        stated = json.dumps(code.identity(args), sort_keys=True)
        return cls(stated, code.reference.import_string, code=code, args=dict(args))

    @classmethod
    def of_file(cls, reference: CodeReference, weights: Weights) -> "OwnModel":
        """Return the model that a `.keras` file holds.

        Raises:
            CodeError: If there is no such file.
        """
        identity = file_identity(reference) | {"weights": weights}
        stated = json.dumps(identity, sort_keys=True)
        return cls(stated, reference.label, file=reference, weights=weights)

    def identity(self) -> Any:
        """Return what tells it from others, as JSON."""
        return json.loads(self.stated)

    def __call__(self, shape: Any, outputs: int, seed: int) -> Any:
        """Return a fresh Keras model, whose weights are a function of the seed alone.

        Args:
            shape: Shape of one example, or a dict or tuple of them.
            outputs: Values that the last layer should give.
            seed: Seed of the weights, >= 0.

        Raises:
            CodeError: If the user's function fails or returns something else.
        """
        import keras

        with preserved_random_state(seed):
            if self.file is not None:
                return _from_file(self.file, self.weights)
            offered = {"input_shape": shape, "outputs": outputs, "seed": seed}
            built = self.code.call(offered, self.args)
        if not isinstance(built, keras.Model):
            raise code_errors.wrong_return(self.code.reference.text, "a Keras model", built)
        return built


def _from_file(reference: CodeReference, weights: Weights) -> Any:
    import keras

    try:
        loaded = keras.models.load_model(str(reference.origin), safe_mode=True)
    except Exception as error:  # Keras raises whatever a damaged or strange file leads to.
        text = " ".join(str(error).split())[:300]
        raise CodeError(f"`{reference.text}` cannot be loaded: {text}") from error
    if weights == "file":
        return loaded
    fresh = type(loaded).from_config(loaded.get_config())
    if loaded.compiled:
        fresh.compile_from_config(loaded.get_compile_config())
    return fresh


@dataclass(frozen=True)
class Examined:
    """What is known of a user's model once it has been built.

    Args:
        task: The task with the model's own loss and metric, where it is compiled.
        optimizer: Its own optimizer, None where it has none.
        parameters: How many weights are trained.
    """

    task: Task
    optimizer: "CompiledOptimizer | None"
    parameters: int


def examine(model: OwnModel, source: DataSource, stated: Task | None) -> Examined:
    """Build a user's model twice and check it against its data, before anything is trained.

    Args:
        model: The model.
        source: What it will be trained on.
        stated: The task as the experiment states it; None: as the targets ask for it.

    Raises:
        CodeError: If it cannot be built, gives other weights the second time, has nothing to
            train or a `train_step` of its own, or cannot take the data.
    """
    task = stated or source.task
    first, second = (model(source.shape, task.outputs, 0) for _ in range(2))
    _check_training(first, model)
    outputs = _check_fits(first, model, source)
    if not first.built or not second.built:
        _check_fits(second, model, source)
    _check_equal(first, second, model)
    if task.kind == "classification" and task.outputs == 2 and _gives_one(outputs):
        task = replace(of_kind("binary", 1), metric=task.metric, measure=task.measure)
    optimizer = None
    if first.compiled:
        if stated is None:
            task = replace(task, loss=None)
            task = _with_own_metric(task, first)
        optimizer = CompiledOptimizer.of(first.optimizer)
    _check_outputs(outputs, task, model, source)
    trained = sum(int(np.prod(v.shape)) for v in first.trainable_variables)
    return Examined(task, optimizer, trained)


@dataclass(frozen=True)
class CompiledOptimizer:
    """The optimizer that a user's model was compiled with, as JSON text."""

    config: str

    @classmethod
    def of(cls, optimizer: Any) -> "CompiledOptimizer":
        """Return what builds an optimizer like this one."""
        import keras

        config = keras.optimizers.serialize(getattr(optimizer, "inner_optimizer", optimizer))
        config["config"]["learning_rate"] = 0.0
        return cls(json.dumps(config, sort_keys=True, default=str))

    def build(self) -> Any:
        """Return a new one, whose rate is assigned at every step."""
        import keras

        return keras.optimizers.deserialize(json.loads(self.config))

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
            CodeError: If the function fails, returns something else, or sets its own rates.
        """
        import keras

        built = self.code.call({"learning_rate": 0.0}, self.args)
        if not isinstance(built, keras.optimizers.Optimizer):
            raise code_errors.wrong_return(self.code.reference.text, "a Keras optimizer", built)
        config = CompiledOptimizer.of(built)
        return config.build()

    def identity(self) -> Any:
        """Return what tells it from others, as JSON."""
        return json.loads(self.stated)


def _check_training(built: Any, model: OwnModel) -> None:
    import keras

    if type(built).train_step is not keras.Model.train_step:
        raise CodeError(
            f"`{model.label}` has a `train_step` of its own, which lrlab's loop would not call",
            "override `compute_loss` instead, or use `lrlab.KerasSchedule` with your own `fit`",
        )


def _check_fits(built: Any, model: OwnModel, source: DataSource) -> Any:
    """Return what the model gives for two examples, which also makes its variables."""
    import keras

    try:
        given = source.sample()
        return keras.tree.map_structure(lambda y: tuple(y.shape), built(given, training=False))
    except CodeError:
        raise
    except Exception as error:  # A layer raises whatever it likes about a shape.
        text = " ".join(str(error).split())
        raise CodeError(
            f"`{model.label}` cannot take the data, examples of shape {source.shape}: {text[:300]}"
        ) from error


def _check_equal(first: Any, second: Any, model: OwnModel) -> None:
    pairs = list(zip(first.variables, second.variables, strict=False))
    if len(first.variables) != len(second.variables) or any(a.shape != b.shape for a, b in pairs):
        raise CodeError(
            f"`{model.label}` is another model each time it is built",
            "its layers must not depend on chance or on what was built before",
        )
    for one, other in pairs:
        if not np.array_equal(one.numpy(), other.numpy()):
            raise CodeError(
                f"`{model.label}` begins with other weights (`{one.path}`) each time it is built, "
                "although the seed is the same",
                "draw random numbers from `keras.random` or from the parameter `seed`",
            )
    if not first.trainable_variables:
        raise CodeError(f"`{model.label}` has nothing to train: all its weights are frozen")


def _gives_one(outputs: Any) -> bool:
    return isinstance(outputs, tuple) and outputs[1:] in ((1,), ())


def _check_outputs(outputs: Any, task: Task, model: OwnModel, source: DataSource) -> None:
    """Make sure that a single output has as many values as the targets ask for."""
    single = isinstance(outputs, tuple) and all(isinstance(n, int) for n in outputs)
    if not single or task.parts is not None or task.loss is None:
        return
    given = outputs[-1] if len(outputs) > 1 else 1
    classes = task.activation == "softmax"
    # More outputs than classes are spare; of anything else there must be as many as targets.
    if given < task.outputs or (given > task.outputs and not classes):
        wanted = f"{task.outputs} {'classes' if classes else 'values'}"
        raise CodeError(
            f"`{model.label}` gives {given} values per example; `{source.name}` asks for {wanted}",
            "take the number of outputs from the parameter `outputs`",
        )


def _with_own_metric(task: Task, built: Any) -> Task:
    """Return the task with the first metric that a model was compiled with."""
    stated = built.get_compile_config() or {}
    names = stated.get("metrics")
    first = names[0] if isinstance(names, list) and names else None
    if not isinstance(first, str) or first in ("accuracy", "acc"):
        return task
    try:
        judged: Metric = metric.known(first)
    except ValueError:
        return task
    return replace(task, metric=judged)
