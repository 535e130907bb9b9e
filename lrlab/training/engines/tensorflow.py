"""The engine of TensorFlow: a Keras model whose steps run a chunk at a time in one graph."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from lrlab.analysis.chance import best_guess
from lrlab.results.run import Guess
from lrlab.tasks.data import DataSet
from lrlab.tasks.data_source import DataSource
from lrlab.tasks.setup import Setup
from lrlab.training.engines import compiled, rows
from lrlab.training.engines.engine import Engine, Floats, Order, Score, Split, Variables
from lrlab.training.engines.loaded import tf
from lrlab.training.engines.measures import Tally, measure
from lrlab.training.engines.momentum import PerStep
from lrlab.training.engines.rows import Rows, Tensors

_EVALUATION_BATCH = 1_000
# Keras builds models, and TensorFlow traces functions, in one thread only; running is free.
_BUILDING = threading.RLock()


class Engines:
    """Makes engines, all on the same tensors of each data set."""

    def __init__(self, data: Mapping[DataSource, DataSet]) -> None:
        self._tensors = {source: Tensors.of(dataset) for source, dataset in data.items()}

    def __call__(self, setup: Setup) -> "TensorFlowEngine":
        """Return a new engine for a setup."""
        return TensorFlowEngine(setup, self._tensors[setup.data])

    def classes(self, source: DataSource) -> int:
        """Return the number of classes of a data set."""
        return self._tensors[source].task.outputs

    def guess(self, setup: Setup, split: Split = "validation") -> Guess:
        """Return what the best constant guess gives on a part of a setup's data."""
        targets = self._tensors[setup.data].splits[split]["y"]
        return best_guess(tf.nest.map_structure(lambda t: t.numpy(), targets), setup.task)


