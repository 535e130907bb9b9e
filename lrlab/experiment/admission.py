"""The door: what a config says is held against its data once, before anything is trained."""

from collections.abc import Mapping, Sequence

from lrlab import config
from lrlab.config import Config
from lrlab.config.problems import raise_problems, render
from lrlab.fields import auto_rates
from lrlab.reporter import Reporter
from lrlab.tasks import models
from lrlab.tasks.data_source import DataSource


def admit(
    configs: Sequence[Config],
    resolved: Mapping[str, DataSource],
    report: Reporter,
    *,
    schedules: bool = True,
) -> None:
    """Refuse configs that cannot be trained on their data; warn of what is probably a mistake.

    Args:
        configs: The experiments.
        resolved: The data that each name means.
        report: Told the warnings.
        schedules: Whether the schedules play a part; those with `auto` have no curve yet.

    Raises:
        ConfigError: If any cannot be trained; all problems of all files at once.
    """
    warnings = []
    for each in configs:
        source, experiment = resolved[each.experiment.data], each.experiment
        if wrong := models.misfit(experiment.model, source.shape):
            message = f"model: {wrong} ({source.name})"
            each.source.problems.append(each.source.problem(message, ("model",)))
        if experiment.batch_size > source.train_images:
            message = (
                f"batch_size: {experiment.batch_size:,} is more than the {source.train_images:,} "
                "training images, so that an epoch is a single step"
            )
            warnings.append(render(each.source.problem(message, ("batch_size",)), each.source))
        if schedules:
            steps = experiment.setup(source).length(1).steps_per_epoch
            config.examine(each, steps, curve=not auto_rates(experiment.schedule))
    raise_problems(each.source for each in configs)
    for text in warnings:
        report.warn(text)
