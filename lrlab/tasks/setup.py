"""The setup: what is compared under all schedules, as one value with one identity."""

from dataclasses import dataclass, field
from typing import Any

from lrlab.schedules import Length
from lrlab.tasks import models
from lrlab.tasks.data_source import DataSource
from lrlab.tasks.models import Build
from lrlab.tasks.optimizers import Optimizer
from lrlab.tasks.own_model import OwnModel
from lrlab.tasks.own_optimizer import CompiledOptimizer, GivenOptimizer, OwnOptimizer
from lrlab.tasks.stated_task import SCALABLE
from lrlab.tasks.task import Task


@dataclass(frozen=True)
class Setup:
    """Data, model, optimizer and batch size; equal setups train alike under equal schedules.

    Args:
        data: What is trained on.
        model: The name of a reference model, a user's own, or a function that makes one.
        optimizer: The optimizer with its settings.
        batch_size: Examples per step; the last batch of an epoch may be smaller.
        stated: The task where its loss or metric is not the usual one for the targets; None: it
            follows from them.
        class_weight: What the examples of each class count in the loss, in pairs; None: all alike.
        batch: The number of examples that the model wants in every batch; None: any.
        onednn: Whether oneDNN was chosen to compute with.
        raw_targets: Whether the loss that the model is compiled with wants amounts as they are.
    """

    data: DataSource
    model: str | OwnModel | Build
    optimizer: Optimizer | CompiledOptimizer | GivenOptimizer | OwnOptimizer
    batch_size: int
    stated: Task | None = None
    class_weight: tuple[tuple[int, float], ...] | None = None
    batch: int | None = field(default=None, compare=False)
    onednn: bool = False
    raw_targets: bool = field(default=False, compare=False)

    @property
    def scales_targets(self) -> bool:
        """Whether the model learns standardised amounts: only where that is what the loss is of.

        A squared or an absolute error is the same of standardised amounts, in another unit; what
        other losses are of, as a relative error, would change.
        """
        task = self.task
        if not self.data.scales_targets or task.kind != "regression":
            return False
        return not self.raw_targets if task.loss is None else task.loss in SCALABLE

    @property
    def task(self) -> Task:
        """What a model learns, and how it is judged."""
        return self.stated or self.data.task

    @property
    def loss_name(self) -> str | None:
        """What an axis calls the loss, None if it is the cross-entropy of classes."""
        name = self.task.loss_name
        return f"{name} of standardised targets" if self.scales_targets else name

    def length(self, epochs: int) -> Length:
        """Return the length of a run of so many epochs."""
        if self.data.steps is not None:
            return Length(self.data.steps, epochs)
        return Length.of(self.data.train_images, self.batch_size, epochs)

    def build(self, seed: int) -> Any:
        """Return a fresh Keras model, whose weights are a function of the seed alone."""
        shape, task = self.data.shape, self.task
        if isinstance(self.model, OwnModel):
            return self.model(shape, task.outputs, seed, self.data.sample())
        if not isinstance(self.model, str):
            return self.model(shape, task.outputs, seed)
        return models.build(
            self.model,
            shape,
            task.outputs,
            seed,
            activation=task.activation,
            vocabulary=self.data.vocabulary,
            per_position=task.kind == "tokens",
        )

    def identity(self) -> list[Any]:
        """Return what tells this setup from another, as JSON; defaults are left out."""
        own = self.model.identity() if isinstance(self.model, OwnModel) else self.model
        stated = [own, self.optimizer.identity(), self.batch_size, self.data.fingerprint]
        if self.stated is not None and self.stated.identity() != self.data.task.identity():
            stated.append(self.stated.identity())
        if self.class_weight is not None:
            stated.append(self.class_weight)
        if self.onednn:
            stated.append({"onednn": True})
        if self.scales_targets:
            stated.append({"targets": "standardised"})
        return stated

    @property
    def is_plain(self) -> bool:
        """Whether model, optimizer, batch size and data are all there is to it."""
        plain = [self.model, self.optimizer.identity(), self.batch_size, self.data.fingerprint]
        return self.identity() == plain
