"""The experiment: everything that one config file states."""

import difflib
import re
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from lrlab.fields import Model, shown
from lrlab.schedules import AnySchedule, OpenLoop, Schedule
from lrlab.tasks.optimizers import Optimizer, RmsProp, Sgd

if TYPE_CHECKING:
    from lrlab.tasks.data_source import DataSource
    from lrlab.tasks.setup import Setup

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}", re.ASCII)
_BUILT_IN_DATA = ("auto", "fashion-mnist", "sketches")


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
    near = difflib.get_close_matches(data, _BUILT_IN_DATA, n=1, cutoff=0.6)
    meant = f"; did you mean `{near[0]}`?" if near else ""
    raise ValueError(
        "must be auto, fashion-mnist, sketches or a path ending in .npz, got "
        f"`{shown(data)}`{meant}"
    )


class Experiment(Model):
    """One training experiment. Every key but `schedule` has a default."""

    name: Annotated[str, AfterValidator(_check_name)] = Field(
        "reference", description="what figures, tables and folders call it"
    )
    schedule: AnySchedule = Field(description="the learning-rate schedule")
    model: Literal["mlp", "cnn"] = Field("mlp", description="the reference model to train")
    data: Annotated[str, AfterValidator(_check_data)] = Field(
        "auto", description="`auto`, `fashion-mnist`, `sketches` or the path of an npz file"
    )
    optimizer: Optimizer = Field(Sgd(type="sgd", momentum=0.9), description="the optimizer")
    batch_size: Annotated[int, Field(gt=0, le=1_000_000)] = Field(
        32, description="images per step; the last batch of an epoch may be smaller"
    )
    epochs: Annotated[int, Field(gt=0, le=100_000)] = Field(
        10, description="passes over the training images"
    )

    def setup(self, source: "DataSource") -> "Setup":
        """Return what is compared under all schedules, on the data that `data` stands for."""
        from lrlab.tasks.setup import Setup  # Late, since NumPy takes its time.

        return Setup(source, self.model, self.optimizer, self.batch_size)

    @field_validator("schedule")
    @classmethod
    def _check_schedule(cls, schedule: Schedule) -> Schedule:
        if isinstance(schedule, OpenLoop) and schedule.for_ is not None:
            raise ValueError("`for` is for the phases of a `sequence`; did you mean `over`?")
        return schedule

    @field_validator("optimizer")
    @classmethod
    def _check_momentum(cls, optimizer: Optimizer, info: ValidationInfo) -> Optimizer:
        schedule = info.data.get("schedule")
        cycled = isinstance(schedule, Schedule) and schedule.cycles_momentum
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
