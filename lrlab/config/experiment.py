"""The experiment: everything that one config file states."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from lrlab.config.report import shown
from lrlab.config.schedules import OneCycle, OpenLoop, Schedule
from lrlab.fields import Model, PositiveRate, Rate

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}", re.ASCII)
_BUILT_IN_DATA = ("auto", "fashion-mnist", "sketches")

Beta = Annotated[float, Field(ge=0, lt=1)]


class Sgd(Model):
    """Stochastic gradient descent, with momentum (0: plain) and Nesterov's variant of it."""

    type: Literal["sgd"]
    momentum: Beta = Field(0.0, description="the share of the last update that is kept")
    nesterov: bool = Field(False, description="look ahead along the momentum")
    weight_decay: Rate | None = Field(None, description="decoupled weight decay a step")


class Adaptive(Model):
    """What the optimizers of the Adam family share."""

    beta_1: Beta = Field(0.9, description="decay of the mean gradient")
    beta_2: Beta = Field(0.999, description="decay of the mean squared gradient")
    epsilon: PositiveRate = Field(1e-7, description="keeps the division finite")
    weight_decay: Rate | None = Field(None, description="decoupled weight decay a step")


class Adam(Adaptive):
    """Adam (Kingma and Ba, 2014)."""

    type: Literal["adam"]


class AdamW(Adaptive):
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2017)."""

    type: Literal["adamw"]
    weight_decay: Rate | None = Field(0.004, description="decoupled weight decay a step")


class Nadam(Adaptive):
    """Adam with Nesterov momentum (Dozat, 2016)."""

    type: Literal["nadam"]
    momentum_decay: PositiveRate = Field(
        1.0, description="how fast the momentum warms up; 1 is Keras', 0.004 the paper's, PyTorch's"
    )


class RmsProp(Model):
    """RMSprop (Tieleman and Hinton, 2012)."""

    type: Literal["rmsprop"]
    rho: Beta = Field(0.9, description="decay of the mean squared gradient")
    momentum: Beta = Field(0.0, description="the share of the last update that is kept")
    epsilon: PositiveRate = Field(1e-7, description="keeps the division finite")
    weight_decay: Rate | None = Field(None, description="decoupled weight decay a step")


Optimizer = Annotated[Sgd | Adam | AdamW | Nadam | RmsProp, Field(discriminator="type")]


def _check_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(
            "must start with a letter or digit and hold at most 64 letters, digits or any of "
            f"`._+-`, since it names a folder; got `{shown(name)}`"
        )
    return name


def _check_data(data: str) -> str:
    if data in _BUILT_IN_DATA or (data.endswith(".npz") and "\0" not in data):
        return data
    raise ValueError(
        f"must be auto, fashion-mnist, sketches or a path ending in .npz, got `{shown(data)}`"
    )


class Experiment(Model):
    """One training experiment. Every key but `schedule` has a default."""

    name: Annotated[str, AfterValidator(_check_name)] = Field(
        "reference", description="what figures, tables and folders call it"
    )
    schedule: Schedule = Field(description="the learning-rate schedule")
    model: Literal["mlp", "cnn"] = Field("mlp", description="the reference model to train")
    data: Annotated[str, AfterValidator(_check_data)] = Field(
        "auto", description="`auto`, `fashion-mnist`, `sketches` or the path of an npz file"
    )
    optimizer: Optimizer = Field(Sgd(type="sgd", momentum=0.9), description="the optimizer")
    batch_size: Annotated[int, Field(gt=0, le=1_000_000)] = Field(
        32, description="images a step; the last batch of an epoch may be smaller"
    )
    epochs: Annotated[int, Field(gt=0, le=100_000)] = Field(
        10, description="passes over the training images"
    )

    @field_validator("schedule")
    @classmethod
    def _check_schedule(cls, schedule: Schedule) -> Schedule:
        if isinstance(schedule, OpenLoop) and schedule.for_ is not None:
            raise ValueError("`for` is of the phases of a `sequence`; did you mean `over`?")
        return schedule

    @field_validator("optimizer")
    @classmethod
    def _check_momentum(cls, optimizer: Optimizer, info: ValidationInfo) -> Optimizer:
        schedule = info.data.get("schedule")
        cycled = isinstance(schedule, OneCycle) and schedule.momentum is not None
        if cycled and isinstance(optimizer, Sgd | RmsProp) and optimizer.momentum == 0:
            raise ValueError(
                f"needs a `momentum` above 0, since the schedule cycles it; {optimizer.type} "
                "without momentum has none to cycle"
            )
        return optimizer


def name_from_stem(stem: str) -> str:
    """Return the default name of a config: its file's stem, other characters turned into `-`."""
    name = re.sub(r"[^A-Za-z0-9._+-]+", "-", stem).lstrip("._+-")[:64]
    return name or "experiment"
