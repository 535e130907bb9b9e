"""An experiment as the text of a config file, which reads back as the same experiment."""

import os
from pathlib import Path

import yaml

from lrlab.config import file_places
from lrlab.config.experiment import Experiment


def text(experiment: Experiment, folder: Path) -> str:
    """Return what a config file in a folder says that states an experiment.

    Only what was stated of it is written, of the schedule what is not a default; paths are relative
    to the folder.

    Args:
        experiment: The experiment.
        folder: Where the file will lie.
    """
    stated = experiment.model_dump(mode="json", exclude_unset=True)
    stated |= {"name": experiment.name, "schedule": experiment.schedule.identity()}
    file_places.relocate(stated, lambda path: os.path.relpath(path, folder))
    written: str = yaml.safe_dump(stated, sort_keys=False, allow_unicode=True, width=100)
    return written
