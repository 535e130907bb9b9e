"""One training loop for the tasks of other families, and two of it side by side."""

import math
import os
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from finder_sets import REGRESSION, Arrays

from lrlab.schedules.one_cycle import one_cycle

if TYPE_CHECKING:
    from finder_families import Task


def build(task: "Task", data: Arrays, seed: int) -> Any:
    """Return a fresh model, a function of the seed alone."""
    import keras
    from keras import Input, Sequential, layers

    keras.utils.set_random_seed(seed)
    outputs = 1 if task.data in REGRESSION else int(data.y.max()) + 1
    last = layers.Dense(outputs)
    shape = data.x.shape[1:]
    if task.model == "mlp":
        hidden = [layers.Dense(100, "relu", kernel_initializer="he_normal") for _ in range(2)]
        return Sequential([Input(shape), layers.Flatten(), *hidden, last])
    if task.model == "conv_pool":
        parts = [
            layers.Reshape((*shape, 1)),
            layers.Conv2D(8, 3, padding="same", activation="relu", kernel_initializer="he_normal"),
            layers.MaxPooling2D(),
            layers.Conv2D(16, 3, padding="same", activation="relu", kernel_initializer="he_normal"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(64, "relu", kernel_initializer="he_normal"),
        ]
        return Sequential([Input(shape), *parts, last])
    if task.model == "conv_bn":
        parts = [layers.Reshape((*shape, 1))]
        for channels in (8, 16, 32):
            convolution = layers.Conv2D(channels, 3, strides=2, padding="same", use_bias=False,
                                        kernel_initializer="he_normal")  # fmt: skip
            parts += [convolution, layers.BatchNormalization(), layers.Activation("relu")]
        return Sequential([Input(shape), *parts, layers.GlobalAveragePooling2D(), last])
    if data.x.dtype.kind == "f":
        values = Input(shape)
        return keras.Model(values, last(layers.GRU(32, unroll=True)(values)))
    tokens = Input(shape, dtype="int32")
    at = np.arange(shape[0])[None]
    embedded = layers.Embedding(9, 16)(tokens) + layers.Embedding(16, 16)(at)
    if task.model == "recurrent":
        read = layers.GRU(32, unroll=True)(embedded)
    else:
        attended = layers.MultiHeadAttention(2, 16)(embedded, embedded)
        together = layers.LayerNormalization()(embedded + attended)
        dense = layers.Dense(32, "relu")(together)
        read = layers.Flatten()(dense)
    return keras.Model(tokens, last(read))


class Loop:
    """Trains a task at given rates, chunk by chunk in one graph; serves one thread."""

    building = threading.Lock()

    def __init__(self, task: "Task", data: Arrays) -> None:
        import keras
        import tensorflow as tf

        self.task, self.data, self.tf = task, data, tf
        with self.building:
            self.model = build(task, data, 0)
            classes = {
                "sgd": keras.optimizers.SGD,
                "adam": keras.optimizers.Adam,
                "adamw": keras.optimizers.AdamW,
                "rmsprop": keras.optimizers.RMSprop,
            }
            settings = {key: value for key, value in task.optimizer.items() if key != "type"}
            self.optimizer = classes[task.optimizer["type"]](0.0, **settings)
            self.optimizer.build(self.model.trainable_variables)
            self.fresh = [variable.numpy() for variable in self.optimizer.variables]
            self.x, self.y = tf.constant(data.x), tf.constant(data.y)
            self.steps = tf.function(self._steps, autograph=False).get_concrete_function(
                tf.TensorSpec([None], tf.int32), tf.TensorSpec([None], tf.float32)
            )
            self.validate = tf.function(self._validate, autograph=False).get_concrete_function()

    def loss(self, y: Any, out: Any) -> Any:
        """Return the mean loss of outputs."""
        tf = self.tf
        if self.task.data in REGRESSION:
            return tf.reduce_mean(tf.square(out[:, 0] - y))
        return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, out))

    def _steps(self, order: Any, rates: Any) -> Any:
        tf, size = self.tf, self.task.batch_size

        def step(i: Any, losses: Any) -> Any:
            picked = order[i * size : (i + 1) * size]
            with tf.GradientTape() as tape:
                out = self.model(tf.gather(self.x, picked), training=True)
                loss = self.loss(tf.gather(self.y, picked), out)
            gradients = tape.gradient(loss, self.model.trainable_variables)
            self.optimizer.learning_rate.assign(rates[i])
            self.optimizer.apply(gradients, self.model.trainable_variables)
            return i + 1, losses.write(i, loss)

        count = tf.shape(rates)[0]
        _, losses = tf.while_loop(
            lambda i, _: i < count, step, (0, tf.TensorArray(tf.float32, count)),
            parallel_iterations=1,
        )  # fmt: skip
        return losses.stack()

    def _validate(self) -> Any:
        tf = self.tf
        out = self.model(tf.constant(self.data.x_val), training=False)
        y = tf.constant(self.data.y_val)
        if self.task.data in REGRESSION:
            return self.loss(y, out), tf.constant(0.0)
        hits = tf.equal(tf.argmax(out, axis=-1, output_type=tf.int32), y)
        return self.loss(y, out), tf.reduce_mean(tf.cast(hits, tf.float32))

    def start(self, seed: int) -> None:
        """Begin at the weights of a seed, with a new optimizer."""
        with self.building:
            for variable, value in zip(
                self.model.variables, build(self.task, self.data, seed).variables, strict=True
            ):
                variable.assign(value)
        for variable, value in zip(self.optimizer.variables, self.fresh, strict=True):
            variable.assign(value)

    def order(self, steps: int, seed: int) -> Any:
        """Return the samples of so many whole batches."""
        whole = len(self.data.x) // self.task.batch_size * self.task.batch_size
        epochs = math.ceil(steps * self.task.batch_size / whole)
        each = [np.random.default_rng([seed, epoch]).permutation(len(self.data.x))[:whole]
                for epoch in range(epochs)]  # fmt: skip
        return np.concatenate(each)[: steps * self.task.batch_size].astype(np.int32)

    def run(self, rates: Any, seed: int) -> tuple[float | None, float | None]:
        """Train at the rates; return validation loss and accuracy, None where it broke down."""
        self.start(seed)
        losses = self.steps(self.order(len(rates), seed), np.asarray(rates, np.float32)).numpy()
        loss, accuracy = (float(value) for value in self.validate())
        if not (np.isfinite(losses).all() and math.isfinite(loss)):
            return None, None
        return round(loss, 5), round(accuracy, 5)

    def sweep(self, rates: Any, seed: int) -> list[float | None]:
        """Return every batch loss of a sweep, whatever a stop rule says."""
        self.start(seed)
        losses = self.steps(self.order(len(rates), seed), np.asarray(rates, np.float32)).numpy()
        return [float(f"{loss:.5g}") if math.isfinite(loss) else None for loss in losses]


def run_rates(schedule: str, lr: float, steps: int) -> Any:
    """Return the rates of a run: constant, or 1cycle with its peak at `lr`."""
    if schedule == "constant":
        return np.full(steps, lr)
    return one_cycle(np.arange(steps), max_lr=lr, over=steps)


def steps_of(task: "Task", data: Arrays) -> int:
    """Return the steps of a whole run."""
    return len(data.x) // task.batch_size * task.epochs


def side_by_side(
    loops: Sequence[Loop], jobs: Mapping[Any, Callable[[Loop], Any]]
) -> dict[Any, Any]:
    """Do all jobs, one at a time on each loop."""
    waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()
    for key in jobs:
        waiting.put(key)
    found: dict[Any, Any] = {}

    def work(loop: Loop) -> None:
        while True:
            try:
                key = waiting.get_nowait()
            except queue.Empty:
                return
            found[key] = jobs[key](loop)

    threads = [threading.Thread(target=work, args=(loop,)) for loop in loops]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def prepare() -> None:
    """Set TensorFlow as lrlab's engine does: one thread a run."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