class TensorFlowEngine(Engine):
    """Trains a Keras model in one compiled function.

    Building and tracing take 0.3 to 0.6 s, so an engine is kept and `start` begins the next run
    on it. Learning rates are inputs: all schedules share one trace.

    Args:
        setup: Says which model, optimizer and batch size.
        tensors: What to train and evaluate on.
    """

    def __init__(self, setup: Setup, tensors: Tensors) -> None:
        self._tensors = tensors
        self._train_rows = tensors.splits["train"]
        self.images = rows.count(self._train_rows)
        self.batch_size = setup.batch_size
        self.guess = tensors.guess
        self.metric = setup.task.metric
        self._setup = setup
        with _BUILDING:
            self.model = setup.build(0)
            self._loss = compiled.loss_of(self.model, setup)
            logits = compiled.gives_logits(self.model, setup.task)
            self._measure = measure(setup.task, logits=logits)
            self.optimizer = compiled.optimizer_of(self.model, setup)
            self._fresh_optimizer = [v.numpy() for v in self.optimizer.variables]
            self._train_cycled: Any = None
            self._train = self._traced(lambda *given: self._train_chunk(*given))
        self._evaluate = tf.function(self._evaluate_all, autograph=False)  # Traced once per shape.
        self._evaluations: dict[Split, Any] = {}
        self.tally = self._measure.zero

    def trace(self, *, cycled: bool) -> None:
        """Trace the evaluation, and the chunk that takes momenta, unless that was done."""
        self._evaluation("validation")
        if cycled:
            self._momentum_trace()

    def start(self, seed: int) -> None:
        """Begin a run: weights as the seed says, optimizer as if new."""
        with _BUILDING:
            fresh = [v.numpy() for v in self._setup.build(seed).variables]
        self._assign([*fresh, *self._fresh_optimizer])
        self.tally = self._measure.zero

    def variables(self) -> Variables:
        """Return the values of the model's variables and of the optimizer's."""
        return Variables(
            tuple(v.numpy() for v in self.model.variables),
            tuple(v.numpy() for v in self.optimizer.variables),
            self.tally,
        )

    def restore(self, values: Variables) -> None:
        """Go back to values that `variables` has returned."""
        for variables, given in (
            (self.model.variables, values.model),
            (self.optimizer.variables, values.optimizer),
        ):
            wanted = [(tuple(v.shape), v.dtype) for v in variables]
            if wanted != [(value.shape, value.dtype.name) for value in given]:
                raise ValueError("it is of another model or optimizer")
        zero = self._measure.zero
        if [(v.shape, v.dtype) for v in values.tally] != [(v.shape, v.dtype) for v in zero]:
            raise ValueError("it is of another metric")
        self._assign([*values.model, *values.optimizer])
        self.tally = values.tally

    def _assign(self, values: list[Any]) -> None:
        variables = [*self.model.variables, *self.optimizer.variables]
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)

    def train(
        self, order: Order, rates: Floats, momenta: npt.NDArray[np.float64] | None = None
    ) -> Floats:
        """Train a step for each rate; return the losses."""
        inputs = [self._train_rows, tf.constant(order), tf.constant(rates)]
        inputs.append(tuple(tf.constant(value) for value in self.tally))
        if momenta is None:
            losses, tally = self._train(*inputs)
        else:
            losses, tally = self._momentum_trace()(*inputs, tf.constant(momenta))
        self.tally = tuple(value.numpy() for value in tally)
        return losses.numpy()  # type: ignore[no-any-return]

    def take_score(self, examples: int) -> float:
        """Return the metric of the steps since it was taken last, and begin anew."""
        found, self.tally = self._measure.result(self.tally, examples), self._measure.zero
        return found

    def evaluate(self, split: Split) -> Score | None:
        """Return mean loss and metric over a part of the data, None where there is none."""
        if split not in self._tensors.splits:
            return None
        part = self._tensors.splits[split]
        loss, tally, right = self._evaluation(split)(part)
        examples = rows.count(part)
        score = self._measure.result([value.numpy() for value in tally], examples)
        return Score(float(loss) / examples, score, right.numpy() if len(right) else None)

    def _momentum_trace(self) -> Any:
        """Return the compiled chunk that takes momenta; only runs that cycle them pay for it."""
        if self._train_cycled is None:
            name = "momentum" if hasattr(self.optimizer, "momentum") else "beta_1"
            own = getattr(self.optimizer, name)

            def chunk(
                given: Rows, order: Any, rates: Any, tally: Tally, momenta: Any
            ) -> tuple[Any, Tally]:
                def assign(i: Any) -> None:
                    setattr(self.optimizer, name, PerStep(momenta[i]))

                return self._train_chunk(given, order, rates, tally, assign)

            with _BUILDING:
                try:
                    self._train_cycled = self._traced(chunk, tf.TensorSpec([None], tf.float64))
                finally:
                    setattr(self.optimizer, name, own)
        return self._train_cycled

    def _traced(self, chunk: Callable[..., Any], *more: Any) -> Any:
        """Return a compiled chunk of training."""
        tally = tuple(tf.TensorSpec(value.shape, value.dtype) for value in self._measure.zero)
        return tf.function(chunk, autograph=False).get_concrete_function(
            rows.specs(self._train_rows),
            tf.TensorSpec([None], tf.int32),
            tf.TensorSpec([None], tf.float32),
            tally,
            *more,
        )

    def _evaluation(self, split: Split) -> Any:
        """Return the compiled evaluation, traced when it is first needed: a sweep has none."""
        if split not in self._evaluations:
            specs = rows.specs(self._tensors.splits[split])
            with _BUILDING:
                self._evaluations[split] = self._evaluate.get_concrete_function(specs)
        return self._evaluations[split]

    def _train_chunk(
        self,
        given: Rows,
        order: Any,
        rates: Any,
        tally: Tally,
        before_step: Callable[[Any], None] | None = None,
    ) -> tuple[Any, Tally]:
        weights = self.model.trainable_variables

        def step(i: Any, losses: Any, *tally: Any) -> tuple[Any, ...]:
            batch = rows.taken(given, order[i * self.batch_size : (i + 1) * self.batch_size])
            x = self._tensors.inputs(batch["x"])
            with tf.GradientTape() as tape:
                predicted = compiled.predicted(self.model, x, training=True)
                loss = self._loss(x, batch, predicted, training=True)
                scaled = self.optimizer.scale_loss(loss)
            gradients = tape.gradient(scaled, weights)
            self.optimizer.learning_rate.assign(rates[i])
            if before_step is not None:
                before_step(i)
            self.optimizer.apply(gradients, weights)
            tally = self._measure.update(tally, batch["y"], predicted)
            return i + 1, losses.write(i, tf.cast(loss, tf.float32)), *tally

        steps = tf.shape(rates)[0]
        _, losses, *tally = tf.while_loop(
            lambda i, *_: i < steps,
            step,
            (0, tf.TensorArray(tf.float32, steps), *tally),
            parallel_iterations=1,
        )
        return losses.stack(), tuple(tally)

    def _evaluate_all(self, given: Rows) -> tuple[Any, Tally, Any]:
        examples = tf.shape(tf.nest.flatten(given["x"])[0])[0]

        def batch(number: Any, total: Any, right: Any, *tally: Any) -> tuple[Any, ...]:
            start = number * _EVALUATION_BATCH
            end = tf.minimum(start + _EVALUATION_BATCH, examples)
            part = rows.between(given, start, end)
            x = self._tensors.inputs(part["x"])
            predicted = compiled.predicted(self.model, x, training=False)
            loss = tf.cast(self._loss(x, part, predicted, training=False), tf.float32)
            total = total + loss * tf.cast(end - start, tf.float32)
            right = right.write(number, self._measure.right(part["y"], predicted))
            return number + 1, total, right, *self._measure.update(tally, part["y"], predicted)

        batches = (examples + _EVALUATION_BATCH - 1) // _EVALUATION_BATCH
        right = tf.TensorArray(tf.bool, batches, infer_shape=False, element_shape=[None])
        zero = [tf.constant(value) for value in self._measure.zero]
        _, total, right, *tally = tf.while_loop(
            lambda number, *_: number < batches,
            batch,
            (0, 0.0, right, *zero),
            parallel_iterations=1,
        )
        return total, tuple(tally), right.concat()
