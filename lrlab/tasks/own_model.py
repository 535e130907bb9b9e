"""A user's own model: built fresh for every run from a function or a `.keras` file.

Keras is imported inside functions only.
"""

import contextlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from lrlab.errors import CodeError
from lrlab.tasks import code_errors, code_shipping
from lrlab.tasks.code import CodeReference
from lrlab.tasks.code_loading import Code, file_identity
from lrlab.tasks.given_code import GivenCode
from lrlab.tasks.random_state import preserved_random_state

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

    def __getstate__(self) -> dict[str, Any]:
        """Return what makes the same model on another machine, a saved one from its file."""
        if self.file is None:
            return dict(self.__dict__)
        path = Path(self.file.origin)
        return self.__dict__ | {"shipped": code_shipping.packed({path.name: path})}

    def __setstate__(self, state: dict[str, Any]) -> None:
        if (contents := state.pop("shipped", None)) is not None:
            state["file"] = code_shipping.unpacked(state["file"], contents)
        self.__dict__.update(state)

    def identity(self) -> Any:
        """Return what tells it from others, as JSON."""
        return json.loads(self.stated)

    def __call__(self, shape: Any, outputs: int, seed: int, sample: Any) -> Any:
        """Return a fresh Keras model, whose weights are a function of the seed alone.

        One that makes its variables when it is first called is given symbols of the shapes of the
        sample, as `fit` does it: nothing is computed, and no random seed moves on.

        Args:
            shape: Shape of one example, or a dict or tuple of them.
            outputs: Values that the last layer should give.
            seed: Seed of the weights, >= 0.
            sample: Some examples.

        Raises:
            CodeError: If the user's function fails or returns something else, or the model cannot
                take such examples.
        """
        import keras

        with preserved_random_state(seed):
            if self.file is not None:
                built = _from_file(self.file, self.weights)
            else:
                offered = {"input_shape": shape, "outputs": outputs, "seed": seed}
                built = self.code.call(offered, self.args)
            if not isinstance(built, keras.Model):
                raise code_errors.wrong_return(self.code.reference.text, "a Keras model", built)
            if not built.built:
                # A `Sequential` takes the size of this batch for the only one that it ever gets.
                any_size = isinstance(built, keras.Sequential)
                symbols = keras.tree.map_structure(lambda x: _symbol(x, any_size), sample)
                self.call(built, symbols)
        return built

    def call(self, built: Any, x: Any) -> Any:
        """Return what a model gives for some examples.

        Raises:
            CodeError: If it cannot take them.
        """
        return self.at_home(lambda: predicted(built, x, training=False), x)

    def at_home(self, function: Callable[[], Any], x: Any) -> Any:
        """Return what a function returns that runs the user's code in a model on some examples.

        Raises:
            CodeError: If that code fails.
        """
        home = contextlib.nullcontext() if self.code is None else self.code.running()
        with home:
            try:
                return function()
            except Exception as error:  # A layer raises whatever it likes about a shape.
                raise self._misfit(error, x) from error

    def _misfit(self, error: Exception, x: Any) -> CodeError:
        import keras

        shapes = keras.tree.map_structure(lambda each: str(tuple(each.shape[1:])), x)
        text = _in_short(error)
        details: tuple[str, ...] = ()
        if self.code is not None:  # Of which only the frames are told again.
            told = Exception(text).with_traceback(error.__traceback__)
            details = self.code.failed(told).details
        return CodeError(
            f"`{self.label}` cannot take the data, examples of shape "
            f"{str(shapes).replace(chr(39), '')}: {text}",
            details=details,
        )


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


def predicted(model: Any, x: Any, *, training: bool) -> Any:
    """Return a model's outputs for a batch; some `call` methods do not know of training."""
    if getattr(model, "_call_has_training_arg", True):
        return model(x, training=training)
    return model(x)


def variables_of(model: Any) -> list[Any]:
    """Return all variables of a model: weights, random seeds, and the states of stateful layers.

    Keras counts those states as none of a model's variables.
    """
    import keras

    stateful = [each for each in model._flatten_layers() if getattr(each, "stateful", False)]
    states = keras.tree.flatten([each.states for each in stateful])
    return [*model.variables, *states]


def _symbol(array: Any, any_size: bool) -> Any:
    import keras

    dtype = keras.backend.standardize_dtype(array.dtype)
    batch = None if any_size else array.shape[0]
    return keras.KerasTensor((batch, *array.shape[1:]), dtype)


def _in_short(error: Exception) -> str:
    """Return what an error says, without the colours and the arguments that Keras adds."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
    text = re.sub(r"^(\s*Exception encountered when calling .*\n)+", "", text)
    text = text.split("\n\nArguments received by")[0]
    text = re.sub(r"(?s)^\s*Could not automatically infer .*?Error encountered:", "", text)
    return " ".join(text.split())[:300]
