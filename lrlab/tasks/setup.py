"""The setup: what is compared under all schedules, as one value with one identity."""

from dataclasses import dataclass
from typing import Any

from lrlab.schedules import Length
from lrlab.tasks.data_source import DataSource
from lrlab.tasks.models import Build
from lrlab.tasks.optimizers import Optimizer


@dataclass(frozen=True)
class Setup:
    """Data, model, optimizer and batch size; equal setups train alike under equal schedules.

    Args:
        data: What is trained on.
        model: The name of a reference model, or a function that makes one.
        optimizer: The optimizer with its settings.
        batch_size: Images per step; the last batch of an epoch may be smaller.
    """

    data: DataSource
    model: str | Build
    optimizer: Optimizer
    batch_size: int

    def length(self, epochs: int) -> Length:
        """Return the length of a run of so many epochs."""
        return Length.of(self.data.train_images, self.batch_size, epochs)

    def identity(self) -> list[Any]:
        """Return what tells this setup from another, as JSON; defaults are left out."""
        return [self.model, self.optimizer.identity(), self.batch_size, self.data.fingerprint]
