"""The experiment: everything that one config file states."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    PrivateAttr,
    Tag,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from lrlab import metric
from lrlab.fields import KNOWN, MAPPING, TEXT, Model, shown
from lrlab.metric import Mode
from lrlab.schedules import AnySchedule, OpenLoop, Schedule, own_schedule
from lrlab.tasks import code, models, split, stated_task
from lrlab.tasks.optimizers import Optimizer, RmsProp, Sgd
from lrlab.tasks.stated_task import OwnCode
from lrlab.tasks.wanted import BUILT_IN, EMBEDDED, FILES, KERAS, Wanted, is_file

if TYPE_CHECKING:
    from lrlab.tasks.data_source import DataSource
    from lrlab.tasks.setup import Setup

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}", re.ASCII)


def _one_of(names: Sequence[str], *patterns: str) -> Any:
    """Return what a JSON Schema says of a text that is a known name, or of one of some forms."""
    forms = [{"type": "string", "pattern": pattern} for pattern in patterns]
    return WithJsonSchema({"anyOf": [{"enum": list(names)}, *forms]})


def _check_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(
            "must start with a letter or digit and hold at most 64 letters, digits or any of "
            f"`._+-`, since it names a folder; got `{shown(name)}`"
        )
    return name


def _check_data(data: str) -> str:
    files = data.endswith(FILES) or data.startswith(KERAS) or code.is_code(data)
    known = (*BUILT_IN, *EMBEDDED)
    if data in known or (files and "\0" not in data):
        return data
    raise ValueError(
        f"must be {', '.join(known)}, keras:NAME, a path ending in {' or '.join(FILES)}, or "
        f"FILE.py:FUNCTION, got `{shown(data)}`{code.nearest(data, known)}"
    )


def _check_model(model: str) -> str:
    if model in models.NAMES or (code.is_code(model) and "\0" not in model):
        return model
    raise ValueError(
        f"must be {', '.join(models.NAMES)}, FILE.py:FUNCTION or FILE.keras, got "
        f"`{shown(model)}`{code.nearest(model, models.NAMES)}"
    )


def _check_code(text: str) -> str:
    if not code.is_code(text):
        raise ValueError(f"must be {code.FORMS}, got `{shown(text)}`")
    return text


def _check_load(text: str) -> str:
    return text if text.endswith(".csv") else _check_code(text)


def _check_loss(loss: str) -> str:
    if loss in stated_task.LOSSES or code.is_code(loss):
        return loss
    raise ValueError(
        f"must be a loss as Keras names it, as `mean_squared_error`, or FILE.py:FUNCTION, got "
        f"`{shown(loss)}`{code.nearest(loss, stated_task.LOSSES)}"
    )


def _check_metric_name(name: str) -> str:
    if name in stated_task.METRICS or code.is_code(name):
        return name
    raise ValueError(
        f"must be a metric as Keras names it, as `mae`, or FILE.py:FUNCTION, got "
        f"`{shown(name)}`{code.nearest(name, stated_task.METRICS)}"
    )


def _check_metric(name: str) -> str:
    _check_metric_name(name)
    metric.known(re.split(r"[:.]", name)[-1] if code.is_code(name) else name)
    return name


def _check_split(validation: str | int) -> str | int:
    split.parsed(str(validation))
    return validation


def _form(value: Any) -> str:
    return MAPPING if isinstance(value, dict | Model) else TEXT


_NAMED = WithJsonSchema({"type": "string", "pattern": f"^{_NAME.pattern}$"})
_CODE = _one_of((), code.PATTERN)
_LOAD = _one_of((), r"\.csv$", code.PATTERN)
_LOSS = _one_of(stated_task.LOSSES, code.PATTERN)
_METRIC = _one_of(stated_task.METRICS, code.PATTERN)
_SPLIT = WithJsonSchema(
    {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": split.PATTERN}]}
)

Args = Annotated[dict[str, Any], Field(max_length=100)]


class BuiltModel(Model):
    """A model of one's own with arguments."""

    build: Annotated[str, AfterValidator(_check_code), _CODE] = Field(
        description="FILE.py:FUNCTION, package.module:FUNCTION or FILE.keras"
    )
    args: Args = Field(default={}, description="arguments of the function")
    weights: Literal["fresh", "file"] = Field(
        "fresh", description="of a FILE.keras: initialised anew, or those of the file (fine-tuning)"
    )


class LoadedData(Model):
    """Data of one's own with arguments."""

    load: Annotated[str, AfterValidator(_check_load), _LOAD] = Field(
        description="FILE.py:FUNCTION, package.module:FUNCTION or FILE.csv"
    )
    args: Args = Field(
        default={},
        description="arguments of the function; of a csv file `target`, the column or columns to "
        "learn, and `drop`, columns to leave out",
    )


class StatedOptimizer(Model):
    """An optimizer of one's own; its learning rate is set at every step."""

    type: Annotated[str, AfterValidator(_check_code), _CODE] = Field(
        description="FILE.py:FUNCTION or package.module:FUNCTION, which returns a Keras optimizer"
    )
    args: Args = Field(default={}, description="arguments of the function")


