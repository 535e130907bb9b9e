"""Objects that Python hands over in place of references to code: functions, a built Keras model."""

import contextlib
import functools
import inspect
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lrlab.errors import CodeError
from lrlab.tasks import code_errors
from lrlab.tasks.code import CodeReference
from lrlab.tasks.code_arguments import arguments
from lrlab.tasks.code_home import DEFAULT_SETTINGS, keras_settings, set_keras
from lrlab.tasks.given_identity import digest_of, is_local

PYTHON = "python"
"""What stands for a module where an object was given: `python:build`."""


def stand_in(name: str) -> str:
    """Return what configs, tables and figures call an object.

    Example:
        >>> stand_in("build"), stand_in("<lambda>"), stand_in("my net")
        ('python:build', 'python:lambda', 'python:my_net')
    """
    plain = re.sub(r"\W+", "_", name.strip("<>"), flags=re.ASCII).strip("_")
    return f"{PYTHON}:{plain if plain and not plain[0].isdigit() else f'_{plain}'}"


@dataclass(frozen=True, eq=False)
class GivenCode:
    """A function, as it stood when it was given.

    Args:
        function: The function, or a class that is called as one.
        digest: What tells it from others.
        name: What messages call it.
        settings: Keras' settings of the process that gave it; they hold while it runs.
    """

    function: Callable[..., Any]
    digest: str
    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, function: Callable[..., Any], name: str | None = None) -> "GivenCode":
        """Return a function as code, by its own name unless another is given.

        Raises:
            CodeError: If nobody can tell it from another one.
        """
        name = name or str(getattr(function, "__name__", type(function).__name__))
        return cls(function, digest_of(name, function), name, keras_settings())

    @property
    def reference(self) -> CodeReference:
        """What messages call it."""
        name = stand_in(self.name)
        return CodeReference(name, PYTHON, name.partition(":")[2])

    def call(self, offered: Mapping[str, Any], args: Mapping[str, Any] | None = None) -> Any:
        """Return what the function returns, called with what its signature names.

        Raises:
            CodeError: If the arguments do not fit, or the function fails.
        """
        positional, named = arguments(self.reference, self.function, offered, args or {})
        with self.running():
            try:
                return self.function(*positional, **named)
            except Exception as error:
                raise self.failed(error) from error

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Let it, or what it made, run: under Keras' settings of where it was given."""
        before = keras_settings()
        set_keras(self.settings)
        try:
            yield
        finally:
            set_keras(before)

    def failed(self, error: BaseException) -> CodeError:
        """Return what is told where it, or what it made, has failed."""
        return _failed(self.reference.text, error)

    def identity(self, args: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return what tells it from others, as JSON."""
        found: dict[str, Any] = {"import": self.reference.import_string}
        if args:
            try:
                found["args"] = json.loads(json.dumps(dict(args), allow_nan=False))
            except (TypeError, ValueError) as error:
                raise CodeError(f"`args` of `{self.reference.text}`: {error}") from error
        found["sha256"] = {self.reference.import_string: self.digest}
        unusual = {
            name: str(getattr(value, "name", value))
            for name, value in self.settings.items()
            if getattr(value, "name", value) != DEFAULT_SETTINGS[name]
        }
        return found | ({"keras": unusual} if unusual else {})


def _failed(name: str, error: BaseException) -> CodeError:
    """Return the error of code that Python gave; its frames are all that no library has."""
    return code_errors.failed(name, error, Path.cwd(), is_local)


def unfolded(function: Any) -> tuple[Any, dict[str, Any]]:
    """Return a function and the arguments that `functools.partial` binds, if it is one.

    Raises:
        CodeError: If arguments are bound by position, or it is neither function nor class.
    """
    bound: dict[str, Any] = {}
    while isinstance(function, functools.partial):
        if function.args:
            raise CodeError("a `functools.partial` must bind its arguments by name")
        bound = dict(function.keywords) | bound
        function = function.func
    if not (inspect.isroutine(function) or inspect.isclass(function)):
        raise CodeError(
            f"a function is needed, got {code_errors.described(function)}",
            "write a `def` that makes what is needed",
        )
    return function, bound


class Template:
    """A built Keras model as the pattern of fresh ones: its layers are made again for each run.

    Args:
        model: The model; it is only read.

    Raises:
        CodeError: If it cannot be made again.
    """

    settings: Mapping[str, Any] = {}

    def __init__(self, model: Any) -> None:
        self._model = model
        self.function = self.call
        name = stand_in(re.sub(rf"^({_counted(model)})_[0-9]+$", r"\1", model.name))
        self.reference = CodeReference(name, PYTHON, name.partition(":")[2])
        _require_nothing_learned(model)
        self._config = _config_of(model)

    def call(self, offered: Mapping[str, Any], args: Mapping[str, Any] | None = None) -> Any:
        """Return a fresh model of the same layers, compiled alike."""
        import keras

        try:
            fresh = keras.models.clone_model(self._model)
        except Exception as error:  # A layer raises whatever it likes.
            text = " ".join(str(error).split())[:300]
            raise _not_again(self._model, text) from error
        if self._model.compiled:
            stated = self._model._compile_config.config
            fresh.compile(
                loss=stated.get("loss"),
                loss_weights=stated.get("loss_weights"),
                metrics=_names(stated.get("metrics")),
                jit_compile=False,
            )
            fresh.optimizer = self._model.optimizer  # Only its settings are read.
        return fresh

    def running(self) -> contextlib.AbstractContextManager[None]:
        """Return the context in which what it made has to run."""
        return contextlib.nullcontext()

    def failed(self, error: BaseException) -> CodeError:
        """Return what is told where what it made has failed."""
        return _failed(self.reference.text, error)

    def identity(self, args: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return what tells it from others, as JSON; names that Keras counts up do not count."""
        classes = {type(layer) for layer in self._model._flatten_layers()}
        functions = [
            layer.function for layer in self._model._flatten_layers() if hasattr(layer, "function")
        ]
        ordered = sorted(classes, key=lambda each: f"{each.__module__}.{each.__qualname__}")
        digest = digest_of(self.reference.text, self._config, ordered, functions, *self._compiled())
        return {"import": "python:keras.Model", "sha256": {"config": digest}}

    def _compiled(self) -> list[Any]:
        if not self._model.compiled:
            return []
        stated = self._model._compile_config.config
        return [stated.get("loss"), stated.get("loss_weights"), _names(stated.get("metrics"))]


def _counted(layer: Any) -> str:
    """Return what Keras calls a layer of a class, before it counts."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", type(layer).__name__).lower()


def _names(metrics: Any) -> Any:
    """Return the metrics that are named; objects would be shared by all runs."""
    names = isinstance(metrics, list) and all(isinstance(each, str) for each in metrics)
    return metrics if names else None


def _config_of(model: Any) -> str:
    """Return a model's configuration as text, in which counted names are numbered anew."""
    import keras

    try:
        config = [type(model).__name__, model.get_config()]
        text = json.dumps(config, sort_keys=True, default=keras.saving.serialize_keras_object)
    except Exception as error:  # A class without `get_config` of its own.
        text = " ".join(str(error).split())[:300]
        raise _not_again(model, text) from error
    for number, layer in enumerate(model._flatten_layers()):
        counted = _counted(layer)
        if re.fullmatch(rf"{counted}(_[0-9]+)?", layer.name):
            text = text.replace(f'"{layer.name}"', f'"{counted}#{number}"')
    return text


def _require_nothing_learned(model: Any) -> None:
    """Make sure that no layer holds what new layers would lack: frozen or adapted weights."""
    for layer in model._flatten_layers(include_self=False):
        adapted = hasattr(layer, "adapt") and getattr(layer, "input_mean", None) is None
        if adapted or (layer.weights and not layer.trainable):
            raise CodeError(
                f"the layers of `{model.name}` are made again for each run, and `{layer.name}` "
                f"would lose what it was {'adapted to' if adapted else 'loaded with'}",
                "give a function that makes and loads the model, or save it and give "
                '`model={"build": "net.keras", "weights": "file"}`',
            )


def _not_again(model: Any, text: str) -> CodeError:
    return CodeError(
        f"the model `{model.name}` cannot be made again for each run: {text}",
        "give the function that makes it",
    )
