"""The trainer: a model and its optimizer, whose steps run a chunk at a time in one graph."""

import functools
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lrlab.config import Experiment
from lrlab.io.npz import Array
from lrlab.tasks import models
from lrlab.tasks.data import DataSet
from lrlab.training._tensorflow import keras, tf
from lrlab.training.momentum import PerStep

Floats = npt.NDArray[np.float32]

_EVALUATION_BATCH = 1_000
# Keras builds models, and TensorFlow traces functions, in one thread only; running is free.
_BUILDING = threading.Lock()


@dataclass(frozen=True)
class Tensors:
    """A data set as tensors that stay in memory; shared by all trainers."""

    x_train: Any
    y_train: Any
    x_val: Any
    y_val: Any
    x_test: Any
    y_test: Any
    classes: int

    @classmethod
    def of(cls, data: DataSet) -> "Tensors":
        """Return the tensors of a data set; the test set is None where it has none."""

        def tensor(array: npt.NDArray[Any] | None) -> Any:
            return None if array is None else tf.constant(array)

        return cls(
            x_train=tensor(data.x_train),
            y_train=tensor(data.y_train),
            x_val=tensor(data.x_val),
            y_val=tensor(data.y_val),
            x_test=tensor(data.x_test),
            y_test=tensor(data.y_test),
            classes=data.classes,
        )

    @property
    def train_images(self) -> int:
        """Number of training images."""
        return int(self.x_train.shape[0])


