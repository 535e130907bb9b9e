"""The schedules of configs that are a user's own functions: loaded, with consent."""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from lrlab.config import Config
from lrlab.config.experiment import Experiment
from lrlab.schedules import own_schedule
from lrlab.schedules.own_schedule import OwnSchedule
from lrlab.tasks import code, code_loading
from lrlab.tasks.code import Origin
from lrlab.tasks.own_curve import OwnCurve


def loaded(config: Config) -> Config:
    """Return a config whose schedule has rates; only what it trusts is ever imported.

    Raises:
        CodeError: If code is not trusted or not there, or fails when it is imported.
    """
    return replace(config, experiment=with_rates(config.experiment, config.trusted))


def with_rates(experiment: Experiment, trusted: Collection[Origin]) -> Experiment:
    """Return an experiment whose schedule has rates, as `loaded` does."""
    schedule = own_schedule.with_functions(
        experiment.schedule, lambda own: own.function if own.is_loaded else _curve(own, trusted)
    )
    return experiment.model_copy(update={"schedule": schedule})


def _curve(stated: OwnSchedule, trusted: Collection[Origin]) -> OwnCurve:
    reference = code.parse(stated.type, Path())
    return OwnCurve.of_code(code_loading.load(reference, trusted), stated.args)
