"""Objects in place of names: what a config says in their stead, and the objects themselves."""

import functools
import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lrlab import metric as metrics
from lrlab.config.source import Override
from lrlab.errors import CodeError, DataError, UsageError
from lrlab.reporter import Reporter
from lrlab.tasks import data, stream_source
from lrlab.tasks.data_source import DataSource
from lrlab.tasks.given_code import PYTHON, GivenCode, Template, stand_in, unfolded
from lrlab.tasks.own_model import OwnFunction, OwnModel
from lrlab.tasks.own_optimizer import CompiledOptimizer, GivenOptimizer, OwnOptimizer
from lrlab.tasks.parts import Given
from lrlab.tasks.random_state import preserved_random_state
from lrlab.tasks.readers import returned
from lrlab.tasks.split import DRAWN, parsed
from lrlab.tasks.stated_task import OwnCode
from lrlab.tasks.streamed import Streams

DATA = f"{PYTHON}:data"
"""What a config says where arrays were given."""


@dataclass
class StandIns:
    """What was given, taken apart.

    Attributes:
        settings: What configs say, by their keys.
        own: The objects that they say it in place of.
    """

    settings: dict[str, Any] = field(default_factory=dict)
    own: OwnCode = field(default_factory=OwnCode)

    def overrides(self) -> list[Override]:
        """Return what takes the place of what configs say."""
        return [
            Override((key,), value, f"`{key}=`")
            for key, value in self.settings.items()
            if value is not None
        ]


def stand_ins(settings: Mapping[str, Any]) -> StandIns:
    """Return what stands in configs for arguments, some of which are objects.

    Args:
        settings: Arguments by the keys of configs; None where nothing was given.

    Raises:
        CodeError: If nobody can tell an object from another one, or it is not what is needed.
        UsageError: If a metric does not say which way is better.
    """
    found = StandIns(dict(settings))
    for key, take in (
        ("model", _model), ("loss", _loss), ("metric", _metric), ("optimizer", _optimizer),
    ):  # fmt: skip
        if settings.get(key) is not None:
            text, objects = take(settings[key])
            found.settings[key] = text
            found.own = replace(found.own, **objects)
    return found


_NAME = "data from Python"
"""What tables and figures call data that were given."""

_Found = tuple[Any, dict[str, Any]]
"""What a config says, and the object that it says it in place of, by its name in `OwnCode`."""


def _model(given: Any) -> _Found:
    args: dict[str, Any] = {}
    if isinstance(given, Mapping) and not isinstance(given.get("build"), str):
        args, given = dict(given.get("args", {})), given.get("build")
    if isinstance(given, str | Path | Mapping):
        return str(given) if isinstance(given, Path) else given, {}
    if _is_keras(given, "Model"):
        template = Template(given)
        return template.reference.text, {"model": OwnModel.of_code(template, {})}
    function, bound = unfolded(given)
    args = bound | args
    code = GivenCode.of(function)
    text = code.reference.text
    return {"build": text, "args": args} if args else text, {"model": OwnModel.of_code(code, args)}


def _loss(given: Any) -> _Found:
    if isinstance(given, str):
        return given, {}
    if not _is_keras(given, "Loss"):
        code = _function(given)
    elif given.reduction == "sum_over_batch_size":
        code = GivenCode.of(given.call, type(given).__name__)
    else:
        raise CodeError(
            f"`loss` sums up a batch by `{given.reduction}`; lrlab's loop needs the mean",
            "leave its `reduction` as it is by default",
        )
    return code.reference.text, {"loss": OwnFunction(code)}


def _metric(given: Any) -> _Found:
    stated, mode = given, None
    if isinstance(given, Mapping):
        stated, mode = given.get("name"), given.get("mode")
    if isinstance(stated, str):
        return given, {}
    if _is_keras(stated, "Metric"):
        raise CodeError(
            "`metric` is an object of Keras, whose state all runs would share",
            f"name it, as `metric={_snake(type(stated).__name__)!r}`, or give a function",
        )
    code = _function(stated)
    try:
        known = metrics.known(code.reference.function or "", mode)
    except ValueError as error:
        raise UsageError(
            f"`{code.name}` does not say whether high or low values are better",
            f'give `metric={{"name": {code.name}, "mode": "max"}}`, or `"min"`',
        ) from error
    text = code.reference.text
    return {"name": text, "mode": known.mode}, {"measure": OwnFunction(code)}


