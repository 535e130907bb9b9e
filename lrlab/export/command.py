"""What `lrlab export` does: find out how long an epoch is, and write the code."""

from typing import get_args

from lrlab import config as configs
from lrlab.errors import UsageError
from lrlab.export.snippets import Target, snippet
from lrlab.schedules.length import Length
from lrlab.tasks import data


def export(config: configs.Config, to: str, steps_per_epoch: int | None) -> str:
    """Return the code for a config.

    Args:
        config: The config.
        to: `python` or `keras`.
        steps_per_epoch: Steps an epoch, >= 1; None: as on the config's data.

    Raises:
        UsageError: If `to` is unknown, or there is no such code since it is a closed loop.
        ConfigError: If the schedule has no finite rate at some step.
        DataError: If the steps an epoch are to be read from an npz file that cannot be.
    """
    targets = {target: target for target in get_args(Target)}
    if to not in targets:
        raise UsageError(f"unknown target `{to}`", f"use one of {', '.join(targets)}")
    experiment = config.experiment
    if steps_per_epoch is None:
        images = data.train_images(experiment.data)
        steps_per_epoch = Length.of(images, experiment.batch_size, 1).steps_per_epoch
    configs.warnings(config, steps_per_epoch)  # Raises where a formula gives no rate.
    return snippet(experiment, targets[to], steps_per_epoch)
