"""The engine: a model, its optimizer and its data, of which the loops know nothing else."""

from abc import ABC, abstractmethod
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from lrlab.io.npz import Array
from lrlab.metric import ACCURACY, Metric
from lrlab.results.run import Guess

Floats = npt.NDArray[np.float32]
Order = npt.NDArray[np.int32]
Split = Literal["train", "validation", "test"]


class Score(NamedTuple):
    """Mean loss over a part of the data, and the value of the metric.

    `right` says of each example whether it was right, shape (examples,), None where the metric
    is no share of right ones.
    """

    loss: float
    score: float
    right: npt.NDArray[np.bool_] | None = None


class Variables(NamedTuple):
    """The values of all variables of a model and of its optimizer, each in its own order."""

    model: tuple[Array, ...]
    optimizer: tuple[Array, ...]
    tally: tuple[Array, ...] = (np.int32(0),)  # type: ignore[assignment]
    """What the metric has summed up since it was taken last."""


class Engine(ABC):
    """Trains one model with one optimizer and batch size, run after run.

    Learning rates and the order of the images are inputs, so all schedules share an engine. It
    serves one thread at a time; several engines may run side by side.

    Attributes:
        images: Number of training examples.
        batch_size: Images per step; the last batch of an epoch may be smaller.
        guess: What the best constant guess gives on the validation set.
        metric: What scores are values of.
        resumable: Whether a run can go on within an epoch; a stream begins at its beginning.
    """

    images: int
    batch_size: int
    guess: Guess
    metric: Metric = ACCURACY
    resumable: bool = True

    def sizes(self) -> npt.NDArray[np.int64]:
        """Return how many examples each step of an epoch sees."""
        starts = np.arange(0, self.images, self.batch_size)
        return np.minimum(self.batch_size, self.images - starts)

    def trace(self, *, cycled: bool) -> None:
        """Compile what a run will need, before its time counts; by default there is nothing.

        Args:
            cycled: Whether the run gives the momentum of each step.
        """
        return

    @abstractmethod
    def start(self, seed: int) -> None:
        """Begin a run: weights as the seed says, optimizer as if new."""

    @abstractmethod
    def train(
        self, order: Order, rates: Floats, momenta: npt.NDArray[np.float64] | None = None
    ) -> Floats:
        """Train a step for each rate.

        Args:
            order: Indices of training images, shape (images,); each step takes the next
                `batch_size` of them, the last step may get fewer.
            rates: Learning rates, float32, shape (steps,).
            momenta: Momentum (Adam family: `beta_1`) of each step, float64, shape (steps,);
                None: the optimizer's own throughout.

        Returns:
            The mean loss of each batch before its step, shape (steps,).
        """

    @abstractmethod
    def take_score(self, examples: int) -> float:
        """Return the metric's value over the steps since it was taken last.

        Args:
            examples: How many examples these steps saw.
        """

    @abstractmethod
    def evaluate(self, split: Split) -> Score | None:
        """Return the score on a part of the data, None where there is no such part."""

    @abstractmethod
    def variables(self) -> Variables:
        """Return the values of the model's variables and of the optimizer's."""

    @abstractmethod
    def restore(self, values: Variables) -> None:
        """Go back to values that `variables` has returned.

        Raises:
            ValueError: If they are not of this model and optimizer; then nothing is changed.
        """