class Trainer:
    """Trains one model with one optimizer and batch size, run after run.

    Building and tracing take 0.3 to 0.6 s, so a trainer is kept and `start` begins the next run
    on it. Learning rates are inputs: all schedules share one trace. A trainer serves one thread
    at a time; several trainers may run side by side.

    Args:
        experiment: Says which model, optimizer and batch size.
        data: What to train and evaluate on.
        build: Makes the model from input shape, classes and seed, in place of the experiment's.
    """

    def __init__(
        self, experiment: Experiment, data: Tensors, build: models.Build | None = None
    ) -> None:
        self.data = data
        self.batch_size = experiment.batch_size
        make = build or functools.partial(models.build, experiment.model)
        self._new_model: Callable[[int], Any] = lambda seed: make(
            data.x_train.shape[1:], data.classes, seed
        )
        with _BUILDING:
            self.model = self._new_model(0)
            self.optimizer = models.optimizer(experiment.optimizer)
            self.optimizer.build(self.model.trainable_variables)
            self._fresh_optimizer = [v.numpy() for v in self.optimizer.variables]
            self._loss = keras.losses.SparseCategoricalCrossentropy()
            self._train_cycled: Any = None
            self._train = tf.function(self._train_chunk, autograph=False).get_concrete_function(
                tf.TensorSpec([None], tf.int32), tf.TensorSpec([None], tf.float32)
            )
        self._evaluate: Any = None

    def start(self, seed: int) -> None:
        """Begin a run: weights as the seed says, optimizer as if new."""
        with _BUILDING:
            fresh = [v.numpy() for v in self._new_model(seed).variables]
        for variable, value in zip(self.model.variables, fresh, strict=True):
            variable.assign(value)
        for variable, value in zip(self.optimizer.variables, self._fresh_optimizer, strict=True):
            variable.assign(value)

    def variables(self) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
        """Return the values of the model's variables and of the optimizer's."""
        return (
            tuple(v.numpy() for v in self.model.variables),
            tuple(v.numpy() for v in self.optimizer.variables),
        )

    def check(self, model: Sequence[Array], optimizer: Sequence[Array]) -> None:
        """Make sure that values can be restored.

        Raises:
            ValueError: If they are not of this model and optimizer.
        """
        for variables, values in (
            (self.model.variables, model),
            (self.optimizer.variables, optimizer),
        ):
            wanted = [(tuple(v.shape), v.dtype) for v in variables]
            if wanted != [(value.shape, value.dtype.name) for value in values]:
                raise ValueError("it is of another model or optimizer")

    def restore(self, model: Sequence[Array], optimizer: Sequence[Array]) -> None:
        """Go back to values that `variables` has returned.

        Raises:
            ValueError: If they are not of this model and optimizer; then nothing is changed.
        """
        self.check(model, optimizer)
        variables = [*self.model.variables, *self.optimizer.variables]
        for variable, value in zip(variables, [*model, *optimizer], strict=True):
            variable.assign(value)

    def train(
        self,
        order: npt.NDArray[np.int32],
        rates: Floats,
        momenta: npt.NDArray[np.float64] | None = None,
    ) -> tuple[Floats, int]:
        """Train a step for each rate.

        Args:
            order: Indices of training images, shape (images,); each step takes the next
                `batch_size` of them, the last step may get fewer.
            rates: Learning rates, float32, shape (steps,).
            momenta: Momentum (Adam family: `beta_1`) of each step, float64, shape (steps,);
                None: the optimizer's own throughout.

        Returns:
            The mean loss of each batch before its step, shape (steps,), and how many images
            were classified correctly.
        """
        inputs = [tf.constant(order), tf.constant(rates)]
        if momenta is None:
            losses, correct = self._train(*inputs)
        else:
            losses, correct = self._momentum_trace()(*inputs, tf.constant(momenta))
        return losses.numpy(), int(correct)

    def evaluate(self, x: Any, y: Any) -> tuple[float, float]:
        """Return mean loss and accuracy over the tensors `x` and `y`."""
        if self._evaluate is None:
            self._evaluate = self._traced_evaluation()
        loss, correct = self._evaluate(x, y)
        images = int(y.shape[0])
        return float(loss) / images, int(correct) / images

    def _momentum_trace(self) -> Any:
        """Return the compiled chunk that takes momenta; only runs that cycle them pay for it."""
        if self._train_cycled is None:
            name = "momentum" if hasattr(self.optimizer, "momentum") else "beta_1"
            own = getattr(self.optimizer, name)

            def chunk(order: Any, rates: Any, momenta: Any) -> tuple[Any, Any]:
                def assign(i: Any) -> None:
                    setattr(self.optimizer, name, PerStep(momenta[i]))

                return self._train_chunk(order, rates, assign)

            with _BUILDING:
                try:
                    self._train_cycled = tf.function(chunk, autograph=False).get_concrete_function(
                        tf.TensorSpec([None], tf.int32),
                        tf.TensorSpec([None], tf.float32),
                        tf.TensorSpec([None], tf.float64),
                    )
                finally:
                    setattr(self.optimizer, name, own)
        return self._train_cycled

    def _traced_evaluation(self) -> Any:
        """Trace when it is first needed: a sweep never evaluates."""
        with _BUILDING:
            return tf.function(self._evaluate_all, autograph=False).get_concrete_function(
                tf.TensorSpec([None, *self.data.x_train.shape[1:]], tf.float32),
                tf.TensorSpec([None], tf.int32),
            )

    def _train_chunk(
        self, order: Any, rates: Any, before_step: Callable[[Any], None] | None = None
    ) -> tuple[Any, Any]:
        weights = self.model.trainable_variables

        def step(i: Any, losses: Any, correct: Any) -> tuple[Any, Any, Any]:
            picked = order[i * self.batch_size : (i + 1) * self.batch_size]
            x, y = tf.gather(self.data.x_train, picked), tf.gather(self.data.y_train, picked)
            with tf.GradientTape() as tape:
                probabilities = self.model(x, training=True)
                loss = self._loss(y, probabilities)
            gradients = tape.gradient(loss, weights)
            self.optimizer.learning_rate.assign(rates[i])
            if before_step is not None:
                before_step(i)
            self.optimizer.apply(gradients, weights)
            return i + 1, losses.write(i, loss), correct + _correct(y, probabilities)

        steps = tf.shape(rates)[0]
        _, losses, correct = tf.while_loop(
            lambda i, *_: i < steps,
            step,
            (0, tf.TensorArray(tf.float32, steps), 0),
            parallel_iterations=1,
        )
        return losses.stack(), correct

    def _evaluate_all(self, x: Any, y: Any) -> tuple[Any, Any]:
        images = tf.shape(y)[0]

        def batch(start: Any, total: Any, correct: Any) -> tuple[Any, Any, Any]:
            end = tf.minimum(start + _EVALUATION_BATCH, images)
            probabilities = self.model(x[start:end], training=False)
            loss = self._loss(y[start:end], probabilities) * tf.cast(end - start, tf.float32)
            return end, total + loss, correct + _correct(y[start:end], probabilities)

        _, total, correct = tf.while_loop(
            lambda start, *_: start < images, batch, (0, 0.0, 0), parallel_iterations=1
        )
        return total, correct


def _correct(y: Any, probabilities: Any) -> Any:
    hits = tf.equal(tf.argmax(probabilities, axis=-1, output_type=tf.int32), y)
    return tf.reduce_sum(tf.cast(hits, tf.int32))