def _optimizer(given: Any) -> _Found:
    if isinstance(given, str):
        return {"type": given.lower()} if given.isidentifier() else {"type": given}, {}
    args: dict[str, Any] = {}
    if isinstance(given, Mapping):
        if isinstance(given.get("type"), str):
            return dict(given), {}
        args, given = dict(given.get("args", {})), given.get("type")
    if not _is_keras(given, "Optimizer"):
        function, bound = unfolded(given)
        code = GivenCode.of(function)
        args = bound | args
        text = {"type": code.reference.text, "args": args}
        return text, {"optimizer": OwnOptimizer.of_code(code, args)}
    compiled = CompiledOptimizer.of(given)
    name = type(given).__name__
    try:
        same = type(GivenOptimizer(compiled).build()) is type(given)
    except Exception as error:  # What Keras raises about a class that it does not know.
        raise _unknown_optimizer(name) from error
    if not same or not type(given).__module__.startswith("keras."):
        raise _unknown_optimizer(name)
    if (known := compiled.known()) is not None:
        return known.model_dump(mode="json"), {}
    return {"type": stand_in(name)}, {"optimizer": GivenOptimizer(compiled)}


def _unknown_optimizer(name: str) -> CodeError:
    return CodeError(
        f"`optimizer` is of a class of your own, `{name}`, which each run needs anew",
        "give a function that makes it",
    )


def _function(given: Any) -> GivenCode:
    function, bound = unfolded(given)
    return GivenCode.of(given if bound else function, getattr(function, "__name__", None))


def _loader(given: Any) -> Callable[[int], Given | Streams]:
    if not (inspect.isroutine(given) or isinstance(given, functools.partial)):
        read = returned.given(given, "`data`")
        return lambda seed: read
    function, bound = unfolded(given)
    code = GivenCode.of(function)

    def load(seed: int) -> Given | Streams:
        with preserved_random_state(seed):  # Unseeded randomness is then the same every time.
            return returned.given(code.call({"seed": seed}, bound), "`data`")

    return load


def _streams(
    load: Callable[[int], Any], given: Any, validation: Any, scale: Any, report: Reporter
) -> DataSource:
    if validation is not None or scale is not None:
        raise DataError(
            "`data` gives streams, which lrlab neither splits nor scales",
            "leave out `validation` and `scale`, and do both in the function",
        )
    if not callable(given):
        raise CodeError(
            "`data` is a stream of batches, and every run needs a new one",
            "give the function that makes it: `data=load` in place of `data=load()`",
        )
    return stream_source.resolve_streams(_NAME, load, warn=report.warn, place="`data`")


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


def _is_keras(given: Any, name: str) -> bool:
    """Return whether an object is of a class of Keras', which then is loaded already."""
    kind = getattr(sys.modules.get("keras"), name, None)
    homes = {"Loss": "losses", "Metric": "metrics", "Optimizer": "optimizers"}
    if kind is None and name in homes and (keras := sys.modules.get("keras")) is not None:
        kind = getattr(getattr(keras, homes[name]), name)
    return kind is not None and isinstance(given, kind)


def source_of(
    given: Any, validation: str | int | None, scale: str | None, report: Reporter
) -> DataSource:
    """Return arrays, or streams that a function makes, as data to train on.

    Args:
        given: What `lrlab.tasks.readers.returned` takes: `(x, y)` and the like; or a function that
            returns it, and gets a `seed` if it has such a parameter.
        validation: What is held out to validate on, as in a config.
        scale: Whether inputs are standardised, as in a config.
        report: Told what is probably a mistake.

    Raises:
        CodeError: If it is no data set.
        DataError: If it cannot be trained on.
    """
    load = _loader(given)
    read = load(0)
    if isinstance(read, Streams):
        return _streams(load, given, validation, scale, report)
    if scale is not None:
        read = read.scaled(scale == "standard")
    try:
        split = DRAWN if validation is None else parsed(str(validation))
    except ValueError as error:
        raise UsageError(f"`validation` {error}") from error
    return data.resolve_given(_NAME, read, split=split, warn=report.warn, place="`data`")