def _optimizer_form(value: Any) -> str:
    stated = value.get("type") if isinstance(value, dict) else getattr(value, "type", None)
    return MAPPING if isinstance(stated, str) and code.is_code(stated) else KNOWN


class StatedMetric(Model):
    """A metric whose name does not say which way is better."""

    name: Annotated[str, AfterValidator(_check_metric_name), _METRIC] = Field(
        description="a metric as Keras names it, or FILE.py:FUNCTION"
    )
    mode: Mode = Field(description="`max` if higher values are better, else `min`")


def _or_text(check: Callable[[str], str], mapping: type[Model], stated: Any) -> Any:
    """Return the type of a key that holds a text or a mapping; `stated` is for its JSON Schema."""
    text = Annotated[str, AfterValidator(check), stated, Tag(TEXT)]
    return Annotated[text | Annotated[mapping, Tag(MAPPING)], Discriminator(_form)]


if TYPE_CHECKING:
    ModelChoice = str | BuiltModel
    DataChoice = str | LoadedData
    MetricChoice = str | StatedMetric
    OptimizerChoice = Optimizer | StatedOptimizer
else:
    _FILE = rf"({'|'.join(re.escape(suffix) for suffix in FILES)})$"
    _DATA = _one_of((*BUILT_IN, *EMBEDDED), _FILE, f"^{KERAS}", code.PATTERN)
    ModelChoice = _or_text(_check_model, BuiltModel, _one_of(models.NAMES, code.PATTERN))
    DataChoice = _or_text(_check_data, LoadedData, _DATA)
    MetricChoice = _or_text(_check_metric, StatedMetric, _METRIC)
    OptimizerChoice = Annotated[
        Annotated[Optimizer, Tag(KNOWN)] | Annotated[StatedOptimizer, Tag(MAPPING)],
        Discriminator(_optimizer_form),
    ]


def _whole(key: Any) -> Any:
    return int(key) if isinstance(key, str) and key.isdecimal() else key


ClassNumber = Annotated[int, BeforeValidator(_whole), Field(ge=0)]
"""Keys of YAML and JSON are texts."""


