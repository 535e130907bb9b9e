"""The engine of TensorFlow: a Keras model whose steps run a chunk at a time in one graph."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lrlab.analysis.chance import best_guess
from lrlab.results.run import Guess
from lrlab.tasks import models
from lrlab.tasks.data import DataSet
from lrlab.tasks.data_source import DataSource
from lrlab.tasks.setup import Setup
from lrlab.training.engines.engine import Engine, Floats, Order, Score, Split, Variables
from lrlab.training.engines.loaded import keras, tf
from lrlab.training.engines.momentum import PerStep

_EVALUATION_BATCH = 1_000
# Keras builds models, and TensorFlow traces functions, in one thread only; running is free.
_BUILDING = threading.Lock()


@dataclass(frozen=True)
class Tensors:
    """A data set as tensors that stay in memory: images and labels of each part that it has.

    `guess` is what the best constant guess gives on the validation set.
    """

    splits: Mapping[Split, tuple[Any, Any]]
    classes: int
    guess: Guess

    @classmethod
    def of(cls, data: DataSet) -> "Tensors":
        """Return the tensors of a data set."""
        splits: dict[Split, tuple[Any, Any]] = {
            "train": (tf.constant(data.x_train), tf.constant(data.y_train)),
            "validation": (tf.constant(data.x_val), tf.constant(data.y_val)),
        }
        if data.x_test is not None:
            splits["test"] = (tf.constant(data.x_test), tf.constant(data.y_test))
        return cls(splits, data.classes, best_guess(data.y_val))


class Engines:
    """Makes engines, all on the same tensors of each data set."""

    def __init__(self, data: Mapping[DataSource, DataSet]) -> None:
        self._tensors = {source: Tensors.of(dataset) for source, dataset in data.items()}

    def __call__(self, setup: Setup) -> "TensorFlowEngine":
        """Return a new engine for a setup."""
        return TensorFlowEngine(setup, self._tensors[setup.data])

    def classes(self, source: DataSource) -> int:
        """Return the number of classes of a data set."""
        return self._tensors[source].classes

    def guess(self, source: DataSource, split: Split = "validation") -> Guess:
        """Return what the best constant guess gives on a part of a data set."""
        _, labels = self._tensors[source].splits[split]
        return best_guess(labels.numpy())


class TensorFlowEngine(Engine):
    """Trains a Keras model in one compiled function.

    Building and tracing take 0.3 to 0.6 s, so an engine is kept and `start` begins the next run
    on it. Learning rates are inputs: all schedules share one trace.

    Args:
        setup: Says which model, optimizer and batch size.
        tensors: What to train and evaluate on.
    """

    def __init__(self, setup: Setup, tensors: Tensors) -> None:
        self._splits = tensors.splits
        self._x, self._y = tensors.splits["train"]
        self.images = int(self._y.shape[0])
        self.batch_size = setup.batch_size
        self.guess = tensors.guess
        self._new_model: Callable[[int], Any] = lambda seed: models.build(
            setup.model, self._x.shape[1:], tensors.classes, seed
        )
        with _BUILDING:
            self.model = self._new_model(0)
            self.optimizer = setup.optimizer.build()
            self.optimizer.build(self.model.trainable_variables)
            self._fresh_optimizer = [v.numpy() for v in self.optimizer.variables]
            self._loss = keras.losses.SparseCategoricalCrossentropy()
            self._train_cycled: Any = None
            self._train = tf.function(self._train_chunk, autograph=False).get_concrete_function(
                tf.TensorSpec([None], tf.int32), tf.TensorSpec([None], tf.float32)
            )
        self._evaluate: Any = None

    def trace(self, *, cycled: bool) -> None:
        """Trace the evaluation, and the chunk that takes momenta, unless that was done."""
        if self._evaluate is None:
            self._evaluate = self._traced_evaluation()
        if cycled:
            self._momentum_trace()

    def start(self, seed: int) -> None:
        """Begin a run: weights as the seed says, optimizer as if new."""
        with _BUILDING:
            fresh = [v.numpy() for v in self._new_model(seed).variables]
        self._assign([*fresh, *self._fresh_optimizer])

    def variables(self) -> Variables:
        """Return the values of the model's variables and of the optimizer's."""
        return Variables(
            tuple(v.numpy() for v in self.model.variables),
            tuple(v.numpy() for v in self.optimizer.variables),
        )

    def restore(self, values: Variables) -> None:
        """Go back to values that `variables` has returned."""
        for variables, given in zip(
            (self.model.variables, self.optimizer.variables), values, strict=True
        ):
            wanted = [(tuple(v.shape), v.dtype) for v in variables]
            if wanted != [(value.shape, value.dtype.name) for value in given]:
                raise ValueError("it is of another model or optimizer")
        self._assign([*values.model, *values.optimizer])

    def _assign(self, values: list[Any]) -> None:
        variables = [*self.model.variables, *self.optimizer.variables]
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)

    def train(
        self, order: Order, rates: Floats, momenta: npt.NDArray[np.float64] | None = None
    ) -> tuple[Floats, int]:
        """Train a step for each rate; return the losses and how many images were correct."""
        inputs = [tf.constant(order), tf.constant(rates)]
        if momenta is None:
            losses, correct = self._train(*inputs)
        else:
            losses, correct = self._momentum_trace()(*inputs, tf.constant(momenta))
        return losses.numpy(), int(correct)

    def evaluate(self, split: Split) -> Score | None:
        """Return mean loss and accuracy over a part of the data, None where there is none."""
        if split not in self._splits:
            return None
        if self._evaluate is None:
            self._evaluate = self._traced_evaluation()
        x, y = self._splits[split]
        loss, right = self._evaluate(x, y)
        right = right.numpy()
        return Score(float(loss) / len(right), int(right.sum()) / len(right), right)

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
                tf.TensorSpec([None, *self._x.shape[1:]], tf.float32),
                tf.TensorSpec([None], tf.int32),
            )

    def _train_chunk(
        self, order: Any, rates: Any, before_step: Callable[[Any], None] | None = None
    ) -> tuple[Any, Any]:
        weights = self.model.trainable_variables

        def step(i: Any, losses: Any, correct: Any) -> tuple[Any, Any, Any]:
            picked = order[i * self.batch_size : (i + 1) * self.batch_size]
            x, y = tf.gather(self._x, picked), tf.gather(self._y, picked)
            with tf.GradientTape() as tape:
                probabilities = self.model(x, training=True)
                loss = self._loss(y, probabilities)
            gradients = tape.gradient(loss, weights)
            self.optimizer.learning_rate.assign(rates[i])
            if before_step is not None:
                before_step(i)
            self.optimizer.apply(gradients, weights)
            hits = tf.reduce_sum(tf.cast(_right(y, probabilities), tf.int32))
            return i + 1, losses.write(i, loss), correct + hits

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

        def batch(number: Any, total: Any, right: Any) -> tuple[Any, Any, Any]:
            start = number * _EVALUATION_BATCH
            end = tf.minimum(start + _EVALUATION_BATCH, images)
            probabilities = self.model(x[start:end], training=False)
            loss = self._loss(y[start:end], probabilities) * tf.cast(end - start, tf.float32)
            right = right.write(number, _right(y[start:end], probabilities))
            return number + 1, total + loss, right

        batches = (images + _EVALUATION_BATCH - 1) // _EVALUATION_BATCH
        right = tf.TensorArray(tf.bool, batches, infer_shape=False, element_shape=[None])
        _, total, right = tf.while_loop(
            lambda number, *_: number < batches, batch, (0, 0.0, right), parallel_iterations=1
        )
        return total, right.concat()


def _right(y: Any, probabilities: Any) -> Any:
    return tf.equal(tf.argmax(probabilities, axis=-1, output_type=tf.int32), y)
