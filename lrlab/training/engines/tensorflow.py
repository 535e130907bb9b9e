"""The engine of TensorFlow: a Keras model whose steps run a chunk at a time in one graph."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from lrlab.results.run import Guess
from lrlab.tasks.data import DataSet
from lrlab.tasks.data_source import DataSource
from lrlab.tasks.own_model import predicted, variables_of
from lrlab.tasks.setup import Setup
from lrlab.tasks.stream_set import StreamedSet
from lrlab.tasks.streamed import Stream
from lrlab.training.engines import compiled, rows
from lrlab.training.engines.engine import Engine, Floats, Order, Score, Split, Variables
from lrlab.training.engines.feed import Rows
from lrlab.training.engines.hidden_state import operations
from lrlab.training.engines.loaded import settle_keras, tf
from lrlab.training.engines.measures import Tally, measure
from lrlab.training.engines.momentum import PerStep
from lrlab.training.engines.rows import Tensors

# Keras builds models, and TensorFlow traces functions, in one thread only; running is free.
_BUILDING = threading.RLock()


class Engines:
    """Makes engines, all on the same tensors of each data set."""

    def __init__(self, data: Mapping[DataSource, DataSet | StreamedSet]) -> None:
        self._tensors = {source: Tensors.of(dataset) for source, dataset in data.items()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        settle_keras()  # In a process of its own, which nobody else has set up.
        self.__dict__.update(state)

    def __call__(self, setup: Setup) -> "TensorFlowEngine":
        """Return a new engine for a setup."""
        return TensorFlowEngine(setup, self._tensors[setup.data])

    def classes(self, source: DataSource) -> int:
        """Return the number of classes of a data set."""
        return self._tensors[source].task.outputs

    def guess(self, setup: Setup, split: Split = "validation") -> Guess:
        """Return what the best constant guess gives on a part of a setup's data."""
        return self._tensors[setup.data].best_guess(split, setup)


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
        self._feeds = {split: feed.own() for split, feed in tensors.splits.items()}
        self.images = self._feeds["train"].examples
        self.batch_size = setup.batch_size
        self.resumable = tensors.make is None
        self.guess = tensors.best_guess("validation", setup)
        self.metric = setup.task.metric
        self._setup = setup
        self._amounts = tensors.scale_of_targets(setup)
        with _BUILDING:
            self.model = setup.build(0)
            self._variables = variables_of(self.model)
            own = getattr(self.model, "optimizer", None)
            self._loss = compiled.loss_of(self.model, setup)
            logits = compiled.gives_logits(self.model, setup.task)
            picked = compiled.output_of(self.model, setup.task.of_output)
            self._measure = measure(setup.task, picked, logits=logits)
            self.optimizer = compiled.optimizer_of(self.model, setup, own)
            self._fresh_optimizer = [v.numpy() for v in self.optimizer.variables]
            self._train_cycled: Any = None
            self._train = self._traced(lambda *given: self._train_chunk(*given))
        self._evaluate = tf.function(self._evaluate_all, autograph=False)  # Traced once per shape.
        self._evaluations: dict[Split, Any] = {}
        self._states: list[Any] | None = None
        self.tally = self._measure.zero

    def sizes(self) -> npt.NDArray[np.int64]:
        """Return how many examples each step of an epoch sees."""
        sizes = self._feeds["train"].sizes
        return super().sizes() if sizes is None else np.array(sizes)

    def trace(self, *, cycled: bool) -> None:
        """Trace the evaluation, and the chunk that takes momenta, unless that was done."""
        self._evaluation("validation")
        if cycled:
            self._momentum_trace()

    def start(self, seed: int) -> None:
        """Begin a run: weights as the seed says, optimizer as if new."""
        with _BUILDING:
            fresh = [v.numpy() for v in variables_of(self._setup.build(seed))]
        self._assign([*fresh, *self._fresh_optimizer])
        self.tally = self._measure.zero
        if self._tensors.make is not None:
            with _BUILDING:
                streams = self._tensors.make(seed)
            for split, feed in self._feeds.items():
                if isinstance(stream := getattr(streams, split), Stream):
                    feed.begin(stream)

    def variables(self) -> Variables:
        """Return the values of the model's variables and of the optimizer's."""
        return Variables(
            tuple(v.numpy() for v in self._variables),
            tuple(v.numpy() for v in self.optimizer.variables),
            self.tally,
        )

    def restore(self, values: Variables) -> None:
        """Go back to values that `variables` has returned."""
        for variables, given in (
            (self._variables, values.model),
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
        variables = [*self._variables, *self.optimizer.variables]
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)

    def train(
        self, order: Order, rates: Floats, momenta: npt.NDArray[np.float64] | None = None
    ) -> Floats:
        """Train a step for each rate; return the losses."""
        found, done = [], 0
        for chunk in self._feeds["train"].chunks(order, self.batch_size, len(rates)):
            steps = slice(done, done + chunk.steps)
            inputs = [chunk.rows, tf.constant(chunk.order), tf.constant(chunk.size)]
            inputs += [tf.constant(rates[steps]), tuple(tf.constant(each) for each in self.tally)]
            if momenta is None:
                losses, tally = self._train(*inputs)
            else:
                losses, tally = self._momentum_trace()(*inputs, tf.constant(momenta[steps]))
            self.tally = tuple(value.numpy() for value in tally)
            found.append(losses.numpy())
            done += chunk.steps
        return found[0] if len(found) == 1 else np.concatenate(found)

    def take_score(self, examples: int) -> float:
        """Return the metric of the steps since it was taken last, and begin anew."""
        found, self.tally = self._measure.result(self.tally, examples), self._measure.zero
        return found

    def evaluate(self, split: Split) -> Score | None:
        """Return mean loss and metric over a part of the data, None where there is none."""
        if split not in self._feeds:
            return None
        feed, evaluation = self._feeds[split], self._evaluation(split)
        states = [(state, state.numpy()) for state in self._states or ()]
        total, tally = tf.constant(0.0), tuple(tf.constant(each) for each in self._measure.zero)
        right = []
        for given in feed.blocks():
            total, tally, of_block = evaluation(given, total, tally)
            right.append(of_block.numpy())
        for state, value in states:
            state.assign(value)
        score = self._measure.result([value.numpy() for value in tally], feed.examples)
        whole = np.concatenate(right)
        return Score(float(total) / feed.examples, score, whole if len(whole) else None)

    def _momentum_trace(self) -> Any:
        """Return the compiled chunk that takes momenta; only runs that cycle them pay for it."""
        if self._train_cycled is None:
            inner = getattr(self.optimizer, "inner_optimizer", self.optimizer)
            name = "momentum" if hasattr(inner, "momentum") else "beta_1"
            self._variables = variables_of(self.model)
            own = getattr(inner, name)

            def chunk(
                given: Rows, order: Any, size: Any, rates: Any, tally: Tally, momenta: Any
            ) -> tuple[Any, Tally]:
                def assign(i: Any) -> None:
                    setattr(inner, name, PerStep(momenta[i]))

                return self._train_chunk(given, order, size, rates, tally, assign)

            with _BUILDING:
                try:
                    self._train_cycled = self._traced(chunk, tf.TensorSpec([None], tf.float64))
                finally:
                    setattr(inner, name, own)
        return self._train_cycled

    def _traced(self, chunk: Callable[..., Any], *more: Any) -> Any:
        """Return a compiled chunk of training."""
        return tf.function(chunk, autograph=False).get_concrete_function(
            self._feeds["train"].specs,
            tf.TensorSpec([None], tf.int32),
            tf.TensorSpec([], tf.int32),
            tf.TensorSpec([None], tf.float32),
            self._tally_specs(),
            *more,
        )

    def _tally_specs(self) -> Tally:
        return tuple(tf.TensorSpec(value.shape, value.dtype) for value in self._measure.zero)

    def _evaluation(self, split: Split) -> Any:
        """Return the compiled evaluation, traced when it is first needed: a sweep has none."""
        if split not in self._evaluations:
            inputs = [self._feeds[split].specs, tf.TensorSpec([], tf.float32), self._tally_specs()]
            with _BUILDING:
                traced = self._evaluate.get_concrete_function(*inputs)
                self._evaluations[split] = traced
            if self._states is None:  # Validation plays no part in training: they are put back.
                writes = any(op.startswith("Assign") for op in operations(traced.graph))
                trained = {id(each) for each in self.model.trainable_variables}
                others = [each for each in self._variables if id(each) not in trained]
                self._states = others if writes else []
        return self._evaluations[split]

    def _train_chunk(
        self,
        given: Rows,
        order: Any,
        size: Any,
        rates: Any,
        tally: Tally,
        before_step: Callable[[Any], None] | None = None,
    ) -> tuple[Any, Tally]:
        weights = self.model.trainable_variables

        def step(i: Any, losses: Any, *tally: Any) -> tuple[Any, ...]:
            batch = rows.taken(given, order[i * size : (i + 1) * size])
            x = self._tensors.inputs(batch["x"])
            with tf.GradientTape() as tape:
                outputs = predicted(self.model, x, training=True)
                loss = self._loss(x, self._learned(batch), outputs, training=True)
                scaled = self.optimizer.scale_loss(loss)
            gradients = tape.gradient(scaled, weights)
            self.optimizer.learning_rate.assign(rates[i])
            if before_step is not None:
                before_step(i)
            self.optimizer.apply(gradients, weights)
            tally = self._measure.update(tally, batch["y"], self._judged(outputs))
            return i + 1, losses.write(i, tf.cast(loss, tf.float32)), *tally

        steps = tf.shape(rates)[0]
        _, losses, *tally = tf.while_loop(
            lambda i, *_: i < steps,
            step,
            (0, tf.TensorArray(tf.float32, steps), *tally),
            parallel_iterations=1,
        )
        return losses.stack(), tuple(tally)

    def _learned(self, batch: Rows) -> Rows:
        """Return a batch as the loss takes it: with standardised amounts, if they are to be."""
        return (
            batch
            if self._amounts is None
            else batch | {"y": rows.scaled(batch["y"], self._amounts)}
        )

    def _judged(self, outputs: Any) -> Any:
        """Return predictions as the metric takes them, in the unit of the targets."""
        return outputs if self._amounts is None else rows.unscaled(outputs, self._amounts)

    def _evaluate_all(self, given: Rows, total: Any, tally: Tally) -> tuple[Any, Tally, Any]:
        size = self._setup.batch or rows.EVALUATION_BATCH
        examples = tf.shape(tf.nest.flatten(given["x"])[0])[0]

        def batch(number: Any, total: Any, right: Any, *tally: Any) -> tuple[Any, ...]:
            start = number * size
            end = tf.minimum(start + size, examples)
            part = rows.between(given, start, end)
            x = self._tensors.inputs(part["x"])
            outputs = predicted(self.model, x, training=False)
            loss = self._loss(x, self._learned(part), outputs, training=False)
            total = total + tf.cast(loss, tf.float32) * tf.cast(end - start, tf.float32)
            outputs = self._judged(outputs)
            right = right.write(number, self._measure.right(part["y"], outputs))
            return number + 1, total, right, *self._measure.update(tally, part["y"], outputs)

        batches = (examples + size - 1) // size
        right = tf.TensorArray(tf.bool, batches, infer_shape=False, element_shape=[None])
        _, total, right, *tally = tf.while_loop(
            lambda number, *_: number < batches,
            batch,
            (0, total, right, *tally),
            parallel_iterations=1,
        )
        return total, tuple(tally), right.concat()