class Experiment(Model):
    """One training experiment. Every key but `schedule` has a default."""

    added: ClassVar = ("validation", "scale", "loss", "metric", "class_weight")

    name: Annotated[str, AfterValidator(_check_name), _NAMED] = Field(
        "reference", description="what figures, tables and folders call it"
    )
    schedule: AnySchedule = Field(description="the learning-rate schedule")
    model: ModelChoice = Field(
        "mlp",
        description="what is trained: a reference model, `FILE.py:FUNCTION`, `FILE.keras`, or "
        "`{build: FILE.py:FUNCTION, args: {...}}`",
    )
    data: DataChoice = Field(
        "auto",
        description="`auto`, `fashion-mnist`, `sketches`, `keras:NAME`, the path of an npz or csv "
        "file, `FILE.py:FUNCTION`, or `{load: FILE.py:FUNCTION, args: {...}}`",
    )
    validation: Annotated[str | int, AfterValidator(_check_split), _SPLIT] | None = Field(
        None,
        description="the training examples that are held out: `10%`, a number, or `first 5000`; "
        "the others are drawn class by class; default `10%` of data of one's own, the first "
        "twelfth of the built-in ones",
    )
    scale: Literal["standard", "none"] | None = Field(
        None,
        description="whether inputs, and the amounts of a regression, are standardised; default "
        "`standard`, but `none` for what a function returns",
    )
    loss: Annotated[str, AfterValidator(_check_loss), _LOSS] | None = Field(
        None,
        description="a loss as Keras names it, or `FILE.py:FUNCTION`; default: the model's own, "
        "or as the targets ask for",
    )
    metric: MetricChoice | None = Field(
        None,
        description="a metric as Keras names it, `FILE.py:FUNCTION`, or "
        "`{name: ..., mode: max}`; default: the model's own, or as the targets ask for",
    )
    class_weight: dict[ClassNumber, Annotated[float, Field(ge=0)]] | None = Field(
        None, description="what the examples of each class count in the loss, 1 by default"
    )
    optimizer: OptimizerChoice = Field(
        Sgd(type="sgd", momentum=0.9),
        description="the optimizer, or its `type` alone; default of a model that is compiled: "
        "its own",
    )
    batch_size: Annotated[int, Field(gt=0, le=1_000_000)] = Field(
        32, description="images per step; the last batch of an epoch may be smaller"
    )
    epochs: Annotated[int, Field(gt=0, le=100_000)] = Field(
        10, description="passes over the training images"
    )

    def setup(self, source: "DataSource") -> "Setup":
        """Return what is compared under all schedules, on the data that `data` stands for.

        Raises:
            CodeError: If the model is the user's own and does not fit the data.
        """
        from lrlab.tasks.setup import Setup  # Late, since NumPy takes its time.

        stated = stated_task.stated(source.task, self.loss, self.metric, self._own)
        weights = tuple(sorted(self.class_weight.items())) if self.class_weight else None
        onednn = self._own.onednn
        optimizer: Any = self.optimizer
        if isinstance(optimizer, StatedOptimizer):
            optimizer = self._own.optimizer
        if self._own.model is None:
            name = str(self.model)
            return Setup(source, name, optimizer, self.batch_size, stated, weights, onednn=onednn)
        examined = self._own.examined(source, stated)
        return Setup(
            source,
            self._own.model,
            optimizer,
            self.batch_size,
            examined.task,
            weights,
            batch=examined.batch,
            raw_targets=examined.raw_targets,
            onednn=onednn,
        )

    def settled(self, source: "DataSource") -> "Experiment":
        """Return the experiment with the optimizer that its model was compiled with, if any.

        Raises:
            CodeError: If the model is the user's own and does not fit the data.
        """
        if self._own.model is None or "optimizer" in self.model_fields_set:
            return self
        stated = stated_task.stated(source.task, self.loss, self.metric, self._own)
        compiled = self._own.examined(source, stated).optimizer
        if compiled is None:
            return self
        if (known := compiled.known()) is not None:
            return self.model_copy(update={"optimizer": known})
        other = self.model_copy(update={"optimizer": StatedOptimizer(type=self.stated_model)})
        return other.with_code(replace(self._own, optimizer=compiled))

    @property
    def wanted(self) -> Wanted:
        """The data that it asks for."""
        if isinstance(self.data, LoadedData):
            return Wanted.of(self.data.load, self.data.args, self.validation, self.scale)
        return Wanted.of(self.data, None, self.validation, self.scale)

    @property
    def model_name(self) -> str:
        """What tables and figures call the model."""
        return model_name(self.model)

    @property
    def stated_model(self) -> str:
        """The model's name, or the reference to the code that makes it."""
        return self.model.build if isinstance(self.model, BuiltModel) else self.model

    def references(self) -> dict[str, str]:
        """Return the references to code that it holds, by the dotted keys that they stand under."""
        found = {
            "model.build" if isinstance(self.model, BuiltModel) else "model": self.stated_model,
            "data.load" if isinstance(self.data, LoadedData) else "data": self.wanted.name,
            "loss": self.loss or "",
            "metric.name" if isinstance(self.metric, StatedMetric) else "metric": (
                self.metric.name if isinstance(self.metric, StatedMetric) else self.metric or ""
            ),
        }
        if isinstance(self.optimizer, StatedOptimizer):
            found["optimizer.type"] = self.optimizer.type
        for place, own in own_schedule.own_parts(self.schedule):
            found[".".join(map(str, ("schedule", *place, "type")))] = own.type
        return {key: text for key, text in found.items() if code.is_code(text)}

    def with_code(self, own: OwnCode) -> "Experiment":
        """Return the experiment with its code loaded, so that it can be trained."""
        other = self.model_copy()
        other._own = own
        return other

    @property
    def own(self) -> OwnCode:
        """Its code, as far as it is loaded, or was given as objects."""
        return self._own

    @property
    def code(self) -> dict[str, Any] | None:
        """What tells its loaded code from other code, as JSON; None where it has none."""
        curve = own_schedule.code_identity(self.schedule)
        return self._own.identity() | ({"schedule": curve} if curve else {}) or None

    _own: OwnCode = PrivateAttr(default_factory=OwnCode)

    @field_validator("schedule")
    @classmethod
    def _check_schedule(cls, schedule: Schedule) -> Schedule:
        for _, own in own_schedule.own_parts(schedule):
            _check_code(own.type)
        if isinstance(schedule, OpenLoop) and schedule.for_ is not None:
            raise ValueError("`for` is for the phases of a `sequence`; did you mean `over`?")
        return schedule

    @field_validator("optimizer")
    @classmethod
    def _check_momentum(cls, optimizer: Optimizer, info: ValidationInfo) -> Optimizer:
        schedule = info.data.get("schedule")
        if isinstance(schedule, Schedule) and (wrong := no_momentum(schedule, optimizer)):
            raise ValueError(wrong)
        return optimizer


def no_momentum(schedule: Schedule, optimizer: Any) -> str | None:
    """Return why an optimizer has no momentum that a schedule could cycle, None if it has."""
    if not schedule.cycles_momentum:
        return None
    if isinstance(optimizer, Sgd | RmsProp) and optimizer.momentum == 0:
        return (
            f"needs a `momentum` above 0, since the schedule cycles it; {optimizer.type} "
            "without momentum has none to cycle"
        )
    if isinstance(optimizer, StatedOptimizer):
        return "must be one of lrlab's own, since the schedule cycles its momentum"
    return None


def model_name(model: Any) -> str:
    """Return what tables and figures call a model that a config states; a folder is left out."""
    text = model.build if isinstance(model, BuiltModel) else model
    if isinstance(text, dict):
        text = str(text.get("build"))
    return Path(text).name if is_file(text) else text


def name_from_stem(stem: str) -> str:
    """Return the default name of a config: its file's stem, other characters turned into `-`."""
    name = re.sub(r"[^A-Za-z0-9._+-]+", "-", stem).lstrip("._+-")[:64]
    return name or "experiment"
